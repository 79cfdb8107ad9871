// JetStream of the server: enabled account by account, streams and consumers reopened from the store, everything stopped in order.

import { advisoryOf, type AdvisoryId } from '../../core/jetstream/advisories.ts';
import { formatInstant } from '../../core/jetstream/instant.ts';
import { encodeJson } from '../../core/jetstream/json.ts';
import type { Document } from '../../core/jetstream/schema.ts';
import { JetStreamAccount } from './account.ts';
import { ApiQueue } from './api-queue.ts';
import { ApiDispatcher } from './dispatcher.ts';
import { listenToLongAcks } from './long-acks.ts';
import type { AccountLimits, JetStreamPorts, JetStreamSettings, ServerSubscription } from './ports.ts';
import { recoverStream } from './recover.ts';
import { ServerRoom } from './server-room.ts';
import { uniqueName } from './unique.ts';

export class JetStream {
  readonly ports: JetStreamPorts;
  settings: JetStreamSettings;
  readonly accounts = new Map<string, JetStreamAccount>();
  readonly #room = new ServerRoom(
    () => this.accounts.values(),
    () => this.settings.limits,
  );
  /** The account that hears what concerns the server; undefined: there is none. */
  system: number | undefined;
  readonly requests: ApiQueue;
  readonly #dispatchers = new Map<string, ApiDispatcher>();
  readonly #longAcks = new Map<string, ServerSubscription>();

  constructor(ports: JetStreamPorts, settings: JetStreamSettings) {
    this.ports = ports;
    this.settings = settings;
    const { clock, log, door } = ports;
    const advise = (fields: Document): void => this.#adviseSystem('apiLimitReached', fields);
    this.requests = new ApiQueue({ clock, log, soon: (call) => door.soon(call), advise }, () => this.settings.limits.requests);
  }

  /** Sends an advisory that concerns the server, when somebody of the system account listens. */
  #adviseSystem(id: AdvisoryId, fields: Document): void {
    const { door, clock, random } = this.ports;
    const { subject, type } = advisoryOf(id);
    if (this.system === undefined || !door.hasInterest(this.system, subject)) return;
    const { serverName, domain } = this.settings;
    const document = {
      type,
      id: uniqueName(random, 22),
      timestamp: formatInstant(clock.wallInstant()),
      server: serverName,
      domain: domain === '' ? undefined : domain,
      ...fields,
    };
    door.publish(this.system, subject, '', undefined, new TextEncoder().encode(encodeJson(document)));
  }

  /** Takes new settings and limits over; what exists already stays. */
  configure(settings: JetStreamSettings, limits: ReadonlyMap<string, AccountLimits>): void {
    this.settings = settings;
    for (const account of this.accounts.values()) {
      account.settings = settings;
      account.limits = limits.get(account.name) ?? account.limits;
    }
    this.#room.recall();
  }

  /** Opens what the account has on disk, then its API. */
  async enable(name: string, number: number, limits: AccountLimits): Promise<JetStreamAccount> {
    const account = new JetStreamAccount(name, number, this.ports, this.settings, limits, this.#room);
    this.accounts.set(name, account);
    await Promise.all(this.ports.store.find(name).map((found) => recoverStream(account, found)));
    for (const stream of account.streams.values()) stream.followMirrorDirect();
    const dispatcher = new ApiDispatcher(account, this.requests);
    this.#dispatchers.set(name, dispatcher);
    dispatcher.open();
    this.#longAcks.set(name, listenToLongAcks(account));
    return account;
  }

  /** Its streams stop where they are, and stay on disk for when it has JetStream again; those in memory are gone. */
  async disable(name: string): Promise<void> {
    const account = this.accounts.get(name);
    if (account === undefined) return;
    this.accounts.delete(name);
    this.#dispatchers.get(name)?.close();
    this.#dispatchers.delete(name);
    this.#longAcks.get(name)?.cancel();
    this.#longAcks.delete(name);
    account.transfers.cancelAll();
    await Promise.all([...account.streams.values()].map((stream) => stream.stop()));
    this.#room.recall();
  }

  /** Ends deliveries and the API, writes what is left, closes the files. */
  async stop(): Promise<void> {
    for (const dispatcher of this.#dispatchers.values()) dispatcher.close();
    this.requests.line.stop();
    for (const subscription of this.#longAcks.values()) subscription.cancel();
    for (const { transfers } of this.accounts.values()) transfers.cancelAll();
    const streams = [...this.accounts.values()].flatMap(({ streams: all }) => [...all.values()]);
    await Promise.all(streams.map((stream) => stream.stop('409 Server Shutdown')));
    await this.ports.store.stop();
  }
}
