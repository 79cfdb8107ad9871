// Who waits for a stream to be synced. What is asked for while a round is under way waits for the next one, unless all that it depends on is in
// that round; metadata may need one round more, which its ticket tells (meta-writes.ts), and so may what a round did to files when it was
// through (removed blocks, overwritten records).
//
// What stays true: nobody waits for what came after what he waits for, however often rounds leave something to the next. Behind a disk that stalls
// there may be any number of them: more than a call takes arguments.

export type Waiter = (error?: Error) => void;

interface Waiting {
  readonly call: Waiter;
  /** Metadata up to this ticket must be on disk. */
  readonly ticket: number;
  /** What its own round left to the next is on disk with the round under way. */
  isLate?: boolean;
}

export class SyncWaiters {
  #next: Waiting[] = [];
  #inRound: Waiting[] = [];

  /** Some wait for the next round. */
  get any(): boolean {
    return this.#next.length > 0;
  }

  /** Waits for the next round. */
  add(call: Waiter, ticket: number): void {
    this.#next.push({ call, ticket });
  }

  /** Waits for the round under way. */
  join(call: Waiter, ticket: number): void {
    this.#inRound.push({ call, ticket });
  }

  /** A round begins. */
  begin(): void {
    this.#inRound = [...this.#inRound, ...this.#next.splice(0)];
  }

  /**
   * The round is through and metadata is durable up to a ticket: calls those who need no more than that. With `more` the round has left something
   * to the next, which those wait for whose round it was. True: some wait on.
   */
  settle(durable: number, more = false): boolean {
    const held: Waiting[] = [];
    for (const waiting of this.#inRound.splice(0)) {
      if (waiting.ticket <= durable && (!more || waiting.isLate === true)) waiting.call();
      else held.push(waiting);
      waiting.isLate = more;
    }
    this.#next = [...held, ...this.#next];
    return held.length > 0;
  }

  /** The round is through, but the stream itself is not on disk yet: nobody is called. */
  hold(): void {
    this.#next = [...this.#inRound.splice(0), ...this.#next];
  }

  /** Nothing will be synced any more. */
  fail(error: Error): void {
    for (const { call } of [...this.#inRound.splice(0), ...this.#next.splice(0)]) call(error);
  }
}
