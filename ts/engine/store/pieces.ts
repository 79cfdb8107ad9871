// Work on one stream that takes long, such as a purge of a million messages: done in pieces, a few milliseconds in one turn of the server, so that other
// clients have their turn in between. What belongs together is shown together: until the work is done, what is asked of the stream waits
// (`whenFree`), and what waits for the disk waits on.
//
// What stays true: works are done in the order they were given, and whoever waits is told behind the last of them.

import { messageOf } from '../../lib/message-of.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import { StoreFault } from './store.ts';

/** What a work does, up to each yield a small part of it. */
export type Steps = Generator<void, void>;
/** With an error: the work under way has failed. */
export type Free = (error?: Error) => void;

export interface PiecesPorts {
  readonly clock: Clock;
  readonly turn: (work: () => void) => void;
}

/** What is done in one turn; the last step of it may take longer. */
const pieceMs = 6;

export class Pieces {
  readonly #ports: PiecesPorts;
  readonly #works: Steps[] = [];
  #waiting: Free[] = [];
  /** Why the last of them failed. */
  #error: StoreFault | undefined;
  #timer: Timer | undefined;
  readonly #done: () => void;

  /** `done` is called behind the last work, before those who wait. */
  constructor(ports: PiecesPorts, done: () => void) {
    this.#ports = ports;
    this.#done = done;
  }

  /** Work is under way. */
  get any(): boolean {
    return this.#works.length > 0;
  }

  /** Begins a work, or puts it behind those under way. Small ones are done when this returns; one that fails at once throws. */
  begin(work: Steps): void {
    this.#works.push(work);
    if (this.#works.length > 1) return;
    this.#error = undefined;
    this.#goOn();
    if (!this.any) this.#throwError();
  }

  #throwError(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  #goOn(): void {
    const { clock, turn } = this.#ports;
    const endMs = clock.monotonicMs() + pieceMs;
    for (let work = this.#works[0]; work !== undefined; work = this.#works[0]) {
      if (this.#step(work)) this.#works.shift();
      else if (clock.monotonicMs() >= endMs) {
        this.#timer = clock.after(0, () => turn(() => this.#goOn()));
        return;
      }
    }
    this.#end();
  }

  /** True: the work is done, or has failed. */
  #step(work: Steps): boolean {
    try {
      return work.next().done === true;
    } catch (error) {
      // Whoever waits is told, of a mistake of ours too.
      this.#error =
        error instanceof StoreFault ? error : new StoreFault('INTERNAL', `internal error: ${messageOf(error)}`, error);
      return true;
    }
  }

  #end(): void {
    this.#done();
    const error = this.#error;
    for (const call of this.#waiting.splice(0)) call(error);
  }

  /** Calls when no work is under way: at once where there is none. */
  whenFree(call: Free): void {
    if (this.any) this.#waiting.push(call);
    else call();
  }

  /** What is under way ends where it is. */
  stop(error: StoreFault): void {
    this.#timer?.cancel();
    if (!this.any) return;
    this.#works.length = 0;
    this.#error ??= error;
    this.#end();
  }
}
