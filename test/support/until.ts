/** Waits for a condition, turn by turn of the event loop. */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { patienceMs } from './patience.ts';

/** Resolves when the condition holds; fails when it does not come about at all. */
export async function until(condition: () => boolean): Promise<void> {
  const from = performance.now();
  while (!condition()) {
    assert.ok(performance.now() - from < patienceMs, 'what was waited for did not come about');
    await nextTurn();
  }
}
