/** Damage in the middle of a block: what lies behind it is kept, the damaged bytes are put aside, and every later reader goes on behind them. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { isPacked } from '../../../../ts/core/block/packed-block.ts';
import { noLimits, openTestStore, synced } from '../../../support/store.ts';
import { findPeer } from '../../../support/peers.ts';
import { ServerProcess } from '../../../support/server.ts';
import { temporaryFolder } from '../../../support/temporary.ts';
import { until } from '../../../support/until.ts';

const encoder = new TextEncoder();
const payloadOf = (seq: number): string => `message ${seq} ${'x'.repeat(100)}`;
const meta = JSON.stringify({
  Created: '2026-01-01T00:00:00Z',
  name: 'S',
  subjects: ['a'],
  retention: 'limits',
  storage: 'file',
  num_replicas: 1,
});

/** A store with ten messages, the fifth of them damaged. */
async function damaged(): Promise<{ readonly folder: string; readonly block: string }> {
  const folder = temporaryFolder();
  const server = openTestStore(join(folder, 'jetstream'));
  const stream = server.store.create(server.options('S'), meta);
  server.turn(() => {
    for (let seq = 1; seq <= 10; seq++) stream.append({ subject: 'a', payload: encoder.encode(payloadOf(seq)) });
  });
  await synced(stream);
  await server.stop();
  const block = join(folder, 'jetstream/$G/streams/S/msgs/1.blk');
  const bytes = readFileSync(block);
  const at = bytes.indexOf('message 5');
  bytes[at] = 0;
  writeFileSync(block, bytes);
  return { folder, block };
}

test('the rest of the block is kept, and appended to', async () => {
  const { folder, block } = await damaged();
  const size = readFileSync(block).length;
  for (const round of [0, 1]) {
    const server = openTestStore(join(folder, 'jetstream'));
    const stream = await server.store.recover(server.options('S'));
    for (let seq = 1; seq <= 10 + round; seq++) {
      const found = stream.get(seq);
      if (seq === 5) assert.equal(found, undefined);
      else assert.equal(Buffer.from(found?.payload ?? []).toString(), payloadOf(seq));
    }
    assert.deepEqual(stream.deleted(10), [5]);
    assert.deepEqual(stream.state.lost?.messages, round === 0 ? [5] : undefined, 'reported once');
    assert.equal(
      server.log.lines.some((line) => line.includes('damaged')),
      round === 0,
    );
    server.turn(() => {
      stream.append({ subject: 'a', payload: encoder.encode(payloadOf(11 + round)) });
    });
    await synced(stream);
    await server.stop();
  }
  assert.ok(readFileSync(block).length > size);
  const [kept] = readdirSync(join(block, '..')).filter((name) => name.includes('damaged'));
  assert.match(readFileSync(join(block, '..', kept ?? '')).toString('latin1'), /\0essage 5/);
});

/** nats-server has the stream in this state (messages, first and last sequence, deleted ones), and these messages of it. */
async function isReadByNatsServer(
  folder: string,
  expected: readonly [number, number, number, readonly number[] | undefined],
  seqs: readonly number[],
): Promise<void> {
  const real = await ServerProcess.start('nats-server', { folder, args: ['-js', '-sd', folder] });
  try {
    const connection = await connect({ servers: `127.0.0.1:${real.port}`, reconnect: false });
    const { streams } = await jetstreamManager(connection);
    const { state } = await streams.info('S', { deleted_details: true });
    assert.deepEqual([state.messages, state.first_seq, state.last_seq, state.deleted], expected);
    for (const seq of seqs) assert.equal((await streams.getMessage('S', { seq }))?.string(), payloadOf(seq));
    await connection.close();
  } finally {
    await real.stop();
  }
}

test('nats-server reads on behind what was mended', { skip: findPeer('nats-server') === undefined }, async () => {
  const { folder } = await damaged();
  const server = openTestStore(join(folder, 'jetstream'));
  await server.store.recover(server.options('S'));
  await server.stop();
  await isReadByNatsServer(folder, [9, 1, 10, [5]], [1, 4, 6, 10]);
});

test('bytes that are too few for a record are mended too', async () => {
  const { folder, block } = await damaged();
  const bytes = readFileSync(block);
  const at = bytes.indexOf('message 8') - 23;
  bytes[bytes.indexOf('essage 5') - 1] = 'm'.charCodeAt(0);
  const harmed = Buffer.concat([bytes.subarray(0, at), Buffer.from('abc'), bytes.subarray(at)]);
  writeFileSync(block, harmed);
  for (const isFirst of [true, false]) {
    const server = openTestStore(join(folder, 'jetstream'));
    const stream = await server.store.recover(server.options('S'));
    assert.equal(stream.state.messages, 10);
    assert.deepEqual(stream.state.lost?.messages, isFirst ? [] : undefined);
    assert.equal(server.log.lines.filter((line) => line.startsWith('WRN')).length, isFirst ? 1 : 0);
    assert.equal(Buffer.from(stream.get(8)?.payload ?? []).toString(), payloadOf(8));
    await server.stop();
  }
  assert.equal(readFileSync(block).length, bytes.length + 30);
  assert.ok(readFileSync(join(block, '../1.damaged')).equals(harmed));
  if (findPeer('nats-server') !== undefined) await isReadByNatsServer(folder, [10, 1, 10, undefined], [1, 5, 7, 8, 10]);
});

/** A compressed block of a hundred messages, damaged in the middle of its only chunk, and one behind it. */
async function damagedCompressed(): Promise<string> {
  const folder = temporaryFolder();
  const limits = { ...noLimits, maxBytes: 100_000 };
  const server = openTestStore(join(folder, 'jetstream'));
  const stream = server.store.create(server.options('S', { limits, compression: 's2' }), meta);
  server.turn(() => {
    for (let seq = 1; seq <= 300; seq++) stream.append({ subject: 'a', payload: encoder.encode(payloadOf(seq)) });
  });
  await synced(stream);
  const block = join(folder, 'jetstream/$G/streams/S/msgs/1.blk');
  await until(() => isPacked(readFileSync(block)));
  await server.stop();
  const bytes = readFileSync(block);
  bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 100);
  writeFileSync(block, bytes);
  return folder;
}

test(
  'nats-server reads on behind a compressed block that was mended',
  { skip: findPeer('nats-server') === undefined },
  async () => {
    const folder = await damagedCompressed();
    const server = openTestStore(join(folder, 'jetstream'));
    const stream = await server.store.recover(server.options('S'));
    const lost = stream.state.lost?.messages ?? [];
    const kept = 300 - lost.length;
    assert.ok(lost.length > 0 && (lost[0] ?? 0) > 10, 'what was decoded before the damage is kept');
    await server.stop();
    const all = Array.from({ length: 300 }, (_, i) => i + 1);
    const left = all.filter((seq) => !lost.includes(seq));
    await isReadByNatsServer(folder, [kept, 1, 300, lost], left);
  },
);
