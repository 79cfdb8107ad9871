// A clock that only the test moves. Timers fire in order of their time, each at its own time.

import type { Clock, Instant, Timer } from '../../ts/ports/clock.ts';

interface Pending {
  dueMs: number;
  readonly everyMs: number;
  readonly call: () => void;
  readonly order: number;
}

export class VirtualClock implements Clock {
  #nowMs = 0;
  readonly #startMs: number;
  readonly #pending = new Set<Pending>();
  #order = 0;

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#startMs = startMs;
  }

  wallMs(): number {
    return this.#startMs + this.#nowMs;
  }

  wallInstant(): Instant {
    const ms = this.wallMs();
    return { seconds: Math.floor(ms / 1000), nanos: Math.round((ms % 1000) * 1e6) };
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, call: () => void): Timer {
    return this.#add(delayMs, 0, call);
  }

  every(intervalMs: number, call: () => void): Timer {
    return this.#add(intervalMs, intervalMs, call);
  }

  #add(delayMs: number, everyMs: number, call: () => void): Timer {
    const pending: Pending = { dueMs: this.#nowMs + delayMs, everyMs, call, order: ++this.#order };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  /** Time passes in the middle of a turn: nothing runs on the way. */
  spend(ms: number): void {
    this.#nowMs += ms;
  }

  /** How many timers run. */
  get waiting(): number {
    return this.#pending.size;
  }

  /** Lets time pass; what falls due runs on the way. */
  advance(ms: number): void {
    const until = this.#nowMs + ms;
    for (;;) {
      const [next] = [...this.#pending]
        .filter((pending) => pending.dueMs <= until)
        .sort((a, b) => a.dueMs - b.dueMs || a.order - b.order);
      if (next === undefined) break;
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      if (next.everyMs > 0) next.dueMs += next.everyMs;
      else this.#pending.delete(next);
      next.call();
    }
    this.#nowMs = Math.max(this.#nowMs, until);
  }
}
