// The real clock. Nanoseconds come from the process's high-resolution timer, on top of the wall clock's time when the process began. The wall clock
// itself tells whole milliseconds, and may be slowed down, hurried or set: an instant always lies within the millisecond that it shows, so
// that what a client dates before a message is before it in the stream, too. Only where the clock was set back instants wait for it: they rise
// strictly.

import type { Clock, Instant, Timer } from '../ports/clock.ts';

/** Nearly the end of a millisecond: a number of milliseconds since 1970 has no more than a quarter of a microsecond behind its point. */
const LAST_OF_MS = 0.999;
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
  /** What the wall clock is ahead of the process's timer. */
  #aheadMs = performance.timeOrigin;
  #lastSeconds = 0;
  #lastNanos = 0;

  wallMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  wallInstant(): Instant {
    const now = performance.now();
    const wall = Date.now();
    const ms = Math.min(Math.max(now + this.#aheadMs, wall), wall + LAST_OF_MS);
    this.#aheadMs = ms - now;
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
