/**
 * The duplicate window as plainly as it can be said: message ids seen in the last `duplicate_window`, with the sequence each was stored under, in
 * order of arrival. The twin of the kernel's window, and the one of streams in memory.
 */
import type { MessageIds } from '../../ts/engine/store/store.ts';
import type { Instant } from '../../ts/ports/clock.ts';

export class PlainIds implements MessageIds {
  readonly #nowMs: () => number;
  readonly #seen = new Map<string, { readonly seq: number; readonly atMs: number }>();
  #windowMs = 0;
  cold = false;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get size(): number {
    this.#expire();
    return this.#seen.size;
  }

  resize(windowMs: number): void {
    this.#windowMs = windowMs;
  }

  setCold(cold: boolean): void {
    this.cold = cold;
  }

  find(id: string): number | undefined {
    this.#expire();
    return this.#seen.get(id)?.seq;
  }

  add(id: string, seq: number, { seconds, nanos }: Instant): void {
    if (this.#windowMs <= 0) return;
    this.#expire();
    const atMs = this.#seen.get(id)?.atMs ?? seconds * 1000 + nanos / 1e6;
    this.#seen.set(id, { seq, atMs });
  }

  #expire(): void {
    for (const [id, { atMs }] of this.#seen) {
      if (this.#nowMs() - atMs < this.#windowMs) return;
      this.#seen.delete(id);
    }
  }
}
