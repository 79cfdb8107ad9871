/**
 * JetStream across accounts, by the official client on both servers: one account's API, acknowledgements and deliveries are imported by
 * another, whose clients consume, and whose streams mirror and source what the first one keeps, also when either side starts anew.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { jetstream, jetstreamManager, AckPolicy, DeliverPolicy } from '@nats-io/jetstream';
import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { skipWithout } from '../support/peers.ts';
import { ServerProcess, type ServerKind } from '../support/server.ts';
import { removeFolder, temporaryFolder } from '../support/temporary.ts';

const config = (folder: string): string => `
jetstream { store_dir: "${folder}" }
accounts {
  A {
    users: [ { user: a, password: a } ], jetstream: enabled
    exports: [
      { service: "$JS.API.>", response_type: stream }, { service: "$JS.ACK.>" }, { service: "$JS.FC.>" }
      { stream: "deliver.b.>" }, { stream: "push.>" }, { service: "orders.>" }
    ]
  }
  B {
    users: [ { user: b, password: b } ], jetstream: enabled
    imports: [
      { service: { account: A, subject: "$JS.API.>" }, to: "from.A.API.>" }
      { service: { account: A, subject: "$JS.ACK.>" } }, { service: { account: A, subject: "$JS.FC.>" } }
      { stream: { account: A, subject: "deliver.b.>" } }, { stream: { account: A, subject: "push.>" } }
      { service: { account: A, subject: "orders.>" } }
    ]
  }
}`;

const external = { api: 'from.A.API', deliver: 'deliver.b' };

/** Asks until the state of a stream is as wished. */
async function stateOf(manager: JetStreamManager, name: string, wished: (info: StreamInfo) => boolean): Promise<StreamInfo> {
  for (;;) {
    const info = await manager.streams.info(name);
    if (wished(info)) return info;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

for (const kind of ['slipstream', 'nats-server'] as const satisfies readonly ServerKind[]) {
  describe(`JetStream across accounts on ${kind}`, { skip: kind === 'nats-server' ? skipWithout('nats-server') : false }, () => {
    const folder = temporaryFolder();
    let server: ServerProcess;
    let owner: NatsConnection;
    let guest: NatsConnection;

    async function open(port: number): Promise<void> {
      server = await ServerProcess.start(kind, { config: config(folder), folder, port });
      const join = (user: string): Promise<NatsConnection> => connect({ servers: server.url, user, pass: user });
      [owner, guest] = await Promise.all([join('a'), join('b')]);
    }

    before(() => open(-1));
    after(async () => {
      await Promise.all([owner.close(), guest.close()]);
      await server.kill();
      removeFolder(folder);
    });

    test('a guest publishes through an imported service and fetches through an imported API', async () => {
      const manager = await jetstreamManager(owner);
      await manager.streams.add({ name: 'ORDERS', subjects: ['orders.>'] });
      for (const n of [1, 2, 3]) await jetstream(guest).publish(`orders.${n}`, `m${n}`);
      const stored = await manager.streams.getMessage('ORDERS', { seq: 1 });
      assert.equal(stored?.header.get('Nats-Request-Info'), '', 'streams do not keep who asked');
      await manager.consumers.add('ORDERS', { durable_name: 'P', ack_policy: AckPolicy.Explicit });
      const consumer = await jetstream(guest, { apiPrefix: external.api }).consumers.get('ORDERS', 'P');
      const messages = await consumer.fetch({ max_messages: 3, expires: 5000 });
      const seen: string[] = [];
      for await (const message of messages) {
        seen.push(`${message.subject}=${message.string()}`);
        assert.equal(await message.ackAck(), true);
      }
      assert.deepEqual(seen, ['orders.1=m1', 'orders.2=m2', 'orders.3=m3']);
      const info = await manager.consumers.info('ORDERS', 'P');
      assert.equal(info.ack_floor.stream_seq, 3);
    });

    test('a push consumer delivers into the importing account, under the subjects of the messages', async () => {
      const manager = await jetstreamManager(owner);
      const subscription = guest.subscribe('push.x', { max: 3 });
      await guest.flush();
      await manager.consumers.add('ORDERS', {
        deliver_subject: 'push.x',
        ack_policy: AckPolicy.Explicit,
        deliver_policy: DeliverPolicy.All,
        durable_name: 'D',
      });
      const subjects: string[] = [];
      for await (const message of subscription) {
        subjects.push(message.subject);
        message.respond('');
      }
      assert.deepEqual(subjects, ['orders.1', 'orders.2', 'orders.3']);
    });

    test('a mirror and a source of another account catch up and follow', async () => {
      const manager = await jetstreamManager(guest);
      await manager.streams.add({ name: 'M', mirror: { name: 'ORDERS', external } });
      await manager.streams.add({
        name: 'S',
        sources: [{ name: 'ORDERS', external, subject_transforms: [{ src: 'orders.*', dest: 'copied.$1' }] }],
      });
      await stateOf(manager, 'M', ({ state }) => state.messages === 3);
      await stateOf(manager, 'S', ({ state }) => state.messages === 3);
      await jetstream(owner).publish('orders.4', 'm4');
      const mirror = await stateOf(manager, 'M', ({ state, mirror: of }) => state.last_seq === 4 && of?.lag === 0);
      assert.deepEqual(mirror.mirror, { ...mirror.mirror, name: 'ORDERS', external });
      await stateOf(manager, 'S', ({ state }) => state.messages === 4);
      const copied = await manager.streams.getMessage('S', { seq: 4 });
      assert.equal(copied?.subject, 'copied.4');
      assert.match(copied?.header.get('Nats-Stream-Source') ?? '', /^ORDERS:\w{8} 4 orders\.\* copied\.\S+ orders\.4$/);
    });

    test('a source takes from a consumer that was made beforehand, and acknowledges by flow control', async () => {
      const ask = async (nc: NatsConnection, subject: string, body: object): Promise<Record<string, unknown>> =>
        (await nc.request(subject, JSON.stringify(body))).json();
      const config = {
        durable_name: 'FOR-T',
        deliver_subject: 'deliver.b.t',
        ack_policy: 'flow_control',
        flow_control: true,
        idle_heartbeat: 1_000_000_000,
        max_ack_pending: 100,
      };
      const made = await ask(owner, '$JS.API.CONSUMER.CREATE.ORDERS.FOR-T', { stream_name: 'ORDERS', config });
      assert.equal(made['error'], undefined, JSON.stringify(made['error']));
      const consumer = { name: 'FOR-T', deliver_subject: 'deliver.b.t' };
      const stream = { name: 'T', storage: 'file', sources: [{ name: 'ORDERS', external, consumer }] };
      const created = await ask(guest, '$JS.API.STREAM.CREATE.T', stream);
      assert.equal(created['error'], undefined, JSON.stringify(created['error']));
      const manager = await jetstreamManager(guest);
      await stateOf(manager, 'T', ({ state }) => state.messages === 4);
      const consumers = (await jetstreamManager(owner)).consumers;
      for (let floor = 0; floor < 4; floor = (await consumers.info('ORDERS', 'FOR-T')).ack_floor.stream_seq)
        await new Promise((resolve) => setImmediate(resolve));
      await manager.streams.delete('T');
    });

    test('a mirror of a stream that is not there says so', async () => {
      const manager = await jetstreamManager(guest);
      await manager.streams.add({ name: 'N', mirror: { name: 'NONE', external } });
      const { mirror } = await stateOf(manager, 'N', ({ mirror: of }) => of?.error !== undefined);
      assert.equal(mirror?.error?.err_code, 10059);
      await manager.streams.delete('N');
    });

    test('after a start anew both go on where they were, with nothing twice', async () => {
      const { port } = server;
      await jetstream(owner).publish('orders.5', 'm5');
      await Promise.all([owner.close(), guest.close()]);
      await server.kill();
      await open(port);
      const manager = await jetstreamManager(guest);
      const origin = await (await jetstreamManager(owner)).streams.info('ORDERS');
      const already = origin.state.messages;
      await jetstream(owner).publish('orders.6', 'm6');
      await stateOf(manager, 'M', ({ state }) => state.last_seq === already + 1);
      const source = await stateOf(manager, 'S', ({ state }) => state.last_seq >= already + 1);
      assert.equal(source.state.messages, already + 1);
    });
  });
}
