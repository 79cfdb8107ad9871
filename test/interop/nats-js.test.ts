/** nats.js uses what a server offers, over TCP and over WebSocket: the same sessions on both. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  connect,
  deferred,
  headers,
  wsconnect,
  RequestError,
  type ConnectionOptions,
  type NatsConnection,
} from '@nats-io/transport-node';
import { WebSocket } from 'ws';
import { patienceMs } from '../support/patience.ts';
import { ServerProcess, type ServerKind } from '../support/server.ts';
import { targets } from './servers.ts';

/** nats.js takes the platform's WebSocket, which Node has only from version 22 on. */
Object.assign(globalThis, { WebSocket: globalThis.WebSocket ?? WebSocket });

interface Door {
  readonly name: string;
  readonly config: string;
  /** nats-server counts the verb's line to the limit of a compressed message. */
  readonly largest: number;
  connect(server: ServerProcess, options?: ConnectionOptions): Promise<NatsConnection>;
}

const doors: readonly Door[] = [
  {
    name: 'TCP',
    config: '',
    largest: 1_048_576,
    connect: (server, options) => connect({ servers: `127.0.0.1:${server.port}`, ...options }),
  },
  {
    name: 'WebSocket',
    config: 'websocket { listen: "127.0.0.1:-1", no_tls: true }\n',
    largest: 1_048_576,
    connect: (server, options) => wsconnect({ servers: `ws://127.0.0.1:${server.portOf('websocket')}`, ...options }),
  },
  {
    name: 'compressed WebSocket',
    config: 'websocket { listen: "127.0.0.1:-1", no_tls: true, compression: true }\n',
    largest: 1_048_000,
    connect: (server, options) => wsconnect({ servers: `ws://127.0.0.1:${server.portOf('websocket')}`, ...options }),
  },
];

async function collect(connection: NatsConnection, subject: string, count: number, queue?: string): Promise<string[]> {
  const got: string[] = [];
  const subscription = connection.subscribe(subject, { max: count, ...(queue === undefined ? {} : { queue }) });
  await connection.flush();
  for await (const message of subscription) got.push(message.string());
  return got;
}

type NewSession = (options?: ConnectionOptions) => Promise<NatsConnection>;

function deliverySessions(door: Door, session: NewSession): void {
  test('publishes and subscribes, wildcards and order included', async () => {
    const [receiver, sender] = [await session(), await session()];
    const received = collect(receiver, 'news.*', 500);
    await receiver.flush();
    for (let index = 0; index < 500; index++) sender.publish(`news.${index % 7}`, String(index));
    assert.deepEqual(
      await received,
      Array.from({ length: 500 }, (_, index) => String(index)),
    );
  });

  test(`carries a payload of ${door.largest} bytes`, async () => {
    const connection = await session();
    const payload = new Uint8Array(door.largest).map((_, index) => index * 31);
    const answer = deferred<Uint8Array>();
    connection.subscribe('large', { max: 1, callback: (_error, message) => answer.resolve(message.data) });
    connection.publish('large', payload);
    assert.deepEqual(Buffer.from(await answer), Buffer.from(payload));
  });

  test('shares messages in a queue group', async () => {
    const [a, b, sender] = [await session(), await session(), await session()];
    const counts = [0, 0];
    const all = deferred<void>();
    [a, b].forEach((connection, index) =>
      connection.subscribe('work', {
        queue: 'workers',
        callback: () => {
          counts[index] = (counts[index] ?? 0) + 1;
          if ((counts[0] ?? 0) + (counts[1] ?? 0) === 200) all.resolve();
        },
      }),
    );
    await Promise.all([a.flush(), b.flush()]);
    for (let index = 0; index < 200; index++) sender.publish('work');
    await all;
    assert.ok((counts[0] ?? 0) > 20 && (counts[1] ?? 0) > 20, `shares ${counts.join(' and ')}`);
  });
}

