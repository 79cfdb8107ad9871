// The maps of all streams' blocks, bounded: the one used least recently is let go when there are too many. What is mapped are blocks that
// are full and were verified in this run; everything else is read.

import type { MappedFile } from '../../ports/disk.ts';

/** Maps kept at once: address space, not memory. */
const MOST_MAPS = 128;

export class Maps {
  readonly #soon: (call: () => void) => void;
  readonly #used = new Map<object, MappedFile>();
  /** Those whose files were looked at in the turn under way. */
  readonly #sure = new Map<object, MappedFile>();

  constructor(soon: (call: () => void) => void) {
    this.#soon = soon;
  }

  /** The map of a holder that was used in this turn. */
  ofTurn(holder: object): MappedFile | undefined {
    return this.#sure.get(holder);
  }

  /** The map of a holder, made by `map` when there is none, of a file that was seen to be whole. */
  use(holder: object, map: () => MappedFile | undefined): MappedFile | undefined {
    const kept = this.#used.get(holder) ?? map();
    if (kept === undefined) return undefined;
    this.#used.delete(holder);
    this.#used.set(holder, kept);
    if (this.#sure.size === 0) this.#soon(() => this.#sure.clear());
    this.#sure.set(holder, kept);
    const [oldest] = this.#used.keys();
    if (this.#used.size > MOST_MAPS && oldest !== undefined) this.drop(oldest);
    return kept;
  }

  /** Lets a holder's map go; it is unmapped when nothing refers to its bytes any more. */
  drop(holder: object): void {
    this.#used.get(holder)?.letGo();
    this.#used.delete(holder);
    this.#sure.delete(holder);
  }

  get size(): number {
    return this.#used.size;
  }
}
