// A clock for tests of JetStream's engine: its time moves when a test says so, and timers fire on the way.

import type { Clock, Instant, Timer } from '../../../../ts/ports/clock.ts';

/** Time that moves when told to. */
export class FakeClock implements Clock {
  #nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
  #steps = 0;
  readonly #timers = new Set<{ atMs: number; call: () => void }>();

  wallMs(): number {
    return this.#nowMs;
  }

  wallInstant(): Instant {
    return { seconds: Math.floor(this.#nowMs / 1000), nanos: (this.#nowMs % 1000) * 1e6 + (++this.#steps % 1e6) };
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, call: () => void): Timer {
    const timer = { atMs: this.#nowMs + delayMs, call };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  every(intervalMs: number, call: () => void): Timer {
    let timer = this.after(intervalMs, again.bind(this));
    function again(this: FakeClock): void {
      timer = this.after(intervalMs, again.bind(this));
      call();
    }
    return { cancel: () => timer.cancel() };
  }

  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const due = [...this.#timers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.call();
    }
    this.#nowMs = untilMs;
  }
}
