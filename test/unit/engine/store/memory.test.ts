/** Streams that come and go leave nothing behind in the kernel's memory or among the open files. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { noLimits, openTestStore, synced } from '../../../support/store.ts';
import { temporaryFolder } from '../../../support/temporary.ts';

const openFiles = (): number => readdirSync('/proc/self/fd').length;
const encoder = new TextEncoder();

test('a removed stream gives its memory and its files back', { skip: process.platform !== 'linux' }, async () => {
  const root = temporaryFolder();
  const server = openTestStore(root);
  const { exports } = server.kernel;
  let settledBytes = 0;
  let settledFiles = 0;
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
    for (let seq = 1; seq < 3_000; seq += 100) stream.get(seq);
    if (round % 3 === 2) server.turn(() => void stream.purge({}));
    await stream.remove();
    assert.deepEqual(readdirSync(join(root, '$G', 'streams')), []);
    // The first rounds fill what is shared: windows, lists, argument blocks.
    if (round === 2) [settledBytes, settledFiles] = [exports.liveBytes(), openFiles()];
  }
  assert.equal(exports.liveBytes(), settledBytes, 'bytes in the arena');
  assert.equal(openFiles(), settledFiles, 'open files');
  await server.stop();
});
