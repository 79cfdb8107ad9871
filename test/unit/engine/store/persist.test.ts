/** Streams with `persist_mode: async` acknowledge before the sync, where all others wait for it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { noLimits, openTestStore, synced } from '../../../support/store.ts';
import { removeFolder, temporaryFolder } from '../../../support/temporary.ts';
import { until } from '../../../support/until.ts';
import { VolatileDisk } from '../../../support/volatile-disk.ts';

test('an async stream promises what is written; it is on disk when it is synced a little later', async () => {
  const disk = new VolatileDisk();
  disk.makeDirectory('/js');
  disk.syncDirectory('/');
  const server = openTestStore('/js', disk);
  const eager = server.store.create(server.options('EAGER', { persist: 'async' }), '{}');
  const careful = server.store.create(server.options('CAREFUL'), '{}');
  for (const stream of [eager, careful]) server.turn(() => stream.append({ subject: 'a', payload: new Uint8Array(10) }));
  await synced(eager);
  assert.deepEqual([eager.syncedSeq, careful.syncedSeq], [1, 0]);

  const kept = async (): Promise<number> => {
    const folder = temporaryFolder();
    disk.leaveIn(folder);
    const after = openTestStore(join(folder, 'js'));
    assert.ok(
      after.store.find('$G').some(({ name }) => name === 'EAGER'),
      'the stream itself is on disk at once',
    );
    const { messages } = (await after.store.recover(after.options('EAGER', { limits: noLimits }))).state;
    await after.stop();
    removeFolder(folder);
    return messages;
  };
  assert.equal(await kept(), 0);
  while (disk.syncing) disk.finishSync();
  await synced(careful);
  await until(() => disk.syncing);
  while (disk.syncing) disk.finishSync();
  assert.equal(await kept(), 1);
});
