// The write of a connection that the system has not taken whole yet, looked at window by window, each as long as `write_deadline`. At the end of a
// window the receiver is a slow consumer: with `close` it is dropped, with `retry` only when the system took nothing in that window.
// Kept true: one window makes at most one report; a connection is late from its first report until a write ends.

import type { WriteTimeout } from '../config/options-network.ts';

export interface WriteWindow {
  /** What was left to write when the window began. */
  readonly chunks: number;
  readonly bytes: number;
  readonly tookMs: number;
}

export interface OverdueWrite extends WriteWindow {
  /** The one before it was reported as well. */
  readonly again: boolean;
  readonly closes: boolean;
}

export class WriteInFlight {
  #sizes: readonly number[] = [];
  #unsentBytes = 0;
  #sinceMs = 0;
  #late = false;

  begin(sizes: readonly number[], nowMs: number): void {
    this.#sizes = sizes;
    this.#unsentBytes = sizes.reduce((sum, size) => sum + size, 0);
    this.#sinceMs = nowMs;
  }

  /** Undefined while the window lasts; else what is to be told, and a new window has begun. */
  look(nowMs: number, unsentBytes: number, deadlineMs: number, policy: WriteTimeout): OverdueWrite | undefined {
    if (nowMs - this.#sinceMs < deadlineMs) return undefined;
    const nothingLeft = unsentBytes >= this.#unsentBytes;
    const overdue = { ...this.#window(nowMs), again: this.#late, closes: policy !== 'retry' || nothingLeft };
    this.#late = true;
    this.#unsentBytes = Math.min(unsentBytes, this.#unsentBytes);
    this.#sinceMs = nowMs;
    return overdue;
  }

  /** The write is through. Answers its last window if the receiver was late. */
  end(nowMs: number): WriteWindow | undefined {
    if (!this.#late) return undefined;
    this.#late = false;
    return this.#window(nowMs);
  }

  #window(nowMs: number): WriteWindow {
    let chunks = 0;
    for (let bytes = 0, at = this.#sizes.length - 1; at >= 0 && bytes < this.#unsentBytes; at--) {
      bytes += this.#sizes[at] as number;
      chunks++;
    }
    return { chunks, bytes: this.#unsentBytes, tookMs: nowMs - this.#sinceMs };
  }
}

export function overdueText({ again, chunks, bytes }: OverdueWrite, deadline: string): string {
  const state = again ? 'State' : 'Detected';
  return `Slow Consumer ${state}: WriteDeadline of ${deadline} exceeded with ${chunks} chunks of ${bytes} total bytes.`;
}

export function recoveredText({ tookMs, chunks, bytes }: WriteWindow): string {
  return `Slow Consumer Recovered: Flush took ${(tookMs / 1_000).toFixed(3)}s with ${chunks} chunks of ${bytes} total bytes.`;
}
