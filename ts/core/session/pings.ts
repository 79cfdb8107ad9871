// When to ping a client and when to give it up. A client that talks is not pinged, except once an hour to measure its round trip
// and once early, because only then is anything known about it.

const FIRST_PING_MS = 2_000;
const FIRST_PING_SPREAD = 0.2;
const MEASURE_EVERY_MS = 3_600_000;

export class PingSchedule {
  rttMs: number | undefined = undefined;
  readonly #jitter: number;
  #outstanding = 0;
  #sentAtMs = 0;

  constructor(jitter: number) {
    this.#jitter = jitter;
  }

  /** Delay of the first ping behind CONNECT. */
  firstMs(intervalMs: number): number {
    return Math.min(FIRST_PING_MS * (1 + FIRST_PING_SPREAD * this.#jitter), intervalMs);
  }

  /** The ping timer fired. `stale`: one more than `maxOut` would now be unanswered. */
  due(nowMs: number, lastInputMs: number, intervalMs: number, maxOut: number): 'ping' | 'stale' | 'nothing' {
    const measure = this.rttMs === undefined || nowMs - this.#sentAtMs > MEASURE_EVERY_MS;
    if (!measure && nowMs - lastInputMs < intervalMs) return 'nothing';
    this.#outstanding++;
    if (this.#outstanding > maxOut) return 'stale';
    this.#sentAtMs = nowMs;
    return 'ping';
  }

  answered(nowMs: number): void {
    if (this.#outstanding > 0) this.rttMs = nowMs - this.#sentAtMs;
    this.#outstanding = 0;
  }
}
