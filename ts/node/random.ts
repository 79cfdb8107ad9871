// Chance from the system, in batches, since one call for a few bytes costs more than the bytes.

import { randomFillSync } from 'node:crypto';
import type { Random } from '../ports/random.ts';

const BATCH = 4096;

export class NodeRandom implements Random {
  readonly #pool = new Uint8Array(BATCH);
  #used = BATCH;

  bytes(length: number): Uint8Array {
    if (length > BATCH) return randomFillSync(new Uint8Array(length));
    if (this.#used + length > BATCH) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const taken = this.#pool.slice(this.#used, this.#used + length);
    this.#pool.fill(0, this.#used, this.#used + length);
    this.#used += length;
    return taken;
  }

  below(limit: number): number {
    // 48 bits over any limit in use: the bias is below 2^-16 of a part.
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = this.bytes(6);
    return ((((((a * 256 + b) * 256 + c) * 256 + d) * 256 + e) * 256 + f) % limit) >>> 0;
  }
}
