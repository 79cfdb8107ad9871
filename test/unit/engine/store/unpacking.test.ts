// The unpacking of an S2 stream, with jobs in the hands of the test: order, how much is under way, what is refused.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { concatBytes, decodeS2, encodeS2, openings } from '../../../../ts/core/archive/s2-stream.ts';
import { Unpacking } from '../../../../ts/engine/store/unpacking.ts';
import type { ArchiveResult, UnpackTask } from '../../../../ts/ports/jobs.ts';
import { effort, holdsInTime } from '../../../oracle/check.ts';

class HeldJobs {
  readonly held: (() => void)[] = [];
  isFree = false;
  room = 0;

  unpack({ packed, into }: UnpackTask): Promise<ArchiveResult> {
    this.room += into.length;
    return new Promise((resolve) => {
      const done = (): void => {
        this.room -= into.length;
        try {
          const content = decodeS2(concatBytes([openings[0] ?? new Uint8Array(0), packed]));
          into.set(content);
          resolve({ length: content.length });
        } catch (error) {
          resolve({ length: 0, problem: String(error) });
        }
      };
      if (this.isFree) done();
      else this.held.push(done);
    });
  }
}

function collected(jobs: HeldJobs): { readonly taken: Uint8Array[]; readonly unpacking: Unpacking } {
  const taken: Uint8Array[] = [];
  const take = (content: Uint8Array): undefined => void taken.push(content.slice());
  return { taken, unpacking: new Unpacking(jobs, take, () => undefined) };
}

const noise = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * at * 31 + (at >> 3)) & 255);

describe('unpacking', () => {
  test('gives all of the content in order, in whatever pieces the stream comes', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 8 });
    await holdsInTime(
      fc.asyncProperty(fc.integer({ min: 0, max: 400_000 }), sizes, async (length, steps) => {
        const jobs = new HeldJobs();
        jobs.isFree = true;
        const { taken, unpacking } = collected(jobs);
        const stream = concatBytes([encodeS2(noise(length)), Uint8Array.of(0x80, 3, 0, 0, 1, 2, 3), encodeS2(noise(7))]);
        for (let at = 0, step = 0; at < stream.length; step++) {
          const size = steps[step % steps.length] ?? 1;
          unpacking.push(stream.subarray(at, at + size));
          at += size;
        }
        await unpacking.end();
        assert.equal(Buffer.compare(concatBytes(taken), concatBytes([noise(length), noise(7)])), 0);
        assert.equal(unpacking.heldBytes, 0);
      }),
      effort(40),
    );
  });

  test('has little content under way, however few bytes it was sent in', async () => {
    const jobs = new HeldJobs();
    const { taken, unpacking } = collected(jobs);
    const bytes = 200 << 20;
    const stream = concatBytes(Array.from({ length: 10 }, () => encodeS2(new Uint8Array(bytes / 10))));
    unpacking.push(stream);
    assert.equal(unpacking.heldBytes, bytes);
    let most = 0;
    let ended = false;
    void unpacking.end().then(() => (ended = true));
    for (; !ended; await nextTurn()) {
      most = Math.max(most, jobs.room);
      for (const done of jobs.held.splice(0).toReversed()) done();
    }
    assert.ok(most <= 32 << 20, `${most} bytes under way`);
    assert.equal(
      taken.reduce((sum, { length }) => sum + length, 0),
      bytes,
    );
  });

  test('waits for whoever takes the content', async () => {
    const jobs = new HeldJobs();
    jobs.isFree = true;
    let letGo = (): void => undefined;
    let calls = 0;
    const take = (): Promise<void> => {
      calls++;
      return new Promise((resolve) => (letGo = resolve));
    };
    const unpacking = new Unpacking(jobs, take, () => undefined);
    unpacking.push(encodeS2(new Uint8Array(9 << 20)));
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    assert.equal(calls, 1);
    let ended = false;
    void unpacking.end().then(() => (ended = true));
    for (; !ended; await nextTurn()) letGo();
    assert.ok(calls > 1);
  });

  test('tells once of jobs that end without a result, all at once', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    try {
      const rejects: ((error: Error) => void)[] = [];
      const unpack = (): Promise<ArchiveResult> => new Promise((_, reject) => rejects.push(reject));
      const unpacking = new Unpacking(
        { unpack },
        () => undefined,
        () => undefined,
      );
      unpacking.push(encodeS2(new Uint8Array(9 << 20)));
      assert.ok(rejects.length > 1);
      for (const reject of rejects) reject(new Error('the pool has ended'));
      await assert.rejects(unpacking.end(), /the pool has ended/);
      await nextTurn();
      assert.deepEqual(unhandled, []);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  test('refuses what is no stream, and says what the jobs found', async () => {
    const cases: readonly (readonly [what: string, stream: Uint8Array, says: RegExp])[] = [
      ['nothing', new Uint8Array(0), /the stream is empty/],
      ['noise', noise(100), /corrupt input|unsupported/],
      ['half a chunk', encodeS2(noise(1000)).subarray(0, 500), /ends within a chunk/],
      ['a later format', concatBytes([encodeS2(noise(10)), Uint8Array.of(2, 4, 0, 0)]), /unsupported chunk type 2/],
      ['too large a chunk', concatBytes([encodeS2(noise(10)), Uint8Array.of(1, 0, 0, 255)]), /corrupt input/],
      ['another opening', Uint8Array.of(255, 6, 0, 0, 1, 2, 3, 4, 5, 6), /corrupt input/],
      ['a wrong checksum', encodeS2(noise(1000)).map((byte, at) => (at === 15 ? byte ^ 1 : byte)), /checksum mismatch/],
    ];
    for (const [what, stream, says] of cases) {
      const jobs = new HeldJobs();
      jobs.isFree = true;
      const { unpacking } = collected(jobs);
      const run = async (): Promise<void> => {
        unpacking.push(stream);
        await unpacking.end();
      };
      await assert.rejects(run(), says, what);
    }
  });
});
