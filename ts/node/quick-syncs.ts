// Syncs on the event loop itself, for one client that waits for each of its acknowledgements. To have a thread sync and be told takes two switches
// of threads, about half as long as the sync on a quick disk. So a little data in one file is synced at once, while the loop has nothing else to do
// and the disk is quick; everything else goes to the sync thread (sync-thread.ts).
//
// - The loop pays with sleep: what it slept between the end of a sync and the next round, some times over, is what syncs here may take. Where many
//   clients publish, or others keep the loop busy, it does not sleep.
// - A sync that took long sends all to the thread for a while, twice as long each time: a slow disk costs the loop one sync a minute.

import fs from 'node:fs';
import { performance } from 'node:perf_hooks';
import { type FailedSync, failedSync } from './sync-thread.ts';

/** Written since the last sync: what a quick disk takes in about as quickly as a single message. */
const MOST_BYTES = 1024 * 1024;
/** What syncs may take of the time that the loop slept, and how much of it is saved up. */
const SYNC_PER_SLEPT = 4;
const MOST_SAVED_MS = 1;
/** A sync that took longer was a stall, or the disk is slow. */
const LONG_MS = 1;
const FIRST_REST_MS = 20;
const LONGEST_REST_MS = 60_000;

/** What it is decided with. */
export interface QuickSyncPorts {
  readonly nowMs: () => number;
  /** How long the event loop has slept in all. */
  readonly sleptMs: () => number;
  /** Throws what the system says. */
  readonly sync: (descriptor: number) => void;
}

const real: QuickSyncPorts = {
  nowMs: () => performance.now(),
  sleptMs: () => performance.nodeTiming.idleTime,
  sync: (descriptor) => fs.fdatasyncSync(descriptor),
};

export class QuickSyncs {
  readonly #ports: QuickSyncPorts;
  /** What syncs may take here. */
  #savedMs = MOST_SAVED_MS;
  /** How much of the loop's sleep is counted. */
  #countedMs = 0;
  #restMs = FIRST_REST_MS;
  #restsUntilMs = 0;

  constructor(ports = real) {
    this.#ports = ports;
  }

  /** Syncs here and now and returns what failed; undefined, and nothing done, where that is for others. */
  sync(descriptors: readonly number[], bytes: number): readonly FailedSync[] | undefined {
    const { nowMs, sleptMs, sync } = this.#ports;
    const [descriptor] = descriptors;
    if (descriptor === undefined || descriptors.length > 1 || bytes > MOST_BYTES) return undefined;
    const slept = sleptMs();
    this.#savedMs = Math.min(MOST_SAVED_MS, this.#savedMs + SYNC_PER_SLEPT * (slept - this.#countedMs));
    this.#countedMs = slept;
    if (this.#savedMs <= 0) return undefined;
    const fromMs = nowMs();
    if (fromMs < this.#restsUntilMs) return undefined;
    let failed: readonly FailedSync[] = [];
    try {
      sync(descriptor);
    } catch (error) {
      failed = [failedSync(descriptor, error)];
    }
    this.#took(fromMs, nowMs());
    return failed;
  }

  #took(fromMs: number, toMs: number): void {
    this.ended();
    const tookMs = toMs - fromMs;
    this.#savedMs -= tookMs;
    if (tookMs <= LONG_MS) {
      this.#restMs = FIRST_REST_MS;
      return;
    }
    this.#restsUntilMs = toMs + this.#restMs;
    this.#restMs = Math.min(LONGEST_REST_MS, 2 * this.#restMs);
  }

  /** A sync has ended, here or on a thread: the sleep while it was under way does not count. */
  ended(): void {
    this.#countedMs = this.#ports.sleptMs();
  }
}
