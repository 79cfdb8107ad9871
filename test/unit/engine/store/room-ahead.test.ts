/**
 * Room ahead: the last block's file may be longer than its records, by zeros, so that syncs are quick. It is gone after a clean stop, and when
 * a crash leaves it, it is no damage.
 */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StreamStore } from '../../../../ts/engine/store/store.ts';
import { NodeDisk } from '../../../../ts/node/disk.ts';
import { noLimits, openTestStore, synced, type TestStore, type TestStoreOptions } from '../../../support/store.ts';
import { temporaryFolder } from '../../../support/temporary.ts';

const encoder = new TextEncoder();

interface Bench {
  readonly root: string;
  readonly server: TestStore;
  readonly stream: StreamStore;
}

function bench(syncIntervalMs = 0, more: TestStoreOptions = {}): Bench {
  const root = temporaryFolder();
  const server = openTestStore(root, new NodeDisk(), syncIntervalMs, more);
  return { root, server, stream: server.store.create(server.options('S'), '{}') };
}

async function put({ server, stream }: Pick<Bench, 'server' | 'stream'>, payload: string): Promise<void> {
  server.turn(() => {
    stream.append({ subject: 'a', payload: encoder.encode(payload) });
  });
  await synced(stream);
}

function blockOf(root: string, number = 1, stream = 'S'): string {
  return join(root, '$G/streams', stream, 'msgs', `${number}.blk`);
}

/** The directory as a kill would leave it now, opened by another server. */
async function afterKill(root: string): Promise<Bench> {
  const copy = temporaryFolder();
  cpSync(root, copy, { recursive: true });
  const server = openTestStore(copy);
  return { root: copy, server, stream: await server.store.recover(server.options('S')) };
}

test('a stream that is written alone has zeros behind its records, and none after a clean stop', async () => {
  const one = bench();
  for (let n = 0; n < 20; n++) await put(one, `message ${n}`);
  const { bytes } = one.stream.state;
  const content = readFileSync(blockOf(one.root));
  assert.ok(content.length > bytes);
  assert.ok(content.subarray(bytes).every((byte) => byte === 0));
  await one.server.stop();
  assert.deepEqual(readFileSync(blockOf(one.root)), content.subarray(0, bytes));
});

test('room that a kill has left is no damage: nothing is reported, nothing counts as lost, and the next record follows the last', async () => {
  const one = bench();
  for (let n = 0; n < 20; n++) await put(one, `message ${n}`);
  const { bytes } = one.stream.state;
  const after = await afterKill(one.root);
  assert.equal(statSync(blockOf(after.root)).size, bytes);
  assert.deepEqual(
    after.server.log.lines.filter((line) => line.startsWith('WRN') || line.startsWith('ERR')),
    [],
  );
  assert.equal(after.stream.state.lost, undefined);
  assert.equal(after.stream.state.lastSeq, 20);
  await put(after, 'goes on');
  assert.equal(Buffer.from(after.stream.get(21)?.payload ?? []).toString(), 'goes on');
  await after.server.stop();
  await one.server.stop();
});

test('a kill between the room and the first record leaves an empty stream', async () => {
  const one = bench();
  await put(one, 'unlucky');
  const copy = temporaryFolder();
  cpSync(one.root, copy, { recursive: true });
  truncateSync(blockOf(copy), 0);
  truncateSync(blockOf(copy), 4096);
  const after = await afterKill(copy);
  assert.equal(after.stream.state.lastSeq, 0);
  assert.equal(after.stream.state.lost, undefined);
  await put(after, 'first');
  assert.equal(Buffer.from(after.stream.get(1)?.payload ?? []).toString(), 'first');
  await after.server.stop();
  await one.server.stop();
});

test('of a torn record in front of the room its bytes are reported, not the room', async () => {
  const one = bench();
  await put(one, 'whole');
  const { bytes } = one.stream.state;
  await put(one, 'torn');
  const copy = temporaryFolder();
  cpSync(one.root, copy, { recursive: true });
  truncateSync(blockOf(copy), bytes + 10);
  truncateSync(blockOf(copy), 4096);
  const after = await afterKill(copy);
  assert.equal(after.stream.state.lastSeq, 1);
  const { lost } = after.stream.state;
  assert.ok(lost !== undefined && lost.bytes > 0 && lost.bytes <= 10, JSON.stringify(lost));
  assert.equal(statSync(blockOf(after.root)).size, bytes);
  await after.server.stop();
  await one.server.stop();
});

test('a block that has a successor is as long as its records', async () => {
  const one = bench();
  const payload = 'p'.repeat(600_000);
  for (let n = 0; n < 20; n++) await put(one, payload);
  const numbers = [1, 2];
  const sizes = numbers.map((number) => statSync(blockOf(one.root, number)).size);
  const after = await afterKill(one.root);
  const exact = numbers.map((number) => statSync(blockOf(after.root, number)).size);
  assert.equal(sizes[0], exact[0]);
  assert.ok((sizes[1] ?? 0) > (exact[1] ?? 0));
  await after.server.stop();
  await one.server.stop();
});

for (const [name, syncIntervalMs, more] of [
  ['an encrypted stream', 0, { encryption: { key: 'k', prevKey: '', cipher: 'chacha' } }],
  ['a stream with a sync interval', 1_000_000, {}],
] as const) {
  test(`${name} has no room`, async () => {
    const one = bench(syncIntervalMs, more);
    await put(one, 'a message');
    assert.equal(statSync(blockOf(one.root)).size, one.stream.state.bytes);
    await one.server.stop();
  });
}

test('streams that are written in one round with many others have no room', async () => {
  const root = temporaryFolder();
  const server = openTestStore(root);
  const streams = Array.from({ length: 10 }, (_, n) => server.store.create(server.options(`S${n}`, { limits: noLimits }), '{}'));
  await Promise.all(streams.map((stream) => synced(stream)));
  server.turn(() => {
    for (const stream of streams) stream.append({ subject: 'a', payload: encoder.encode('x') });
  });
  await Promise.all(streams.map((stream) => synced(stream)));
  streams.forEach((stream, n) => assert.equal(statSync(blockOf(root, 1, `S${n}`)).size, stream.state.bytes));
  await server.stop();
});
