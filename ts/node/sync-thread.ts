// The sync thread: one worker that does nothing but `fdatasync`, so that a sync never waits behind scrypts and name look-ups in libuv's shared
// pool. File descriptors are the process's, so their numbers are all it needs. It sleeps in `Atomics.wait` between rounds.
//
//   shared words:  0 round number (raised to start one)   1 how many descriptors   2... the descriptors
//
// The thread answers with the descriptors that failed and the error codes, or null. Its source is a text because it needs no file of its
// own then, in the bundle as from the sources; it has no state but the shared words.

import { Worker } from 'node:worker_threads';

const MOST_PER_ROUND = 4096;

const source = `
const { parentPort, workerData } = require('node:worker_threads');
const { fdatasyncSync } = require('node:fs');
const words = new Int32Array(workerData);
for (let round = 0; ; round++) {
  Atomics.wait(words, 0, round);
  const count = words[1];
  if (count < 0) break;
  let failed = null;
  for (let i = 0; i < count; i++) {
    try {
      fdatasyncSync(words[2 + i]);
    } catch (error) {
      (failed ??= []).push([words[2 + i], String(error.code), String(error.message)]);
    }
  }
  parentPort.postMessage(failed);
}
parentPort.close();
`;

/** A descriptor whose sync failed: the descriptor, the system's code and its words. */
export type FailedSync = readonly [descriptor: number, code: string, message: string];

type Done = (failed: readonly FailedSync[]) => void;

interface Waiting {
  readonly descriptors: readonly number[];
  readonly done: Done;
}

export class SyncThread {
  readonly #words = new Int32Array(new SharedArrayBuffer(4 * (2 + MOST_PER_ROUND)));
  readonly #waiting: Waiting[] = [];
  #worker: Worker | undefined;
  #round: { rest: number[]; failed: FailedSync[]; done: Done } | undefined;

  /** Syncs all descriptors, then calls `done`; rounds are done in order, one at a time. */
  sync(descriptors: readonly number[], done: Done): void {
    this.#waiting.push({ descriptors, done });
    this.#next();
  }

  #next(): void {
    if (this.#round !== undefined) return;
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#worker?.unref();
      return;
    }
    this.#round = { rest: [...next.descriptors], failed: [], done: next.done };
    this.#worker ??= this.#start();
    this.#worker.ref();
    this.#post();
  }

  #start(): Worker {
    const worker = new Worker(source, { eval: true, workerData: this.#words.buffer, execArgv: [] });
    worker.on('message', (failed: FailedSync[] | null) => this.#answered(failed ?? []));
    worker.on('error', (error: Error) => this.#died(error));
    return worker;
  }

  #post(): void {
    const part = this.#round?.rest.splice(0, MOST_PER_ROUND) ?? [];
    this.#words[1] = part.length;
    part.forEach((descriptor, i) => (this.#words[2 + i] = descriptor));
    Atomics.add(this.#words, 0, 1);
    Atomics.notify(this.#words, 0);
  }

  #answered(failed: readonly FailedSync[]): void {
    const round = this.#round;
    if (round === undefined) return;
    round.failed.push(...failed);
    if (round.rest.length > 0) {
      this.#post();
      return;
    }
    this.#round = undefined;
    round.done(round.failed);
    this.#next();
  }

  /** The thread is gone: nothing can be promised any more. */
  #died(error: Error): void {
    this.#worker = undefined;
    const lost = [...(this.#round === undefined ? [] : [this.#round.done]), ...this.#waiting.map((waiting) => waiting.done)];
    this.#round = undefined;
    this.#waiting.length = 0;
    for (const done of lost) done([[-1, 'EIO', `the sync thread ended: ${error.message}`]]);
  }

  /** Ends the thread when what it was asked for is done. */
  async stop(): Promise<void> {
    while (this.#round !== undefined) await new Promise<void>((resolve) => this.sync([], () => resolve()));
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#worker = undefined;
    worker.ref();
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    this.#words[1] = -1;
    Atomics.add(this.#words, 0, 1);
    Atomics.notify(this.#words, 0);
    await ended;
  }
}
