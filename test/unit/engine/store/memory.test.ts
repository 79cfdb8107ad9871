/** Streams that come and go leave nothing behind in the kernel's memory or among the open files. */
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test } from 'node:test';
import { noLimits, openTestStore, synced } from '../../../support/store.ts';
import { temporaryFolder } from '../../../support/temporary.ts';

/** What this process has open below a folder. */
function openFiles(root: string): string[] {
  const targets = readdirSync('/proc/self/fd').map((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      return '';
    }
  });
  return targets.filter((target) => target.startsWith(root));
}

const encoder = new TextEncoder();

test('a removed stream gives its memory and its files back', { skip: process.platform !== 'linux' }, async () => {
  const root = temporaryFolder();
  const server = openTestStore(root);
  const { exports } = server.kernel;
  let settledBytes = 0;
  for (let round = 0; round < 6; round++) {
    const limits = { ...noLimits, maxBytes: round % 2 === 0 ? -1 : 50_000 };
    const stream = server.store.create(server.options('GONE', { limits }), '{}');
    server.turn(() => {
      for (let n = 0; n < 3_000; n++)
        stream.append({ subject: `s.${n % 700}.x`, payload: encoder.encode('m'.repeat(n % 90)), reply: 'r' });
      for (let seq = 2_500; seq < 2_600; seq++) stream.delete(seq);
      stream.purge({ filter: 's.5.*' });
    });
    await synced(stream);
    assert.notDeepEqual(openFiles(root), []);
    for (let seq = 1; seq < 3_000; seq += 100) stream.get(seq);
    if (round % 3 === 2) server.turn(() => void stream.purge({}));
    await stream.remove();
    while (readdirSync(join(root, '$G', 'streams')).length > 0) await nextTurn();
    assert.deepEqual(openFiles(root), []);
    // The first rounds fill what is shared: windows, lists, argument blocks.
    if (round === 2) settledBytes = exports.liveBytes();
  }
  assert.equal(exports.liveBytes(), settledBytes, 'bytes in the arena');
  await server.stop();
});
