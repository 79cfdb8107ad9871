/** Compressed blocks that are damaged: whatever lies in chunks that are whole is found, and there is always room to mend what does not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { chunkHead } from '../../../ts/core/archive/s2-stream.ts';
import { packBlock, readHead } from '../../../ts/core/block/packed-block.ts';
import { BlockScanner } from '../../../ts/node/block-scanner.ts';
import { JobsKernel } from '../../../ts/node/jobs-kernel.ts';
import { loadKernel } from '../../../ts/node/wasm.ts';
import type { ScanResult } from '../../../ts/ports/jobs.ts';
import { effort, holds } from '../../oracle/check.ts';
import { blockKey, encodeRecord } from '../../oracle/record.ts';

const scanner = new BlockScanner(new JobsKernel(loadKernel('jobs', import.meta.dirname)));
const key = blockKey('S', 1);

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Bytes that do not repeat. */
function noiseOf(seq: number, length: number): string {
  let state = seq * 7919;
  let noise = '';
  while (noise.length < length) noise += String.fromCharCode((state = (state * 48271) % 2147483647) & 127);
  return noise.slice(0, length);
}

/** Records of which some cannot be compressed: chunks of both kinds. */
const records = Array.from({ length: 90 }, (_, i) => {
  const payload = i % 40 < 25 ? noiseOf(i + 1, 4000) : `message ${i} ${noiseOf(i + 1, 300)}`.repeat(12);
  return encodeRecord(key, { is: 'message', seq: i + 1, time: BigInt(i), subject: 'a.b', headers: '', payload });
});
const content = Buffer.concat(records);
const file = Buffer.from(packBlock(content) ?? []);

interface Chunk extends Span {
  readonly content: Span;
}

/** The chunks of the file, and last the 8 bytes at its end. */
function chunksOf(): Chunk[] {
  const found: Chunk[] = [];
  let begin = 0;
  for (let at = readHead(file).at; at < file.length - 8;) {
    const to = at + chunkHead + file.readUIntLE(at + 1, 3);
    if ((file[at] ?? 0) <= 1) {
      const end = Math.min(begin + 65536, content.length - 8);
      found.push({ from: at, to, content: { from: begin, to: end } });
      begin = end;
    }
    at = to;
  }
  return [...found, { from: file.length - 8, to: file.length, content: { from: begin, to: content.length } }];
}

const chunks = chunksOf();

interface Flip {
  readonly at: number;
  readonly bit: number;
}

function flipped(flips: readonly Flip[]): Buffer {
  const bytes = Buffer.from(file);
  for (const { at, bit } of flips) bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
  return bytes;
}

function scanned(bytes: Uint8Array): ScanResult {
  return scanner.scan({ path: '', stream: 'S', block: 1, content: bytes });
}

function sequencesOf({ entries }: ScanResult): Set<number> {
  const view = Buffer.from(entries);
  return new Set(Array.from({ length: view.length / 32 }, (_, i) => Number(view.readBigUInt64LE(i * 32 + 16))));
}

/** The sequences of the records that lie in chunks that nothing has hit. */
function wholeSequences(flips: readonly Flip[]): number[] {
  const hit = chunks.filter(({ from, to }) => flips.some(({ at }) => at >= from && at < to));
  const whole: number[] = [];
  let at = 0;
  for (const [i, record] of records.entries()) {
    const to = at + record.length;
    const from = at;
    if (!hit.some((chunk) => chunk.content.from < to && chunk.content.to > from)) whole.push(i + 1);
    at = to;
  }
  return whole;
}

/** Bits anywhere, in the heads of chunks that follow each other, and in the head of the file. */
const flipArbitrary = fc
  .record({
    chunk: fc.nat(chunks.length - 1),
    heads: fc.array(fc.record({ further: fc.nat(3), byte: fc.nat(9), bit: fc.nat(7) }), { maxLength: 4 }),
    others: fc.array(fc.record({ at: fc.oneof(fc.nat(file.length - 1), fc.nat(20)), bit: fc.nat(7) }), { maxLength: 2 }),
  })
  .map(({ chunk, heads, others }) => [
    ...others,
    ...heads.map(({ further, byte, bit }) => ({
      at: Math.min((chunks[chunk + further]?.from ?? 0) + byte, file.length - 1),
      bit,
    })),
  ]);

const all = records.map((_, i) => i + 1);

/** Makes a chunk say that it is shorter. */
function shorter(chunk: number): Flip {
  const at = (chunks[chunk]?.from ?? 0) + 2;
  return { at, bit: 31 - Math.clz32(file[at] ?? 0) };
}

/** Makes a chunk one of a type that there is not. */
function unknown(chunk: number): Flip {
  return { at: chunks[chunk]?.from ?? 0, bit: 5 };
}

describe('a compressed block with bits that flipped', () => {
  test('gives what lies in whole chunks, and every damage has the room of a record', () => {
    holds(
      fc.property(flipArbitrary, (flips) => {
        const scan = scanned(flipped(flips));
        const found = sequencesOf(scan);
        assert.deepEqual(
          wholeSequences(flips).filter((seq) => !found.has(seq)),
          [],
        );
        assert.deepEqual(
          scan.damages.filter(({ length }) => length < 30),
          [],
        );
      }),
      effort(150),
    );
  });

  test('is one also where its first bytes are others, though what it stores as it is looks like a plain one', () => {
    const scan = scanned(flipped([{ at: 0, bit: 0 }]));
    assert.ok(scan.packed);
    assert.deepEqual([[...sequencesOf(scan)], scan.damages], [all, []]);
  });

  test('gives a chunk between two whose heads are damaged', () => {
    const flips = [shorter(1), unknown(3)];
    const between = wholeSequences(flips).filter((seq) => !wholeSequences([...flips, unknown(2)]).includes(seq));
    assert.ok(between.length > 10);
    const found = sequencesOf(scanned(flipped(flips)));
    assert.deepEqual(
      between.filter((seq) => !found.has(seq)),
      [],
    );
  });

  test('loses nothing where only its own length and the name of its stream are damaged', () => {
    const { at } = readHead(file);
    const scan = scanned(
      flipped([
        { at: 4, bit: 1 },
        { at: at + 1, bit: 0 },
      ]),
    );
    assert.deepEqual([[...sequencesOf(scan)], scan.damages, scan.goodEnd], [all, [], content.length]);
  });

  test('loses nothing where only the head of a chunk is damaged', () => {
    const scan = scanned(flipped([shorter(2)]));
    assert.deepEqual([[...sequencesOf(scan)], scan.damages, scan.goodEnd], [all, [], content.length]);
  });
});

test('bytes between two records, fewer than a record has, are given the room of one', () => {
  const [first, second] = [records[0] ?? Buffer.alloc(0), records[1] ?? Buffer.alloc(0)];
  const scan = scanned(Buffer.concat([first, Buffer.from('ab'), second]));
  assert.ok(!scan.packed);
  assert.deepEqual(scan.damages, [{ offset: first.length, length: 30, before: 1, behind: 2 }]);
  assert.deepEqual(Buffer.from(scan.salvaged ?? []), Buffer.concat([first, Buffer.from('ab'), Buffer.alloc(28), second]));
});

test('a block of zeros has nothing, which is soon found out', () => {
  const scan = scanned(new Uint8Array(8 << 20));
  assert.deepEqual([scan.goodEnd, scan.entries.length, scan.size], [0, 0, 8 << 20]);
});
