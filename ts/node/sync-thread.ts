// One sync thread: a worker that does nothing but `fdatasync`, so that a sync never waits behind scrypts and name look-ups in libuv's shared
// pool. File descriptors are the process's, so their numbers are all it needs. The threads share one ring of what is to be synced, take the
// next of it by its ticket, and sleep in `Atomics.wait` while there is none. Each sleeps on a word of its own, so that few files keep to the first
// threads: going round all of them costs a quarter more CPU.
//
//   shared words:  0 tickets given out   1 tickets taken   2 not 0: the threads end
//                  a word a thread, of THREADS: raised to wake it
//                  the ring, PLACES words:      which place a ticket stands for
//                  three words a place:         descriptor   its group   answer: 0, or the system's error number (negative)
//                  a word a group:              how many of its files are not synced
//
// A place belongs to its file until its group is through. The thread that syncs the last file of a group posts the group's number. Its source
// is a text because it needs no file of its own then, in the bundle as from the sources; it has no state but the shared words.

import { Worker } from 'node:worker_threads';

/** Threads at most. */
export const THREADS = 8;
/** Files that are on their way at once, a power of two. */
export const PLACES = 4096;
/** Groups that are on their way at once. */
export const GROUPS = 64;

export const GIVEN = 0;
const TAKEN = 1;
export const ENDED = 2;
const WAKE = 3;
const RING = WAKE + THREADS;
const PLACE = RING + PLACES;
const PLACE_WORDS = 3;
const LEFT = PLACE + PLACE_WORDS * PLACES;
const WORDS = LEFT + GROUPS;

export const wakeAt = (thread: number): number => WAKE + thread;
export const ringAt = (ticket: number): number => RING + (ticket & (PLACES - 1));
export const descriptorAt = (place: number): number => PLACE + PLACE_WORDS * place;
export const groupAt = (place: number): number => descriptorAt(place) + 1;
export const answerAt = (place: number): number => descriptorAt(place) + 2;
export const leftAt = (group: number): number => LEFT + group;

const source = `
const { parentPort, workerData } = require('node:worker_threads');
const { fdatasyncSync } = require('node:fs');
const words = new Int32Array(workerData.buffer);
const wake = ${WAKE} + workerData.thread;
while (Atomics.load(words, ${ENDED}) === 0) {
  const woken = Atomics.load(words, wake);
  const ticket = Atomics.load(words, ${TAKEN});
  if (Atomics.load(words, ${GIVEN}) === ticket) {
    Atomics.wait(words, wake, woken);
    continue;
  }
  const at = ${PLACE} + ${PLACE_WORDS} * words[${RING} + (ticket & ${PLACES - 1})];
  if (Atomics.compareExchange(words, ${TAKEN}, ticket, (ticket + 1) | 0) !== ticket) continue;
  let answer = 0;
  try {
    fdatasyncSync(words[at]);
  } catch (error) {
    answer = error.errno;
  }
  words[at + 2] = answer;
  const group = words[at + 1];
  if (Atomics.sub(words, ${LEFT} + group, 1) === 1) parentPort.postMessage(group);
}
parentPort.close();
`;

/** The words that the threads of a pool share. */
export function sharedWords(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(4 * WORDS));
}

/** Starts a thread. It reports groups that are through, and its death. */
export function startSyncThread(
  words: Int32Array,
  thread: number,
  through: (group: number) => void,
  died: (error: Error) => void,
): Worker {
  const worker = new Worker(source, { eval: true, workerData: { buffer: words.buffer, thread }, execArgv: [] });
  worker.on('message', through);
  worker.on('error', died);
  return worker;
}
