// Messages under way, in rising stream sequence: their consumer sequences and times, in arrays that grow and shrink with how many there are.
// First deliveries come in rising order, so adding is appending; an acknowledgement mostly finds its message at the front.
// Kept true: rows between `front` and `end` rise in sequence; a row that is over has consumer sequence -1.

const smallest = 16;
const over = -1;
const empty = new Float64Array(0);

export class InFlight {
  #seqs: Float64Array = empty;
  #consumerSeqs: Float64Array = empty;
  #sentAtMs: Float64Array = empty;
  #front = 0;
  #end = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(seq: number, consumerSeq: number, nowMs: number): void {
    if (this.#end === this.#seqs.length) this.#makeRoom();
    this.#seqs[this.#end] = seq;
    this.#consumerSeqs[this.#end] = consumerSeq;
    this.#sentAtMs[this.#end] = nowMs;
    this.#end += 1;
    this.#size += 1;
  }

  /** Moves what is left to the front, into arrays of a fitting size. */
  #makeRoom(): void {
    const room = Math.max(smallest, this.#size * 2);
    const seqs = new Float64Array(room);
    const consumerSeqs = new Float64Array(room);
    const sentAtMs = new Float64Array(room);
    let to = 0;
    for (let row = this.#front; row < this.#end; row++) {
      if (this.#consumerSeqs[row] === over) continue;
      seqs[to] = this.#seqs[row] ?? 0;
      consumerSeqs[to] = this.#consumerSeqs[row] ?? 0;
      sentAtMs[to] = this.#sentAtMs[row] ?? 0;
      to += 1;
    }
    this.#seqs = seqs;
    this.#consumerSeqs = consumerSeqs;
    this.#sentAtMs = sentAtMs;
    this.#front = 0;
    this.#end = to;
  }

  /** The row of a message, -1 when it is not under way. */
  #rowOf(seq: number): number {
    let low = this.#front;
    if (this.#seqs[low] !== seq) {
      let high = this.#end;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((this.#seqs[middle] ?? 0) < seq) low = middle + 1;
        else high = middle;
      }
    }
    return low < this.#end && this.#seqs[low] === seq && this.#consumerSeqs[low] !== over ? low : -1;
  }

  has(seq: number): boolean {
    return this.#rowOf(seq) >= 0;
  }

  /** The sequence of the first delivery; undefined: it is not under way. */
  consumerSeq(seq: number): number | undefined {
    return this.#consumerSeqs[this.#rowOf(seq)];
  }

  /** When it was delivered last; a nak with delay moves it. */
  sentAtMs(seq: number): number {
    return this.#sentAtMs[this.#rowOf(seq)] ?? 0;
  }

  /** False: it is not under way. */
  touch(seq: number, sentAtMs: number): boolean {
    const row = this.#rowOf(seq);
    if (row >= 0) this.#sentAtMs[row] = sentAtMs;
    return row >= 0;
  }

  /** Forgets a message. Answers its consumer sequence; undefined: it was not under way. */
  remove(seq: number): number | undefined {
    const row = this.#rowOf(seq);
    const consumerSeq = this.#consumerSeqs[row];
    if (consumerSeq === undefined) return undefined;
    this.#consumerSeqs[row] = over;
    this.#size -= 1;
    if (this.#size === 0) this.clear();
    else while (this.#consumerSeqs[this.#front] === over) this.#front += 1;
    return consumerSeq;
  }

  /** The lowest sequence, or undefined. */
  lowest(): number | undefined {
    return this.#size === 0 ? undefined : this.#seqs[this.#front];
  }

  each(call: (seq: number, consumerSeq: number, sentAtMs: number) => void): void {
    for (let row = this.#front; row < this.#end; row++) {
      const consumerSeq = this.#consumerSeqs[row] ?? over;
      if (consumerSeq !== over) call(this.#seqs[row] ?? 0, consumerSeq, this.#sentAtMs[row] ?? 0);
    }
  }

  /** The sequences of a range, both ends included. */
  between(fromSeq: number, toSeq: number): number[] {
    const found: number[] = [];
    this.each((seq) => {
      if (seq >= fromSeq && seq <= toSeq) found.push(seq);
    });
    return found;
  }

  clear(): void {
    this.#front = this.#end = this.#size = 0;
    if (this.#seqs.length > 1024) this.#seqs = this.#consumerSeqs = this.#sentAtMs = empty;
  }
}
