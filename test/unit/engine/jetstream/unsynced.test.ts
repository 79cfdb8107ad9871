/**
 * Nothing is shown before it is on disk: the whole of JetStream over the real kernel and a disk whose syncs end when the test says so.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { silentLog } from '../../../../ts/app/silent-log.ts';
import { BrokerDoor } from '../../../../ts/engine/jetstream/broker-door.ts';
import { JetStream } from '../../../../ts/engine/jetstream/jetstream.ts';
import { unlimited } from '../../../../ts/engine/jetstream/ports.ts';
import { ServerStore } from '../../../../ts/engine/store/server-store.ts';
import { nodeCiphers } from '../../../../ts/node/ciphers.ts';
import { nodeCrypto } from '../../../../ts/node/crypto.ts';
import { NodeJobs } from '../../../../ts/node/jobs.ts';
import { NodeRandom } from '../../../../ts/node/random.ts';
import { TestBroker, type TestPeer } from '../../../support/broker.ts';
import { VolatileDisk } from '../../../support/volatile-disk.ts';

interface Held {
  readonly peer: TestPeer;
  /** Publishes with a reply subject and tells what the client heard of it at once. */
  ask(subject: string, payload: string, reply?: string): string;
  /** All syncs end, also those that begin meanwhile; what the client heard then. */
  release(): Promise<string>;
}

async function held(context: TestContext): Promise<Held> {
  const disk = new VolatileDisk();
  disk.makeDirectory('/js');
  const test = new TestBroker();
  const { broker, clock } = test;
  const store: ServerStore = new ServerStore(
    { root: '/js', syncIntervalMs: 0 },
    {
      ...{ kernel: test.kernel, disk, jobs: new NodeJobs(), ciphers: nodeCiphers, clock, log: silentLog },
      turn: (work) => broker.turn(work),
      soon: (call) => broker.soon(call),
      closed: () => {},
    },
  );
  const door = new BrokerDoor(broker);
  const batch = { perStream: 0, total: 0, messages: 0, timeoutMs: 0 };
  const limits = { maxAckPending: 0, maxRequestBatch: 0, duplicateWindowNanos: 0n, batch, maxMemory: -1, maxStorage: -1 };
  const settings = { serverName: 'held', domain: '', strict: true, maxPayloadBytes: 1 << 20, limits };
  const ports = { door, store, clock, random: new NodeRandom(), log: silentLog, crypto: nodeCrypto };
  const jetstream = new JetStream(ports, settings);
  broker.events.toJetStream({ ack: (message) => door.ack(message), store: (type, words, at) => store.event(type, words, at) });
  await jetstream.enable('$G', broker.accounts.get('$G').handle, unlimited);

  const peer = test.peer();
  const release = async (): Promise<string> => {
    let text = '';
    for (let round = 0; round < 30; round++) {
      disk.finishSync();
      clock.advance(1);
      await new Promise((resolve) => setImmediate(resolve));
      text += peer.heard();
    }
    return text;
  };
  context.after(async () => {
    const stopped = jetstream.stop();
    for (let round = 0; round < 60; round++) {
      disk.finishSync();
      clock.advance(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await stopped;
  });
  return {
    peer,
    release,
    ask(subject, payload, reply = 'r') {
      peer.say(`PUB ${subject} ${reply} ${payload.length}\r\n${payload}\r\n`);
      return peer.heard();
    },
  };
}

async function prepared(context: TestContext): Promise<Held> {
  const server = await held(context);
  for (const [sid, subject] of ['r', 'pub', 'push', 'pull', 'watch', 'ack'].entries())
    server.peer.say(`SUB ${subject} ${sid + 1}\r\n`);
  const documents: readonly (readonly [string, object])[] = [
    ['STREAM.CREATE.S', { name: 'S', subjects: ['s.>'], allow_direct: true }],
    ['STREAM.CREATE.M', { name: 'M', mirror: { name: 'S' } }],
    ['CONSUMER.CREATE.S.PUSH', { stream_name: 'S', config: { name: 'PUSH', deliver_subject: 'push', ack_policy: 'none' } }],
    ['CONSUMER.CREATE.S.PULL', { stream_name: 'S', config: { name: 'PULL', durable_name: 'PULL', ack_policy: 'explicit' } }],
    [
      'CONSUMER.CREATE.S.WATCH',
      {
        stream_name: 'S',
        config: {
          name: 'WATCH',
          deliver_subject: 'watch',
          deliver_policy: 'last_per_subject',
          filter_subject: 's.>',
          ack_policy: 'none',
        },
      },
    ],
  ];
  for (const [subject, document] of documents) {
    server.ask(`$JS.API.${subject}`, JSON.stringify(document));
    assert.match(await server.release(), /"created"/, subject);
  }
  return server;
}

test('a message is shown to nobody before it is on disk, and to everybody then', async (context) => {
  const server = await prepared(context);
  assert.equal(server.ask('$JS.API.CONSUMER.MSG.NEXT.S.PULL', '{"batch":1}', 'pull'), '');
  assert.equal(server.ask('s.1', 'hello', 'pub'), '', 'neither acknowledged nor delivered');
  const asked = [
    server.ask('$JS.API.STREAM.MSG.GET.S', '{"seq":1}'),
    server.ask('$JS.API.DIRECT.GET.S.s.1', ''),
    server.ask('$JS.API.DIRECT.GET.M', '{"seq":1}'),
    server.ask('$JS.API.STREAM.INFO.S', ''),
  ];
  for (const answer of asked) assert.ok(!answer.includes('hello') && !answer.includes('"messages":1'), answer);

  const heard = await server.release();
  for (const listener of ['push', 'pull', 'watch']) {
    const sid = ['r', 'pub', 'push', 'pull', 'watch'].indexOf(listener) + 1;
    assert.match(heard, new RegExp(`MSG s\\.1 ${sid} \\S+ 5\r\nhello`), listener);
  }
  assert.match(heard, /MSG pub 2 \d+\r\n\{"stream":"S", ?"seq":1/);
  const mirror = server.ask('$JS.API.STREAM.INFO.M', '') + (await server.release());
  assert.match(mirror, /"name":"M".*"messages":1/, 'the mirror has it');
});

test('an acknowledgement is confirmed when the state that knows it is on disk', async (context) => {
  const server = await prepared(context);
  server.ask('s.1', 'hello', 'pub');
  await server.release();
  const delivered = server.ask('$JS.API.CONSUMER.MSG.NEXT.S.PULL', '{"batch":1}', 'pull');
  const reply = /MSG s\.1 4 (\S+) 5/.exec(delivered)?.[1];
  assert.ok(reply !== undefined, delivered);
  assert.equal(server.ask(reply, '+ACK', 'ack'), '');
  assert.match(await server.release(), /MSG ack 6 0\r\n/);
});
