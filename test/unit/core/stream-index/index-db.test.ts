/** The content of index.db: what is written comes back, what is damaged or contradicts itself is not believed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeIndex, encodeIndex, withoutMessage, type WrittenIndex } from '../../../../ts/core/stream-index/index-db.ts';
import { encodeSequenceSet, readSequenceSet, type Range } from '../../../../ts/core/stream-index/sequence-set.ts';
import { cursorOver, putSigned, putUnsigned, readSigned, readUnsigned } from '../../../../ts/core/stream-index/varint.ts';

const members = (ranges: Iterable<Range>): number[] => {
  const found: number[] = [];
  for (const { from, to } of ranges) for (let seq = from; seq <= to; seq++) found.push(seq);
  return found;
};

const rangesOf = (seqs: readonly number[]): Range[] => {
  const ranges: { from: number; to: number }[] = [];
  for (const seq of [...new Set(seqs)].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.to === seq - 1) last.to = seq;
    else ranges.push({ from: seq, to: seq });
  }
  return ranges;
};

test('numbers of every length come back', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), (unsigned, signed) => {
      const out: number[] = [];
      putUnsigned(out, unsigned);
      putSigned(out, signed);
      const cursor = cursorOver(Uint8Array.from(out), 0);
      assert.equal(readUnsigned(cursor), unsigned);
      assert.equal(readSigned(cursor), signed);
      assert.deepEqual([cursor.at, cursor.bad], [out.length, false]);
    }),
  );
});

test('a set of sequences comes back, as ranges', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(9000), fc.nat(2 ** 40)), { minLength: 1, maxLength: 300 }), (seqs) => {
      const ranges = rangesOf(seqs);
      const encoded = encodeSequenceSet(ranges);
      const cursor = cursorOver(encoded, 0);
      assert.deepEqual(readSequenceSet(cursor), ranges);
      assert.equal(cursor.at, encoded.length);
    }),
  );
});

const index: WrittenIndex = {
  messages: 6,
  bytes: 600,
  firstSeq: 3,
  lastSeq: 12,
  firstTime: 1_700_000_000_123_456_789n,
  lastTime: 1_700_000_000_200_000_000n,
  subjects: Uint8Array.from([1, 1, 97, 6, 2, 5]),
  timed: false,
  blocks: [
    { number: 2, bytes: 400, firstSeq: 3, lastSeq: 8, firstTime: 1n, lastTime: 2n, deleted: [{ from: 4, to: 5 }] },
    { number: 5, bytes: 200, firstSeq: 10, lastSeq: 12, firstTime: 3n, lastTime: 4n, deleted: [{ from: 11, to: 11 }] },
  ],
  lastBlock: 5,
  lastBytes: Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]),
};

test('an index comes back, and says which sequences have no message', () => {
  const found = decodeIndex(encodeIndex(index));
  assert.ok(found);
  assert.deepEqual([found.messages, found.firstSeq, found.lastSeq, found.lastTime], [6, 3, 12, index.lastTime]);
  assert.deepEqual([found.lastBlock, [...found.lastBytes]], [5, [...index.lastBytes]]);
  assert.deepEqual(members(withoutMessage(found)), [1, 2, 4, 5, 9, 11]);
});

test('an index whose sums do not fit, or that ends too early, is not believed', () => {
  const encoded = encodeIndex(index);
  for (let length = 0; length < encoded.length; length++) assert.equal(decodeIndex(encoded.subarray(0, length)), undefined);
  for (const wrong of [{ messages: 7 }, { bytes: 601 }, { firstSeq: 2 }, { lastSeq: 13 }])
    assert.equal(decodeIndex(encodeIndex({ ...index, ...wrong })), undefined);
});

test('an index of 200,000 blocks comes back', () => {
  const count = 200_000;
  const blocks = Array.from({ length: count }, (_, i) => ({
    number: i + 1,
    bytes: 100,
    firstSeq: i + 1,
    lastSeq: i + 1,
    firstTime: 1n,
    lastTime: 1n,
    deleted: [],
  }));
  const large: WrittenIndex = {
    ...index,
    messages: count,
    bytes: 100 * count,
    firstSeq: 1,
    lastSeq: count,
    blocks,
    lastBlock: count,
  };
  assert.equal(decodeIndex(encodeIndex(large))?.blocks.length, count);
});