function askingSessions(session: NewSession): void {
  test('requests and replies, with headers', async () => {
    const [service, client] = [await session(), await session()];
    service.subscribe('double', {
      callback: (_error, message) => {
        const reply = headers();
        reply.append('Seen', message.headers?.get('Asked') ?? 'nothing');
        reply.append('Seen', 'twice');
        message.respond(message.string().repeat(2), { headers: reply });
      },
    });
    await service.flush();
    const asked = headers();
    asked.set('Asked', 'kindly');
    const answer = await client.request('double', 'ab', { timeout: patienceMs, headers: asked });
    assert.equal(answer.string(), 'abab');
    assert.deepEqual(answer.headers?.values('Seen'), ['kindly', 'twice']);
  });

  test('is told that nobody responds', async () => {
    const client = await session();
    await assert.rejects(
      client.request('nobody', '', { timeout: patienceMs }),
      (error) => error instanceof RequestError && error.isNoResponders(),
    );
  });

  test('does not hear itself with noEcho', async () => {
    const [silent, other] = [await session({ noEcho: true }), await session()];
    const heard = collect(silent, 'echo', 1);
    await silent.flush();
    silent.publish('echo', 'own');
    await silent.flush();
    other.publish('echo', 'other');
    assert.deepEqual(await heard, ['other']);
  });

  test('drains: everything published before arrives, then the connection closes', async () => {
    const [receiver, sender] = [await session(), await session()];
    const got: string[] = [];
    const failed = deferred<never>();
    receiver.subscribe('drained', {
      callback: (error, message) => void (error === null ? got.push(message.string()) : failed.reject(error)),
    });
    await receiver.flush();
    for (let index = 0; index < 1000; index++) sender.publish('drained', String(index));
    await sender.flush();
    await Promise.race([receiver.drain(), failed]);
    assert.equal(got.length, 1000);
    assert.ok(receiver.isClosed());
  });

  test('measures the round trip and names itself', async () => {
    const client = await session({ name: 'interop' });
    assert.ok((await client.rtt()) < 1000);
    assert.equal(client.info?.headers, true);
  });

  test('is refused a payload that is too large', async () => {
    const client = await session();
    assert.throws(() => client.publish('x', new Uint8Array((client.info?.max_payload ?? 0) + 1)), /max_payload|maximum payload/i);
  });
}

function sessions(kind: ServerKind, door: Door): void {
  let server: ServerProcess;
  const open: NatsConnection[] = [];
  const session: NewSession = async (options) => {
    const connection = await door.connect(server, options);
    open.push(connection);
    return connection;
  };
  before(async () => {
    server = await ServerProcess.start(kind, { config: door.config });
  });
  after(async () => {
    await Promise.all(open.map((connection) => connection.close()));
    await server.kill();
  });
  deliverySessions(door, session);
  askingSessions(session);
}

/** Waits for a status of the client by its own event stream. */
async function status(connection: NatsConnection, type: string): Promise<void> {
  for await (const event of connection.status()) if (event.type === type) return;
  throw new Error(`the connection closed without ${type}`);
}

for (const { kind, skip } of targets) {
  for (const door of doors) {
    describe(`nats.js over ${door.name} at ${kind}`, { skip }, () => sessions(kind, door));
  }

  describe(`nats.js through a change of ${kind}`, { skip }, () => {
    test('reconnects after a restart on the same port and keeps its subscriptions', async () => {
      const first = await ServerProcess.start(kind);
      const connection = await connect({ servers: `127.0.0.1:${first.port}`, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
      const got = deferred<string>();
      connection.subscribe('kept', { callback: (_error, message) => got.resolve(message.string()) });
      await connection.flush();
      const back = status(connection, 'reconnect');
      const port = first.port;
      await first.kill();
      const second = await ServerProcess.start(kind, { port });
      await back;
      connection.publish('kept', 'still');
      assert.equal(await got, 'still');
      await connection.close();
      await second.kill();
    });

    test('is told of lame duck mode and moves to another server', async () => {
      const lame = await ServerProcess.start(kind, { config: 'lame_duck_grace_period: "500ms"\n' });
      const other = await ServerProcess.start(kind);
      const connection = await connect({
        servers: [`127.0.0.1:${lame.port}`, `127.0.0.1:${other.port}`],
        noRandomize: true,
        reconnectTimeWait: 50,
      });
      assert.equal(connection.getServer(), `127.0.0.1:${lame.port}`);
      const told = status(connection, 'ldm');
      const moved = status(connection, 'reconnect');
      lame.signal('SIGUSR2');
      await told;
      await moved;
      assert.equal(connection.getServer(), `127.0.0.1:${other.port}`);
      await connection.close();
      await lame.exited;
      await other.kill();
    });

    test('keeps its connection through a reload', async () => {
      const server = await ServerProcess.start(kind, { config: 'max_payload: 1000\n' });
      const connection = await connect({ servers: `127.0.0.1:${server.port}`, reconnect: false });
      server.writeConfig('max_payload: 1000\ndebug: true\n');
      server.signal('SIGHUP');
      await server.waitForLog(/Reloaded server configuration/);
      await connection.flush();
      assert.ok(!connection.isClosed());
      await connection.close();
      await server.kill();
    });
  });
}
