// The messages that a "last per subject" consumer begins with, picked when it was made: their sequences in order, and how many of them are
// done with. There may be a million.

const none = new Float64Array(0);

export class Picks {
  #seqs: Float64Array;
  #at = 0;

  constructor(seqs: Float64Array) {
    this.#seqs = seqs;
  }

  get left(): number {
    return this.#seqs.length - this.#at;
  }

  /** At most `most` of those left, up to a sequence. */
  next(most: number, upToSeq: number): Float64Array {
    let end = Math.min(this.#seqs.length, this.#at + most);
    while (end > this.#at && (this.#seqs[end - 1] ?? 0) > upToSeq) end -= 1;
    return this.#seqs.subarray(this.#at, end);
  }

  /** The first `count` of those left are delivered or gone. Answers the last sequence among them. */
  done(count: number): number {
    this.#at += count;
    const seq = this.#seqs[this.#at - 1] ?? 0;
    if (this.left === 0) this.clear();
    return seq;
  }

  clear(): void {
    this.#seqs = none;
    this.#at = 0;
  }

  /** Whether a sequence is left. */
  has(seq: number): boolean {
    let low = this.#at;
    let high = this.#seqs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#seqs[middle] ?? 0) < seq) low = middle + 1;
      else high = middle;
    }
    return this.#seqs[low] === seq;
  }
}

/** Of the consumers that pick nothing. */
export const noPicks = new Picks(none);
