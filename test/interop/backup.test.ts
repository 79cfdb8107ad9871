/**
 * Backups by the official `nats` CLI: taken from one server and restored into another, in every combination of Slipstream and nats-server.
 * What a client can see of the stream is the same afterwards: messages, headers, times, gaps, and what its consumers have still to deliver.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { AckPolicy, jetstream, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { skipWithout } from '../support/peers.ts';
import { serverFor, type ServerKind, type ServerProcess } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { cli } from './cli.ts';

const fixture = join(import.meta.dirname, '../fixtures/store/backup');
const config = 'jetstream { store_dir: "store" }\n';

interface Session {
  readonly server: ServerProcess;
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
}

async function open(context: TestContext, kind: ServerKind): Promise<Session> {
  const server = await serverFor(context, kind, { config });
  const connection = await connect({ servers: `127.0.0.1:${server.port}`, reconnect: false });
  context.after(() => connection.close());
  return { server, connection, manager: await jetstreamManager(connection) };
}

/** Bytes that do not repeat, so that a backup has many chunks. */
function noise(length: number, from: number): Uint8Array {
  let state = from + 1;
  return Uint8Array.from({ length }, () => (state = (state * 48271) % 2147483647) & 255);
}

async function fill({ connection, manager }: Session): Promise<void> {
  await manager.streams.add({ name: 'KEPT', subjects: ['kept.>'], max_msgs: 300, max_bytes: 2_000_000 });
  await manager.streams.add({ name: 'EMPTIED', subjects: ['emptied.>'] });
  const js = jetstream(connection);
  for (let n = 1; n <= 340; n++) {
    const header = headers();
    header.set('N', `${n}`);
    header.append('Twice', 'a');
    header.append('Twice', 'b');
    const payload = n % 10 === 0 ? noise(9000, n) : `${n} `.repeat(n % 30);
    await js.publish(`kept.${n % 7}`, payload, n % 3 === 0 ? { headers: header } : {});
  }
  for (const seq of [100, 101, 250]) await manager.streams.deleteMessage('KEPT', seq, seq === 101);
  await manager.streams.purge('KEPT', { filter: 'kept.5', keep: 4 });
  await manager.consumers.add('KEPT', { durable_name: 'explicit', ack_policy: AckPolicy.Explicit, ack_wait: 3_600_000_000_000 });
  await manager.consumers.add('KEPT', { durable_name: 'filtered', ack_policy: AckPolicy.All, filter_subject: 'kept.3' });
  const explicit = await js.consumers.get('KEPT', 'explicit');
  let taken = 0;
  for await (const message of await explicit.fetch({ max_messages: 20, expires: 5000 })) {
    if (++taken % 4 !== 0) assert.ok(await message.ackAck());
  }
  assert.equal(taken, 20);
  for (let n = 0; n < 3; n++) await js.publish('emptied.a', 'x');
  await manager.streams.purge('EMPTIED');
}

/** Everything a client can see of a stream and its consumers. */
async function look({ manager }: Session, name: string): Promise<unknown> {
  const info = await manager.streams.info(name, { deleted_details: true, subjects_filter: '>' });
  const { state } = info;
  const messages: string[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const found = await manager.streams.getMessage(name, { seq });
    if (found === null) continue;
    const sum = createHash('sha256').update(found.data).digest('hex');
    messages.push(`${seq} ${found.subject} ${found.timestamp} ${JSON.stringify([...(found.header ?? [])])} ${sum}`);
  }
  const consumers: unknown[] = [];
  for await (const { name: consumer, delivered, ack_floor, num_ack_pending, num_pending, created } of manager.consumers.list(
    name,
  )) {
    const pairs = [delivered, ack_floor].map(({ consumer_seq, stream_seq }) => [consumer_seq, stream_seq]);
    consumers.push({ consumer, pairs, num_ack_pending, num_pending, created });
  }
  const { metadata: _, ...kept } = info.config;
  return { config: kept, created: info.created, state, messages, consumers };
}

/** What a consumer gets next. */
async function nextOf({ connection }: Session): Promise<number | undefined> {
  const consumer = await jetstream(connection).consumers.get('KEPT', 'explicit');
  return (await consumer.next({ expires: 5000 }))?.info.streamSequence;
}

async function carry(context: TestContext, from: ServerKind, to: ServerKind): Promise<void> {
  const source = await open(context, from);
  const target = await open(context, to);
  const folder = temporaryFolder();
  await fill(source);
  for (const name of ['KEPT', 'EMPTIED']) {
    const directory = join(folder, name);
    await cli(source.server, ['stream', 'backup', name, directory, '--no-progress', '--chunk-size', '32768']);
    await cli(target.server, ['stream', 'restore', directory, '--no-progress']);
    assert.deepEqual(await look(target, name), await look(source, name), name);
  }
  assert.equal((await jetstream(target.connection).publish('kept.new', 'goes on')).seq, 341);
  assert.equal((await jetstream(target.connection).publish('emptied.new', 'goes on')).seq, 4);
  const [next, expected] = await Promise.all([target, source].map(nextOf));
  assert.equal(next, expected, 'a consumer goes on where it would have gone on');
}

const both: readonly ServerKind[] = ['slipstream', 'nats-server'];
for (const from of both) {
  for (const to of both) {
    if (from === 'nats-server' && to === 'nats-server') continue;
    const skip = skipWithout('nats', ...(from === to ? [] : (['nats-server'] as const)));
    test(`a backup of ${from} is restored into ${to}`, { skip }, (context) => carry(context, from, to));
  }
}

describe('a backup that nats-server made long ago', { skip: skipWithout('nats') }, () => {
  test('is restored with all its content, and stays over a restart', async (context) => {
    const folder = temporaryFolder();
    execFileSync('tar', ['xzf', `${fixture}.tar.gz`, '-C', folder]);
    const { accounts } = JSON.parse(readFileSync(`${fixture}.json`, 'utf8')) as {
      accounts: {
        $G: { YARROW: { state: Record<string, unknown>; messages: Record<string, { sha256: string; subject: string }> } };
      };
    };
    const { state, messages } = accounts.$G.YARROW;
    const home = temporaryFolder();
    for (const visit of ['restored', 'restarted']) {
      const server = await serverFor(context, 'slipstream', { args: ['-js', '-sd', home] });
      if (visit === 'restored') await cli(server, ['stream', 'restore', join(folder, 'backup'), '--no-progress']);
      const connection = await connect({ servers: `127.0.0.1:${server.port}`, reconnect: false });
      const manager = await jetstreamManager(connection);
      const info = await manager.streams.info('YARROW', { deleted_details: true });
      for (const key of ['messages', 'bytes', 'first_seq', 'last_seq', 'deleted', 'num_subjects'])
        assert.deepEqual(info.state[key as 'messages'], state[key], `${key}, ${visit}`);
      for (const [seq, { sha256, subject }] of Object.entries(messages)) {
        const found = await manager.streams.getMessage('YARROW', { seq: Number(seq) });
        assert.equal(found?.subject, subject, `${seq}, ${visit}`);
        assert.equal(
          createHash('sha256')
            .update(found?.data ?? '')
            .digest('hex'),
          sha256,
          `${seq}, ${visit}`,
        );
      }
      const consumer = await manager.consumers.info('YARROW', 'expl');
      assert.equal(consumer.num_ack_pending, 7, visit);
      assert.equal(consumer.delivered.stream_seq, 13, visit);
      await connection.close();
      await server.stop();
    }
  });
});
