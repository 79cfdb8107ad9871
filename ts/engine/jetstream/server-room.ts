// What all accounts of the server share: how much they have stored against `max_memory_store` and `max_file_store`, and how many batches are open.

import type { StreamConfig } from '../../core/jetstream/stream-config.ts';

type Storage = StreamConfig['storage'];

export interface RoomUser {
  stored(storage: Storage): number;
  reserved(storage: Storage): number;
}

/** Batches that are open in the whole server. */
export interface OpenBatches {
  atomic: number;
  fast: number;
}

export class ServerRoom {
  readonly openBatches: OpenBatches = { atomic: 0, fast: 0 };
  readonly #users: () => Iterable<RoomUser>;

  constructor(users: () => Iterable<RoomUser>) {
    this.#users = users;
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
}
