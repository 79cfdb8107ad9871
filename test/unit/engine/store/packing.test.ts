// The packing of an archive, with jobs in the hands of the test: order, how far it goes ahead, blocks that are overwritten while they are read.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { concatBytes, encodeS2, decodeS2 } from '../../../../ts/core/archive/s2-stream.ts';
import { TarReader } from '../../../../ts/core/archive/tar-reader.ts';
import { Packing } from '../../../../ts/engine/store/packing.ts';
import type { ArchiveMember } from '../../../../ts/engine/store/store.ts';
import type { OpenFile } from '../../../../ts/ports/disk.ts';
import type { ArchiveResult, PackTask } from '../../../../ts/ports/jobs.ts';

interface Held {
  readonly task: PackTask;
  done(problem?: string): void;
}

/** Jobs that wait for the test; files have the content `contents` has for their descriptor. */
class HeldJobs {
  readonly held: Held[] = [];
  readonly contents = new Map<number, Uint8Array>();
  isFree = false;

  pack(task: PackTask): Promise<ArchiveResult> {
    const { source, head, tail, into } = task;
    const content =
      source instanceof Uint8Array ? source : (this.contents.get(source.descriptor) ?? assert.fail('no such file')).slice();
    return new Promise((resolve) => {
      const done = (problem?: string): void => {
        const chunks = encodeS2(concatBytes([head, content, tail])).subarray(10);
        into.set(chunks);
        resolve(problem === undefined ? { length: chunks.length } : { length: 0, problem });
      };
      if (this.isFree) done();
      else this.held.push({ task, done });
    });
  }
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function block(jobs: HeldJobs, number: number, content: string, changes: () => number = () => 0): ArchiveMember {
  jobs.contents.set(number, text(content));
  const file = { descriptor: number, path: `/msgs/${number}.blk` };
  return { name: `msgs/${number}.blk`, size: content.length, source: { file, key: undefined, packed: false, changes } };
}

const disk = { size: (): number => 0, read: (): number => assert.fail('read in the test') };

async function rest(packing: Packing): Promise<Uint8Array> {
  const stretches: Uint8Array[] = [];
  for (let next = await packing.next(); next !== undefined; next = await packing.next()) stretches.push(next.slice());
  return decodeS2(concatBytes(stretches));
}

function membersOf(tar: Uint8Array): [string, string][] {
  const found: [string, string][] = [];
  const reader = new TarReader({
    begin: (name) => found.push([name, '']),
    data: (bytes) => {
      const last = found.at(-1) ?? assert.fail('data before a member');
      last[1] += new TextDecoder().decode(bytes);
    },
    finish: () => undefined,
  });
  reader.push(tar);
  reader.end();
  return found;
}

describe('packing', () => {
  test('keeps the order of members, whichever is packed first, small ones put together', async () => {
    const jobs = new HeldJobs();
    const small = (name: string): ArchiveMember => ({ name, size: 3, source: text('abc') });
    const members = [small('meta.inf'), small('meta.sum'), block(jobs, 1, 'one'), block(jobs, 2, 'two'), small('o.dat')];
    const packing = new Packing({ disk, jobs }, members, 1);
    const tar = rest(packing);
    await nextTurn();
    assert.equal(jobs.held.length, 3, 'two blocks, and what is behind them');
    jobs.isFree = true;
    for (const { done } of jobs.held.toReversed()) done();
    assert.deepEqual(membersOf(await tar), [
      ['meta.inf', 'abc'],
      ['meta.sum', 'abc'],
      ['msgs/1.blk', 'one'],
      ['msgs/2.blk', 'two'],
      ['o.dat', 'abc'],
    ]);
  });

  test('goes no further ahead than a few blocks, and uses their room again', async () => {
    const jobs = new HeldJobs();
    const members = Array.from({ length: 20 }, (_, i) => block(jobs, i + 1, `content of ${i}`));
    const packing = new Packing({ disk, jobs }, members, 1);
    const rooms = new Set<ArrayBufferLike>();
    let begun = 0;
    await packing.next();
    for (let read = 0; read < 20; read++) {
      const next = packing.next();
      for (const { task, done } of jobs.held.splice(0)) {
        begun++;
        rooms.add(task.into.buffer);
        done();
      }
      await next;
      assert.ok(begun <= read + 4, `${begun} begun, ${read} read`);
    }
    assert.ok(rooms.size <= 4, `${rooms.size} rooms`);
    await packing.stop();
  });

  test('reads a block once more that was overwritten while it was read', async () => {
    const jobs = new HeldJobs();
    let changes = 0;
    const packing = new Packing({ disk, jobs }, [block(jobs, 1, 'secret', () => changes)], 1);
    const tar = rest(packing);
    await nextTurn();
    jobs.contents.set(1, text('erased'));
    changes++;
    jobs.isFree = true;
    for (const { done } of jobs.held) done();
    assert.deepEqual(membersOf(await tar), [['msgs/1.blk', 'erased']]);
  });

  test('reads a block itself that is overwritten whenever it is read', async () => {
    const jobs = new HeldJobs();
    let changes = 0;
    const read = (file: OpenFile, into: Uint8Array): number => {
      into.set(jobs.contents.get(file.descriptor) ?? assert.fail('no such file'));
      return into.length;
    };
    const packing = new Packing({ disk: { ...disk, read }, jobs }, [block(jobs, 1, 'secret', () => changes)], 1);
    const tar = rest(packing);
    let ended = false;
    void tar.then(() => (ended = true));
    for (let tries = 0; !ended; tries++) {
      assert.ok(tries < 100, 'it goes on for ever');
      changes++;
      jobs.contents.set(1, text(`no. ${String(changes).padStart(2, '0')}`));
      for (const { done } of jobs.held.splice(0)) done();
      await nextTurn();
    }
    const [[name, content] = ['', '']] = membersOf(await tar);
    assert.equal(name, 'msgs/1.blk');
    assert.match(content, /^no\. \d\d$/);
  });

  test('reads no file of a block any more that it was asked for when it has stopped', async () => {
    const jobs = new HeldJobs();
    const packing = new Packing({ disk, jobs }, [block(jobs, 1, 'one')], 1);
    await packing.next();
    const asked = packing.next();
    let stopped = false;
    const end = packing.stop().then(() => (stopped = true));
    for (const { task, done } of jobs.held) if (task.source instanceof Uint8Array) done();
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    assert.equal(stopped, false);
    for (const { done } of jobs.held) done();
    await Promise.all([end, asked]);
  });

  test('rejects with the file that cannot be packed', async () => {
    const jobs = new HeldJobs();
    const packing = new Packing({ disk, jobs }, [block(jobs, 1, 'one'), block(jobs, 2, 'two')], 1);
    const tar = rest(packing);
    await nextTurn();
    for (const [index, { done }] of jobs.held.entries()) done(index === 1 ? 'it is damaged' : undefined);
    await assert.rejects(tar, /2\.blk: it is damaged/);
  });

  test('has stopped when no task is under way any more', async () => {
    const jobs = new HeldJobs();
    const packing = new Packing({ disk, jobs }, [block(jobs, 1, 'one'), block(jobs, 2, 'two')], 1);
    void packing.next();
    await nextTurn();
    let stopped = false;
    const end = packing.stop().then(() => (stopped = true));
    await nextTurn();
    assert.equal(stopped, false);
    for (const { done } of jobs.held) done();
    await end;
    assert.equal(jobs.held.length, 3);
  });
});
