// JetStream as the server's life cycle uses it: started with the accounts of the options, reloaded, stopped, shown to operators.

import { apiLevel } from '../../core/jetstream/api-level.ts';
import type { Account } from '../../core/account/registry.ts';
import type { AccountJetStreamLimits, Options } from '../../core/config/options.ts';
import { nanosPerMilli } from '../../core/jetstream/instant.ts';
import type { Log } from '../../ports/log.ts';
import type { JetStreamLife, JetStreamParts } from '../server/jetstream-life.ts';
import type { JetStreamSnapshot } from '../snapshot.ts';
import type { Store } from '../store/store.ts';
import { BrokerDoor } from './broker-door.ts';
import { JetStream } from './jetstream.ts';
import type { AccountLimits, JetStreamPorts, JetStreamSettings, ServerSubscription } from './ports.ts';
import { accountSnapshot, sumUsage } from './snapshots.ts';
import { purgeOnDemand } from './account-purge.ts';
import { refuseApi, refuseSystem } from './without-jetstream.ts';

export interface JetStreamFacts {
  /** The `jetstream` folder itself. */
  readonly storeDir: string;
  readonly maxMemory: number;
  readonly maxStorage: number;
}

const INFO_SUBJECT = '$JS.API.INFO';

function settingsOf(options: Options, serverName: string, { maxMemory, maxStorage }: JetStreamFacts): JetStreamSettings {
  const { domain, strict, limits } = options.jetstream;
  return {
    serverName,
    domain,
    strict,
    maxPayloadBytes: options.maxPayload,
    limits: {
      maxAckPending: Math.max(0, limits.maxAckPending),
      maxRequestBatch: Math.max(0, limits.maxRequestBatch),
      duplicateWindowNanos: BigInt(Math.round(Math.max(0, limits.duplicateWindowMs))) * nanosPerMilli,
      batch: {
        perStream: Math.max(0, limits.batchMaxInflightPerStream),
        total: Math.max(0, limits.batchMaxInflightTotal),
        messages: limits.batchMaxMsgs > 0 ? limits.batchMaxMsgs : 1_000,
        timeoutMs: limits.batchTimeoutMs > 0 ? limits.batchTimeoutMs : 10_000,
      },
      requests: { changes: options.jetstream.requestQueueLimit, infos: options.jetstream.infoQueueLimit },
      maxMemory,
      maxStorage,
    },
  };
}

type Tiers = Readonly<Record<string, AccountJetStreamLimits>>;

function limitsOf(limits: AccountJetStreamLimits, tiers?: Tiers): AccountLimits {
  const byReplicas = Object.entries(tiers ?? {}).map(([name, tier]) => [name, limitsOf(tier)] as const);
  return {
    ...(tiers !== undefined && { tiers: Object.fromEntries(byReplicas) }),
    maxMemory: limits.maxMemory,
    maxStorage: limits.maxStore,
    maxStreams: limits.maxStreams,
    maxConsumers: limits.maxConsumers,
    maxAckPending: limits.maxAckPending,
    memoryMaxStreamBytes: limits.memMaxStreamBytes,
    storageMaxStreamBytes: limits.diskMaxStreamBytes,
    maxBytesRequired: limits.maxBytesRequired,
  };
}

/** Ports that come from outside of the broker. */
export type OuterPorts = Omit<JetStreamPorts, 'door' | 'store'>;

export class JetStreamService implements JetStreamLife {
  readonly #parts: JetStreamParts;
  readonly #facts: JetStreamFacts;
  readonly #jetstream: JetStream;
  readonly #log: Log;
  readonly #door: BrokerDoor;
  /** Accounts without JetStream, whose API says so. */
  readonly #refusing = new Map<string, ServerSubscription>();
  #purging: ServerSubscription | undefined;
  #reloading: Promise<void> = Promise.resolve();

  constructor(parts: JetStreamParts, facts: JetStreamFacts, store: Store, ports: OuterPorts, storeEvent: StoreEvent) {
    const { broker, options, identity } = parts;
    const door = new BrokerDoor(broker);
    this.#parts = parts;
    this.#log = ports.log;
    this.#door = door;
    this.#facts = facts;
    this.#jetstream = new JetStream({ ...ports, door, store }, settingsOf(options, identity.serverName, facts));
    broker.events.toJetStream({ ack: (message) => door.ack(message), store: storeEvent });
  }

