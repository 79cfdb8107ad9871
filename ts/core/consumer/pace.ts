// How fast a consumer may send: a rate limit in bytes (a bucket that fills with time), and the pace of `replay_policy: original`, where
// messages follow each other as they were stored, until the consumer has caught up with what the stream held when it began.
// The bucket may go below zero by one message, which then has to be earned before the next.

export interface PaceSettings {
  /** 0: no limit. */
  readonly rateBytesPerSecond: number;
  /** What may be sent at once after a pause. */
  readonly rateBurstBytes: number;
  readonly replayOriginal: boolean;
}

/** The pace of a consumer, `lastSeq` being the stream's last sequence now; undefined: as fast as it can. */
export function paceOf(settings: PaceSettings, lastSeq: number, nowMs: number): Pace | undefined {
  return settings.rateBytesPerSecond > 0 || settings.replayOriginal ? new Pace(settings, lastSeq, nowMs) : undefined;
}

/** Differences below it are not waited for. */
const leastPauseMs = 1;

export class Pace {
  #settings: PaceSettings;
  #bucket: number;
  #filledAtMs: number;
  /** Replaying ends behind this sequence; 0: over. */
  #replayUntil: number;
  #lastStoredMs = 0;
  #lastSentMs = 0;
  #replayDueMs = 0;

  /** `lastSeq`: the stream's last sequence now. */
  constructor(settings: PaceSettings, lastSeq: number, nowMs: number) {
    this.#settings = settings;
    this.#bucket = settings.rateBurstBytes;
    this.#filledAtMs = nowMs;
    this.#replayUntil = settings.replayOriginal ? lastSeq : 0;
  }

  configure(settings: PaceSettings): void {
    this.#settings = settings;
    this.#bucket = settings.rateBurstBytes;
  }

  #fill(nowMs: number): void {
    const { rateBytesPerSecond, rateBurstBytes } = this.#settings;
    const earned = ((nowMs - this.#filledAtMs) * rateBytesPerSecond) / 1000;
    this.#bucket = Math.min(rateBurstBytes, this.#bucket + Math.max(0, earned));
    this.#filledAtMs = nowMs;
  }

  /** Bytes that may go now; 0: none before `opensAtMs`. */
  room(nowMs: number): number {
    if (this.#settings.rateBytesPerSecond === 0) return Infinity;
    this.#fill(nowMs);
    return Math.max(0, Math.floor(this.#bucket));
  }

  get isReplaying(): boolean {
    return this.#replayUntil > 0;
  }

  /** Whether the message stored at this time may go now. */
  mayReplay(storedMs: number, nowMs: number): boolean {
    const pauseMs = storedMs - this.#lastStoredMs;
    this.#replayDueMs = this.#lastStoredMs === 0 || pauseMs <= leastPauseMs ? 0 : this.#lastSentMs + pauseMs;
    return nowMs >= this.#replayDueMs;
  }

  /** When sending may go on; 0: nothing holds it back. */
  get opensAtMs(): number {
    const { rateBytesPerSecond } = this.#settings;
    const missing = rateBytesPerSecond === 0 ? 0 : Math.max(0, 1 - this.#bucket);
    const filledMs = missing === 0 ? 0 : this.#filledAtMs + Math.ceil((missing * 1000) / rateBytesPerSecond);
    return Math.max(filledMs, this.#replayDueMs);
  }

  sent(bytes: number, storedMs: number, nowMs: number): void {
    if (this.#settings.rateBytesPerSecond > 0) {
      this.#fill(nowMs);
      this.#bucket -= bytes;
    }
    this.#lastStoredMs = storedMs;
    this.#lastSentMs = nowMs;
    this.#replayDueMs = 0;
  }

  /** Nothing more to send for now; `nextSeq` is what comes next. */
  caughtUp(nextSeq: number): void {
    if (nextSeq > this.#replayUntil) this.#replayUntil = 0;
  }
}
