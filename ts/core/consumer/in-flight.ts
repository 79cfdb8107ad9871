// Messages under way, in rising stream sequence: their consumer sequences and times, in one array that grows and shrinks with how many there
// are. First deliveries come in rising order, so adding is appending; an acknowledgement mostly finds its message at the front.
//
//   row   stream sequence | consumer sequence | when it was sent
//
// Kept true: rows between `front` and `end` rise in sequence; a row that is over has consumer sequence -1; without messages there is no array.

const columns = 3;
const smallestRows = 16;
const over = -1;
const empty = new Float64Array(0);

export class InFlight {
  #rows: Float64Array = empty;
  /** Where the first row begins, and where the next one will. */
  #front = 0;
  #end = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(seq: number, consumerSeq: number, nowMs: number): void {
    if (this.#end === this.#rows.length) this.#makeRoom();
    this.#rows[this.#end] = seq;
    this.#rows[this.#end + 1] = consumerSeq;
    this.#rows[this.#end + 2] = nowMs;
    this.#end += columns;
    this.#size += 1;
  }

  /** Moves what is left to the front, into an array of a fitting size. */
  #makeRoom(): void {
    const rows = new Float64Array(Math.max(smallestRows, this.#size * 2) * columns);
    let to = 0;
    for (let row = this.#front; row < this.#end; row += columns) {
      if (this.#rows[row + 1] === over) continue;
      rows[to] = this.#rows[row] ?? 0;
      rows[to + 1] = this.#rows[row + 1] ?? 0;
      rows[to + 2] = this.#rows[row + 2] ?? 0;
      to += columns;
    }
    this.#rows = rows;
    this.#front = 0;
    this.#end = to;
  }

  /** Where the row of a message begins, -1 when it is not under way. */
  #rowOf(seq: number): number {
    const row = this.#rows[this.#front] === seq ? this.#front : this.#rowFrom(seq);
    return row < this.#end && this.#rows[row] === seq && this.#rows[row + 1] !== over ? row : -1;
  }

  /** Where the first row begins that is not below a sequence. */
  #rowFrom(seq: number): number {
    let low = this.#front / columns;
    let high = this.#end / columns;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#rows[middle * columns] ?? 0) < seq) low = middle + 1;
      else high = middle;
    }
    return low * columns;
  }

  has(seq: number): boolean {
    return this.#rowOf(seq) >= 0;
  }

  /** The sequence of the first delivery; undefined: it is not under way. */
  consumerSeq(seq: number): number | undefined {
    const row = this.#rowOf(seq);
    return row < 0 ? undefined : this.#rows[row + 1];
  }

  /** When it was delivered last; a nak with delay moves it. */
  sentAtMs(seq: number): number {
    const row = this.#rowOf(seq);
    return row < 0 ? 0 : (this.#rows[row + 2] ?? 0);
  }

  /** False: it is not under way. */
  touch(seq: number, sentAtMs: number): boolean {
    const row = this.#rowOf(seq);
    if (row >= 0) this.#rows[row + 2] = sentAtMs;
    return row >= 0;
  }

  /** Forgets a message. Answers its consumer sequence; undefined: it was not under way. */
  remove(seq: number): number | undefined {
    const row = this.#rowOf(seq);
    if (row < 0) return undefined;
    const consumerSeq = this.#rows[row + 1];
    this.#rows[row + 1] = over;
    this.#size -= 1;
    if (this.#size === 0) this.clear();
    else while (this.#rows[this.#front + 1] === over) this.#front += columns;
    return consumerSeq;
  }

  /** The lowest sequence, or undefined. */
  lowest(): number | undefined {
    return this.#size === 0 ? undefined : this.#rows[this.#front];
  }

  each(call: (seq: number, consumerSeq: number, sentAtMs: number) => void): void {
    for (let row = this.#front; row < this.#end; row += columns) {
      const consumerSeq = this.#rows[row + 1] ?? over;
      if (consumerSeq !== over) call(this.#rows[row] ?? 0, consumerSeq, this.#rows[row + 2] ?? 0);
    }
  }

  /** The same for at most so many rows, from a sequence on. Answers the sequence to go on from; undefined: these were the last. */
  some(fromSeq: number, rows: number, call: (seq: number, sentAtMs: number) => void): number | undefined {
    const from = this.#rowFrom(fromSeq);
    const end = Math.min(this.#end, from + rows * columns);
    for (let row = from; row < end; row += columns) {
      if (this.#rows[row + 1] !== over) call(this.#rows[row] ?? 0, this.#rows[row + 2] ?? 0);
    }
    return end < this.#end ? this.#rows[end] : undefined;
  }

  /** The sequences of a range, both ends included. */
  between(fromSeq: number, toSeq: number): number[] {
    const found: number[] = [];
    for (let row = this.#rowFrom(fromSeq); row < this.#end && (this.#rows[row] ?? 0) <= toSeq; row += columns)
      if (this.#rows[row + 1] !== over) found.push(this.#rows[row] ?? 0);
    return found;
  }

  clear(): void {
    this.#front = this.#end = this.#size = 0;
    this.#rows = empty;
  }
}
