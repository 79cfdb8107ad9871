// S2 in both directions: what is encoded comes back, every kind of element and chunk is understood, and no input makes the decoder hang or
// reach out of its arrays.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ArchiveError } from '../../../../ts/core/archive/archive-error.ts';
import { crc32c } from '../../../../ts/core/archive/crc32c.ts';
import { decodeS2Block } from '../../../../ts/core/archive/s2-block-decode.ts';
import { S2BlockEncoder, blockBytes } from '../../../../ts/core/archive/s2-block-encode.ts';
import { concatBytes, decodeS2, encodeS2, S2Decoder } from '../../../../ts/core/archive/s2-stream.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const same = (a: Uint8Array, b: Uint8Array): void => assert.equal(Buffer.compare(a, b), 0, 'the bytes differ');

/** Content with repetition: pieces out of a few words, some of them random. */
const repetitive = fc
  .array(fc.oneof(fc.constantFrom('orders.new', 'NATS/1.0\r\n', 'aaaaaaaaaaaa', '\0\0\0\0'), fc.string({ maxLength: 40 })), {
    maxLength: 400,
  })
  .map((words) => text(words.join('')));
const content = fc.oneof(fc.uint8Array({ maxLength: 3000 }), repetitive);

/** Splits bytes at pseudo-random places. */
function pieces(bytes: Uint8Array, most: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = 0, step = 1; at < bytes.length; at += step, step = 1 + ((step * 7919) % most))
    out.push(bytes.subarray(at, at + step));
  return out;
}

describe('checksum', () => {
  test('CRC-32C gives the published values', () => {
    assert.equal(crc32c(text('123456789')), 0xe3069283);
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  });
});

describe('blocks', () => {
  test('what is encoded comes back', () => {
    const encoder = new S2BlockEncoder();
    fc.assert(fc.property(content, (bytes) => same(decodeS2Block(encoder.encode(bytes), blockBytes), bytes)));
  });

  test('full blocks come back, of random bytes, of zeros, of a pattern', () => {
    const encoder = new S2BlockEncoder();
    let state = 1;
    const random = Uint8Array.from({ length: blockBytes }, () => (state = (state * 48271) % 2147483647) & 255);
    const pattern = Uint8Array.from({ length: blockBytes }, (_, at) => (at % 300) & 255);
    for (const bytes of [random, new Uint8Array(blockBytes), pattern]) {
      same(decodeS2Block(encoder.encode(bytes), blockBytes), bytes);
    }
    assert.ok(encoder.encode(pattern).length < 6000, 'a pattern is found again');
  });

  const repeat = (code: number, ...more: number[]): number[] => [(code << 2) | 1, 0, ...more];
  const cases: readonly (readonly [name: string, elements: readonly number[], size: number])[] = [
    ['a short copy', [(3 << 2) | 0, 97, 98, 99, 100, (0 << 2) | 1, 4], 8],
    ['a copy with two bytes of offset', [(3 << 2) | 0, 97, 98, 99, 100, (9 << 2) | 2, 2, 0], 14],
    ['a copy with four bytes of offset', [(3 << 2) | 0, 97, 98, 99, 100, (9 << 2) | 3, 1, 0, 0, 0], 14],
    ['a repeated offset', [(3 << 2) | 0, 97, 98, 99, 100, 1, 2, ...repeat(4)], 16],
    ['a repeated offset with one byte of length', [(3 << 2) | 0, 97, 98, 99, 100, 1, 2, ...repeat(5, 10)], 26],
    ['a repeated offset with two bytes of length', [(3 << 2) | 0, 97, 98, 99, 100, 1, 2, ...repeat(6, 1, 1)], 8 + 257 + 260],
    [
      'a repeated offset with three bytes of length',
      [(3 << 2) | 0, 97, 98, 99, 100, 1, 2, ...repeat(7, 1, 0, 1)],
      8 + 65537 + 65540,
    ],
  ];
  for (const [name, elements, size] of cases) {
    test(`${name} is understood`, () => {
      const head: number[] = [];
      for (let rest = size; ; rest >>>= 7) {
        head.push(rest < 128 ? rest : (rest & 127) | 128);
        if (rest < 128) break;
      }
      const out = decodeS2Block(Uint8Array.from([...head, ...elements]), 1 << 20);
      assert.equal(out.length, size);
      assert.equal(Buffer.from(out.subarray(0, 4)).toString(), 'abcd');
      assert.ok(
        out.subarray(4).every((byte) => byte >= 97 && byte <= 100),
        'copies repeat what was there',
      );
    });
  }

  test('elements that reach out of the block are refused', () => {
    for (const elements of [[5, 1, 0], [5, 16, 97], [5, 0, 97, 1, 2], [5, 0, 97, 1, 0], [200, 1, 0, 97], [5], [], [255, 255]]) {
      assert.throws(() => decodeS2Block(Uint8Array.from(elements), 1000), ArchiveError, elements.join());
    }
  });
});

describe('streams', () => {
  test('what is encoded comes back, in whatever pieces it arrives', () => {
    fc.assert(
      fc.property(content, fc.integer({ min: 1, max: 500 }), (bytes, most) => {
        const reader = new S2Decoder();
        const out = pieces(encodeS2(bytes), most).flatMap((piece) => [...reader.push(piece)]);
        reader.end();
        same(concatBytes(out), bytes);
      }),
    );
  });

  test('a long stream with and without repetition comes back', () => {
    let state = 7;
    const bytes = Uint8Array.from({ length: 300_000 }, (_, at) =>
      at % 100_000 < 40_000 ? (state = (state * 48271) % 2147483647) & 255 : at % 97,
    );
    const encoded = encodeS2(bytes);
    same(decodeS2(encoded), bytes);
    assert.ok(encoded.length < 160_000, `${encoded.length} bytes for what repeats by more than half`);
  });

  test('Snappy streams, padding, skippable chunks and a second beginning are read', () => {
    const stream = encodeS2(text('hello'));
    const snappy = stream.slice();
    snappy.set(text('sNaPpY'), 4);
    const padding = Uint8Array.of(0xfe, 3, 0, 0, 1, 2, 3);
    const skippable = Uint8Array.of(0x99, 0, 0, 0);
    assert.equal(Buffer.from(decodeS2(concatBytes([snappy, padding, skippable, stream]))).toString(), 'hellohello');
  });

  test('a flipped bit is noticed', () => {
    const stream = encodeS2(text('a stream of content, content, content'));
    for (let at = 0; at < stream.length; at++) {
      const damaged = stream.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      assert.throws(() => decodeS2(damaged), ArchiveError, `byte ${at}`);
    }
  });

  test('a stream that ends early is noticed', () => {
    const stream = encodeS2(text('a stream'));
    for (let length = 0; length < stream.length; length++) {
      if (length === 10) continue;
      assert.throws(() => decodeS2(stream.subarray(0, length)), ArchiveError, `${length} bytes`);
    }
  });

  test('a chunk that says it is huge is refused before its bytes come', () => {
    const reader = new S2Decoder();
    assert.deepEqual([...reader.push(encodeS2(new Uint8Array(0)))], []);
    assert.throws(() => [...reader.push(Uint8Array.of(0, 255, 255, 255))], ArchiveError);
  });

  test('noise gives an error or content, never anything else', () => {
    const opening = encodeS2(new Uint8Array(0));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        try {
          decodeS2(concatBytes([opening, noise]));
        } catch (error) {
          assert.ok(error instanceof ArchiveError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
