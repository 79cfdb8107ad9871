// Syncs of many files at once, on the threads of libuv's pool: what a round over many streams wrote. A file system and a disk do what arrives
// together together, so that 32 syncs at a time take half as long as 8. A worker for each (sync-thread.ts) would take 8 MiB and
// 17 ms of CPU, where a thread of the pool takes some KiB. The program gives the pool its size (pool-size.ts); in another program it has its own.
//
// What stays true: others who want the pool wait behind no more files than `MOST_UNDER_WAY`.

import fs from 'node:fs';
import { type Done, type FailedSync, failedSync } from './sync-thread.ts';

/** Files with the pool at once: enough to keep its threads busy while the event loop is. */
const MOST_UNDER_WAY = 256;

interface Group {
  readonly descriptors: readonly number[];
  readonly done: Done;
  readonly failed: FailedSync[];
  /** How many were given to the pool. */
  given: number;
  /** How many are not synced. */
  left: number;
}

export class SyncPool {
  /** They have files that are not with the pool yet. */
  readonly #waiting: Group[] = [];
  #underWay = 0;
  #idle: (() => void)[] = [];

  /** Syncs all descriptors, then calls `done`. */
  sync(descriptors: readonly number[], done: Done): void {
    if (descriptors.length === 0) return done([]);
    this.#waiting.push({ descriptors, done, failed: [], given: 0, left: descriptors.length });
    this.#give();
  }

  #give(): void {
    for (let group = this.#waiting[0]; group !== undefined && this.#underWay < MOST_UNDER_WAY; group = this.#waiting[0]) {
      const descriptor = group.descriptors[group.given++] ?? -1;
      if (group.given === group.descriptors.length) this.#waiting.shift();
      this.#underWay++;
      this.#start(group, descriptor);
    }
  }

  #start(group: Group, descriptor: number): void {
    fs.fdatasync(descriptor, (error) => {
      if (error !== null) group.failed.push(failedSync(descriptor, error));
      this.#underWay--;
      this.#give();
      if (--group.left > 0) return;
      group.done(group.failed);
      if (this.#underWay === 0) for (const call of this.#idle.splice(0)) call();
    });
  }

  /** Resolves when everything is synced. */
  async stop(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }
}
