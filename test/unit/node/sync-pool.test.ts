/** Many files synced at once on libuv's pool: more than it takes at a time, groups that overlap, and descriptors that cannot be synced among them. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { SyncPool } from '../../../ts/node/sync-pool.ts';
import type { FailedSync } from '../../../ts/node/sync-thread.ts';
import { SyncedFiles } from '../../support/synced-files.ts';

describe('the sync pool', () => {
  const pool = new SyncPool();
  const files = new SyncedFiles(400);
  const sync = (descriptors: readonly number[]): Promise<readonly FailedSync[]> =>
    new Promise((resolve) => pool.sync(descriptors, resolve));

  after(async () => {
    await pool.stop();
    files.end();
  });

  test('syncs no file, and more than it takes at a time', async () => {
    assert.deepEqual(await sync([]), []);
    assert.deepEqual(await sync(files.descriptors), []);
  });

  test('names each descriptor that cannot be synced', async () => {
    const closed = files.closed(2);
    const failed = await sync([closed[0] ?? 0, ...files.descriptors, closed[1] ?? 0]);
    assert.deepEqual(
      failed.map(([descriptor, code]) => [descriptor, code]).sort(([a], [b]) => Number(a) - Number(b)),
      closed.map((descriptor) => [descriptor, 'EBADF']).sort(([a], [b]) => Number(a) - Number(b)),
    );
    assert.match(failed[0]?.[2] ?? '', /^EBADF: .*, fdatasync$/);
  });

  test('reports each of many groups once, with what failed in it and nothing else', async () => {
    const closed = files.closed(20);
    const groups = closed.map((descriptor, at) => sync([...files.descriptors.slice(0, 1 + 15 * at), descriptor]));
    for (const [at, failed] of (await Promise.all(groups)).entries()) {
      assert.deepEqual(
        failed.map(([descriptor]) => descriptor),
        [closed[at]],
      );
    }
  });

  test('syncs what is asked for when a group ends', async () => {
    const failed = await new Promise((resolve) =>
      pool.sync(files.descriptors, () => pool.sync(files.descriptors.slice(0, 9), resolve)),
    );
    assert.deepEqual(failed, []);
  });

  test('stops behind what it was asked for', async () => {
    const ended: string[] = [];
    pool.sync(files.descriptors, () => ended.push('synced'));
    await pool.stop();
    assert.deepEqual(ended, ['synced']);
  });
});
