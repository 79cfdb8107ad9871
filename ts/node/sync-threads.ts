// The threads that sync: one does all rounds of few files; a round of many files is shared among several, since the file system then
// writes its own journal once for what arrives together. The others start with the first such round.

import { SyncThread, type FailedSync } from './sync-thread.ts';

const MOST_THREADS = 4;
/** A thread more for each so many files. */
const FILES_A_THREAD = 8;

export class SyncThreads {
  readonly #threads: SyncThread[] = [new SyncThread()];

  /** Syncs all descriptors, then calls `done`. */
  sync(descriptors: readonly number[], done: (failed: readonly FailedSync[]) => void): void {
    const wanted = Math.min(MOST_THREADS, Math.max(1, Math.floor(descriptors.length / FILES_A_THREAD)));
    while (this.#threads.length < wanted) this.#threads.push(new SyncThread());
    const [first] = this.#threads;
    if (wanted === 1) return first?.sync(descriptors, done);
    const failed: FailedSync[] = [];
    let left = wanted;
    const each = Math.ceil(descriptors.length / wanted);
    for (let i = 0; i < wanted; i++) {
      this.#threads[i]?.sync(descriptors.slice(i * each, (i + 1) * each), (some) => {
        failed.push(...some);
        if (--left === 0) done(failed);
      });
    }
  }

  /** Ends the threads when what they were asked for is done. */
  async stop(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.stop()));
  }
}
