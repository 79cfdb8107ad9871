// What all accounts of the server share: what they have stored against `max_memory_store` and `max_file_store`, and how many batches are open.
//
// The kernel appends by itself as long as a stream has been granted bytes. A stream that has used them up comes back with its next message, and
// gets a slice of what is left, or, when little is left, nothing: then every message is judged here.
// Kept true: what is granted together is never more than what is left.

import type { AccountLimits, ServerLimits } from './ports.ts';
import type { StreamConfig } from '../../core/jetstream/stream-config.ts';

type Storage = StreamConfig['storage'];

/** A stream, as what may use room. */
export interface RoomStream {
  readonly config: Pick<StreamConfig, 'storage'>;
  readonly store: { readonly granted: number; grant(bytes: number): void };
}

export interface RoomUser {
  readonly limits: Pick<AccountLimits, 'maxMemory' | 'maxStorage'>;
  readonly streams: ReadonlyMap<string, RoomStream>;
  stored(storage: Storage): number;
  reserved(storage: Storage): number;
}

/** Batches that are open in the whole server. */
export interface OpenBatches {
  atomic: number;
  fast: number;
}

/** Smaller slices are not worth granting: others may need the room more. */
const leastSlice = 1 << 20;
const largestSlice = 64 << 20;

function limitOf(storage: Storage, limits: RoomUser['limits']): number {
  const limit = storage === 'memory' ? limits.maxMemory : limits.maxStorage;
  return limit < 0 ? Infinity : limit;
}

export class ServerRoom {
  readonly openBatches: OpenBatches = { atomic: 0, fast: 0 };
  readonly #users: () => Iterable<RoomUser>;
  readonly #limits: () => ServerLimits;

  constructor(users: () => Iterable<RoomUser>, limits: () => ServerLimits) {
    this.#users = users;
    this.#limits = limits;
  }

  stored(storage: Storage): number {
    let bytes = 0;
    for (const user of this.#users()) bytes += user.stored(storage);
    return bytes;
  }

  reserved(storage: Storage): number {
    let bytes = 0;
    for (const user of this.#users()) bytes += user.reserved(storage);
    return bytes;
  }

  /** What all streams of a storage may use together. */
  limit(storage: Storage): number {
    return limitOf(storage, this.#limits());
  }

  /** Whether a stream has room for so many bytes more; if not, who has none. */
  claim(user: RoomUser, stream: RoomStream, bytes: number): 'server' | 'account' | undefined {
    const { store } = stream;
    if (store.granted < 0 || store.granted >= bytes) return undefined;
    const { storage } = stream.config;
    const left = this.limit(storage) - this.stored(storage);
    if (left < 0) return 'server';
    const own = limitOf(storage, user.limits) - user.stored(storage);
    if (own < bytes) return 'account';
    this.#grant(stream, Math.min(left, own));
    return undefined;
  }

  #grant({ config, store }: RoomStream, left: number): void {
    if (left === Infinity) return store.grant(-1);
    const others = [...this.#users()]
      .flatMap(({ streams }) => [...streams.values()])
      .filter((each) => each.config.storage === config.storage);
    const slice = Math.floor(left / (2 * (others.length + 1)));
    if (slice >= leastSlice) return store.grant(Math.min(slice, largestSlice));
    for (const each of others) each.store.grant(0);
  }

  /** Limits have changed: every stream comes back with its next message. */
  recall(): void {
    for (const { streams } of this.#users()) for (const { store } of streams.values()) store.grant(0);
  }
}
