// Messages of a work queue that are to go because their consumer is done with them, until their deletes are on disk. Nobody repeats an acknowledgement
// that was taken: what a fault of the disk lost of these deletes, or kept from being made, is made up for when the stream writes again.
//
// What stays true: a sequence is forgotten only behind a round that began after its delete. No sequence in here was ever given out anew: only what is on
// disk is delivered, and so acknowledged.

import type { StreamStore } from '../store/store.ts';
import { isFault } from './request.ts';

export class OwedDeletes {
  readonly #store: StreamStore;
  /** Deleted since the last round was through. */
  #newest: number[] = [];
  /** Deleted before that, perhaps while it was under way. */
  #older: number[] = [];

  constructor(store: StreamStore) {
    this.#store = store;
  }

  /** Deletes a message, at once or when the stream writes again. */
  delete(seq: number): void {
    if (this.#isOwed(seq)) this.#newest.push(seq);
  }

  /** Whether there was something to delete, or nobody knows. */
  #isOwed(seq: number): boolean {
    try {
      return this.#store.fault !== undefined || this.#store.delete(seq);
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown;
      return true;
    }
  }

  /** A round is through. */
  synced(): void {
    if (this.#newest.length === 0 && this.#older.length === 0) return;
    this.#older = this.#newest;
    this.#newest = [];
  }

  /** The stream writes again: what was deleted may be there. */
  revived(): void {
    const owed = [...this.#older, ...this.#newest];
    this.#older = [];
    this.#newest = [];
    for (const seq of owed) this.delete(seq);
  }
}
