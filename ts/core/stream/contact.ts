// How long ago an origin was heard of, as stream infos tell it. An origin that is there is heard of with every message and once a second besides.

const heartbeatMs = 1000;

export class Contact {
  #heardMs: number | undefined;
  #attachedMs: number | undefined;

  attached(nowMs: number): void {
    this.#attachedMs = nowMs;
  }

  message(nowMs: number): void {
    this.#heardMs = nowMs;
  }

  lost(nowMs: number): void {
    this.#heardMs = this.#lastMs(nowMs);
    this.#attachedMs = undefined;
  }

  /** When it was heard of last, undefined for never. */
  #lastMs(nowMs: number): number | undefined {
    if (this.#attachedMs === undefined) return this.#heardMs;
    const fromMs = Math.max(this.#attachedMs, this.#heardMs ?? 0);
    const beats = Math.floor((nowMs - fromMs) / heartbeatMs);
    return beats > 0 ? fromMs + beats * heartbeatMs : this.#heardMs;
  }

  /** Milliseconds since then, -1 for never. */
  sinceMs(nowMs: number): number {
    const lastMs = this.#lastMs(nowMs);
    return lastMs === undefined ? -1 : Math.max(0, nowMs - lastMs);
  }
}
