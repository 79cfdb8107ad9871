/** Lets background work of a store under test go on for a while: timers that are due, files that are read, threads that answer. */
import { setImmediate as nextTurn } from 'node:timers/promises';

const TURNS = 40;

export async function background(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await nextTurn();
}
