/** Entries of the journal: what is written is read, and damage costs the entries that it hits. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { entryLength, layEntry, readLog, type JournalEntry } from '../../../../ts/core/journal/entry.ts';
import { highwayHash } from '../../../oracle/highwayhash.ts';
import { effort, holds } from '../../../oracle/check.ts';
import { StreamKernel } from '../../../../ts/kernel/streams.ts';
import { openTestStore } from '../../../support/store.ts';
import { temporaryFolder } from '../../../support/temporary.ts';

const NUMBER = 1_795_890_618_050_000;
const sumOf = (entry: Uint8Array): bigint => highwayHash(new Uint8Array(32), entry);
const isWhole = (entry: Uint8Array): boolean =>
  Buffer.from(entry).readBigUInt64LE(entry.length - 8) === sumOf(entry.subarray(0, -8));

interface Plain {
  readonly directory: string;
  readonly block: number;
  readonly offset: number;
  readonly before: Uint8Array;
  readonly bytes: Uint8Array;
}

const plain: fc.Arbitrary<Plain> = fc.record(
  {
    directory: fc.string({ maxLength: 30, unit: 'grapheme' }).map((text) => Buffer.from(text).toString()),
    block: fc.nat(2 ** 31),
    offset: fc.nat(2 ** 30),
    before: fc.uint8Array({ minLength: 8, maxLength: 8 }),
    bytes: fc.uint8Array({ maxLength: 100 }),
  },
  { noNullPrototype: true },
);

function logOf(entries: readonly Plain[]): Buffer {
  return Buffer.concat(
    entries.map(({ directory, bytes, ...where }) => {
      const name = Buffer.from(directory);
      const entry = Buffer.alloc(entryLength(name.length, bytes.length), 0xff);
      const at = layEntry(entry, 0, { ...where, log: NUMBER, size: bytes.length, name });
      entry.set(bytes, at);
      entry.writeBigUInt64LE(sumOf(entry.subarray(0, -8)), entry.length - 8);
      return entry;
    }),
  );
}

const asPlain = ({ directory, block, offset, before, bytes }: JournalEntry): Plain => ({
  ...{ directory, block, offset, before: Uint8Array.from(before), bytes: Uint8Array.from(bytes) },
});

describe('a log of the journal', () => {
  test('is read as it was written, and zeros behind it are no damage', () => {
    const property = fc.property(fc.array(plain, { maxLength: 8 }), fc.nat(40), (entries, zeros) => {
      const found = readLog(Buffer.concat([logOf(entries), Buffer.alloc(zeros)]), NUMBER, isWhole);
      assert.deepEqual(found.entries.map(asPlain), entries);
      assert.deepEqual(found.damages, []);
    });
    holds(property, effort(200));
  });

  test('loses to a damage the entries that it hits and no other, and says where it is', () => {
    const harm = fc.record({ at: fc.nat(), length: fc.integer({ min: 1, max: 60 }), by: fc.integer({ min: 1, max: 255 }) });
    const property = fc.property(fc.array(plain, { minLength: 1, maxLength: 8 }), harm, (entries, { at, length, by }) => {
      const log = logOf(entries);
      const from = at % log.length;
      const to = Math.min(log.length, from + length);
      for (let i = from; i < to; i++) log[i] = (log[i] ?? 0) ^ by;
      let end = 0;
      const whole = entries.filter(({ directory, bytes }) => {
        const start = end;
        end += entryLength(Buffer.byteLength(directory), bytes.length);
        return to <= start || from >= end;
      });
      const found = readLog(log, NUMBER, isWhole);
      assert.deepEqual(found.entries.map(asPlain), whole);
      assert.ok(found.damages.some((damage) => damage.at <= from && from < damage.at + damage.length));
      const last = found.entries.at(-1)?.at ?? 0;
      for (const damage of found.damages) assert.equal(damage.isInside, damage.at < last);
    });
    holds(property, effort(300));
  });

  test('has nothing of another log', () => {
    const property = fc.property(fc.array(plain, { minLength: 1, maxLength: 4 }), (entries) => {
      assert.deepEqual(readLog(logOf(entries), NUMBER + 1, isWhole).entries, []);
    });
    holds(property, effort(50));
  });

  test('has checksums that the kernel makes as its twin does', () => {
    const { kernel } = openTestStore(temporaryFolder());
    const streams = new StreamKernel(kernel);
    const property = fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) =>
      assert.equal(streams.journalSum(bytes), sumOf(bytes)),
    );
    holds(property, effort(100));
  });
});
