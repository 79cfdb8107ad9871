/** The jobs pool gives the same results as a scan on the spot, and says what it could not read. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NodeJobs } from '../../../ts/node/jobs.ts';
import { blockKey, encodeRecord } from '../../oracle/record.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const folder = temporaryFolder();

function block(number: number, messages: number): { readonly path: string; readonly stream: string; readonly block: number } {
  const key = blockKey('S', number);
  const records = Array.from({ length: messages }, (_, i) =>
    encodeRecord(key, { is: 'message', seq: i + 1, time: 1n, subject: `a.${i % 3}`, headers: '', payload: 'p'.repeat(i) }),
  );
  const path = join(folder, `${number}.blk`);
  writeFileSync(path, Buffer.concat(records));
  return { path, stream: 'S', block: number };
}

test('threads of the pool and the calling thread find the same', async () => {
  const tasks = [block(1, 50), block(2, 1), block(3, 20), block(4, 0)];
  const here = new NodeJobs();
  const pool = new NodeJobs(0);
  const expected = await here.scan(tasks);
  const found = await pool.scan(tasks);
  assert.deepEqual(
    found.map((scan) => ({ ...scan, entries: Buffer.from(scan.entries), subjects: Buffer.from(scan.subjects) })),
    expected.map((scan) => ({ ...scan, entries: Buffer.from(scan.entries), subjects: Buffer.from(scan.subjects) })),
  );
  assert.equal(found[0]?.entries.length, 50 * 32);
  await here.stop();
  await pool.stop();
});

test('a block that is missing is a problem and one whose packing is broken is damaged, and neither is a crash', async () => {
  const jobs = new NodeJobs();
  const compressed = join(folder, '9.blk');
  writeFileSync(compressed, 'cmp\u0001rest');
  const [missing, squeezed] = await jobs.scan([
    { path: join(folder, '8.blk'), stream: 'S', block: 8 },
    { path: compressed, stream: 'S', block: 9 },
  ]);
  assert.match(missing?.problem ?? '', /ENOENT/);
  assert.equal(squeezed?.problem, undefined);
  assert.ok(squeezed?.salvaged !== undefined, JSON.stringify(squeezed));
  await jobs.stop();
});
