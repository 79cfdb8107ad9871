/**
 * kill -9 while workers fetch and acknowledge: every message that was stored is delivered at least once, and none comes again whose
 * acknowledgement was confirmed. CRASH_ROUNDS makes it longer (npm run test:crash).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jetstream, JetStreamError, jetstreamManager, type Consumer, type JsMsg } from '@nats-io/jetstream';
import { connect, nanos } from '@nats-io/transport-node';
import { patienceMs } from '../support/patience.ts';
import { ServerProcess } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary.ts';

const rounds = Number(process.env['CRASH_ROUNDS'] ?? 30);
const messagesARound = 600;
const workers = 4;
/** Confirmed acknowledgements after which the server is killed: a different number each round. */
const leastConfirms = 20;
const mostConfirms = 300;
const ackWaitMs = 400;

interface Ledger {
  readonly stored: Set<number>;
  readonly delivered: Set<number>;
  /** Before the last kill. Later ones may be on their way a second time when they are confirmed: ack_wait is short. */
  readonly confirmed: Set<number>;
  readonly justConfirmed: Set<number>;
}

function note(message: JsMsg, { delivered, confirmed }: Ledger): void {
  assert.ok(!confirmed.has(message.seq), `message ${message.seq} came again after its acknowledgement was confirmed`);
  delivered.add(message.seq);
}

/** Fetches and acknowledges until the server is gone or `done` says so; every third message is left alone, every other asks for a confirmation. */
async function work(consumer: Consumer, ledger: Ledger, confirmed: () => void, done: () => boolean, all: boolean): Promise<void> {
  while (!done()) {
    const batch = await consumer.fetch({ max_messages: 20, expires: 1000 });
    for await (const message of batch) {
      note(message, ledger);
      if (!all && message.seq % 3 === 0 && !message.redelivered) continue;
      if (message.seq % 2 === 0) message.ack();
      else if (await message.ackAck()) {
        ledger.justConfirmed.add(message.seq);
        confirmed();
      }
    }
  }
}

async function playRound(folder: string, retention: 'limits' | 'workqueue', round: number, ledger: Ledger): Promise<void> {
  const server = await ServerProcess.start('slipstream', { folder, args: ['-js', '-sd', folder] });
  const connection = await connect({ servers: `127.0.0.1:${server.port}`, reconnect: false });
  const manager = await jetstreamManager(connection);
  if (round === 0) {
    await manager.streams.add({ name: 'S', subjects: ['s.>'], retention });
    const config = { durable_name: 'C', ack_policy: 'explicit', ack_wait: nanos(ackWaitMs), max_ack_pending: 5000 } as const;
    await manager.consumers.add('S', config);
  }
  const js = jetstream(connection, { timeout: patienceMs });
  const stored = await Promise.all(Array.from({ length: messagesARound }, () => js.publish(`s.${round % 5}`, 'x'.repeat(100))));
  for (const { seq } of stored) ledger.stored.add(seq);

  const consumer = await js.consumers.get('S', 'C');
  const killAfter = leastConfirms + ((round * 7919) % (mostConfirms - leastConfirms));
  let confirms = 0;
  let gone = false;
  const confirmed = (): void => {
    if (++confirms === killAfter) server.signal('SIGKILL');
  };
  const left = (error: unknown): void => {
    if (error instanceof assert.AssertionError) throw error;
    gone = true;
  };
  await Promise.all(Array.from({ length: workers }, () => work(consumer, ledger, confirmed, () => gone, false).catch(left)));
  await connection.close();
  await server.kill();
  for (const seq of ledger.justConfirmed) ledger.confirmed.add(seq);
}

/** What is left is worked off by one who acknowledges everything. */
async function finish(folder: string, ledger: Ledger): Promise<void> {
  const server = await ServerProcess.start('slipstream', { folder, args: ['-js', '-sd', folder] });
  const connection = await connect({ servers: `127.0.0.1:${server.port}` });
  try {
    const consumer = await jetstream(connection, { timeout: patienceMs }).consumers.get('S', 'C');
    for (;;) {
      const { num_pending, num_ack_pending } = await consumer.info();
      if (num_pending + num_ack_pending === 0) break;
      let rounds = 1;
      await work(
        consumer,
        ledger,
        () => {},
        () => rounds-- === 0,
        true,
      ).catch((error: unknown) => {
        // A client that got no time misses heartbeats: it looks again.
        if (!(error instanceof JetStreamError)) throw error;
      });
    }
  } finally {
    await connection.close();
    await server.kill();
  }
}

for (const retention of ['limits', 'workqueue'] as const) {
  const count = Math.ceil(rounds / 2);
  test(
    `${count} kills while workers acknowledge, ${retention}: all is delivered, what was confirmed never again`,
    {
      timeout: 20_000 * rounds,
    },
    async () => {
      const folder = temporaryFolder();
      const ledger: Ledger = { stored: new Set(), delivered: new Set(), confirmed: new Set(), justConfirmed: new Set() };
      for (let round = 0; round < count; round++) await playRound(folder, retention, round, ledger);
      await finish(folder, ledger);
      const missing = [...ledger.stored].filter((seq) => !ledger.delivered.has(seq));
      assert.deepEqual(missing, [], 'stored and never delivered');
      assert.ok(ledger.confirmed.size > count * leastConfirms, 'acknowledgements were confirmed in every round');
    },
  );
}
