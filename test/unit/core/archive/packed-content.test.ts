/** Compressed blocks read a stretch at a time: what whole decoding gives, and around a damage what is whole. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ArchiveError } from '../../../../ts/core/archive/archive-error.ts';
import { packBlock, readHead } from '../../../../ts/core/block/packed-block.ts';
import { PackedContent } from '../../../../ts/core/block/packed-content.ts';

const CHUNK = 65_536;

/** Content of several chunks, some that repeat and some that do not. */
function contentOf(length: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length }, (_, at) => (at % 3000 < 1200 ? (state = (state * 48271) % 2147483647) & 255 : at % 7));
}

function packed(content: Uint8Array): Uint8Array {
  const file = packBlock(content);
  assert.ok(file);
  return file;
}

/** Where chunks begin in a file of ours. */
function chunksOf(file: Uint8Array): number[] {
  const found: number[] = [];
  for (let at = readHead(file).at + 10; at < file.length - 8;) {
    found.push(at);
    at += 4 + (file[at + 1] ?? 0) + ((file[at + 2] ?? 0) << 8) + ((file[at + 3] ?? 0) << 16);
  }
  return found;
}

describe('a compressed block', () => {
  const content = contentOf(40 * CHUNK + 1234);
  const file = packed(content);

  test('gives every stretch as it was', () => {
    const packedContent = new PackedContent(file);
    const stretch = fc.tuple(fc.nat(content.length - 1), fc.oneof(fc.nat(100), fc.nat(3 * CHUNK)));
    fc.assert(
      fc.property(stretch, ([offset, length]) => {
        const into = new Uint8Array(length);
        const have = packedContent.read(into, offset);
        assert.equal(have, Math.min(length, content.length - offset));
        assert.ok(Buffer.from(into.subarray(0, have)).equals(content.subarray(offset, offset + have)));
      }),
      { numRuns: 300 },
    );
  });

  test('loses what a damaged chunk holds, and nothing else', () => {
    const at = chunksOf(file)[5] ?? 0;
    const damaged = Uint8Array.from(file);
    damaged[at + 500] = (damaged[at + 500] ?? 0) ^ 1;
    const packedContent = new PackedContent(damaged);
    const into = new Uint8Array(2 * CHUNK);
    for (let chunk = 0; chunk < 41; chunk++) {
      if (chunk === 5) {
        assert.throws(() => packedContent.read(into, chunk * CHUNK + 10), ArchiveError);
        continue;
      }
      const have = packedContent.read(into, chunk * CHUNK);
      assert.equal(have, chunk === 4 ? CHUNK : Math.min(2 * CHUNK, content.length - chunk * CHUNK));
      assert.ok(Buffer.from(into.subarray(0, have)).equals(content.subarray(chunk * CHUNK, chunk * CHUNK + have)));
    }
  });

  test('is read up to a chunk whose length cannot be', () => {
    const at = chunksOf(file)[7] ?? 0;
    const damaged = Uint8Array.from(file);
    damaged[at + 3] = 0xff;
    const packedContent = new PackedContent(damaged);
    const into = new Uint8Array(100);
    assert.equal(packedContent.read(into, 7 * CHUNK - 50), 50);
    assert.throws(() => packedContent.read(into, 7 * CHUNK), ArchiveError);
    assert.equal(packedContent.read(into, content.length - 8), 8, 'the end is not compressed');
  });
});
