// max_age: removes first messages when they are old enough. One timer a stream, set to when the first message is due; nothing is written,
// every opener removes them again.

import type { Clock, Instant, Timer } from '../../ports/clock.ts';

/** What expiry needs of its stream. */
export interface Aging {
  /** When the first message was stored; undefined in an empty stream. */
  firstTime(): Instant | undefined;
  dropFirst(): void;
  /** Removes what is not younger than an instant as far as that can be said without reading messages; false: it stopped at so many. */
  dropOlder(at: Instant, most: number): boolean;
  /** Something was removed. */
  dropped(): void;
}

const SHORTEST_WAIT_MS = 10;
const LONGEST_WAIT_MS = 0x7fff_ffff;
/** Messages removed at once, before others get their turn: those that are read, and those that are not. */
const AT_ONCE = 1_000;
const UNREAD_AT_ONCE = 20_000;

function millisOf({ seconds, nanos }: Instant): number {
  return seconds * 1000 + nanos / 1e6;
}

export class Expiry {
  readonly #clock: Clock;
  readonly #turn: (work: () => void) => void;
  readonly #stream: Aging;
  #maxAgeMs = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, turn: (work: () => void) => void, stream: Aging) {
    this.#clock = clock;
    this.#turn = turn;
    this.#stream = stream;
  }

  /** Sets the limit, 0 for none, and removes what is over it. */
  limit(maxAgeMs: number): void {
    this.stop();
    this.#maxAgeMs = maxAgeMs;
    if (maxAgeMs > 0) this.#expire();
  }

  /** The stream may have got its first message. */
  wake(): void {
    if (this.#maxAgeMs > 0 && this.#timer === undefined) this.#schedule(0);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #schedule(leastMs: number): void {
    const first = this.#stream.firstTime();
    if (first === undefined) return;
    const due = millisOf(first) + this.#maxAgeMs - this.#clock.wallMs();
    const wait = Math.min(LONGEST_WAIT_MS, Math.max(leastMs, SHORTEST_WAIT_MS, due));
    this.#expireAfter(wait);
  }

  #expireAfter(waitMs: number): void {
    this.#timer = this.#clock.after(waitMs, () => {
      this.#timer = undefined;
      this.#turn(() => this.#expire());
    });
  }

  #expire(): void {
    const oldest = this.#clock.wallMs() - this.#maxAgeMs;
    const seconds = Math.floor(oldest / 1000);
    if (!this.#stream.dropOlder({ seconds, nanos: Math.floor((oldest - seconds * 1000) * 1e6) }, UNREAD_AT_ONCE)) {
      this.#stream.dropped();
      return this.#expireAfter(0);
    }
    const isAll = this.#dropRead(oldest);
    this.#stream.dropped();
    if (isAll) this.#schedule(0);
    else this.#expireAfter(0);
  }

  /** Removes first messages that are too old, one by one. False: there may be more. */
  #dropRead(oldestMs: number): boolean {
    for (let count = 0; count < AT_ONCE; count++) {
      const first = this.#stream.firstTime();
      if (first === undefined || millisOf(first) > oldestMs) return true;
      this.#stream.dropFirst();
    }
    return false;
  }
}
