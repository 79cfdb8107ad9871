// JetStream of the server: enabled account by account, streams and consumers reopened from the store, everything stopped in order.

import { JetStreamAccount } from './account.ts';
import { ApiDispatcher } from './dispatcher.ts';
import { listenToLongAcks } from './long-acks.ts';
import type { AccountLimits, JetStreamPorts, JetStreamSettings, ServerSubscription } from './ports.ts';
import { recoverStream } from './recover.ts';
import { ServerRoom } from './server-room.ts';

export class JetStream {
  readonly ports: JetStreamPorts;
  settings: JetStreamSettings;
  readonly accounts = new Map<string, JetStreamAccount>();
  readonly #room = new ServerRoom(
    () => this.accounts.values(),
    () => this.settings.limits,
  );
  readonly #dispatchers = new Map<string, ApiDispatcher>();
  readonly #longAcks: ServerSubscription[] = [];

  constructor(ports: JetStreamPorts, settings: JetStreamSettings) {
    this.ports = ports;
    this.settings = settings;
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
    const dispatcher = new ApiDispatcher(account);
    this.#dispatchers.set(name, dispatcher);
    dispatcher.open();
    this.#longAcks.push(listenToLongAcks(account));
    return account;
  }

  /** Ends deliveries and the API, writes what is left, closes the files. */
  async stop(): Promise<void> {
    for (const dispatcher of this.#dispatchers.values()) dispatcher.close();
    for (const subscription of this.#longAcks.splice(0)) subscription.cancel();
    for (const { transfers } of this.accounts.values()) transfers.cancelAll();
    const streams = [...this.accounts.values()].flatMap(({ streams: all }) => [...all.values()]);
    await Promise.all(streams.map((stream) => stream.stop()));
    await this.ports.store.stop();
  }
}
