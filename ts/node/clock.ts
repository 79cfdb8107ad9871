// The real clock. Nanoseconds come from the process's high-resolution timer, anchored to the wall clock and anchored anew when the two
// drift apart (the wall clock was set), so that instants rise strictly and stay true.

import type { Clock, Instant, Timer } from '../ports/clock.ts';

const DRIFT_MS = 50;
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
  #anchorWallMs = Date.now();
  #anchorMs = performance.now();
  #lastSeconds = 0;
  #lastNanos = 0;

  wallMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  wallInstant(): Instant {
    const wall = Date.now();
    const now = performance.now();
    let ms = this.#anchorWallMs + (now - this.#anchorMs);
    if (Math.abs(ms - wall) > DRIFT_MS) {
      this.#anchorWallMs = wall;
      this.#anchorMs = now;
      ms = wall;
    }
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
