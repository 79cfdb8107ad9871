/** Records: what the kernel writes, and what it reads from whole, cut and damaged blocks, against the twins in plain TypeScript. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { BlockScanner } from '../../../ts/node/block-scanner.ts';
import { JobsKernel } from '../../../ts/node/jobs-kernel.ts';
import { loadKernel } from '../../../ts/node/wasm.ts';
import type { ScanResult } from '../../../ts/ports/jobs.ts';
import { StreamKernel } from '../../../ts/kernel/streams.ts';
import { effort, holds } from '../../oracle/check.ts';
import { highwayHash } from '../../oracle/highwayhash.ts';
import { blockKey, encodeRecord, scan } from '../../oracle/record.ts';
import type { PlainRecord } from '../../oracle/record.ts';
import { openTestStore } from '../../support/store.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const folder = temporaryFolder();
const scanner = new BlockScanner(new JobsKernel(loadKernel('jobs', import.meta.dirname)));

const text = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ maxLength, unit: 'grapheme' }).map((some) => Buffer.from(some).toString());
const message = fc.record({
  is: fc.constant('message' as const),
  seq: fc.integer({ min: 1, max: 3 }),
  time: fc.bigInt({ min: 0n, max: (1n << 62n) - 1n }),
  subject: fc.oneof(text(20), fc.constantFrom('a', 'b', 'orders.new')),
  headers: fc.oneof(fc.constant(''), text(70)),
  payload: text(150),
});
const other = fc.record({
  is: fc.constantFrom('tombstone' as const, 'erased' as const),
  seq: fc.integer({ min: 1, max: 3 }),
  time: fc.bigInt({ min: 0n, max: (1n << 62n) - 1n }),
});
/** Records whose sequences rise by what was drawn for `seq`. */
const records: fc.Arbitrary<PlainRecord[]> = fc
  .array(fc.oneof({ weight: 5, arbitrary: message }, { weight: 1, arbitrary: other }), { maxLength: 12 })
  .map((drawn) => {
    let last = 0;
    return drawn.map((record) => ({ ...record, seq: record.is === 'tombstone' ? Math.max(1, last) : (last += record.seq) }));
  });

function scanned(block: Buffer, number: number): ScanResult {
  const path = join(folder, `${number}.blk`);
  writeFileSync(path, block);
  return scanner.scan({ path, stream: 'RECORDS', block: number });
}

/** The entries of a scan in the words of the twin. */
function entriesOf({ entries, subjects }: ScanResult): unknown[] {
  const view = Buffer.from(entries);
  const names: string[] = [];
  for (let at = 0, bytes = Buffer.from(subjects); at < bytes.length;) {
    const length = bytes.readUInt32LE(at);
    names.push(bytes.toString('utf8', at + 4, at + 4 + length));
    at += 4 + length;
  }
  const found: unknown[] = [];
  for (let at = 0; at < view.length; at += 32) {
    const is = ['message', 'tombstone', 'erased'][view.readUInt32LE(at)];
    found.push({
      is,
      seq: Number(view.readBigUInt64LE(at + 16)),
      time: view.readBigInt64LE(at + 24),
      offset: view.readUInt32LE(at + 8),
      length: view.readUInt32LE(at + 12),
      ...(is === 'message' ? { subject: names[view.readUInt32LE(at + 4)] } : {}),
    });
  }
  return found;
}

function compare(block: Buffer, number: number): void {
  const ours = scanned(block, number);
  const twin = scan(blockKey('RECORDS', number), block);
  assert.deepEqual(
    entriesOf(ours),
    twin.records.map((record) => ({
      is: record.is,
      seq: record.seq,
      time: record.time,
      offset: record.offset,
      length: record.length,
      ...(record.is === 'message' ? { subject: record.subject } : {}),
    })),
  );
  const damaged = ours.damages.reduce((sum, { length }) => sum + length, 0);
  assert.deepEqual([ours.goodEnd, damaged], [twin.goodEnd, twin.damaged]);
}

const blockOf = (number: number, of: readonly PlainRecord[]): Buffer =>
  Buffer.concat(of.map((record) => encodeRecord(blockKey('RECORDS', number), record)));

describe('the checksum', () => {
  test('has the published values', () => {
    const key = Uint8Array.from({ length: 32 }, (_, i) => i);
    const expected = ['907a56de22c26e53', '7eab43aac7cddd78', 'b8d0569ab0b53d62', '5c6befab8a463d80'];
    for (const [n, value] of expected.entries()) {
      assert.equal(highwayHash(key, key.subarray(0, n)).toString(16), value, `of ${n} bytes`);
    }
  });

  test('is the same in the kernel and in its twin, for any length', () => {
    const { kernel } = openTestStore(folder);
    const streams = new StreamKernel(kernel);
    const property = fc.property(fc.uint8Array({ maxLength: 200 }), fc.string({ minLength: 1, maxLength: 100 }), (data, name) => {
      const sum = Buffer.alloc(8);
      sum.writeBigUInt64LE(highwayHash(createHash('sha256').update(name).digest(), data));
      assert.equal(streams.sum(name, data), sum.toString('hex'));
    });
    holds(property, effort(300));
  });
});

describe('scanning a block', () => {
  test('finds every record of a whole block', () => {
    const property = fc.property(records, fc.integer({ min: 1, max: 99_999 }), (of, number) =>
      compare(blockOf(number, of), number),
    );
    holds(property, effort(150));
  });

  test('finds what is left of a block that was cut, damaged or has something behind it', () => {
    const harm = fc.oneof(
      fc.record({ cut: fc.nat(2000) }),
      fc.record({ flip: fc.nat(2000), by: fc.integer({ min: 1, max: 255 }) }),
      fc.record({ behind: fc.oneof(fc.uint8Array({ maxLength: 100 }), fc.constant(new Uint8Array(500))) }),
    );
    const property = fc.property(records, harm, (of, what) => {
      let block = blockOf(7, of);
      if ('cut' in what) block = block.subarray(0, what.cut);
      else if ('behind' in what) block = Buffer.concat([block, what.behind]);
      else if (block.length > 0) {
        const at = what.flip % block.length;
        block[at] = (block[at] ?? 0) ^ what.by;
      }
      compare(block, 7);
    });
    holds(property, effort(300));
  });
});
