// Atomic batches: put aside until committed, given up at the first thing that is not right.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtomicBatches, type BatchLimits, type BatchVerdict } from '../../../../ts/core/stream/atomic-batch.ts';

const limits: BatchLimits = { perStream: 50, messages: 1000, hasRoom: () => true, ended: () => {} };

function offer(
  batches: AtomicBatches<string>,
  id: string,
  sequence: number | string,
  more: Record<string, string> = {},
  nowMs = 0,
): BatchVerdict<string> {
  const headers = new Map(Object.entries({ 'Nats-Batch-Id': id, 'Nats-Batch-Sequence': String(sequence), ...more }));
  return batches.offer(`${id}${sequence}`, headers, false, nowMs);
}

function number(verdict: BatchVerdict<string>): number {
  assert.equal(verdict.is, 'refuse');
  return verdict.is === 'refuse' ? verdict.error.err_code : 0;
}

test('a batch is committed with its last message, or by a last one that is not stored', () => {
  for (const [commit, stored] of [
    ['1', ['a1', 'a2', 'a3']],
    ['eob', ['a1', 'a2']],
  ] as const) {
    const batches = new AtomicBatches<string>(limits);
    assert.equal(offer(batches, 'a', 1).is, 'staged');
    assert.equal(offer(batches, 'a', 2).is, 'staged');
    const verdict = offer(batches, 'a', 3, { 'Nats-Batch-Commit': commit });
    assert.deepEqual(verdict.is === 'commit' && verdict.members.map(({ message }) => message), stored);
    assert.equal(batches.oldestMs, Infinity);
  }
});

test('a gap, a start in the middle and a missing sequence are refused, and the batch is given up', () => {
  const batches = new AtomicBatches<string>(limits);
  assert.equal(number(offer(batches, 'a', 2)), 10176);
  offer(batches, 'a', 1);
  const gap = offer(batches, 'a', 3);
  assert.equal(number(gap), 10176);
  assert.deepEqual(gap.is === 'refuse' && gap.abandoned, { id: 'a', reason: 'incomplete' });
  assert.equal(number(offer(batches, 'a', 2)), 10176);
  assert.equal(number(offer(batches, 'a', '')), 10175);
  assert.equal(number(offer(batches, 'x'.repeat(65), 1)), 10179);
  assert.equal(number(offer(batches, 'b', 1, { 'Nats-Batch-Commit': '2' })), 10200);
  assert.equal(number(offer(batches, 'b', 1, { 'Nats-Batch-Commit': 'eob' })), 10176);
  offer(batches, 'b', 1);
  assert.equal(number(offer(batches, 'b', 1)), 10176);
});

test('a batch has at most so many messages, a stream so many open ones, and the server may be full', () => {
  const large = new AtomicBatches<string>(limits);
  for (let sequence = 1; sequence <= 1000; sequence++) assert.equal(offer(large, 'a', sequence).is, 'staged');
  assert.equal(number(offer(large, 'a', 1001)), 10199);
  const many = new AtomicBatches<string>(limits);
  for (let id = 0; id < 50; id++) offer(many, `b${id}`, 1);
  assert.equal(number(offer(many, 'one more', 1)), 10210);
  assert.equal(number(offer(many, 'one more', 1001)), 10199);
  let open = 0;
  const full = new AtomicBatches<string>({ ...limits, hasRoom: () => open++ < 1, ended: () => void (open -= 1) });
  offer(full, 'a', 1);
  assert.equal(number(offer(full, 'b', 1)), 10210);
});

test('a batch that nobody continues is given up after its time', () => {
  const batches = new AtomicBatches<string>(limits);
  offer(batches, 'a', 1, {}, 0);
  offer(batches, 'b', 1, {}, 5000);
  assert.deepEqual(batches.expire(9999, 10_000), []);
  assert.deepEqual(batches.expire(10_000, 10_000), ['a']);
});
