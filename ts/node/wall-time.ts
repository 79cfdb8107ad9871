// The wall clock's time with parts of a millisecond. They come from the process's high-resolution timer, on top of the wall clock's time when the
// process began. The wall clock itself tells whole milliseconds, and may be slowed down, hurried or set.
// Kept true: a time lies within the millisecond that the wall clock shows.

/** Nearly the end of a millisecond: a number of milliseconds since 1970 has no more than a quarter of a microsecond behind its point. */
const LAST_OF_MS = 0.999;

export class WallTime {
  /** What the wall clock is ahead of the process's timer. */
  #aheadMs = performance.timeOrigin;

  /** Milliseconds since 1970. */
  nowMs(): number {
    const now = performance.now();
    const wall = Date.now();
    const ms = Math.min(Math.max(now + this.#aheadMs, wall), wall + LAST_OF_MS);
    this.#aheadMs = ms - now;
    return ms;
  }
}
