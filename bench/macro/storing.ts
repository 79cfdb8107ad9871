/**
 * Workloads of storing: publishing to streams with acknowledgements, one by one and many under way, and what grows with a store: many
 * subjects, many streams, many consumers. By default Slipstream acknowledges behind the sync and nats-server before it; rows named `-2m` and
 * `-always` give both the same promise.
 */
import type { ServerProcess } from '../../test/support/server.ts';
import { startBench, type RunningBench } from './nats-bench.ts';
import { cpuSeconds, residentKiB } from './process-cost.ts';
import { loginLoad, StoredLoad } from './stored-load.ts';
import { always, cost, jetstream, measured, settled, unsynced, type Measure, type Workload } from './workload.ts';

interface Shape {
  readonly how: 'async' | 'sync' | 'batch';
  readonly size?: string;
  readonly storage?: 'file' | 'memory';
  /** One that waits for its acknowledgements is idle meanwhile, and is what limits a fast server. */
  readonly clients?: number;
  /** Whether the first messages of a server that has just started are measured. */
  readonly cold?: boolean;
}

/** Everything is published twice, and measured the second time: a server that has been at work, as those of users have. */
function publishing({ how, size = '128', storage = 'file', clients = 1, cold = false }: Shape): Workload['run'] {
  const stream = ['--clients', String(clients), '--create', '--storage', storage, '--maxbytes', '4GB', '--purge'];
  return async (server, messages) => {
    const publish = (count: number): RunningBench =>
      startBench(server.url, ['js', 'pub', how, 'bench', '--msgs', String(count), '--size', size, ...stream]);
    if (!cold) {
      await publish(messages).result;
      await settled();
    }
    return measured(server, messages, publish(messages));
  };
}

function perSecond(name: string, value: number): Measure {
  return { name, unit: '/s', better: 'more', value };
}

function resident(server: ServerProcess, name: string): Measure {
  return { name, unit: 'MiB', better: 'less', value: residentKiB(server.pid) / 1024 };
}

function streamConfig(name: string, subject: string): string {
  return JSON.stringify({ name, subjects: [subject], storage: 'file', retention: 'limits', allow_direct: true, num_replicas: 1 });
}

const PAYLOAD = 'x'.repeat(128);

/** Twice as many messages as subjects, then the last message of a tenth of the subjects, then a purge of one in a thousand. */
async function subjects(server: ServerProcess, messages: number): Promise<readonly Measure[]> {
  const load = await StoredLoad.open(server.port);
  const distinct = messages >> 1;
  await load.run(1, 1, () => ['$JS.API.STREAM.CREATE.BENCH', streamConfig('BENCH', 'bench.>')]);
  const subject = (index: number): string => `bench.${index % 97}.${index}`;
  const before = cpuSeconds(server.pid);
  const published = await load.run(messages, 1000, (index) => [subject(index % distinct), PAYLOAD]);
  const spent = cost(server.pid, before, messages);
  const full = resident(server, 'resident');
  const step = (index: number): number => (index * 7919) % distinct;
  const direct = await load.run(distinct / 10, 100, (index) => [`$JS.API.DIRECT.GET.BENCH.${subject(step(index))}`, '']);
  const request = (index: number): string => `{"last_by_subj":"${subject(step(index))}"}`;
  const asked = await load.run(distinct / 10, 100, (index) => ['$JS.API.STREAM.MSG.GET.BENCH', request(index)]);
  const purge = (index: number): string => `{"filter":"${subject(index * 1000)}"}`;
  const purged = await load.run(distinct / 1000, 20, (index) => ['$JS.API.STREAM.PURGE.BENCH', purge(index)]);
  load.end();
  return [
    perSecond('publishes', published),
    spent,
    full,
    perSecond('last by subject, direct', direct),
    perSecond('last by subject, API', asked),
    perSecond('purges of a subject', purged),
  ];
}

/** Streams are made, then published to in turn. */
async function streams(server: ServerProcess, messages: number): Promise<readonly Measure[]> {
  const load = await StoredLoad.open(server.port);
  const count = Math.min(1000, messages);
  const create = (index: number) => [`$JS.API.STREAM.CREATE.S${index}`, streamConfig(`S${index}`, `many.${index}`)] as const;
  const created = await load.run(count, 20, create);
  const before = cpuSeconds(server.pid);
  const published = await load.run(messages, 5000, (index) => [`many.${index % count}`, PAYLOAD]);
  const spent = cost(server.pid, before, messages);
  load.end();
  return [perSecond('streams created', created), perSecond('publishes', published), spent, resident(server, 'resident')];
}

