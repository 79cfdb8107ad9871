// The clock port: the only way code outside `node/` learns the time or asks to be called later.
// Tests drive a virtual clock; nothing in `core/` holds a clock at all, it is handed `now`.

/** A point in time, UTC: whole seconds since 1970 and the nanoseconds beyond (0..999_999_999). Two numbers, because nanoseconds do not fit one. */
export interface Instant {
  readonly seconds: number;
  readonly nanos: number;
}

/** A pending call; `cancel` after it fired, or twice, does nothing. */
export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Wall time in milliseconds since 1970. */
  wallMs(): number;
  /** Wall time with nanoseconds; rises strictly from call to call within one process. */
  wallInstant(): Instant;
  /** Milliseconds since an arbitrary start, never going back; fractions allowed. */
  monotonicMs(): number;
  after(delayMs: number, call: () => void): Timer;
  every(intervalMs: number, call: () => void): Timer;
}
