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
/** While slices are so large, an estimate of what is stored will do. */
const ampleSlice = 8 << 20;

/** What was stored when all streams were last asked, how many there were, and what they have been granted since. */
interface Counted {
  readonly stored: number;
  readonly streams: number;
  granted: number;
}

function limitOf(storage: Storage, limits: RoomUser['limits']): number {
  const limit = storage === 'memory' ? limits.maxMemory : limits.maxStorage;
  return limit < 0 ? Infinity : limit;
}

/** What one of so many streams is granted when so much is left. */
function sliceOf(left: number, streams: number): number {
  return Math.floor(left / (2 * (streams + 1)));
}

/** What the streams of a storage were granted and have not used, but for one. */
function grantedToOthers(users: Iterable<RoomUser>, but: RoomStream): number {
  let bytes = 0;
  for (const { streams } of users) {
    for (const stream of streams.values()) {
      if (stream !== but && stream.config.storage === but.config.storage) bytes += Math.max(0, stream.store.granted);
    }
  }
  return bytes;
}

export class ServerRoom {
  readonly openBatches: OpenBatches = { atomic: 0, fast: 0 };
  readonly #users: () => Iterable<RoomUser>;
  readonly #limits: () => ServerLimits;
  readonly #counted = new Map<Storage, Counted>();

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
    const streams = this.#streams();
    const left = this.#left(stream, streams);
    if ((this.#counted.get(storage)?.stored ?? 0) > this.limit(storage)) return 'server';
    const limit = limitOf(storage, user.limits);
    const own = limit === Infinity ? limit : limit - user.stored(storage);
    if (own < bytes) return 'account';
    const ownLeft = own === Infinity ? own : own - grantedToOthers([user], stream);
    this.#grant(stream, Math.min(left, ownLeft), streams);
    return undefined;
  }

  #streams(): number {
    let streams = 0;
    for (const user of this.#users()) streams += user.streams.size;
    return streams;
  }

  /** Room that no stream uses, and no other one was granted: at least so much while there is plenty, else exactly. */
  #left(stream: RoomStream, streams: number): number {
    const { storage } = stream.config;
    const limit = this.limit(storage);
    if (limit === Infinity) return limit;
    const counted = this.#counted.get(storage);
    if (counted?.streams === streams) {
      const atLeast = limit - counted.stored - counted.granted;
      if (sliceOf(atLeast, streams) >= ampleSlice) return atLeast;
    }
    const stored = this.stored(storage);
    const granted = grantedToOthers(this.#users(), stream);
    this.#counted.set(storage, { stored, streams, granted });
    return limit - stored - granted;
  }

  #grant({ config, store }: RoomStream, left: number, streams: number): void {
    if (left === Infinity) return store.grant(-1);
    const slice = Math.min(sliceOf(left, streams), largestSlice);
    if (slice < leastSlice) return this.recall(config.storage);
    store.grant(slice);
    const counted = this.#counted.get(config.storage);
    if (counted !== undefined) counted.granted += slice;
  }

  /** Every stream, or every one of a storage, comes back with its next message. */
  recall(storage?: Storage): void {
    for (const { streams } of this.#users()) {
      for (const { config, store } of streams.values()) {
        if (storage === undefined || config.storage === storage) store.grant(0);
      }
    }
  }
}
