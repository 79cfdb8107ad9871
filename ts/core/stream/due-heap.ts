// Sequences by the time they are due: a binary heap, so that adding and taking costs the logarithm of how many there are, and the next due time
// nothing. What is removed otherwise stays in the heap until its time, or until it is swept: who takes it looks whether it is still there.

export interface Due {
  readonly seq: number;
  readonly atMs: number;
}

/** A heap is not swept before it has so many. */
const fewest = 1024;

export class DueHeap {
  readonly #heap: Due[] = [];
  /** The size at which it is worth looking which of them are still wanted. */
  #sweepAt = fewest;

  get size(): number {
    return this.#heap.length;
  }

  /** When the next one is due; undefined: there is none. */
  get nextMs(): number | undefined {
    return this.#heap[0]?.atMs;
  }

  add(due: Due): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || parent.atMs <= due.atMs) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = due;
  }

  /** Takes the next one that is due. */
  take(nowMs: number): Due | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.atMs > nowMs) return undefined;
    const last = heap.pop();
    if (last !== undefined && heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(due: Due): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const one = heap[left];
      const other = heap[left + 1];
      if (one === undefined) break;
      const isOther = other !== undefined && other.atMs < one.atMs;
      const least = isOther ? other : one;
      if (least.atMs >= due.atMs) break;
      heap[at] = least;
      at = isOther ? left + 1 : left;
    }
    heap[at] = due;
  }

  /** Lets go of those that are not wanted any more, when there are twice as many as were left the last time. */
  sweep(isWanted: (due: Due) => boolean): void {
    if (this.#heap.length < this.#sweepAt) return;
    for (const due of this.#heap.splice(0)) if (isWanted(due)) this.add(due);
    this.#sweepAt = Math.max(fewest, 2 * this.#heap.length);
  }

  /** All of them, in no order. */
  all(): readonly Due[] {
    return this.#heap;
  }

  clear(): void {
    this.#heap.length = 0;
  }
}
