/** The power fails at any step of mending damaged blocks: the next start keeps what the first one would have kept, and what is damaged stays to be seen. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StreamStore } from '../../../../ts/engine/store/store.ts';
import { dyingDisk } from '../../../support/dying-disk.ts';
import { noLimits, openTestStore, synced, type TestStoreOptions } from '../../../support/store.ts';
import { removeFolder, temporaryFolder } from '../../../support/temporary.ts';
import { until } from '../../../support/until.ts';
import { VolatileDisk } from '../../../support/volatile-disk.ts';
import { VolatileJobs } from '../../../support/volatile-jobs.ts';

const encoder = new TextEncoder();
const messages = 120;
/** Small blocks, so that there are several. */
const limits = { ...noLimits, maxBytes: 120_000 };
const payloadOf = (seq: number): string => `number ${seq} ${'x'.repeat(900)}`;
const blocksOf = (root: string): string => join(root, '$G/streams/S/msgs');

function kept(stream: StreamStore): number[] {
  const found: number[] = [];
  for (let seq = 1; seq <= messages; seq++) {
    const message = stream.get(seq);
    if (message === undefined) continue;
    assert.equal(Buffer.from(message.payload).toString(), payloadOf(seq));
    found.push(seq);
  }
  return found;
}

/** A store with a damage in the middle of its first block, at the end of its second, and a third that is rubbish as a whole. */
async function damagedStore(options: TestStoreOptions, compression: 'none' | 's2'): Promise<string> {
  const root = temporaryFolder();
  const server = openTestStore(root, undefined, 0, options);
  const stream = server.store.create(server.options('S', { limits, compression }), '{"name":"S"}');
  for (let seq = 1; seq <= messages;) {
    server.turn(() => {
      for (let n = 0; n < 20; n++) stream.append({ subject: 'a', payload: encoder.encode(payloadOf(seq++)) });
    });
    await synced(stream);
  }
  const fileOf = (block: number): string => join(blocksOf(root), `${block}.blk`);
  if (compression === 's2') await until(() => [1, 2, 3].every((block) => readFileSync(fileOf(block)).length < 20_000));
  await server.stop();
  for (const [block, from, to] of [
    [1, 0.4, 0.5],
    [2, 0.99, 1],
    [3, 0, 1],
  ] as const) {
    const bytes = readFileSync(fileOf(block));
    bytes.fill(0xee, Math.floor(bytes.length * from), Math.ceil(bytes.length * to));
    writeFileSync(fileOf(block), bytes);
  }
  return root;
}

const chacha = { encryption: { key: 'k', prevKey: '', cipher: 'chacha' } } as const;
for (const [what, options, compression] of [
  ['plain', {}, 'none'],
  ['compressed', {}, 's2'],
  ['encrypted', chacha, 'none'],
  ['compressed and encrypted', chacha, 's2'],
] as const) {
  test(`a power failure at any step of mending costs nothing more (${what})`, async () => {
    const root = await damagedStore(options, compression);
    let expected: number[] | undefined;
    const left = [];
    for (let step = 0, finished = false; !finished; step++) {
      const disk = new VolatileDisk();
      disk.take(root, '/js');
      const dying = dyingDisk(disk, step);
      const server = openTestStore('/js', dying.disk, 0, { ...options, jobs: new VolatileJobs(dying.disk) });
      try {
        expected = kept(await disk.through(server.store.recover(server.options('S', { limits }))));
        finished = !dying.isDead();
      } catch (error) {
        assert.match(String(error), /the power is off/);
      }
      for (const names of ['synced', 'newest'] as const) {
        const folder = temporaryFolder();
        disk.leaveIn(folder, names);
        left.push(folder);
      }
    }
    assert.ok(expected !== undefined && expected.length > 30 && expected.length < messages - 20);
    for (const folder of left) {
      const after = openTestStore(join(folder, 'js'), undefined, 0, options);
      assert.deepEqual(kept(await after.store.recover(after.options('S', { limits }))), expected);
      const names = readdirSync(blocksOf(join(folder, 'js')));
      for (const block of [1, 2, 3])
        assert.ok(
          names.some((name) => name.startsWith(`${block}.damaged`)),
          `block ${block}`,
        );
      await after.stop();
      removeFolder(folder);
    }
  });
}
