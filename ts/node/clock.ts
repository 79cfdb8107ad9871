// The real clock. An instant lies within the millisecond that the wall clock shows, so that what a client dates before a message is before it in the
// stream, too. Only where the clock was set back instants wait for it: they rise strictly.

import type { Clock, Instant, Timer } from '../ports/clock.ts';
import { WallTime } from './wall-time.ts';

/** What a timer of the process can wait at most; a longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** One call, later. Connections have one each, so it is as small as can be. */
class Delay implements Timer {
  #timeout: NodeJS.Timeout;

  constructor(delayMs: number, call: () => void) {
    this.#timeout = delayMs > LONGEST_MS ? this.#inSteps(delayMs, call) : setTimeout(call, delayMs);
  }

  #inSteps(leftMs: number, call: () => void): NodeJS.Timeout {
    const next = (): void => {
      const left = leftMs - LONGEST_MS;
      this.#timeout = left > LONGEST_MS ? this.#inSteps(left, call) : setTimeout(call, left);
    };
    return setTimeout(next, LONGEST_MS);
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }
}

export class NodeClock implements Clock {
  readonly #wall = new WallTime();
  #lastSeconds = 0;
  #lastNanos = 0;

  wallMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  wallInstant(): Instant {
    const ms = this.#wall.nowMs();
    let seconds = Math.floor(ms / 1000);
    let nanos = Math.floor((ms - seconds * 1000) * 1e6);
    if (seconds < this.#lastSeconds || (seconds === this.#lastSeconds && nanos <= this.#lastNanos)) {
      seconds = this.#lastSeconds;
      nanos = this.#lastNanos + 1;
      if (nanos === 1_000_000_000) {
        seconds++;
        nanos = 0;
      }
    }
    this.#lastSeconds = seconds;
    this.#lastNanos = nanos;
    return { seconds, nanos };
  }

  after(delayMs: number, call: () => void): Timer {
    return new Delay(delayMs, call);
  }

  every(intervalMs: number, call: () => void): Timer {
    const timer = setInterval(call, intervalMs);
    timer.unref();
    return { cancel: () => clearInterval(timer) };
  }
}
