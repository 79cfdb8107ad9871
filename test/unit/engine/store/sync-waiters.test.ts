/** Who waits for a sync is called when what he depends on is on disk, and not later. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SyncWaiters } from '../../../../ts/engine/store/sync-waiters.ts';

function waiting(): { readonly waiters: SyncWaiters; readonly called: string[]; add(name: string, ticket?: number): void } {
  const waiters = new SyncWaiters();
  const called: string[] = [];
  return {
    waiters,
    called,
    add: (name, ticket = 0) =>
      waiters.add((error) => called.push(error === undefined ? name : `${name}: ${error.message}`), ticket),
  };
}

test('what is asked for while a round is under way waits for the next', () => {
  const { waiters, called, add } = waiting();
  add('a');
  waiters.begin();
  add('b');
  assert.equal(waiters.settle(0), false);
  assert.deepEqual(called, ['a']);
  assert.ok(waiters.any);
  waiters.begin();
  waiters.settle(0);
  assert.deepEqual(called, ['a', 'b']);
});

test('metadata is waited for by its ticket', () => {
  const { waiters, called, add } = waiting();
  add('message');
  add('metadata', 2);
  waiters.begin();
  assert.equal(waiters.settle(1), true);
  assert.deepEqual(called, ['message']);
  waiters.begin();
  assert.equal(waiters.settle(2), false);
  assert.deepEqual(called, ['message', 'metadata']);
});

test('what a round left to the next is waited for once, though that round leaves something too', () => {
  const { waiters, called, add } = waiting();
  add('first');
  for (const name of ['second', 'third', 'fourth']) {
    waiters.begin();
    assert.equal(waiters.settle(0, true), true);
    add(name);
  }
  assert.deepEqual(called, ['first', 'second']);
  waiters.begin();
  waiters.settle(0);
  assert.deepEqual(called, ['first', 'second', 'third', 'fourth']);
});

test('after a fault all are told', () => {
  const { waiters, called, add } = waiting();
  add('a');
  waiters.begin();
  add('b');
  waiters.fail(new Error('gone'));
  assert.deepEqual(called, ['a: gone', 'b: gone']);
});

test('200,000 wait behind a disk that stalls, and each is called once and in turn', () => {
  const count = 200_000;
  const { waiters, called, add } = waiting();
  for (let number = 0; number < count; number++) add(String(number), number % 2);
  waiters.begin();
  waiters.hold();
  waiters.begin();
  assert.equal(waiters.settle(0), true);
  waiters.begin();
  assert.equal(waiters.settle(1), false);
  assert.equal(called.length, count);
  assert.deepEqual([called[0], called[1], called[count / 2], called.at(-1)], ['0', '2', '1', String(count - 1)]);
});
