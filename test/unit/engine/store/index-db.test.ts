/** What only nats-server's index.db knows: messages that a limit removed stay removed, whatever moment a crash picks. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dyingDisk } from '../../../support/dying-disk.ts';
import { unpackFixture } from '../../../support/store-fixtures.ts';
import { openTestStore, synced } from '../../../support/store.ts';
import { removeFolder, temporaryFolder } from '../../../support/temporary.ts';
import { VolatileDisk } from '../../../support/volatile-disk.ts';
import { VolatileJobs } from '../../../support/volatile-jobs.ts';

const indexOf = (root: string): string => join(root, '$G/streams/VELVET/msgs/index.db');

async function sequencesIn(root: string): Promise<number[]> {
  const server = openTestStore(root);
  const stream = await server.store.recover(server.options('VELVET'));
  const { firstSeq, lastSeq } = stream.state;
  const found: number[] = [];
  for (let seq = firstSeq; seq <= lastSeq; seq++) if (stream.get(seq) !== undefined) found.push(seq);
  await server.stop();
  return found;
}

test('a power failure at any step of taking a directory over brings nothing back', async () => {
  const { root, accounts } = unpackFixture('lifted');
  const expected = Object.keys(accounts['$G']?.['VELVET']?.messages ?? {}).map(Number);
  assert.ok(expected.length > 0);
  for (let step = 0, finished = false; !finished; step++) {
    const disk = new VolatileDisk();
    disk.take(root, '/js');
    const dying = dyingDisk(disk, step);
    const dies = openTestStore('/js', dying.disk, 0, { jobs: new VolatileJobs(dying.disk) });
    try {
      const opening = dies.store.recover(dies.options('VELVET'));
      const syncs = setInterval(() => disk.finishSync(), 1);
      await opening.finally(() => clearInterval(syncs));
      finished = !dying.isDead();
    } catch (error) {
      assert.match(String(error), /the power is off/);
    }
    for (const names of ['synced', 'newest'] as const) {
      const left = temporaryFolder();
      disk.leaveIn(left, names);
      assert.deepEqual(await sequencesIn(join(left, 'js')), expected, `step ${step}, ${names}`);
      removeFolder(left);
    }
  }
});

test('an index that is right stays until the first change, and a clean stop leaves a new one', async () => {
  const root = temporaryFolder();
  const append = async (count: number): Promise<void> => {
    const server = openTestStore(root);
    const stream =
      server.store.find('$G').length === 0
        ? server.store.create(server.options('VELVET'), '{}')
        : await server.store.recover(server.options('VELVET'));
    const before = existsSync(indexOf(root));
    for (let n = 0; n < count; n++) {
      server.turn(() => void stream.append({ subject: `a.${n % 3}`, payload: new Uint8Array(9) }));
      await synced(stream);
      assert.ok(!existsSync(indexOf(root)), 'gone with the first change');
    }
    assert.equal(existsSync(indexOf(root)), count === 0 && before);
    await server.stop();
    assert.ok(existsSync(indexOf(root)));
  };
  await append(5);
  const first = readFileSync(indexOf(root));
  await append(0);
  assert.deepEqual(readFileSync(indexOf(root)), first);
  await append(2);
  assert.notDeepEqual(readFileSync(indexOf(root)), first);
});
