/** The official `nats` CLI at work: every kind of credentials, messages, services, benchmarks, and a stream from its making to its end. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { skipWithout } from '../support/peers.ts';
import { serverFor, type ServerKind, type ServerProcess } from '../support/server.ts';
import { cli, startCli } from './cli.ts';
import { ways } from './credentials.ts';
import { targets } from './servers.ts';

function withJetStream(context: TestContext, kind: ServerKind): Promise<ServerProcess> {
  return serverFor(context, kind, { config: 'jetstream { store_dir: "store" }\n' });
}

const stream = ['--subjects', 'orders.>', '--storage', 'file', '--replicas', '1', '--defaults'];

function coreSessions(kind: ServerKind): void {
  test('publishes to its own subscriber', async (t) => {
    const server = await serverFor(t, kind);
    const subscriber = startCli(server, ['sub', 'greet.*', '--count', '3']);
    await subscriber.shows(/Subscribing on greet/);
    await cli(server, ['pub', 'greet.all', 'hello {{Count}}', '--count', '3', '-H', 'From:interop']);
    const { output } = await subscriber.finished;
    assert.match(output, /From: interop/);
    assert.match(output, /hello 1[^]*hello 2[^]*hello 3/);
  });

  test('asks and answers', async (t) => {
    const server = await serverFor(t, kind);
    const service = startCli(server, ['reply', 'help', 'at your service']);
    await service.shows(/Listening on "help"/);
    assert.match(await cli(server, ['request', 'help', 'please']), /at your service/);
    await service.stop();
  });

  test('is told that nobody responds', async (t) => {
    const server = await serverFor(t, kind);
    assert.match(await cli(server, ['request', 'nobody', 'please']), /No responders/i);
  });

  test('measures the round trip', async (t) => {
    assert.match(await cli(await serverFor(t, kind), ['rtt']), /nats:\/\//);
  });

  test('checks the connection', async (t) => {
    assert.match(await cli(await serverFor(t, kind), ['server', 'check', 'connection']), /^OK /m);
  });
}

function streamSessions(kind: ServerKind): void {
  test('makes a stream, publishes, reads and removes', async (t) => {
    const server = await withJetStream(t, kind);
    await cli(server, ['stream', 'add', 'ORDERS', ...stream]);
    for (const item of ['one', 'two', 'three']) await cli(server, ['pub', '--jetstream', `orders.${item}`, item]);
    assert.match(await cli(server, ['stream', 'ls', '--names']), /ORDERS/);
    const info = JSON.parse(await cli(server, ['stream', 'info', 'ORDERS', '--json'])) as {
      state: { messages: number; last_seq: number };
    };
    assert.equal(info.state.messages, 3);
    assert.match(await cli(server, ['stream', 'get', 'ORDERS', '2']), /two/);
    await cli(server, ['stream', 'rmm', 'ORDERS', '2', '--force']);
    await cli(server, ['stream', 'purge', 'ORDERS', '--force']);
    await cli(server, ['stream', 'rm', 'ORDERS', '--force']);
    assert.doesNotMatch(await cli(server, ['stream', 'ls', '--names']), /ORDERS/);
  });

  test('consumes with a durable pull consumer', async (t) => {
    const server = await withJetStream(t, kind);
    await cli(server, ['stream', 'add', 'ORDERS', ...stream]);
    await cli(server, ['pub', '--jetstream', 'orders.new', 'first']);
    await cli(server, ['pub', '--jetstream', 'orders.new', 'second']);
    await cli(server, ['consumer', 'add', 'ORDERS', 'worker', '--pull', '--ack', 'explicit', '--deliver', 'all', '--defaults']);
    assert.match(await cli(server, ['consumer', 'next', 'ORDERS', 'worker', '--count', '2']), /first[^]*second/);
    const info = JSON.parse(await cli(server, ['consumer', 'info', 'ORDERS', 'worker', '--json'])) as {
      num_pending: number;
      num_ack_pending: number;
    };
    assert.equal(info.num_pending, 0);
  });

  test('finds everything acknowledged after SIGKILL and a restart', async (t) => {
    const first = await serverFor(t, kind, { config: 'jetstream { store_dir: "store", sync_interval: always }\n' });
    await cli(first, ['stream', 'add', 'ORDERS', ...stream]);
    for (let index = 0; index < 5; index++) await cli(first, ['pub', '--jetstream', 'orders.new', `order ${index}`]);
    first.signal('SIGKILL');
    await first.exited;
    const second = await serverFor(t, kind, {
      config: 'jetstream { store_dir: "store", sync_interval: always }\n',
      folder: first.folder,
    });
    const info = JSON.parse(await cli(second, ['stream', 'info', 'ORDERS', '--json'])) as { state: { messages: number } };
    assert.equal(info.state.messages, 5);
    assert.match(await cli(second, ['stream', 'get', 'ORDERS', '5']), /order 4/);
  });
}

function benchSessions(kind: ServerKind): void {
  const runs: ReadonlyArray<readonly string[]> = [
    ['bench', 'pub', 'b', '--msgs', '2000'],
    ['bench', 'js', 'pub', 'async', 'b', '--msgs', '2000', '--create'],
    ['bench', 'js', 'pub', 'sync', 'b', '--msgs', '100', '--create'],
    ['bench', 'js', 'ordered', '--msgs', '2000'],
    ['bench', 'js', 'fetch', '--msgs', '2000'],
  ];
  test('runs its benchmarks', async (t) => {
    const server = await withJetStream(t, kind);
    for (const args of runs)
      assert.match(await cli(server, [...args, '--no-progress']), /stats: [\d,]+ msgs\/sec/, args.join(' '));
  });
}

for (const { kind, skip } of targets) {
  const reason = skip === false ? skipWithout('nats') : skip;
  describe(`nats CLI at ${kind}`, { skip: reason, concurrency: 2 }, () => {
    for (const way of ways) {
      test(`authenticates with ${way.name}`, async (t) => {
        const server = await serverFor(t, kind, { config: way.config });
        await cli(server, ['pub', 'subject', 'text'], way.right);
        if (way.wrong !== undefined)
          assert.notEqual((await startCli(server, ['pub', 'subject', 'text'], way.wrong).finished).code, 0);
      });
    }
    coreSessions(kind);
    streamSessions(kind);
    benchSessions(kind);
  });
}
