/** Block files that are gone or that the disk does not read: the others serve, and what went is told. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NodeDisk } from '../../../../ts/node/disk.ts';
import { NodeJobs } from '../../../../ts/node/jobs.ts';
import type { Jobs, ScanResult } from '../../../../ts/ports/jobs.ts';
import { noLimits, openTestStore, synced, type TestStore } from '../../../support/store.ts';
import { temporaryFolder } from '../../../support/temporary.ts';

const meta = JSON.stringify({ Created: '2026-01-01T00:00:00Z', name: 'S', subjects: ['a'], storage: 'file', num_replicas: 1 });
const payload = new Uint8Array(500).fill(0x61);
/** Small blocks come with a small limit. */
const limits = { ...noLimits, maxBytes: 120_000 };
const messages = 200;

interface Made {
  readonly root: string;
  readonly blocks: string;
  readonly numbers: number[];
}

/** A stream of several blocks, left by a clean stop or, without its index, as a crash leaves it. */
async function made(how: 'stopped' | 'crashed'): Promise<Made> {
  const root = join(temporaryFolder(), 'jetstream');
  const server = openTestStore(root);
  const stream = server.store.create(server.options('S', { limits }), meta);
  for (let seq = 1; seq <= messages; seq++) {
    server.turn(() => stream.append({ subject: 'a', payload }));
    if (seq % 20 === 0) await synced(stream);
  }
  await server.stop();
  const blocks = join(root, '$G/streams/S/msgs');
  if (how === 'crashed') rmSync(join(blocks, 'index.db'));
  const numbers = readdirSync(blocks)
    .filter((name) => name.endsWith('.blk'))
    .map((name) => parseInt(name, 10))
    .sort((a, b) => a - b);
  assert.ok(numbers.length >= 4, `blocks: ${numbers.join()}`);
  return { root, blocks, numbers };
}

function warnings({ log }: TestStore): string[] {
  return log.lines.filter((line) => line.includes('lost messages'));
}

for (const how of ['stopped', 'crashed'] as const) {
  test(`a missing block is told with its stream, its file and its messages (${how})`, async () => {
    const { root, blocks } = await made(how);
    rmSync(join(blocks, '2.blk'));
    const server = openTestStore(root);
    const stream = await server.store.recover(server.options('S', { limits }));
    const there = Array.from({ length: messages }, (_, i) => i + 1).filter((seq) => stream.get(seq) !== undefined);
    const gone = Array.from({ length: messages }, (_, i) => i + 1).filter((seq) => !there.includes(seq));
    assert.ok(gone.length > 10 && there.length > 50);
    assert.deepEqual(stream.state.lost?.messages, gone);
    const [line] = warnings(server);
    assert.match(line ?? '', /Stream 'S': .*\/2\.blk is missing, lost messages: \d+-\d+$/);
    assert.ok(line?.endsWith(` ${gone[0]}-${gone.at(-1)}`));
    await server.stop();
  });
}

test('blocks that a delete emptied are not missed', async () => {
  const { root } = await made('stopped');
  const first = openTestStore(root);
  const stream = await first.store.recover(first.options('S', { limits }));
  first.turn(() => {
    for (let seq = 10; seq < 150; seq++) stream.delete(seq);
  });
  await synced(stream);
  await first.stop();
  const again = openTestStore(root);
  const { state } = await again.store.recover(again.options('S', { limits }));
  assert.equal(state.lost, undefined);
  assert.deepEqual(warnings(again), []);
  await again.stop();
});

/** Jobs over a disk that does not read one block. */
function unreadable(bad: number): Jobs {
  const jobs = new NodeJobs();
  const nothing = { packed: false, goodEnd: 0, damages: [], tombstones: 0, subjectCount: 0 };
  const failed = (block: number): ScanResult => ({
    ...nothing,
    ...{ block, size: 1, entries: new Uint8Array(0), subjects: new Uint8Array(0) },
    ...{ problem: 'EIO: i/o error, read', isUnreadable: true },
  });
  return {
    scan: async (tasks) => (await jobs.scan(tasks)).map((scan) => (scan.block === bad ? failed(bad) : scan)),
    rewrite: (task) => jobs.rewrite(task),
    pack: (task) => jobs.pack(task),
    unpack: (task) => jobs.unpack(task),
    stop: () => jobs.stop(),
  };
}

test('a block that the disk does not read is set aside, and the others serve', async () => {
  const { root, blocks } = await made('crashed');
  const server = openTestStore(root, new NodeDisk(), 0, { jobs: unreadable(2) });
  const stream = await server.store.recover(server.options('S', { limits }));
  assert.equal(stream.state.lastSeq, messages);
  assert.ok(stream.get(1) !== undefined && stream.get(messages) !== undefined);
  const lost = stream.state.lost?.messages ?? [];
  assert.equal(stream.state.messages + lost.length, messages);
  assert.match(warnings(server)[0] ?? '', /2\.blk has EIO: i\/o error, read, lost messages: \d+-\d+; kept in 2\.damaged$/);
  assert.ok(readdirSync(blocks).includes('2.damaged'));
  assert.equal(warnings(server).length, 1);
  await server.stop();
});

test('without its last block a stream is left alone: nobody knows which sequences were given out', async () => {
  const { root, numbers } = await made('crashed');
  const last = numbers.at(-1) ?? 0;
  const server = openTestStore(root, new NodeDisk(), 0, { jobs: unreadable(last) });
  await assert.rejects(server.store.recover(server.options('S', { limits })), new RegExp(`${last}\\.blk: EIO`));
  await server.stop();
});
