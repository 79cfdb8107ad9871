// What operators see of JetStream: values taken in one turn, walked only as far as asked.

import { apiLevel } from '../../core/jetstream/api-level.ts';
import { encodeJson } from '../../core/jetstream/json.ts';
import type { ConsumerSnapshot, JetStreamAccountSnapshot, JetStreamUsage, Json, StreamSnapshot } from '../snapshot.ts';
import type { Instant } from '../../ports/clock.ts';
import type { JetStreamAccount } from './account.ts';
import type { Consumer } from './consumer.ts';
import type { Stream } from './stream.ts';

function json(document: unknown): { readonly [key: string]: Json | undefined } {
  return JSON.parse(encodeJson(document)) as { readonly [key: string]: Json | undefined };
}

/** What is stored, and what streams have reserved. */
export function usage(account: JetStreamAccount): JetStreamUsage {
  return {
    memory: account.stored('memory'),
    storage: account.stored('file'),
    reservedMemory: account.reserved('memory'),
    reservedStorage: account.reserved('file'),
  };
}

/** What several accounts use together. */
export function sumUsage(accounts: readonly JetStreamAccount[]): JetStreamUsage {
  const all = accounts.map(usage);
  const sum = (key: keyof JetStreamUsage): number => all.reduce((total, one) => total + one[key], 0);
  return {
    memory: sum('memory'),
    storage: sum('storage'),
    reservedMemory: sum('reservedMemory'),
    reservedStorage: sum('reservedStorage'),
  };
}

/** An account as the monitoring endpoints show it, with its streams and consumers. */
export function accountSnapshot(account: JetStreamAccount): JetStreamAccountSnapshot {
  return {
    ...usage(account),
    reservedMemory: account.limits.maxMemory,
    reservedStorage: account.limits.maxStorage,
    name: account.name,
    id: account.name,
    api: { level: apiLevel, total: account.apiTotal, errors: account.apiErrors },
    streams: () => streamSnapshots(account.sorted()),
  };
}

function* streamSnapshots(streams: readonly Stream[]): Generator<StreamSnapshot> {
  for (const stream of streams) if (stream.isOpen) yield new OpenStream(stream);
}

class OpenStream implements StreamSnapshot {
  readonly #stream: Stream;
  #info: { readonly [key: string]: Json | undefined } | undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  #ofInfo(key: string): Json | undefined {
    this.#info ??= json(this.#stream.info({}, false));
    return this.#info[key];
  }

  get name(): string {
    return this.#stream.name;
  }

  get created(): Instant {
    return this.#stream.created;
  }

  get config(): Json {
    return this.#ofInfo('config') ?? null;
  }

  get state(): Json {
    return this.#ofInfo('state') ?? null;
  }

  get mirror(): Json | undefined {
    return this.#ofInfo('mirror');
  }

  get sources(): Json | undefined {
    return this.#ofInfo('sources');
  }

  get fault(): string | undefined {
    return this.#stream.store.fault;
  }

  *consumers(): Generator<ConsumerSnapshot> {
    for (const consumer of [...this.#stream.consumers.values()]) if (!consumer.isClosed) yield new OpenConsumer(consumer);
  }
}

class OpenConsumer implements ConsumerSnapshot {
  readonly #consumer: Consumer;

  constructor(consumer: Consumer) {
    this.#consumer = consumer;
  }

  get name(): string {
    return this.#consumer.name;
  }

  get direct(): boolean {
    return this.#consumer.isDirect;
  }

  get info(): { readonly [key: string]: Json | undefined } {
    return json(this.#consumer.info(false));
  }
}
