// The thread that syncs the few files of a usual round: a worker that does nothing but `fdatasync`, so that such a sync waits behind nothing
// else, neither scrypts nor name look-ups nor the files of a large round (sync-pool.ts). File descriptors are the process's, so their numbers
// are all that it needs. It sleeps in `Atomics.wait` while there is nothing, and starts with the first sync.
//
//   shared words:  0 files given out   1 raised to wake it   2 not 0: it ends
//                  two words a place, PLACES of them:  descriptor, complemented in the last file of a group
//                                                      answer: 0, or the system's error number (negative)
//
// Files are synced in the order in which they were given out, so that groups end in order: the thread posts a message behind each. A place belongs
// to its file until its group is through. The worker's source is a text because it needs no file of its own then, in the bundle as from the sources.

import { getSystemErrorMap } from 'node:util';
import { Worker } from 'node:worker_threads';

/** Files that are on their way at once, a power of two. */
const PLACES = 256;

const GIVEN = 0;
const WAKE = 1;
const ENDED = 2;
const PLACE = 3;
const WORDS = PLACE + 2 * PLACES;

const descriptorAt = (file: number): number => PLACE + 2 * (file & (PLACES - 1));
const answerAt = (file: number): number => descriptorAt(file) + 1;

export const source = `
const { parentPort, workerData: words } = require('node:worker_threads');
const { fdatasyncSync } = require('node:fs');
let synced = 0;
for (;;) {
  // Before what it is woken for: what comes behind this look ends the sleep at once.
  const woken = Atomics.load(words, ${WAKE});
  if (Atomics.load(words, ${ENDED}) !== 0) break;
  if (Atomics.load(words, ${GIVEN}) === synced) {
    Atomics.wait(words, ${WAKE}, woken);
    continue;
  }
  const at = ${PLACE} + 2 * (synced & ${PLACES - 1});
  const isLast = words[at] < 0;
  let answer = 0;
  try {
    fdatasyncSync(isLast ? ~words[at] : words[at]);
  } catch (error) {
    answer = error.errno;
  }
  words[at + 1] = answer;
  synced = (synced + 1) | 0;
  if (isLast) parentPort.postMessage(0);
}
parentPort.close();
`;

/** A descriptor whose sync failed: the descriptor, the system's code and its words. */
export type FailedSync = readonly [descriptor: number, code: string, message: string];

export type Done = (failed: readonly FailedSync[]) => void;

interface Group {
  readonly descriptors: readonly number[];
  readonly done: Done;
}

function failure(descriptor: number, errno: number): FailedSync {
  const [code, words] = getSystemErrorMap().get(errno) ?? ['EIO', `error ${errno}`];
  return [descriptor, code, `${code}: ${words}, fdatasync`];
}

/** The failure that a call of `fdatasync` threw or answered with. */
export function failedSync(descriptor: number, error: unknown): FailedSync {
  const errno = error instanceof Error && 'errno' in error ? Number(error.errno) : 0;
  return failure(descriptor, errno);
}

export class SyncThread {
  readonly #words = new Int32Array(new SharedArrayBuffer(4 * WORDS));
  readonly #groups: Group[] = [];
  #worker: Worker | undefined;
  #given = 0;
  /** The first file of the first group. */
  #first = 0;
  #dead: FailedSync | undefined;
  #idle: (() => void)[] = [];

  /** Whether so many files may come now. */
  hasRoom(files: number): boolean {
    return ((this.#given - this.#first) | 0) + files <= PLACES;
  }

  /** Syncs all descriptors, for which there must be room, then calls `done`. */
  sync(descriptors: readonly number[], done: Done): void {
    if (this.#dead !== undefined) return done([this.#dead]);
    if (descriptors.length === 0) return done([]);
    this.#worker ??= this.#start();
    if (this.#groups.push({ descriptors, done }) === 1) this.#worker.ref();
    for (const [at, descriptor] of descriptors.entries()) {
      this.#words[descriptorAt(this.#given + at)] = at === descriptors.length - 1 ? ~descriptor : descriptor;
    }
    this.#given = (this.#given + descriptors.length) | 0;
    Atomics.store(this.#words, GIVEN, this.#given);
    this.#wake();
  }

  #wake(): void {
    Atomics.add(this.#words, WAKE, 1);
    Atomics.notify(this.#words, WAKE);
  }

  #start(): Worker {
    const worker = new Worker(source, { eval: true, workerData: this.#words, execArgv: [] });
    worker.on('message', () => this.#through());
    worker.on('error', (error) => this.#died(error));
    worker.unref();
    return worker;
  }

  #through(): void {
    const group = this.#groups.shift();
    if (group === undefined) return;
    const failed: FailedSync[] = [];
    for (const [at, descriptor] of group.descriptors.entries()) {
      const errno = this.#words[answerAt(this.#first + at)] ?? 0;
      if (errno !== 0) failed.push(failure(descriptor, errno));
    }
    this.#first = (this.#first + group.descriptors.length) | 0;
    if (this.#groups.length === 0) this.#worker?.unref();
    group.done(failed);
    if (this.#groups.length === 0) this.#tellIdle();
  }

  #tellIdle(): void {
    for (const call of this.#idle.splice(0)) call();
  }

  /** The thread is gone, and a file with it perhaps: nothing can be promised any more. */
  #died(error: Error): void {
    this.#dead = [-1, 'EIO', `the sync thread ended: ${error.message}`];
    for (const group of this.#groups.splice(0)) group.done([this.#dead]);
    this.#tellIdle();
  }

  /** Ends the thread when what it was asked for is done. */
  async stop(): Promise<void> {
    if (this.#groups.length > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    Atomics.store(this.#words, ENDED, 1);
    this.#wake();
    const worker = this.#worker;
    if (worker === undefined || worker.threadId === -1) return;
    worker.ref();
    await new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  }
}
