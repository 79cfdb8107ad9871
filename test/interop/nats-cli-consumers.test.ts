/** The official `nats` CLI on consumers: every flag of `consumer add`, and every subcommand that one server has. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { skipWithout } from '../support/peers.ts';
import { serverFor, type ServerKind, type ServerProcess } from '../support/server.ts';
import { cli, startCli } from './cli.ts';
import { targets } from './servers.ts';

type Config = Readonly<Record<string, unknown>>;

/** What is added, by which flags, and what the server says of it then. */
const additions: readonly (readonly [name: string, flags: readonly string[], shown: Config])[] = [
  ['PLAIN', ['--pull'], { ack_policy: 'explicit', deliver_policy: 'all', replay_policy: 'instant' }],
  [
    'ACKS',
    ['--pull', '--ack', 'all', '--wait', '5s', '--max-deliver', '7', '--max-pending', '99'],
    { ack_policy: 'all', ack_wait: 5e9, max_deliver: 7, max_ack_pending: 99 },
  ],
  ['NONE', ['--pull', '--ack', 'none', '--deliver', 'new'], { ack_policy: 'none', deliver_policy: 'new' }],
  ['LAST', ['--pull', '--deliver', 'last'], { deliver_policy: 'last' }],
  ['EACH', ['--pull', '--deliver', 'subject', '--filter', 'orders.>'], { deliver_policy: 'last_per_subject' }],
  ['FROM', ['--pull', '--deliver', '2'], { deliver_policy: 'by_start_sequence', opt_start_seq: 2 }],
  ['AGO', ['--pull', '--deliver', '1h'], { deliver_policy: 'by_start_time' }],
  ['FILTERS', ['--pull', '--filter', 'orders.a', '--filter', 'orders.b'], { filter_subjects: ['orders.a', 'orders.b'] }],
  [
    'LIMITS',
    ['--pull', '--max-waiting', '5', '--max-pull-batch', '6', '--max-pull-expire', '7s', '--max-pull-bytes', '800'],
    { max_waiting: 5, max_batch: 6, max_expires: 7e9, max_bytes: 800 },
  ],
  [
    'BACKOFF',
    [
      '--pull',
      '--max-deliver',
      '20',
      '--backoff',
      'linear',
      '--backoff-steps',
      '3',
      '--backoff-min',
      '1s',
      '--backoff-max',
      '3s',
    ],
    { backoff: [1e9, 1_667_000_000, 2_333_000_000] },
  ],
  [
    'REPLAY',
    ['--pull', '--replay', 'original', '--sample', '30', '--headers-only', '--description', 'how it was'],
    { replay_policy: 'original', sample_freq: '30', headers_only: true, description: 'how it was' },
  ],
  [
    'MEMORY',
    ['--pull', '--memory', '--inactive-threshold', '1h', '--metadata', 'a=b'],
    { mem_storage: true, inactive_threshold: 36e11 },
  ],
  ['PAUSED', ['--pull', '--pause', '1h'], {}],
  [
    'PINNED',
    ['--pull', '--pinned-groups', 'g', '--pinned-ttl', '5s'],
    { priority_policy: 'pinned_client', priority_groups: ['g'], priority_timeout: 5e9 },
  ],
  ['FIRST', ['--pull', '--prioritized-groups', 'g'], { priority_policy: 'prioritized', priority_groups: ['g'] }],
  [
    'PUSH',
    ['--target', 'to.push', '--deliver-group', 'q', '--bps', '80000', '--heartbeat', '2s', '--flow-control'],
    { deliver_subject: 'to.push', deliver_group: 'q', rate_limit_bps: 80000, idle_heartbeat: 2e9, flow_control: true },
  ],
];

async function withOrders(context: TestContext, kind: ServerKind): Promise<ServerProcess> {
  const server = await serverFor(context, kind, { config: 'jetstream { store_dir: "store" }\n' });
  await cli(server, ['stream', 'add', 'ORDERS', '--subjects', 'orders.>', '--storage', 'file', '--replicas', '1', '--defaults']);
  for (const item of ['a', 'b', 'c']) await cli(server, ['pub', '--jetstream', `orders.${item}`, `order ${item}`]);
  return server;
}

interface Info {
  readonly config: Config;
  readonly num_pending: number;
  readonly paused?: boolean;
  readonly priority_groups?: readonly { readonly pinned_client_id?: string }[];
}

async function infoOf(server: ServerProcess, name: string): Promise<Info> {
  return JSON.parse(await cli(server, ['consumer', 'info', 'ORDERS', name, '--json'])) as Info;
}

