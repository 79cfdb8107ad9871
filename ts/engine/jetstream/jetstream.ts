// JetStream of the server: enabled account by account, streams and consumers reopened from the store, everything stopped in order.

import { supportsLevel } from '../../core/jetstream/api-level.ts';
import { consumerConfigSchema, type ConsumerConfig } from '../../core/jetstream/consumer-config.ts';
import type { Instant } from '../../core/jetstream/instant.ts';
import { JsonError } from '../../core/jetstream/parse-json.ts';
import { readDocument, type Schema } from '../../core/jetstream/schema.ts';
import { streamConfigSchema, type StreamConfig } from '../../core/jetstream/stream-config.ts';
import type { Timer } from '../../ports/clock.ts';
import type { FoundConsumer, FoundStream } from '../store/store.ts';
import { JetStreamAccount } from './account.ts';
import { ApiDispatcher } from './dispatcher.ts';
import type { AccountLimits, JetStreamPorts, JetStreamSettings } from './ports.ts';
import { Stream } from './stream.ts';

/** How often push consumers look whether somebody listens. */
const interestIntervalMs = 250;

const created = { kind: { is: 'time' } } as const;
const text = { kind: { is: 'string' } } as const;
const streamMetaSchema: Schema = { name: 'StreamMeta', fields: { Created: created, ...streamConfigSchema.fields } };
const consumerMetaSchema: Schema = {
  name: 'ConsumerMeta',
  fields: { Created: created, Name: text, ...consumerConfigSchema.fields },
};

type StreamMeta = StreamConfig & { readonly Created: Instant | undefined };
type ConsumerMeta = ConsumerConfig & { readonly Created: Instant | undefined; readonly Name: string };

export class JetStream {
  readonly ports: JetStreamPorts;
  readonly settings: JetStreamSettings;
  readonly accounts = new Map<string, JetStreamAccount>();
  readonly #dispatchers = new Map<string, ApiDispatcher>();
  readonly #interestTimer: Timer;

  constructor(ports: JetStreamPorts, settings: JetStreamSettings) {
    this.ports = ports;
    this.settings = settings;
    this.#interestTimer = ports.clock.every(interestIntervalMs, () => this.#checkInterest());
  }

  /** Takes new settings and limits over; what exists already stays. */
  configure(settings: JetStreamSettings, limits: ReadonlyMap<string, AccountLimits>): void {
    for (const account of this.accounts.values()) {
      account.settings = settings;
      account.limits = limits.get(account.name) ?? account.limits;
    }
  }

  /** Opens what the account has on disk, then its API. */
  async enable(name: string, number: number, limits: AccountLimits): Promise<JetStreamAccount> {
    const account = new JetStreamAccount(name, number, this.ports, this.settings, limits);
    this.accounts.set(name, account);
    await Promise.all(this.ports.store.find(name).map((found) => this.#recover(account, found)));
    const dispatcher = new ApiDispatcher(account);
    this.#dispatchers.set(name, dispatcher);
    dispatcher.open();
    return account;
  }

  async #recover(account: JetStreamAccount, found: FoundStream): Promise<void> {
    const leave = (reason: string): void => {
      account.offline.set(found.name, reason);
      this.ports.log.warn(`Stream '${account.name} > ${found.name}' is left alone: ${reason}`);
    };
    if (found.problem !== undefined || found.meta === undefined) return leave(found.problem ?? 'meta.inf is missing');
    let meta: StreamMeta;
    try {
      meta = readDocument(streamMetaSchema, found.meta, true) as unknown as StreamMeta;
    } catch (thrown) {
      if (thrown instanceof JsonError) return leave(`meta.inf: ${thrown.message}`);
      throw thrown;
    }
    const { Created, ...config } = meta;
    if (!supportsLevel(config.metadata))
      return leave(`unsupported - required API level: ${config.metadata['_nats.req.level'] ?? ''}`);
    try {
      const store = await this.ports.store.recover(account.options(config));
      if (config.storage === 'memory') return await store.remove();
      const stream = new Stream(account, config, Created ?? this.ports.clock.wallInstant(), store);
      account.streams.set(config.name, stream);
      for (const consumer of store.consumers()) this.#recoverConsumer(stream, consumer);
      stream.open();
    } catch (thrown) {
      leave(thrown instanceof Error ? thrown.message : String(thrown));
    }
  }

  #recoverConsumer(stream: Stream, found: FoundConsumer): void {
    const leave = (reason: string): void =>
      this.ports.log.warn(`Consumer '${stream.account.name} > ${stream.name} > ${found.name}' is left alone: ${reason}`);
    if (found.problem !== undefined || found.meta === undefined) return leave(found.problem ?? 'meta.inf is missing');
    try {
      const { Created, Name: _, ...config } = readDocument(consumerMetaSchema, found.meta, true) as unknown as ConsumerMeta;
      if (!supportsLevel(config.metadata))
        return leave(`unsupported - required API level: ${config.metadata['_nats.req.level'] ?? ''}`);
      stream.recoverConsumer(found.name, config, Created ?? this.ports.clock.wallInstant(), found.state);
    } catch (thrown) {
      if (!(thrown instanceof JsonError)) throw thrown;
      leave(`meta.inf: ${thrown.message}`);
    }
  }

  #checkInterest(): void {
    for (const account of this.accounts.values()) {
      for (const stream of account.streams.values()) {
        for (const consumer of stream.consumers.values()) if (consumer.isPush) consumer.checkInterest();
      }
    }
  }

  /** Ends deliveries and the API, writes what is left, closes the files. */
  async stop(): Promise<void> {
    this.#interestTimer.cancel();
    for (const dispatcher of this.#dispatchers.values()) dispatcher.close();
    const streams = [...this.accounts.values()].flatMap(({ streams: all }) => [...all.values()]);
    await Promise.all(streams.map((stream) => stream.stop()));
    await this.ports.store.stop();
  }
}
