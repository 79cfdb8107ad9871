// The duplicate window: message ids seen in the last `duplicate_window`, with the sequence each was stored under.
// Kept true: ids are in order of arrival, so that old ones are dropped from the front.

export class DuplicateWindow {
  #windowMs: number;
  readonly #seen = new Map<string, { readonly seq: number; readonly atMs: number }>();

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  get windowMs(): number {
    return this.#windowMs;
  }

  get size(): number {
    return this.#seen.size;
  }

  resize(windowMs: number): void {
    this.#windowMs = windowMs;
  }

  /** The sequence an id was stored under within the window. */
  find(id: string, nowMs: number): number | undefined {
    this.expire(nowMs);
    return this.#seen.get(id)?.seq;
  }

  add(id: string, seq: number, nowMs: number): void {
    if (this.#windowMs > 0) this.#seen.set(id, { seq, atMs: nowMs });
  }

  expire(nowMs: number): void {
    for (const [id, { atMs }] of this.#seen) {
      if (nowMs - atMs < this.#windowMs) return;
      this.#seen.delete(id);
    }
  }

  clear(): void {
    this.#seen.clear();
  }
}
