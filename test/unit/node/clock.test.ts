// The clock of the process: delays of any length, and instants that rise. Timers are those of node:test, so nothing here waits.

import assert from 'node:assert/strict';
import { beforeEach, afterEach, mock, test } from 'node:test';
import { NodeClock } from '../../../ts/node/clock.ts';

const MOST_MS = 2 ** 31 - 1;

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

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

test('instants lie within the millisecond that the wall clock shows, also when it is slowed down, hurried or set forward', () => {
  let trueMs = 1_700_000_000_000.25;
  let timerMs = 5000;
  mock.method(Date, 'now', () => Math.floor(trueMs));
  mock.method(performance, 'now', () => timerMs);
  const clock = new NodeClock();
  const rates = [1, 0.9995, 1.0005, 1];
  for (let step = 0; step < 40_000; step++) {
    timerMs += 0.3;
    trueMs += 0.3 * (rates[Math.floor(step / 10_000)] ?? 1);
    if (step === 35_000) trueMs += 3_600_000;
    const { seconds, nanos } = clock.wallInstant();
    const shownMs = BigInt(seconds) * 1000n + BigInt(Math.floor(nanos / 1e6));
    assert.equal(shownMs, BigInt(Math.floor(trueMs)), `step ${step}`);
  }
});

test('instants go on rising when the wall clock is set back', () => {
  let wallMs = 1_700_000_000_000;
  mock.method(Date, 'now', () => wallMs);
  const clock = new NodeClock();
  const before = clock.wallInstant();
  wallMs -= 60_000;
  const after = clock.wallInstant();
  assert.deepEqual(after, { seconds: before.seconds, nanos: before.nanos + 1 });
});
