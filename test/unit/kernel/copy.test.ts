/** Copies in and out of shared memory: exact at every length and alignment, and nothing beside them is touched. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { copyBytes } from '../../../ts/kernel/copy.ts';

test('a copy is what was copied, at any place and length, and leaves its neighbours alone', () => {
  const memory = new SharedArrayBuffer(1024);
  const arrangement = fc.record({
    bytes: fc.uint8Array({ maxLength: 600 }),
    to: fc.nat(64),
    spare: fc.nat(20),
    isInto: fc.boolean(),
    isCut: fc.boolean(),
  });
  const copies = fc.property(arrangement, ({ bytes, to, spare, isInto, isCut }) => {
    const shared = new Uint8Array(memory).fill(0xee);
    const own = new Uint8Array(1024).fill(0xee);
    const [source, target] = isInto ? [own, shared] : [shared, own];
    source.set(bytes, 7);
    const from = source.subarray(7, 7 + bytes.length);
    if (isCut) copyBytes(target.subarray(to, to + bytes.length + spare), from);
    else copyBytes(target, from, to);
    const expected = new Uint8Array(1024).fill(0xee);
    expected.set(bytes, to);
    assert.deepEqual([...target], [...expected]);
  });
  fc.assert(copies);
});

test('a copy without room for it is refused', () => {
  for (const length of [2, 500]) {
    assert.throws(() => copyBytes(new Uint8Array(length - 1), new Uint8Array(length)), RangeError);
    assert.throws(() => copyBytes(new Uint8Array(length), new Uint8Array(length), 1), RangeError);
  }
});
