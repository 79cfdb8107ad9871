// Messages delivered and not yet acknowledged, and those of them to be delivered again.
// Kept true: the redelivery queue holds each sequence at most once.

import { InFlight } from './in-flight.ts';

/** So many entries at the front of the queue are over before it is moved up. */
const trimAt = 256;
const none: ReadonlyMap<number, number> = new Map();

export class PendingMessages {
  readonly messages = new InFlight();
  /** Redeliveries so far, by stream sequence; there only once there are any, as most consumers are idle. */
  #again: Map<number, number> | undefined;
  /** Sequences to be delivered again, in order. */
  #queue: number[] | undefined;
  #queueFront = 0;
  /** Entries that were taken off the front so far. */
  #trimmed = 0;
  /** Which entry of the queue a sequence is, counted from the first there ever was; entries elsewhere are leftovers. */
  #queued: Map<number, number> | undefined;

  get redelivered(): number {
    return this.#again?.size ?? 0;
  }

  get queued(): number {
    return this.#queued?.size ?? 0;
  }

  /** By stream sequence. */
  get redeliveries(): ReadonlyMap<number, number> {
    return this.#again ?? none;
  }

  /** Forgets a message altogether. Answers the sequence of its first delivery; undefined: it was not pending. */
  remove(streamSeq: number): number | undefined {
    this.#again?.delete(streamSeq);
    this.#queued?.delete(streamSeq);
    return this.messages.remove(streamSeq);
  }

  countRedelivery(streamSeq: number): number {
    const count = this.redeliveryCount(streamSeq) + 1;
    this.setRedeliveries(streamSeq, count);
    return count;
  }

  redeliveryCount(streamSeq: number): number {
    return this.#again?.get(streamSeq) ?? 0;
  }

  setRedeliveries(streamSeq: number, count: number): void {
    this.#again ??= new Map();
    this.#again.set(streamSeq, count);
  }

  enqueue(streamSeq: number): void {
    this.#queued ??= new Map();
    this.#queue ??= [];
    if (this.#queued.has(streamSeq)) return;
    this.#queued.set(streamSeq, this.#trimmed + this.#queue.length);
    this.#queue.push(streamSeq);
    if (this.#queueFront >= trimAt && this.#queueFront * 2 > this.#queue.length) this.#trim();
  }

  /** A queue that never becomes empty does not grow for ever. */
  #trim(): void {
    this.#queue?.splice(0, this.#queueFront);
    this.#trimmed += this.#queueFront;
    this.#queueFront = 0;
  }

  isQueued(streamSeq: number): boolean {
    return this.#queued?.has(streamSeq) === true;
  }

  unqueue(streamSeq: number): void {
    this.#queued?.delete(streamSeq);
  }

  /** The next sequence to deliver again, without taking it. */
  peekQueued(): number | undefined {
    if (this.#queue === undefined) return undefined;
    while (this.#queueFront < this.#queue.length) {
      const seq = this.#queue[this.#queueFront];
      if (seq !== undefined && this.#queued?.get(seq) === this.#trimmed + this.#queueFront) return seq;
      this.#queueFront += 1;
    }
    this.#queue = undefined;
    this.#queueFront = this.#trimmed = 0;
    return undefined;
  }
}