  async start(): Promise<void> {
    await this.#enableMissing();
  }

  /** Accounts that have JetStream and were not enabled yet, and those that have it no more. */
  async #enableMissing(): Promise<void> {
    const { sessions, broker } = this.#parts;
    for (const account of sessions.accounts.all()) {
      const isEnabled = this.#jetstream.accounts.has(account.name);
      if (isEnabled && account.jetstream !== undefined) continue;
      if (isEnabled) await this.#jetstream.disable(account.name);
      const { handle } = broker.accounts.get(account.name);
      if (account.isSystem && !this.#refusing.has(account.name)) this.#openSystem(handle);
      if (account.isSystem || account.jetstream === undefined) {
        this.#refuse(account, handle);
        continue;
      }
      this.#refusing.get(account.name)?.cancel();
      this.#refusing.delete(account.name);
      await this.#jetstream.enable(account.name, handle, limitsOf(account.jetstream, account.tiers));
    }
  }

  /** What the system account may ask, and where it hears what concerns the server. */
  #openSystem(handle: number): void {
    this.#jetstream.system = handle;
    this.#purging = purgeOnDemand(this.#door, handle, this.#jetstream, this.#log);
  }

  /** An account whose API is another's, by import, perhaps of a domain that it asks by default, has nothing to refuse. */
  #refuse({ name, isSystem, mappings }: Account, handle: number): void {
    const refusing = this.#refusing.get(name);
    const { domain } = this.#jetstream.settings;
    const mapped = mappings.find(({ source }) => source === INFO_SUBJECT)?.destinations[0];
    const isImported = this.#parts.broker.imports.serves(name, mapped?.subject ?? INFO_SUBJECT);
    if (isImported) refusing?.cancel();
    if (isImported) this.#refusing.delete(name);
    else if (refusing === undefined)
      this.#refusing.set(name, isSystem ? refuseSystem(this.#door, handle) : refuseApi(this.#door, handle, domain));
  }

  storedAccounts(): string[] {
    return this.#jetstream.ports.store.accounts();
  }

  /** One behind the other: an account may lose JetStream and have it again before its files are closed. */
  reload(options: Options): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reload(options));
    return this.#reloading;
  }

  async #reload(options: Options): Promise<void> {
    const { sessions, identity } = this.#parts;
    const limits = new Map<string, AccountLimits>();
    for (const { name, jetstream, tiers } of sessions.accounts.all()) {
      if (jetstream !== undefined) limits.set(name, limitsOf(jetstream, tiers));
    }
    this.#jetstream.configure(settingsOf(options, identity.serverName, this.#facts), limits);
    try {
      await this.#enableMissing();
    } catch (thrown) {
      this.#log.error(`JetStream of a new account: ${String(thrown)}`);
    }
  }

  async stop(): Promise<void> {
    this.#purging?.cancel();
    await this.#reloading;
    await this.#jetstream.stop();
  }

  snapshot(): JetStreamSnapshot {
    const accounts = [...this.#jetstream.accounts.values()];
    const streams = accounts.flatMap((account) => [...account.streams.values()]);
    const sum = (of: (stream: (typeof streams)[number]) => number): number =>
      streams.reduce((total, stream) => total + of(stream), 0);
    return {
      ...sumUsage(accounts),
      config: this.#facts,
      haAssets: 0,
      api: {
        level: apiLevel,
        total: accounts.reduce((total, { apiTotal }) => total + apiTotal, 0),
        errors: accounts.reduce((total, { apiErrors }) => total + apiErrors, 0),
        inflight: this.#jetstream.requests.inflight,
      },
      streams: streams.length,
      consumers: sum(({ consumers }) => consumers.size),
      messages: sum(({ store }) => store.state.messages),
      bytes: sum(({ store }) => store.state.bytes),
      syncTimes: this.#jetstream.ports.store.syncTimes,
      accounts: () => accounts.map(accountSnapshot),
    };
  }
}

export type StoreEvent = (type: number, words: Uint32Array, at: number, count: number) => void;
