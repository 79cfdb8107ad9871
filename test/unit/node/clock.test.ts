// The clock of the process: delays of any length, and instants that rise. Timers are those of node:test, so nothing here waits.

import assert from 'node:assert/strict';
import { beforeEach, afterEach, mock, test } from 'node:test';
import { NodeClock } from '../../../ts/node/clock.ts';

const MOST_MS = 2 ** 31 - 1;

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

test('a call comes after its delay, and not when it was cancelled', () => {
  const clock = new NodeClock();
  const called: string[] = [];
  clock.after(10, () => called.push('kept'));
  const timer = clock.after(10, () => called.push('cancelled'));
  mock.timers.tick(9);
  timer.cancel();
  assert.deepEqual(called, []);
  mock.timers.tick(1);
  assert.deepEqual(called, ['kept']);
});

test('a delay longer than a timer of the process can hold is waited for in steps, and can be cancelled in each', () => {
  const clock = new NodeClock();
  const called: string[] = [];
  const delayMs = 2 * MOST_MS + 5;
  clock.after(delayMs, () => called.push('kept'));
  const early = clock.after(delayMs, () => called.push('early'));
  const late = clock.after(delayMs, () => called.push('late'));
  mock.timers.tick(10);
  early.cancel();
  mock.timers.tick(MOST_MS - 10);
  mock.timers.tick(MOST_MS);
  late.cancel();
  mock.timers.tick(4);
  assert.deepEqual(called, []);
  mock.timers.tick(1);
  assert.deepEqual(called, ['kept']);
});

test('instants rise strictly, however fast they are asked for', () => {
  const clock = new NodeClock();
  let before = clock.wallInstant();
  for (let asked = 0; asked < 1000; asked++) {
    const now = clock.wallInstant();
    assert.ok(now.seconds > before.seconds || (now.seconds === before.seconds && now.nanos > before.nanos));
    before = now;
  }
});
