/**
 * Random messages come back byte for byte by every way of reading: message get, direct get, a pull consumer, an ordered consumer, a
 * mirror, after a restart, from a backup, and by nats-server on the same directory. READING_MESSAGES=10000 takes more of them.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { AckPolicy, jetstream, jetstreamManager, type ConsumerMessages, type JetStreamManager } from '@nats-io/jetstream';
import { connect, headers, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import { patienceMs } from '../support/patience.ts';
import { findPeer } from '../support/peers.ts';
import { startCli } from './cli.ts';
import { ServerProcess, type ServerKind } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary.ts';

const count = Number(process.env['READING_MESSAGES'] ?? 2_000);
const inFlight = 500;
const letters = 'abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_$äß日🙂';

let state = 20_260_101;
function random(below: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * below);
}

function word(most: number): string {
  const chars = Array.from(letters);
  return Array.from({ length: 1 + random(most) }, () => chars[random(chars.length)] ?? 'a').join('');
}

interface Sent {
  readonly subject: string;
  readonly headers: MsgHdrs | undefined;
  readonly payload: Uint8Array;
}

function randomMessage(): Sent {
  const subject = ['all', ...Array.from({ length: 1 + random(4) }, () => word(12))].join('.');
  const payload = Uint8Array.from({ length: random(4) === 0 ? random(3000) : random(60) }, () => random(256));
  if (random(3) > 0) return { subject, headers: undefined, payload };
  const head = headers();
  for (let n = 0; n <= random(4); n++) head.append(`K-${random(1e6)}`, random(5) === 0 ? '' : word(40));
  return { subject, headers: head, payload };
}

/** Everything of a message, short enough to keep thousands. */
function printOf(subject: string, head: MsgHdrs | undefined, payload: Uint8Array): string {
  const lines = head === undefined ? [] : head.keys().map((key) => [key, head.values(key)]);
  const hash = createHash('sha256')
    .update(JSON.stringify([subject, lines.sort()]))
    .update(payload);
  return `${subject.slice(0, 20)} ${hash.digest('base64')}`;
}

class Expected {
  readonly prints = new Map<number, string>();

  check(how: string, found: ReadonlyMap<number, string>): void {
    assert.equal(found.size, this.prints.size, how);
    for (const [seq, print] of this.prints) assert.equal(found.get(seq), print, `${how}: message ${seq}`);
  }
}

async function publishAll(connection: NatsConnection): Promise<Expected> {
  const expected = new Expected();
  const js = jetstream(connection, { timeout: patienceMs });
  for (let sent = 0; sent < count; sent += inFlight) {
    const batch = Array.from({ length: Math.min(inFlight, count - sent) }, randomMessage);
    const acks = await Promise.all(
      batch.map(({ subject, headers: head, payload }) =>
        js.publish(subject, payload, head === undefined ? {} : { headers: head }),
      ),
    );
    acks.forEach(({ seq }, i) => {
      const message = batch[i] as Sent;
      expected.prints.set(seq, printOf(message.subject, message.headers, message.payload));
    });
  }
  return expected;
}

async function byGet(manager: JetStreamManager, stream: string): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (let from = 1; from <= count; from += inFlight) {
    const seqs = Array.from({ length: Math.min(inFlight, count - from + 1) }, (_, i) => from + i);
    await Promise.all(
      seqs.map(async (seq) => {
        const message = await manager.streams.getMessage(stream, { seq });
        if (message !== null) found.set(seq, printOf(message.subject, message.header, message.data));
      }),
    );
  }
  return found;
}

async function byDirectGet(manager: JetStreamManager, stream: string): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (let from = 1; from <= count; from += inFlight) {
    const seqs = Array.from({ length: Math.min(inFlight, count - from + 1) }, (_, i) => from + i);
    await Promise.all(
      seqs.map(async (seq) => {
        const message = await manager.direct.getMessage(stream, { seq });
        if (message === null) return;
        const head = headers();
        for (const key of message.header.keys()) {
          if (key.startsWith('K-')) for (const value of message.header.values(key)) head.append(key, value);
        }
        found.set(seq, printOf(message.subject, head.keys().length === 0 ? undefined : head, message.data));
      }),
    );
  }
  return found;
}

async function take(messages: ConsumerMessages): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for await (const message of messages) {
    found.set(message.seq, printOf(message.subject, message.headers, message.data));
    if (found.size === count) break;
  }
  return found;
}

/** Every way a client has. */
async function checkAll(where: string, connection: NatsConnection, expected: Expected, stream: string): Promise<void> {
  const manager = await jetstreamManager(connection, { timeout: patienceMs });
  const js = jetstream(connection);
  expected.check(`${where}, message get`, await byGet(manager, stream));
  expected.check(`${where}, direct get`, await byDirectGet(manager, stream));
  const ordered = await js.consumers.get(stream);
  expected.check(`${where}, ordered consumer`, await take(await ordered.consume()));
  await manager.consumers.add(stream, { durable_name: 'pull', ack_policy: AckPolicy.None });
  const pull = await js.consumers.get(stream, 'pull');
  expected.check(`${where}, pull consumer`, await take(await pull.consume({ max_messages: 700 })));
  await manager.consumers.delete(stream, 'pull');
}

/** Takes a backup by the CLI, removes the stream, restores it. */
async function throughBackup(server: ServerProcess, connection: NatsConnection): Promise<void> {
  const directory = join(temporaryFolder(), 'backup');
  const cli = async (...args: readonly string[]): Promise<void> => {
    const { code, output } = await startCli(server, ['stream', ...args]).finished;
    assert.equal(code, 0, output);
  };
  await cli('backup', 'ALL', directory, '--no-progress');
  await (await jetstreamManager(connection)).streams.delete('ALL');
  await cli('restore', directory, '--no-progress');
}

async function visit(
  kind: ServerKind,
  folder: string,
  work: (connection: NatsConnection, server: ServerProcess) => Promise<void>,
): Promise<void> {
  const server = await ServerProcess.start(kind, { folder, args: ['-js', '-sd', folder] });
  try {
    const connection = await connect({ servers: `127.0.0.1:${server.port}`, reconnect: false });
    await work(connection, server);
    await connection.close();
  } finally {
    await server.stop();
  }
}

test(`${count} random messages come back byte for byte by every way of reading`, { timeout: 180_000 }, async () => {
  const folder = temporaryFolder();
  let expected = new Expected();
  await visit('slipstream', folder, async (connection) => {
    const manager = await jetstreamManager(connection);
    await manager.streams.add({ name: 'ALL', subjects: ['all.>'], allow_direct: true });
    expected = await publishAll(connection);
    await checkAll('as stored', connection, expected, 'ALL');
    await manager.streams.add({ name: 'COPY', mirror: { name: 'ALL' }, allow_direct: true });
    while ((await manager.streams.info('COPY')).state.messages < count);
    await checkAll('mirror', connection, expected, 'COPY');
  });
  await visit('slipstream', folder, async (connection, server) => {
    await checkAll('after a restart', connection, expected, 'ALL');
    if (findPeer('nats') === undefined) return;
    await throughBackup(server, connection);
    await checkAll('restored', connection, expected, 'ALL');
  });
  if (findPeer('nats-server') === undefined) return;
  await visit('nats-server', folder, (connection) => checkAll('nats-server', connection, expected, 'ALL'));
});
