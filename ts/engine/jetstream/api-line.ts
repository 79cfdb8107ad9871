// The line that API requests stand in: each has its turn in the order they came, for so many milliseconds in one turn of the server. A client may
// ask three thousand things in one write; what others say comes in between.
//
// What stays true: no request overtakes another; one that finds nobody in front of it, and time left, runs at once.

import type { Clock, Timer } from '../../ports/clock.ts';

export interface ApiLinePorts {
  readonly clock: Clock;
  /** Calls once before this turn's output is flushed; outside of a turn it makes one. */
  readonly soon: (call: () => void) => void;
}

/** What requests may take in one turn; the last one may take longer. */
const sliceMs = 4;

export class ApiLine {
  readonly #ports: ApiLinePorts;
  #waiting: (() => void)[] = [];
  /** What requests of this turn have taken so far; undefined: there was none. */
  #spentMs: number | undefined;
  #timer: Timer | undefined;

  constructor(ports: ApiLinePorts) {
    this.#ports = ports;
  }

  take(request: () => void): void {
    if (this.#waiting.length === 0 && this.#hasTime) return this.#run(request);
    this.#waiting.push(request);
    this.#goOn();
  }

  get #hasTime(): boolean {
    return (this.#spentMs ?? 0) < sliceMs;
  }

  #run(request: () => void): void {
    const { clock, soon } = this.#ports;
    if (this.#spentMs === undefined) {
      this.#spentMs = 0;
      soon(() => (this.#spentMs = undefined));
    }
    const beganMs = clock.monotonicMs();
    try {
      request();
    } finally {
      this.#spentMs = (this.#spentMs ?? 0) + clock.monotonicMs() - beganMs;
    }
  }

  #goOn(): void {
    const { clock, soon } = this.#ports;
    this.#timer ??= clock.after(0, () => {
      this.#timer = undefined;
      soon(() => this.#slice());
    });
  }

  #slice(): void {
    let served = 0;
    try {
      while (served < this.#waiting.length && this.#hasTime) this.#run(this.#waiting[served++] as () => void);
    } finally {
      this.#waiting.splice(0, served);
      if (this.#waiting.length > 0) this.#goOn();
    }
  }

  /** Nobody in the line is served any more. */
  stop(): void {
    this.#waiting = [];
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
