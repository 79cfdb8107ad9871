// The kernel's clock: what the host said last. Set before each call that may need it; there is no other time in the kernel.

/** Wall time in milliseconds since 1970. */
export let nowMs: f64 = 0;
/** The same instant in nanoseconds. */
export let nowNs: i64 = 0;

/** Sets the time: whole seconds since 1970 and the nanoseconds beyond. */
export function setNow(seconds: f64, nanos: u32): void {
  nowMs = seconds * 1000 + <f64>(nanos / 1000000);
  nowNs = <i64>seconds * 1000000000 + <i64>nanos;
}
