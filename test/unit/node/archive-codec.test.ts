// The kernel's S2 against its twin in plain TypeScript: what one packs the other unpacks, damages are noticed by both, compressed blocks go into
// a backup as they are.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ArchiveError } from '../../../ts/core/archive/archive-error.ts';
import { maskedCrc32c } from '../../../ts/core/archive/crc32c.ts';
import { decodeS2Block } from '../../../ts/core/archive/s2-block-decode.ts';
import { concatBytes, decodeS2, encodeS2, openings } from '../../../ts/core/archive/s2-stream.ts';
import { packBlock } from '../../../ts/core/block/packed-block.ts';
import { ArchiveCodec } from '../../../ts/node/archive-codec.ts';
import { JobsKernel } from '../../../ts/node/jobs-kernel.ts';
import { loadKernel } from '../../../ts/node/wasm.ts';
import { effort, holds } from '../../oracle/check.ts';

const kernel = new JobsKernel(loadKernel('jobs', import.meta.dirname));
const codec = new ArchiveCodec(kernel);
const none = new Uint8Array(0);
const MIB = 1 << 20;

const shared = (length: number): Uint8Array => new Uint8Array(new SharedArrayBuffer(length));
const same = (a: Uint8Array, b: Uint8Array): void => assert.equal(Buffer.compare(a, b), 0, 'the bytes differ');

/** Pseudo-random bytes. */
function noise(length: number, from = 1): Uint8Array {
  let state = from;
  return Uint8Array.from({ length }, () => (state = (state * 48271) % 2147483647) & 255);
}

/** Content of stretches that are new, repeat one another near and far, or run on. */
const content = fc
  .array(
    fc.oneof(
      fc.record({
        is: fc.constant('noise' as const),
        length: fc.integer({ min: 0, max: 5000 }),
        from: fc.integer({ min: 1, max: 99 }),
      }),
      fc.record({
        is: fc.constant('run' as const),
        length: fc.integer({ min: 1, max: 90_000 }),
        from: fc.integer({ min: 1, max: 40 }),
      }),
      fc.record({
        is: fc.constant('words' as const),
        length: fc.integer({ min: 1, max: 400 }),
        from: fc.integer({ min: 1, max: 7 }),
      }),
    ),
    { maxLength: 14 },
  )
  .map((stretches) =>
    concatBytes(
      stretches.map(({ is, length, from }) => {
        if (is === 'noise') return noise(length, from);
        const pattern =
          is === 'run' ? noise(from) : new TextEncoder().encode('orders.new.NATS/1.0\r\n{"a":1,'.slice(0, 4 * from));
        return Uint8Array.from({ length }, (_, at) => pattern[at % pattern.length] ?? 0);
      }),
    ),
  );

function packed(
  bytes: Uint8Array,
  more: { readonly head?: Uint8Array; readonly tail?: Uint8Array; readonly file?: Uint8Array } = {},
) {
  const { head = none, tail = none, file } = more;
  const into = shared(2 * bytes.length + head.length + tail.length + 4096);
  const task = { head, tail, source: file ?? bytes, size: bytes.length, packed: file !== undefined, into };
  const { length, problem } = codec.pack(task);
  assert.equal(problem, undefined);
  return concatBytes([openings[0] ?? none, into.subarray(0, length)]);
}

function unpacked(stream: Uint8Array, length: number): Uint8Array {
  const into = shared(length);
  const found = codec.unpack({ packed: stream.subarray(10), into });
  if (found.problem !== undefined) throw new ArchiveError(found.problem);
  return into.subarray(0, found.length);
}

describe('checksums', () => {
  test('are those of the twin, whatever the length', () => {
    const bytes = noise(60_000);
    const at = kernel.take(bytes.length);
    kernel.bytes(at, bytes.length).set(bytes);
    const lengths = [
      0, 1, 8, 15, 3359, 3360, 13_439, 13_440, 13_441, 13_455, 13_456, 15_647, 15_648, 15_664, 16_000, 27_935, 27_936, 40_000,
    ];
    for (const length of [...lengths, ...Array.from({ length: 300 }, (_, i) => 13_440 + 151 * i)])
      assert.equal(kernel.exports.maskedCrc32c(at, length) >>> 0, maskedCrc32c(bytes.subarray(0, length)), String(length));
    kernel.exports.free(at);
  });
});

