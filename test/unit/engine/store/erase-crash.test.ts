/** The power fails at any step of erasing messages: what was promised to be gone stays gone, every other message is whole. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { dyingDisk } from '../../../support/dying-disk.ts';
import { noLimits, openTestStore, synced } from '../../../support/store.ts';
import { removeFolder, temporaryFolder } from '../../../support/temporary.ts';
import { VolatileDisk } from '../../../support/volatile-disk.ts';
import { VolatileJobs } from '../../../support/volatile-jobs.ts';

const encoder = new TextEncoder();
const messages = 40;
const erased = [3, 4, 20, 39, 40];
/** Small blocks, so that there are several. */
const limits = { ...noLimits, maxBytes: 120_000 };
const payloadOf = (seq: number): string => `the secret of ${seq} ${'x'.repeat(2_000)}`;

test('a power failure at any step of an erase brings nothing back and takes nothing else', async () => {
  const root = temporaryFolder();
  const before = openTestStore(root);
  const filled = before.store.create(before.options('S', { limits }), '{"name":"S"}');
  before.turn(() => {
    for (let seq = 1; seq <= messages; seq++) filled.append({ subject: 'a', payload: encoder.encode(payloadOf(seq)) });
  });
  await synced(filled);
  await before.stop();

  for (let step = 0, finished = false; !finished; step++) {
    const disk = new VolatileDisk();
    disk.take(root, '/js');
    const dying = dyingDisk(disk, step);
    const server = openTestStore('/js', dying.disk, 0, { jobs: new VolatileJobs(dying.disk) });
    const gone = new Set<number>();
    try {
      const stream = await disk.through(server.store.recover(server.options('S', { limits })));
      for (const seq of erased) {
        server.turn(() => {
          stream.delete(seq, true);
          stream.whenSynced((error) => {
            if (error === undefined) gone.add(seq);
          });
        });
        while (disk.syncing) disk.finishSync();
      }
      finished = !dying.isDead();
    } catch (error) {
      assert.match(String(error), /the power is off/);
    }
    // Nothing waits for it: its disk is dead.
    void server.stop().catch(() => {});
    for (const names of ['synced', 'newest'] as const) {
      const left = temporaryFolder();
      disk.leaveIn(left, names);
      const after = openTestStore(join(left, 'js'));
      const stream = await after.store.recover(after.options('S', { limits }));
      for (let seq = 1; seq <= messages; seq++) {
        const found = stream.get(seq);
        if (gone.has(seq)) assert.equal(found, undefined, `step ${step}, ${names}: ${seq} came back`);
        else if (!erased.includes(seq))
          assert.equal(Buffer.from(found?.payload ?? []).toString(), payloadOf(seq), `step ${step}, ${names}: ${seq}`);
      }
      assert.equal(stream.state.lastSeq, messages);
      await after.stop();
      removeFolder(left);
    }
    if (finished) assert.deepEqual([...gone], erased);
  }
});
