/**
 * kill -9 while a mirror and a stream with a source catch up: nothing is lost, nothing is there twice, and a mirror keeps its origin's sequences.
 * CRASH_ROUNDS makes it longer (npm run test:crash).
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { JetStreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { parseHeaders } from '../../ts/core/jetstream/headers.ts';
import type { StreamStore } from '../../ts/engine/store/store.ts';
import { patienceMs } from '../support/patience.ts';
import { openTestStore } from '../support/store.ts';
import { ServerProcess } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary.ts';

const rounds = Math.min(20, Number(process.env['CRASH_ROUNDS'] ?? 4));
const perRound = 3000;

const decoder = new TextDecoder();

async function createStreams(manager: JetStreamManager): Promise<void> {
  await manager.streams.add({ name: 'ORIGIN', subjects: ['crash.>'] });
  await manager.streams.add({ name: 'MIRROR', mirror: { name: 'ORIGIN' } });
  const transform = { src: 'crash.1', dest: 'taken.1' };
  await manager.streams.add({ name: 'SOURCED', sources: [{ name: 'ORIGIN', subject_transforms: [transform] }] });
}

async function lags(manager: JetStreamManager): Promise<number> {
  const origin = await manager.streams.info('ORIGIN');
  const mirror = await manager.streams.info('MIRROR');
  const sourced = await manager.streams.info('SOURCED');
  return origin.state.last_seq - mirror.state.last_seq + (sourced.sources?.[0]?.lag ?? 1);
}

/** Publishes and kills the server while the copies are made, or, in the last round, waits for them. */
async function playRound(folder: string, round: number): Promise<void> {
  const server = await ServerProcess.start('slipstream', { folder, args: ['-js', '-sd', folder] });
  const connection = await connect({ servers: `127.0.0.1:${server.port}`, reconnect: false });
  const manager = await jetstreamManager(connection);
  if (round === 0) await createStreams(manager);
  const js = jetstream(connection);
  const wanted = ((round * 7919) % perRound) + 1;
  const published = Array.from({ length: perRound }, (_, n) =>
    js.publish(`crash.${n % 3}`, `${round}-${n}`).catch(() => undefined),
  );
  if (round < rounds) {
    await published[wanted - 1];
    server.signal('SIGKILL');
    await Promise.all(published);
  } else {
    await Promise.all(published);
    for (const untilMs = Date.now() + patienceMs; (await lags(manager)) > 0;)
      assert.ok(Date.now() < untilMs, 'mirror and source have not caught up');
  }
  await connection.close();
  await server.kill();
}

function all(stream: StreamStore): { seq: number; subject: string; text: string; from: string }[] {
  const out: { seq: number; subject: string; text: string; from: string }[] = [];
  for (let seq = stream.nextSeq([], 0); seq > 0; seq = stream.nextSeq([], seq + 1)) {
    const message = stream.get(seq);
    assert.ok(message, `message ${seq} of ${stream.name}`);
    const from = parseHeaders(message.headers).get('Nats-Stream-Source') ?? '';
    out.push({ seq, subject: message.subject, text: decoder.decode(message.payload), from });
  }
  return out;
}

test(`a mirror and a source survive ${rounds} kills`, { timeout: 30_000 * (rounds + 1) }, async () => {
  const folder = temporaryFolder();
  for (let round = 0; round <= rounds; round++) await playRound(folder, round);

  const offline = openTestStore(join(folder, 'jetstream'));
  try {
    const origin = all(await offline.store.recover(offline.options('ORIGIN')));
    assert.deepEqual(all(await offline.store.recover(offline.options('MIRROR'))), origin);
    const expected = origin
      .filter(({ subject }) => subject === 'crash.1')
      .map(({ seq, text }, n) => ({ seq: n + 1, subject: 'taken.1', text, from: `ORIGIN ${seq} crash.1 taken.1 crash.1` }));
    assert.deepEqual(all(await offline.store.recover(offline.options('SOURCED'))), expected);
  } finally {
    await offline.stop();
  }
});