/** Durable consumers of one stream, with nothing to deliver. */
async function consumers(server: ServerProcess, count: number): Promise<readonly Measure[]> {
  const load = await StoredLoad.open(server.port);
  await load.run(1, 1, () => ['$JS.API.STREAM.CREATE.BENCH', streamConfig('BENCH', 'bench')]);
  const create = (index: number): string =>
    JSON.stringify({ stream_name: 'BENCH', config: { durable_name: `C${index}`, ack_policy: 'explicit' }, action: 'create' });
  const created = await load.run(count, 20, (index) => [`$JS.API.CONSUMER.CREATE.BENCH.C${index}`, create(index)]);
  load.end();
  return [perSecond('consumers created', created)];
}

const users = `authorization { users: [
  { user: bench, password: bench }
  { user: slow, password: "$2b$11$bBa2.MKnQeImrk54ZSJCsOrwaIWGowHS/q0bJuQdxshvz03SH0vsq" }
] }`;

/** The time one synced publish takes, alone and while sixteen clients log in with bcrypt passwords again and again. */
async function logins(server: ServerProcess, messages: number): Promise<readonly Measure[]> {
  const url = server.url.replace('nats://', 'nats://bench:bench@');
  const publish = async (name: string): Promise<Measure> => {
    const run = startBench(url, [
      'js',
      'pub',
      'sync',
      'bench',
      '--msgs',
      String(messages),
      '--size',
      '128',
      '--create',
      '--purge',
    ]);
    return { name, unit: 'us', better: 'less', value: (await run.result).p50Us ?? Number.NaN };
  };
  const alone = await publish('p50 alone');
  const load = loginLoad(server.port, 16, { user: 'slow', pass: 'secret' });
  const busy = await publish('p50 with logins');
  return [alone, busy, perSecond('logins', await load.end())];
}

/** Both sides of a comparison differ in what one message costs: nats-server syncs for each. */
const few = { natsServerMessages: 4000 };

export const storing: readonly Workload[] = [
  jetstream('js-async', 'publish to a file stream, 500 under way', 1_500_000, publishing({ how: 'async' })),
  jetstream('js-async-cold', 'the first messages after a start', 300_000, publishing({ how: 'async', cold: true })),
  { ...jetstream('js-async-always', 'both synced', 1_500_000, publishing({ how: 'async' })), ...always, ...few },
  { ...jetstream('js-async-2m', 'neither synced', 1_500_000, publishing({ how: 'async' })), ...unsynced },
  jetstream('js-async-4', 'the same by 4 clients', 1_500_000, publishing({ how: 'async', clients: 4 })),
  {
    ...jetstream('js-async-2m-4', 'by 4 clients, neither synced', 1_500_000, publishing({ how: 'async', clients: 4 })),
    ...unsynced,
  },
  jetstream('js-async-1k', '1 KiB, 500 under way', 300_000, publishing({ how: 'async', size: '1024' })),
  jetstream('js-batch', 'atomic batches of 500', 300_000, publishing({ how: 'batch' })),
  jetstream('js-memory', 'publish to a memory stream, 500 under way', 1_500_000, publishing({ how: 'async', storage: 'memory' })),
  jetstream(
    'js-memory-4',
    'publish to a memory stream by 4 clients',
    1_500_000,
    publishing({ how: 'async', storage: 'memory', clients: 4 }),
  ),
  { ...jetstream('js-sync', 'one at a time, both synced', 20_000, publishing({ how: 'sync' })), ...always },
  { ...jetstream('js-sync-2m', 'one at a time, neither synced', 30_000, publishing({ how: 'sync' })), ...unsynced },
  {
    ...jetstream('js-sync-logins', 'one at a time, both synced, while others log in', 500, logins),
    config: { 'nats-server': `jetstream { sync_interval: always }\n${users}`, slipstream: users },
  },
  jetstream('subjects', 'a stream with half as many subjects as messages', 1_000_000, subjects),
  jetstream('streams', '1,000 streams, then publishes to each in turn', 200_000, streams),
  { ...jetstream('streams-always', 'the same, both synced', 20_000, streams), ...always },
  { ...jetstream('streams-2m', 'the same, neither synced', 200_000, streams), ...unsynced },
  jetstream('consumers', 'durable consumers are made', 1_000, consumers),
  { ...jetstream('consumers-always', 'the same, both synced', 300, consumers), ...always },
  { ...jetstream('consumers-2m', 'the same, neither synced', 1_000, consumers), ...unsynced },
];