function add(server: ServerProcess, name: string, flags: readonly string[]): Promise<string> {
  return cli(server, ['consumer', 'add', 'ORDERS', name, ...flags, '--defaults']);
}

function sessions(kind: ServerKind): void {
  test('adds consumers with every flag', async (t) => {
    const server = await withOrders(t, kind);
    for (const [name, flags, shown] of additions) {
      await add(server, name, flags);
      const { config } = await infoOf(server, name);
      assert.deepEqual({ ...config, ...shown }, config, `${name}: ${JSON.stringify(config)}`);
    }
    assert.equal((await infoOf(server, 'PAUSED')).paused, true);
    const names = (await cli(server, ['consumer', 'ls', 'ORDERS', '--names'])).trim().split(/\s+/);
    assert.deepEqual(names.sort(), additions.map(([name]) => name).sort());
    assert.match(await cli(server, ['consumer', 'report', 'ORDERS']), /BACKOFF/);
  });

  test('takes messages, one by one, in batches and as they come', async (t) => {
    const server = await withOrders(t, kind);
    await add(server, 'C', ['--pull']);
    assert.match(await cli(server, ['consumer', 'next', 'ORDERS', 'C']), /order a/);
    assert.match(await cli(server, ['consumer', 'next', 'ORDERS', 'C', '--count', '2']), /order b[^]*order c/);
    assert.equal((await infoOf(server, 'C')).num_pending, 0);
    const all = startCli(server, ['sub', '--stream', 'ORDERS', '--all', '--count', '3']);
    assert.match((await all.finished).output, /order a[^]*order b[^]*order c/);
    const last = startCli(server, ['sub', '--stream', 'ORDERS', 'orders.b', '--last', '--count', '1']);
    assert.match((await last.finished).output, /order b/);
    const durable = startCli(server, ['sub', '--stream', 'ORDERS', '--durable', 'NEW', '--all', '--count', '2']);
    assert.match((await durable.finished).output, /order a[^]*order b/);
  });

  test('edits, copies, finds and removes', async (t) => {
    const server = await withOrders(t, kind);
    await add(server, 'C', ['--pull']);
    await cli(server, [
      'consumer',
      'edit',
      'ORDERS',
      'C',
      '--description',
      'edited',
      '--max-pending',
      '5',
      '--filter',
      'orders.a',
      '--force',
    ]);
    const { config, num_pending } = await infoOf(server, 'C');
    assert.deepEqual([config['description'], config['max_ack_pending'], num_pending], ['edited', 5, 1]);
    await cli(server, ['consumer', 'copy', 'ORDERS', 'C', 'D', '--description', 'copied']);
    assert.equal((await infoOf(server, 'D')).config['description'], 'copied');
    assert.match(await cli(server, ['consumer', 'find', 'ORDERS', '--pull']), /C[^]*D/);
    assert.match(await cli(server, ['consumer', 'state', 'ORDERS', 'C']), /Unprocessed Messages: 1/);
    await cli(server, ['consumer', 'rm', 'ORDERS', 'C', '--force']);
    assert.equal((await cli(server, ['consumer', 'ls', 'ORDERS', '--names'])).trim(), 'D');
  });

  test('pauses, resumes, resets and unpins', async (t) => {
    const server = await withOrders(t, kind);
    await add(server, 'C', ['--pull']);
    await cli(server, ['consumer', 'pause', 'ORDERS', 'C', '1h', '--force']);
    assert.equal((await infoOf(server, 'C')).paused, true);
    await cli(server, ['consumer', 'resume', 'ORDERS', 'C', '--force']);
    assert.equal((await infoOf(server, 'C')).paused, undefined);
    assert.match(await cli(server, ['consumer', 'next', 'ORDERS', 'C', '--count', '2']), /order b/);
    await cli(server, ['consumer', 'reset', 'ORDERS', 'C', '--sequence', '1', '--force']);
    assert.equal((await infoOf(server, 'C')).num_pending, 3);

    await add(server, 'P', ['--pull', '--pinned-groups', 'g', '--pinned-ttl', '1h']);
    await cli(server, ['request', '$JS.API.CONSUMER.MSG.NEXT.ORDERS.P', '{"batch":1,"group":"g"}']);
    const pinned = async (): Promise<string | undefined> => (await infoOf(server, 'P')).priority_groups?.[0]?.pinned_client_id;
    assert.notEqual(await pinned(), undefined);
    await cli(server, ['consumer', 'unpin', 'ORDERS', 'P', 'g', '--force']);
    assert.equal(await pinned(), undefined);
  });
}

for (const { kind, skip } of targets) {
  describe(`the nats CLI on consumers of ${kind}`, { skip: skip || skipWithout('nats') }, () => sessions(kind));
}
