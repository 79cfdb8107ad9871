/** Rounds of syncs: of one file, of more than one thread's share, and with descriptors that cannot be synced among them. */
import assert from 'node:assert/strict';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type FailedSync, SyncThreads } from '../../../ts/node/sync-threads.ts';
import { removeFolder, temporaryFolder } from '../../support/temporary.ts';

describe('the sync threads', () => {
  const threads = new SyncThreads();
  const folder = temporaryFolder();
  const descriptors: number[] = [];
  const round = (files: readonly number[]): Promise<readonly FailedSync[]> =>
    new Promise((resolve) => threads.sync(files, resolve));

  before(() => {
    for (let i = 0; i < 100; i++) {
      const descriptor = openSync(join(folder, String(i)), 'w');
      writeSync(descriptor, 'something');
      descriptors.push(descriptor);
    }
  });

  after(async () => {
    await threads.stop();
    for (const descriptor of descriptors) closeSync(descriptor);
    removeFolder(folder);
  });

  test('sync no file, one, and many', async () => {
    assert.deepEqual(await round([]), []);
    assert.deepEqual(await round(descriptors.slice(0, 1)), []);
    assert.deepEqual(await round(descriptors), []);
  });

  test('name each descriptor that cannot be synced, whichever thread had it', async () => {
    const closed = [openSync(join(folder, 'a'), 'w'), openSync(join(folder, 'b'), 'w')];
    for (const descriptor of closed) closeSync(descriptor);
    const failed = await round([closed[0] ?? 0, ...descriptors, closed[1] ?? 0]);
    assert.deepEqual(
      failed.map(([descriptor, code]) => [descriptor, code]).sort(([a], [b]) => Number(a) - Number(b)),
      closed.map((descriptor) => [descriptor, 'EBADF']).sort(([a], [b]) => Number(a) - Number(b)),
    );
  });

  test('do rounds that overlap, each reported once', async () => {
    const rounds = Array.from({ length: 20 }, (_, i) => round(descriptors.slice(0, i % 2 === 0 ? 1 : 100)));
    for (const failed of await Promise.all(rounds)) assert.deepEqual(failed, []);
  });
});
