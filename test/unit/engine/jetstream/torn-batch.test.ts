/** What a crash leaves of an atomic batch is dropped at the next start; complete batches, and deletes in them, are left alone. */
import assert from 'node:assert/strict';
import { readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, headers } from '@nats-io/transport-node';
import { patienceMs } from '../../../support/patience.ts';
import { ServerProcess } from '../../../support/server.ts';
import { openTestStore } from '../../../support/store.ts';
import { temporaryFolder } from '../../../support/temporary.ts';

const start = (folder: string): Promise<ServerProcess> =>
  ServerProcess.start('slipstream', { folder, args: ['-js', '-sd', folder] });

/** A stream with one message and a batch of four, left by kill -9; returns where each record ends. */
async function left(): Promise<{ readonly folder: string; readonly block: string; readonly ends: readonly number[] }> {
  const folder = temporaryFolder();
  const server = await start(folder);
  const connection = await connect({ servers: `127.0.0.1:${server.port}`, reconnect: false });
  const manager = await jetstreamManager(connection);
  await connection.request('$JS.API.STREAM.CREATE.B', JSON.stringify({ name: 'B', subjects: ['b.>'], allow_atomic: true }));
  await connection.request('b.0', 'alone');
  for (let n = 1; n <= 4; n++) {
    const head = headers();
    head.set('Nats-Batch-Id', 'the batch');
    head.set('Nats-Batch-Sequence', String(n));
    if (n === 4) head.set('Nats-Batch-Commit', '1');
    await connection.request(`b.${n}`, `member ${n}`, { headers: head, timeout: patienceMs });
  }
  assert.equal((await manager.streams.info('B')).state.messages, 5);
  await connection.close();
  await server.kill();
  const block = join(folder, 'jetstream/$G/streams/B/msgs/1.blk');
  const bytes = readFileSync(block);
  const ends: number[] = [];
  for (let at = 0; at < bytes.length; ends.push(at)) at += bytes.readUInt32LE(at) & 0x7fff_ffff;
  return { folder, block, ends };
}

async function messagesAfterStart(folder: string): Promise<{ readonly seqs: number[]; readonly last: number }> {
  const server = await start(folder);
  await server.stop();
  const offline = openTestStore(join(folder, 'jetstream'));
  const stream = await offline.store.recover(offline.options('B'));
  const seqs = [1, 2, 3, 4, 5].filter((seq) => stream.get(seq) !== undefined);
  const last = stream.state.lastSeq;
  await offline.stop();
  return { seqs, last };
}

test('a batch that was cut anywhere in front of its end is not there at all', async () => {
  for (const members of [1, 2, 3]) {
    const { folder, block, ends } = await left();
    truncateSync(block, (ends[members] ?? 0) + 17);
    assert.deepEqual(await messagesAfterStart(folder), { seqs: [1], last: 1 + members });
    assert.deepEqual((await messagesAfterStart(folder)).seqs, [1]);
  }
});

test('a complete batch stays, also without the message that ended it', async () => {
  const { folder } = await left();
  assert.deepEqual((await messagesAfterStart(folder)).seqs, [1, 2, 3, 4, 5]);
  const offline = openTestStore(join(folder, 'jetstream'));
  const stream = await offline.store.recover(offline.options('B'));
  offline.turn(() => void stream.delete(5));
  await offline.stop();
  assert.deepEqual((await messagesAfterStart(folder)).seqs, [1, 2, 3, 4]);
});
