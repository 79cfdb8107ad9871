/** The thread that syncs the few files of a usual round: one group, many behind each other, and descriptors that cannot be synced among them. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { type FailedSync, source, SyncThread } from '../../../ts/node/sync-thread.ts';
import { SyncedFiles } from '../../support/synced-files.ts';

describe('the sync thread', () => {
  const thread = new SyncThread();
  const files = new SyncedFiles(100);
  const sync = (descriptors: readonly number[]): Promise<readonly FailedSync[]> =>
    new Promise((resolve) => thread.sync(descriptors, resolve));

  after(async () => {
    await thread.stop();
    files.end();
  });

  test('syncs no file, one, and several', async () => {
    assert.deepEqual(await sync([]), []);
    assert.deepEqual(await sync(files.descriptors.slice(0, 1)), []);
    assert.deepEqual(await sync(files.descriptors.slice(0, 8)), []);
  });

  test('names each descriptor that cannot be synced, the first, the last and one between', async () => {
    const [first = 0, between = 0, last = 0] = files.closed(3);
    const failed = await sync([first, ...files.descriptors.slice(0, 3), between, ...files.descriptors.slice(3, 6), last]);
    assert.deepEqual(
      failed.map(([descriptor, code]) => [descriptor, code]),
      [first, between, last].map((descriptor) => [descriptor, 'EBADF']),
    );
    assert.match(failed[0]?.[2] ?? '', /^EBADF: .*, fdatasync$/);
    assert.deepEqual(await sync(files.descriptors.slice(0, 3)), []);
  });

  test('ends groups in the order in which they came, more files than it has room for in all', async () => {
    const ended: number[] = [];
    for (let turn = 0; turn < 10; turn++) {
      const groups = Array.from({ length: 8 }, (_, group) =>
        sync(files.descriptors.slice(0, 1 + group)).then((failed) => {
          assert.deepEqual(failed, []);
          ended.push(group);
        }),
      );
      await Promise.all(groups);
    }
    assert.deepEqual(
      ended,
      Array.from({ length: 80 }, (_, at) => at % 8),
    );
  });

  test('says how many files it has room for', async () => {
    assert.ok(thread.hasRoom(256));
    assert.equal(thread.hasRoom(257), false);
    const under = sync(files.descriptors);
    assert.equal(thread.hasRoom(157), false);
    assert.ok(thread.hasRoom(156));
    await under;
    assert.ok(thread.hasRoom(256));
  });

  test('stops behind what it was asked for', async () => {
    const other = new SyncThread();
    const ended: string[] = [];
    other.sync(files.descriptors, () => ended.push('synced'));
    await other.stop();
    assert.deepEqual(ended, ['synced']);
  });

  test('need not have begun to be stopped', async () => {
    await new SyncThread().stop();
  });
});

test('the thread does not sleep through its end, whenever that comes', () => {
  const [WAKE, ENDED] = [1, 2];
  let looks = 0;
  for (let at = 1; at <= 12; at++) {
    const words = new Int32Array(16);
    looks = 0;
    let isClosed = false;
    const end = (): void => {
      words[ENDED] = 1;
      words[WAKE] = (words[WAKE] ?? 0) + 1;
    };
    const load = (from: Int32Array, word: number): number => {
      const value = from[word] ?? 0;
      if (++looks === at) end();
      return value;
    };
    const wait = (from: Int32Array, word: number, woken: number): void => {
      assert.ok(words[ENDED] === 0 || from[word] !== woken, `it was ended behind look ${at}, and sleeps`);
      if (words[ENDED] === 0) end();
    };
    const parentPort = { close: () => (isClosed = true), postMessage: () => {} };
    const modules = { 'node:worker_threads': { parentPort, workerData: words }, 'node:fs': {} };
    runInNewContext(source, { require: (name: keyof typeof modules) => modules[name], Atomics: { load, wait } });
    assert.ok(isClosed);
  }
});
