// The maps of all streams' blocks, bounded: the one used least recently is let go when there are too many. What is mapped are blocks that
// are full and were verified in this run; everything else is read.

import type { MappedFile } from '../../ports/disk.ts';

/** Maps kept at once: address space, not memory. */
const MOST_MAPS = 128;

export class Maps {
  readonly #used = new Map<object, MappedFile>();

  /** The map of a holder, made by `map` when there is none. */
  use(holder: object, map: () => MappedFile | undefined): MappedFile | undefined {
    const kept = this.#used.get(holder) ?? map();
    if (kept === undefined) return undefined;
    this.#used.delete(holder);
    this.#used.set(holder, kept);
    const [oldest] = this.#used.keys();
    if (this.#used.size > MOST_MAPS && oldest !== undefined) this.drop(oldest);
    return kept;
  }

  /** Lets a holder's map go; it is unmapped when nothing refers to its bytes any more. */
  drop(holder: object): void {
    this.#used.get(holder)?.letGo();
    this.#used.delete(holder);
  }

  get size(): number {
    return this.#used.size;
  }
}
