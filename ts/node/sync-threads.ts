// The threads that sync. A group of files, what one round wrote, is through when each of its files is; the files of all groups stand in one
// ring (sync-thread.ts) that several threads work on when there are many: the file system does what arrives together together, so that
// several syncs at once take little longer than one. Threads start when there are many files for the first time.

import { getSystemErrorMap } from 'node:util';
import type { Worker } from 'node:worker_threads';
import {
  answerAt,
  descriptorAt,
  ENDED,
  GIVEN,
  groupAt,
  GROUPS,
  leftAt,
  PLACES,
  ringAt,
  sharedWords,
  startSyncThread,
  THREADS,
  wakeAt,
} from './sync-thread.ts';

/** A thread is started for each so many files: it takes 20 ms of CPU to start, and some MiB. */
const FILES_A_THREAD = 8;

/** A descriptor whose sync failed: the descriptor, the system's code and its words. */
export type FailedSync = readonly [descriptor: number, code: string, message: string];

type Done = (failed: readonly FailedSync[]) => void;

/** Files to sync, and the places of those that are in the ring. */
interface Group {
  readonly rest: number[];
  readonly failed: FailedSync[];
  readonly done: Done;
  readonly places: number[];
}

function failure(descriptor: number, errno: number): FailedSync {
  const [code, words] = getSystemErrorMap().get(errno) ?? ['EIO', `error ${errno}`];
  return [descriptor, code, `${code}: ${words}, fdatasync`];
}

/** The failure that a call of `fdatasync` threw. */
export function failedSync(descriptor: number, error: unknown): FailedSync {
  const errno = error instanceof Error && 'errno' in error ? Number(error.errno) : 0;
  return failure(descriptor, errno);
}

export class SyncThreads {
  readonly #words = sharedWords();
  readonly #threads: Worker[] = [];
  readonly #freePlaces = Array.from({ length: PLACES }, (_, place) => PLACES - 1 - place);
  /** On their way, by number. */
  readonly #groups = Array.from<Group | undefined>({ length: GROUPS });
  readonly #waiting: Group[] = [];
  #given = 0;
  #dead: FailedSync | undefined;
  #idle: (() => void)[] = [];

  /** Syncs all descriptors, then calls `done`. Groups that overlap end in any order. */
  sync(descriptors: readonly number[], done: Done): void {
    if (this.#dead !== undefined) return done([this.#dead]);
    if (descriptors.length === 0) return done([]);
    this.#waiting.push({ rest: [...descriptors], failed: [], done, places: [] });
    this.#giveOut();
  }

  get #onTheWay(): number {
    return PLACES - this.#freePlaces.length;
  }

  /** Gives out the groups that wait, while there is room. */
  #giveOut(): void {
    while (this.#waiting.length > 0 && this.#freePlaces.length > 0) {
      const number = this.#groups.indexOf(undefined);
      if (number < 0) break;
      const group = this.#waiting.shift();
      if (group !== undefined) this.#give(number, group);
    }
    if (this.#onTheWay > 0) this.#threads[0]?.ref();
    else this.#threads[0]?.unref();
  }

  #give(number: number, group: Group): void {
    this.#groups[number] = group;
    const part = group.rest.splice(0, this.#freePlaces.length);
    this.#words[leftAt(number)] = part.length;
    for (const descriptor of part) {
      const place = this.#freePlaces.pop() ?? 0;
      group.places.push(place);
      this.#words[descriptorAt(place)] = descriptor;
      this.#words[groupAt(place)] = number;
      this.#words[ringAt(this.#given)] = place;
      this.#given = (this.#given + 1) | 0;
    }
    Atomics.store(this.#words, GIVEN, this.#given);
    const wanted = Math.min(THREADS, Math.max(1, Math.floor(this.#onTheWay / FILES_A_THREAD)));
    while (this.#threads.length < wanted) this.#threads.push(this.#start(this.#threads.length));
    this.#wake(Math.min(this.#threads.length, this.#onTheWay));
  }

  /** Wakes the first threads: of as many as there are files on their way one has none. */
  #wake(count: number): void {
    for (let thread = 0; thread < count; thread++) {
      Atomics.add(this.#words, wakeAt(thread), 1);
      Atomics.notify(this.#words, wakeAt(thread));
    }
  }

  #start(thread: number): Worker {
    const worker = startSyncThread(
      this.#words,
      thread,
      (group) => this.#through(group),
      (error) => this.#died(error),
    );
    worker.unref();
    return worker;
  }

  #through(number: number): void {
    const group = this.#groups[number];
    if (group === undefined) return;
    this.#groups[number] = undefined;
    for (const place of group.places) {
      const errno = this.#words[answerAt(place)] ?? 0;
      if (errno !== 0) group.failed.push(failure(this.#words[descriptorAt(place)] ?? -1, errno));
    }
    this.#freePlaces.push(...group.places.splice(0));
    if (group.rest.length > 0) this.#waiting.unshift(group);
    else group.done(group.failed);
    this.#giveOut();
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.#onTheWay === 0 && this.#waiting.length === 0) for (const call of this.#idle.splice(0)) call();
  }

  /** A thread is gone, and a file with it perhaps: nothing can be promised any more. */
  #died(error: Error): void {
    this.#dead = [-1, 'EIO', `a sync thread ended: ${error.message}`];
    for (const group of [...this.#groups.splice(0), ...this.#waiting.splice(0)]) group?.done([this.#dead]);
    for (const call of this.#idle.splice(0)) call();
  }

  /** Ends the threads when what they were asked for is done. */
  async stop(): Promise<void> {
    if (this.#dead === undefined && this.#onTheWay > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    Atomics.store(this.#words, ENDED, 1);
    this.#wake(this.#threads.length);
    const alive = this.#threads.splice(0).filter(({ threadId }) => threadId !== -1);
    const ended = alive.map((worker) => {
      worker.ref();
      return new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    });
    await Promise.all(ended);
  }
}
