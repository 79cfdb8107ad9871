/**
 * kill -9 while clients publish to many streams, whose rounds go by way of the journal: every message that was acknowledged is there afterwards,
 * under its stream and sequence, intact. CRASH_ROUNDS makes it longer (npm run test:crash).
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { patienceMs } from '../support/patience.ts';
import { openTestStore } from '../support/store.ts';
import { ServerProcess } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary.ts';

const rounds = Math.ceil(Number(process.env['CRASH_ROUNDS'] ?? 20) / 5);
const streams = 40;
const inFlight = 300;
/** Acknowledged messages after which the server is killed: a different number each round. */
const leastAcks = 2000;
const mostAcks = 8000;

const payloadOf = (round: number, n: number): string => `${round}-${n}-${'z'.repeat((n * 37) % 300)}`;

/** Publishes until the server is gone; what was acknowledged is entered into `acked` under stream and sequence. */
async function publishUntilKilled(
  connection: NatsConnection,
  server: ServerProcess,
  round: number,
  acked: Map<string, string>,
): Promise<void> {
  const js = jetstream(connection, { timeout: patienceMs });
  const killAfter = leastAcks + ((round * 7919) % (mostAcks - leastAcks));
  let next = 0;
  let acks = 0;
  let gone = false;
  const worker = async (): Promise<void> => {
    while (!gone) {
      const n = next++;
      try {
        const { stream, seq } = await js.publish(`many.${n % streams}`, payloadOf(round, n));
        acked.set(`${stream} ${seq}`, payloadOf(round, n));
        if (++acks === killAfter) server.signal('SIGKILL');
      } catch {
        gone = true;
      }
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}

test(`nothing acknowledged of many streams is lost by ${rounds} kills under load`, { timeout: 30_000 * rounds }, async () => {
  const folder = temporaryFolder();
  const acked = new Map<string, string>();
  let journals = 0;
  for (let round = 0; round < rounds; round++) {
    const server = await ServerProcess.start('slipstream', { folder, args: ['-js', '-sd', folder] });
    const connection = await connect({ servers: `127.0.0.1:${server.port}`, reconnect: false });
    try {
      const manager = await jetstreamManager(connection);
      for (let n = 0; n < streams && round === 0; n++) await manager.streams.add({ name: `S${n}`, subjects: [`many.${n}`] });
      await publishUntilKilled(connection, server, round, acked);
    } finally {
      await connection.close();
      await server.kill();
    }
    journals += readdirSync(join(folder, 'jetstream')).filter((name) => name.endsWith('.journal')).length;
  }
  assert.ok(journals > 0, 'rounds went by way of the journal');

  const offline = openTestStore(join(folder, 'jetstream'));
  try {
    const opened = await Promise.all(
      offline.store.find('$G').map(async ({ name }) => [name, await offline.store.recover(offline.options(name))] as const),
    );
    const byName = new Map(opened);
    for (const [key, payload] of acked) {
      const [name = '', seq] = key.split(' ');
      const message = byName.get(name)?.get(Number(seq));
      assert.equal(message === undefined ? undefined : Buffer.from(message.payload).toString(), payload, `message ${key}`);
    }
  } finally {
    await offline.stop();
  }
  assert.deepEqual(
    offline.log.lines.filter((line) => !line.startsWith('INF')),
    [],
  );
});
