// Chance from the system, in batches, since one call for a few bytes costs more than the bytes.

import { randomFillSync } from 'node:crypto';
import type { Random } from '../ports/random.ts';

const BATCH = 4096;
/** Bytes for one number: 48 bits over any limit in use, so the bias is below 2^-16 of a part. */
const DRAWN = 6;

export class NodeRandom implements Random {
  readonly #pool = new Uint8Array(BATCH);
  #used = BATCH;

  bytes(length: number): Uint8Array {
    if (length > BATCH) return randomFillSync(new Uint8Array(length));
    this.#provide(length);
    const taken = this.#pool.slice(this.#used, this.#used + length);
    this.#pool.fill(0, this.#used, this.#used + length);
    this.#used += length;
    return taken;
  }

  below(limit: number): number {
    this.#provide(DRAWN);
    let drawn = 0;
    for (let taken = 0; taken < DRAWN; taken++) {
      drawn = drawn * 256 + (this.#pool[this.#used] ?? 0);
      this.#pool[this.#used++] = 0;
    }
    return (drawn % limit) >>> 0;
  }

  #provide(length: number): void {
    if (this.#used + length <= BATCH) return;
    randomFillSync(this.#pool);
    this.#used = 0;
  }
}
