// Atomic batches: put aside until committed, given up at the first thing that is not right.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtomicBatches, type BatchVerdict } from '../../../../ts/core/stream/atomic-batch.ts';

function offer(
  batches: AtomicBatches<string>,
  id: string,
  sequence: number | string,
  more: Record<string, string> = {},
  nowMs = 0,
): BatchVerdict<string> {
  const headers = new Map(Object.entries({ 'Nats-Batch-Id': id, 'Nats-Batch-Sequence': String(sequence), ...more }));
  return batches.offer(`${id}${sequence}`, headers, nowMs);
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
    const batches = new AtomicBatches<string>();
    assert.equal(offer(batches, 'a', 1).is, 'staged');
    assert.equal(offer(batches, 'a', 2).is, 'staged');
    const verdict = offer(batches, 'a', 3, { 'Nats-Batch-Commit': commit });
    assert.deepEqual(verdict.is === 'commit' && verdict.members.map(({ message }) => message), stored);
    assert.ok(batches.isEmpty);
  }
});

test('a gap, a start in the middle and a missing sequence are refused, and the batch is given up', () => {
  const batches = new AtomicBatches<string>();
  assert.equal(number(offer(batches, 'a', 2)), 10176);
  offer(batches, 'a', 1);
  const gap = offer(batches, 'a', 3);
  assert.equal(number(gap), 10176);
  assert.deepEqual(gap.is === 'refuse' && gap.abandoned, { id: 'a', reason: 'incomplete' });
  assert.equal(number(offer(batches, 'a', 2)), 10176);
  assert.equal(number(offer(batches, 'a', '')), 10175);
  assert.equal(number(offer(batches, 'x'.repeat(65), 1)), 10179);
  assert.equal(number(offer(batches, 'b', 1, { 'Nats-Batch-Commit': '2' })), 10200);
  offer(batches, 'b', 1, { 'Nats-Expected-Last-Msg-Id': 'x' });
  assert.equal(number(offer(batches, 'b', 2, { 'Nats-Batch-Commit': '1' })), 10177);
});

test('a batch has at most a thousand messages, a stream at most fifty open ones, and an id comes once', () => {
  const large = new AtomicBatches<string>();
  for (let sequence = 1; sequence <= 1000; sequence++) assert.equal(offer(large, 'a', sequence).is, 'staged');
  assert.equal(number(offer(large, 'a', 1001)), 10199);
  const many = new AtomicBatches<string>();
  for (let id = 0; id < 50; id++) offer(many, `b${id}`, 1);
  assert.equal(number(offer(many, 'one more', 1)), 10210);
  const twice = new AtomicBatches<string>();
  offer(twice, 'a', 1, { 'Nats-Msg-Id': 'same' });
  assert.equal(number(offer(twice, 'a', 2, { 'Nats-Msg-Id': 'same', 'Nats-Batch-Commit': '1' })), 10201);
});

test('a batch that nobody continues is given up after ten seconds', () => {
  const batches = new AtomicBatches<string>();
  offer(batches, 'a', 1, {}, 0);
  offer(batches, 'b', 1, {}, 5000);
  assert.deepEqual(batches.expire(9999), []);
  assert.deepEqual(batches.expire(10_000), ['a']);
});
