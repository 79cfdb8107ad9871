/** Due sequences against a plain sorted list. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DueHeap, type Due } from '../../../../ts/core/stream/due-heap.ts';

test('what is due comes in order of its time, and nothing before', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { maxLength: 200 }), fc.nat(60), (times, nowMs) => {
      const heap = new DueHeap();
      for (const [seq, atMs] of times.entries()) heap.add({ seq, atMs });
      const taken: number[] = [];
      for (let due = heap.take(nowMs); due !== undefined; due = heap.take(nowMs)) taken.push(due.atMs);
      assert.deepEqual(
        taken,
        times.filter((atMs) => atMs <= nowMs).sort((a, b) => a - b),
      );
      assert.equal(heap.size, times.length - taken.length);
    }),
  );
});

test('what is not wanted any more does not fill the heap, and what is stays in order', () => {
  const heap = new DueHeap();
  const isWanted = ({ seq }: Due): boolean => seq % 1000 === 0;
  for (let seq = 0; seq < 100_000; seq++) {
    heap.sweep(isWanted);
    heap.add({ seq, atMs: (seq * 7919) % 100_003 });
    assert.ok(heap.size <= 1024, `${heap.size} after ${seq}`);
  }
  const wanted: number[] = [];
  for (let due = heap.take(Infinity); due !== undefined; due = heap.take(Infinity)) if (isWanted(due)) wanted.push(due.atMs);
  assert.equal(wanted.length, 100);
  assert.deepEqual(
    wanted,
    [...wanted].sort((a, b) => a - b),
  );
});