describe('packing', () => {
  test('gives a stream whose content comes back by both readers', () => {
    holds(
      fc.property(content, (bytes) => {
        const stream = packed(bytes);
        same(decodeS2(stream), bytes);
        same(unpacked(stream, bytes.length), bytes);
      }),
      effort(300),
    );
  });

  test('of large contents uses copies from far away, and stores what does not get smaller', () => {
    const [far, farther] = [noise(9000), noise(9000, 11)];
    const bytes = concatBytes([far, farther, new Uint8Array(70_000), farther, noise(5000, 7), far, new Uint8Array(3 * MIB), far]);
    const stream = packed(bytes, { head: noise(512, 3), tail: new Uint8Array(100) });
    const whole = concatBytes([noise(512, 3), bytes, new Uint8Array(100)]);
    same(decodeS2(stream), whole);
    same(unpacked(stream, whole.length), whole);
    assert.ok(stream.length < 35_000, `${stream.length} bytes`);
    const incompressible = packed(noise(2 * MIB + 5));
    assert.equal(incompressible.length, 10 + 2 * MIB + 5 + 3 * 8);
  });

  test('takes the chunks of a compressed block as they are', () => {
    const bytes = concatBytes([noise(70_000), new Uint8Array(200_000), noise(8, 9)]);
    const file = packBlock(bytes) ?? assert.fail('it gets smaller');
    const [head, tail] = [noise(512, 3), new Uint8Array(37)];
    same(decodeS2(packed(bytes, { head, tail, file })), concatBytes([head, bytes, tail]));
  });

  test('notices a compressed block that is damaged, a file that is short, and room that is missing', () => {
    const bytes = concatBytes([new Uint8Array(200_000), noise(70_000)]);
    const file = packBlock(bytes) ?? assert.fail('it gets smaller');
    const base = { head: none, tail: none, size: bytes.length, packed: true, into: shared(bytes.length) };
    for (const at of [0, 3, 20, 30, file.length - 30]) {
      const damaged = file.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      assert.notEqual(codec.pack({ ...base, source: damaged }).problem, undefined, String(at));
    }
    assert.notEqual(codec.pack({ ...base, source: file.subarray(0, -1) }).problem, undefined);
    assert.match(codec.pack({ ...base, source: bytes, packed: false, into: shared(10) }).problem ?? '', /larger than its room/);
  });
});

describe('unpacking', () => {
  test('reads what the twin packed', () => {
    holds(
      fc.property(content, (bytes) => same(unpacked(encodeS2(bytes), bytes.length), bytes)),
      effort(200),
    );
  });

  test('of a damaged block says that it is damaged exactly where the twin says so', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 });
    holds(
      fc.property(content, damage, (bytes, changes) => {
        const at = kernel.take(bytes.length);
        const to = kernel.take(bytes.length + 100);
        kernel.bytes(at, bytes.length).set(bytes);
        const length = kernel.exports.encodeBlock(at, bytes.length, to, bytes.length + 100) >>> 0;
        const block = kernel.bytes(to, length).slice();
        for (const [place, value] of changes) block[place % block.length] = value;
        kernel.bytes(to, length).set(block);
        const size = kernel.exports.contentLength(to, length) >>> 0;
        let expected: Uint8Array | undefined;
        try {
          expected = decodeS2Block(block, MIB);
        } catch (error) {
          assert.ok(error instanceof ArchiveError);
        }
        if (size <= MIB) {
          const room = kernel.take(size);
          const guard = kernel.bytes(room + size + 64 - 4, 4);
          guard.set([1, 2, 3, 4]);
          const good = kernel.exports.decodeBlock(to, length, room, size) !== 0;
          assert.equal(good, expected !== undefined);
          if (expected !== undefined) same(kernel.bytes(room, size), expected);
          kernel.exports.free(room);
        } else assert.equal(expected, undefined);
        kernel.exports.free(at);
        kernel.exports.free(to);
      }),
      effort(400),
    );
  });

  test('refuses wrong checksums, cut chunks and chunks of a later format', () => {
    const bytes = noise(1000);
    const stream = packed(bytes);
    const changed = (at: number, value: number): Uint8Array => {
      const copy = stream.slice();
      copy[at] = value;
      return copy;
    };
    assert.throws(() => unpacked(changed(14, (stream[14] ?? 0) ^ 1), 1000), /checksum mismatch/);
    assert.throws(() => unpacked(changed(40, (stream[40] ?? 0) ^ 1), 1000), /checksum mismatch/);
    assert.throws(() => unpacked(stream.subarray(0, -1), 1000), /ends within a chunk/);
    assert.throws(() => unpacked(changed(10, 2), 1000), /unsupported chunk type 2/);
  });
});
