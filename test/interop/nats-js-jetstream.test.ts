/** nats.js with a stream: publishes with acknowledgements, replays in order, consumes with a pull consumer, and finds all of it after a restart. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AckPolicy, jetstream, jetstreamManager, StorageType } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { serverFor, type ServerProcess } from '../support/server.ts';
import { targets } from './servers.ts';

const config = 'jetstream { store_dir: "store", sync_interval: always }\n';

async function session(context: { after(work: () => unknown): void }, server: ServerProcess): Promise<NatsConnection> {
  const connection = await connect({ servers: `127.0.0.1:${server.port}`, reconnect: false });
  context.after(() => connection.close());
  return connection;
}

async function fill(connection: NatsConnection, count: number): Promise<void> {
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: 'ORDERS', subjects: ['orders.*'], storage: StorageType.File });
  const js = jetstream(connection);
  const acks = await Promise.all(Array.from({ length: count }, (_, index) => js.publish(`orders.${index % 3}`, String(index))));
  assert.deepEqual(
    acks.map(({ seq }) => seq),
    Array.from({ length: count }, (_, index) => index + 1),
  );
}

for (const { kind, skip } of targets) {
  describe(`nats.js with a stream at ${kind}`, { skip }, () => {
    test('publishes and reads back with an ordered consumer', async (t) => {
      const connection = await session(t, await serverFor(t, kind, { config }));
      await fill(connection, 300);
      const consumer = await jetstream(connection).consumers.get('ORDERS');
      const got: string[] = [];
      const messages = await consumer.consume();
      for await (const message of messages) {
        got.push(message.string());
        if (got.length === 300) break;
      }
      assert.deepEqual(
        got,
        Array.from({ length: 300 }, (_, index) => String(index)),
      );
    });

    test('reads one subject with a filtered ordered consumer', async (t) => {
      const connection = await session(t, await serverFor(t, kind, { config }));
      await fill(connection, 30);
      const consumer = await jetstream(connection).consumers.get('ORDERS', { filter_subjects: 'orders.1' });
      const got: string[] = [];
      for await (const message of await consumer.fetch({ max_messages: 10, expires: 2000 })) got.push(message.string());
      assert.deepEqual(
        got,
        Array.from({ length: 10 }, (_, index) => String(index * 3 + 1)),
      );
    });

    test('acknowledges with a durable pull consumer, also across a restart', async (t) => {
      const first = await serverFor(t, kind, { config });
      const before = await session(t, first);
      await fill(before, 20);
      await (await jetstreamManager(before)).consumers.add('ORDERS', { durable_name: 'worker', ack_policy: AckPolicy.Explicit });
      for await (const message of await (
        await jetstream(before).consumers.get('ORDERS', 'worker')
      ).fetch({ max_messages: 12, expires: 2000 })) {
        await message.ackAck();
      }
      first.signal('SIGTERM');
      await first.exited;
      const second = await serverFor(t, kind, { config, folder: first.folder });
      const after = await session(t, second);
      const got: string[] = [];
      for await (const message of await (
        await jetstream(after).consumers.get('ORDERS', 'worker')
      ).fetch({ max_messages: 8, expires: 2000 })) {
        got.push(message.string());
        message.ack();
      }
      assert.deepEqual(
        got,
        Array.from({ length: 8 }, (_, index) => String(index + 12)),
      );
    });

    test('gets, deletes and purges messages', async (t) => {
      const connection = await session(t, await serverFor(t, kind, { config }));
      await fill(connection, 10);
      const { streams } = await jetstreamManager(connection);
      assert.equal((await streams.getMessage('ORDERS', { seq: 4 }))?.string(), '3');
      assert.equal((await streams.getMessage('ORDERS', { last_by_subj: 'orders.2' }))?.string(), '8');
      assert.ok(await streams.deleteMessage('ORDERS', 4));
      assert.equal((await streams.info('ORDERS')).state.messages, 9);
      assert.equal((await streams.purge('ORDERS', { filter: 'orders.2' })).purged, 3);
      assert.equal((await streams.purge('ORDERS')).purged, 6);
      assert.ok(await streams.delete('ORDERS'));
    });
  });
}
