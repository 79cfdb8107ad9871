// Messages delivered and not yet acknowledged, and those of them to be delivered again.
// Kept true: first deliveries come in rising stream sequence, so the lowest pending one is found at the front of `order`, whose
// already acknowledged entries are skipped lazily; the redelivery queue holds each sequence at most once.

export interface PendingMessage {
  /** Sequence of the first delivery. */
  readonly consumerSeq: number;
  /** When it was delivered last; a nak with delay moves it. */
  sentAtMs: number;
}

export class PendingMessages {
  readonly #messages = new Map<number, PendingMessage>();
  #order: number[] = [];
  #front = 0;
  /** Redeliveries so far, by stream sequence. */
  readonly #again = new Map<number, number>();
  #queue: number[] = [];
  #queueFront = 0;
  readonly #queued = new Set<number>();

  get size(): number {
    return this.#messages.size;
  }

  get redelivered(): number {
    return this.#again.size;
  }

  get queued(): number {
    return this.#queued.size;
  }

  get(streamSeq: number): PendingMessage | undefined {
    return this.#messages.get(streamSeq);
  }

  /** Pending messages with sequences of a range, both ends included. */
  inRange(fromSeq: number, toSeq: number): number[] {
    if (toSeq - fromSeq >= this.#messages.size) return [...this.#messages.keys()].filter((seq) => seq >= fromSeq && seq <= toSeq);
    const seqs: number[] = [];
    for (let seq = fromSeq; seq <= toSeq; seq++) if (this.#messages.has(seq)) seqs.push(seq);
    return seqs;
  }

  entries(): IterableIterator<[number, PendingMessage]> {
    return this.#messages.entries();
  }

  redeliveries(): IterableIterator<[number, number]> {
    return this.#again.entries();
  }

  /** Notes a first delivery. */
  add(streamSeq: number, consumerSeq: number, nowMs: number): void {
    this.#messages.set(streamSeq, { consumerSeq, sentAtMs: nowMs });
    this.#order.push(streamSeq);
  }

  /** Forgets a message altogether. */
  remove(streamSeq: number): PendingMessage | undefined {
    const message = this.#messages.get(streamSeq);
    if (message !== undefined) this.#messages.delete(streamSeq);
    if (this.#again.size > 0) this.#again.delete(streamSeq);
    if (this.#queued.size > 0) this.#queued.delete(streamSeq);
    return message;
  }

  /** The lowest sequence pending, or undefined. */
  lowest(): number | undefined {
    this.#compact();
    while (this.#front < this.#order.length) {
      const seq = this.#order[this.#front];
      if (seq !== undefined && this.#messages.has(seq)) return seq;
      this.#front += 1;
    }
    this.#order = [];
    this.#front = 0;
    return undefined;
  }

  countRedelivery(streamSeq: number): number {
    const count = (this.#again.get(streamSeq) ?? 0) + 1;
    this.#again.set(streamSeq, count);
    return count;
  }

  redeliveryCount(streamSeq: number): number {
    return this.#again.get(streamSeq) ?? 0;
  }

  setRedeliveries(streamSeq: number, count: number): void {
    this.#again.set(streamSeq, count);
  }

  enqueue(streamSeq: number): void {
    if (this.#queued.has(streamSeq)) return;
    this.#queued.add(streamSeq);
    this.#queue.push(streamSeq);
  }

  isQueued(streamSeq: number): boolean {
    return this.#queued.has(streamSeq);
  }

  unqueue(streamSeq: number): void {
    this.#queued.delete(streamSeq);
  }

  /** The next sequence to deliver again, without taking it. */
  peekQueued(): number | undefined {
    while (this.#queueFront < this.#queue.length) {
      const seq = this.#queue[this.#queueFront];
      if (seq !== undefined && this.#queued.has(seq)) return seq;
      this.#queueFront += 1;
    }
    this.#queue = [];
    this.#queueFront = 0;
    return undefined;
  }

  /** Lets go of the skipped front once it is most of the array. */
  #compact(): void {
    if (this.#front < 1024 || this.#front * 2 < this.#order.length) return;
    this.#order = this.#order.slice(this.#front);
    this.#front = 0;
  }

  clear(): void {
    this.#messages.clear();
    this.#again.clear();
    this.#queued.clear();
    this.#order = [];
    this.#queue = [];
    this.#front = this.#queueFront = 0;
  }
}
