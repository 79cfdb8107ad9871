// The files of TTLs and schedules, and the heap that holds what is due.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DueHeap } from '../../../../ts/core/stream/due-heap.ts';
import { decodeTimes, encodeTimes, type TimesEntry } from '../../../../ts/core/stream/times-file.ts';

const plain = ({ seq, at, subject }: TimesEntry): unknown => [seq, at.seconds, at.nanos, subject];

test('what is written is read again, in both files', () => {
  const entries = fc.array(
    fc.record({
      seq: fc.nat(),
      at: fc.record({ seconds: fc.nat(4e9), nanos: fc.nat(999_999_999) }),
      subject: fc.string({ maxLength: 20 }),
    }),
  );
  fc.assert(
    fc.property(entries, fc.constantFrom('thw.db' as const, 'sched.db' as const), (given, name) => {
      const kept = name === 'sched.db' ? given : given.map((entry) => ({ ...entry, subject: '' }));
      const read = decodeTimes(name, encodeTimes(name, { stamp: 9, entries: kept }), 8);
      assert.equal(JSON.stringify(read?.entries.map(plain)), JSON.stringify(kept.map(plain)));
    }),
  );
});

test('a file that is cut short, of another version or ahead of its stream is none', () => {
  const bytes = encodeTimes('thw.db', {
    stamp: 9,
    entries: [{ seq: 300, at: { seconds: 1_800_000_000, nanos: 1 }, subject: '' }],
  });
  for (let length = 0; length < bytes.length; length++)
    assert.equal(decodeTimes('thw.db', bytes.subarray(0, length), 8), undefined);
  assert.equal(decodeTimes('thw.db', bytes, 7), undefined);
  assert.equal(decodeTimes('thw.db', Uint8Array.of(2, ...bytes.subarray(1)), 8), undefined);
});

test('what is due comes out in order of time, and nothing before its time', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1000)), fc.nat(1000), (times, nowMs) => {
      const heap = new DueHeap();
      for (const [seq, atMs] of times.entries()) heap.add({ seq, atMs });
      const taken: number[] = [];
      for (let due = heap.take(nowMs); due !== undefined; due = heap.take(nowMs)) taken.push(due.atMs);
      const sorted = times.toSorted((a, b) => a - b);
      assert.deepEqual(
        taken,
        sorted.filter((atMs) => atMs <= nowMs),
      );
      assert.equal(
        heap.nextMs,
        sorted.find((atMs) => atMs > nowMs),
      );
      assert.equal(heap.size, times.length - taken.length);
    }),
  );
});
