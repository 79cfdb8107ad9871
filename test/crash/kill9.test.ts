/**
 * kill -9 while clients publish: every message that was acknowledged is there afterwards, under its sequence, intact. CRASH_ROUNDS makes
 * it longer (npm run test:crash).
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { patienceMs } from '../support/patience.ts';
import { openTestStore } from '../support/store.ts';
import { ServerProcess } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary.ts';

const rounds = Number(process.env['CRASH_ROUNDS'] ?? 20);
const inFlight = 400;
/** Acknowledged messages after which the server is killed: a different number each round. */
const leastAcks = 200;
const mostAcks = 4000;

const decoder = new TextDecoder();

/** Payloads of different lengths, so that a torn write can be anywhere. */
function payloadOf(round: number, n: number): string {
  return `${round}-${n}-${'z'.repeat((n * 37) % 900)}`;
}

/** Publishes until the server is gone; what was acknowledged is entered into `acked` under its sequence. */
async function publishUntilKilled(
  connection: NatsConnection,
  server: ServerProcess,
  round: number,
  killAfter: number,
  acked: Map<number, string>,
): Promise<void> {
  const js = jetstream(connection, { timeout: patienceMs });
  let next = 0;
  let acks = 0;
  let gone = false;
  const worker = async (): Promise<void> => {
    while (!gone) {
      const payload = payloadOf(round, next++);
      try {
        const { seq } = await js.publish(`crash.${next % 7}`, payload);
        const before = acked.get(seq);
        assert.equal(before, undefined, `sequence ${seq} was given out before, for ${before?.slice(0, 20)}`);
        acked.set(seq, payload);
        if (++acks === killAfter) server.signal('SIGKILL');
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        gone = true;
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}

async function playRound(folder: string, round: number, acked: Map<number, string>): Promise<void> {
  const server = await ServerProcess.start('slipstream', { folder, args: ['-js', '-sd', folder] });
  const connection = await connect({ servers: `127.0.0.1:${server.port}`, reconnect: false });
  try {
    const manager = await jetstreamManager(connection);
    if (round === 0) await manager.streams.add({ name: 'CRASH', subjects: ['crash.>'] });
    const { state } = await manager.streams.info('CRASH');
    const highest = [...acked.keys()].reduce((most, seq) => Math.max(most, seq), 0);
    assert.ok(state.last_seq >= highest, `after ${round} kills: last sequence ${state.last_seq}, acknowledged ${highest}`);
    const killAfter = leastAcks + ((round * 7919) % (mostAcks - leastAcks));
    await publishUntilKilled(connection, server, round, killAfter, acked);
  } finally {
    await connection.close();
    await server.kill();
  }
}

test(`nothing acknowledged is lost by ${rounds} kills under load`, { timeout: 15_000 * rounds }, async () => {
  const folder = temporaryFolder();
  const acked = new Map<number, string>();
  for (let round = 0; round < rounds; round++) await playRound(folder, round, acked);

  const offline = openTestStore(join(folder, 'jetstream'));
  const stream = await offline.store.recover(offline.options('CRASH'));
  try {
    for (const [seq, payload] of acked) {
      const message = stream.get(seq);
      assert.ok(message, `message ${seq} was acknowledged and is not there; ${JSON.stringify(stream.state)}`);
      assert.equal(decoder.decode(message.payload), payload, `message ${seq}`);
    }
    assert.equal(stream.state.numDeleted, 0, 'no gap in the sequences');
  } finally {
    await offline.stop();
  }
});
