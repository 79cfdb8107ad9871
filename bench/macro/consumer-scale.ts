/**
 * Consumers at scale: filters over a large stream, a thousand durable consumers, very many idle ones, a key-value bucket watched whole, and a
 * work queue that is emptied. The stream is filled first, which is not measured.
 */
import type { ServerProcess } from '../../test/support/server.ts';
import { cpuSeconds, residentKiB } from './process-cost.ts';
import { startOver, storeOf } from './restarting.ts';
import { StoredLoad } from './stored-load.ts';
import { StreamClient } from './stream-client.ts';
import { cost, jetstream, rate, type Measure, type Workload } from './workload.ts';

const payload = 'x'.repeat(100);

async function connected<Value>(server: ServerProcess, use: (client: StreamClient) => Promise<Value>): Promise<Value> {
  const client = await StreamClient.connect(server.port);
  try {
    return await use(client);
  } finally {
    client.end();
  }
}

/** Creates a stream and stores `count` messages in it, each acknowledged. */
async function fill(
  server: ServerProcess,
  name: string,
  config: object,
  count: number,
  subject: (n: number) => string,
): Promise<void> {
  const load = await StoredLoad.open(server.port);
  const document = JSON.stringify({ name, storage: 'file', ...config });
  await load.run(1, 1, () => [`$JS.API.STREAM.CREATE.${name}`, document]);
  await load.run(count, 2000, (n) => [subject(n), payload]);
  load.end();
}

function milliseconds(name: string, value: number): Measure {
  return { name, unit: 'ms', better: 'less', value };
}

function create(client: StreamClient, stream: string, name: string, config: object): Promise<Record<string, unknown>> {
  const whole = { name, durable_name: name, ack_policy: 'explicit', deliver_policy: 'all', ...config };
  return client.api(`CONSUMER.CREATE.${stream}.${name}`, { stream_name: stream, config: whole });
}

/** Pulls `count` messages of a consumer in batches, acknowledging where asked. */
function pull(client: StreamClient, stream: string, name: string, count: number, batch: number, ack = false): Promise<void> {
  const inbox = `pull.${name}`;
  let left = count;
  let inBatch = 0;
  const ask = (): void => {
    const body = JSON.stringify({ batch: Math.min(batch, left), expires: 30_000_000_000 });
    inBatch = Math.min(batch, left);
    client.write(`PUB $JS.API.CONSUMER.MSG.NEXT.${stream}.${name} ${inbox} ${body.length}\r\n${body}\r\n`);
  };
  let acks = '';
  return new Promise((resolve, reject) => {
    client.subscribe(inbox, ({ reply, headers }) => {
      if (reply === '') return reject(new Error(`${name}: ${headers.toString()} with ${left} left`));
      if (ack) acks += `PUB ${reply} 0\r\n\r\n`;
      left -= 1;
      inBatch -= 1;
      if (acks.length > 0 && (inBatch === 0 || acks.length > 16_384)) {
        client.write(acks);
        acks = '';
      }
      if (left === 0) resolve();
      else if (inBatch === 0) ask();
    });
    ask();
  });
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** One message in 5,000 matches, then nearly all do. */
function filters(server: ServerProcess, count: number): Promise<readonly Measure[]> {
  return connected(server, async (client) => {
    const subject = (n: number): string => (n % 10_000 === 9_999 ? 'f.rare' : `f.many.${n % 5_000}`);
    await fill(server, 'F', { subjects: ['f.>'] }, count, subject);
    const few = Math.min(100, Math.floor(count / 5_000));
    const sparse = await timed(async () => {
      await create(client, 'F', 'sparse', { filter_subject: 'f.many.77' });
      await pull(client, 'F', 'sparse', few, few);
    });
    const created = await timed(() => create(client, 'F', 'wide', { filter_subject: 'f.*.*', ack_policy: 'none' }));
    await create(client, 'F', 'all', { ack_policy: 'none' });
    const most = Math.floor(count * 0.9);
    const all = await timed(() => pull(client, 'F', 'all', most, 1000));
    const wide = await timed(() => pull(client, 'F', 'wide', most, 1000));
    return [
      milliseconds('first 100 of 1 in 5,000', sparse),
      milliseconds('create, 99.99 % match', created),
      { ...rate((most * 1000) / all), name: 'unfiltered' },
      { ...rate((most * 1000) / wide), name: '99.99 % match' },
    ];
  });
}

/** A thousand durable consumers on one stream. */
function durables(server: ServerProcess, count: number): Promise<readonly Measure[]> {
  return connected(server, async (client) => {
    const messages = 100;
    const published = 100_000;
    await fill(server, 'D', { subjects: ['d.>'] }, messages, () => 'd.x');
    await client.api('STREAM.CREATE.P', { name: 'P', storage: 'file', subjects: ['p.>'] });
    const publish = (): Promise<void> => client.each(published, 500, () => client.request('p.x', payload));
    await publish();
    const before = await timed(publish);
    const creating = await timed(() => client.each(count, 50, (n) => create(client, 'D', `c${n}`, {})));
    await client.each(count, 50, (n) => create(client, 'P', `c${n}`, { deliver_policy: 'new' }));
    const after = await timed(publish);
    const cpu = cpuSeconds(server.pid);
    const fetching = await timed(() => client.each(count, 100, (n) => pull(client, 'D', `c${n}`, messages, messages, true)));
    return [
      { name: 'creates', unit: '/s', better: 'more', value: (count * 1000) / creating },
      { name: 'publishes with them, to without', unit: 'x', better: 'more', value: before / after },
      { ...rate((count * messages * 1000) / fetching), name: 'fetches' },
      cost(server.pid, cpu, count * messages),
    ];
  });
}

/** Consumers that nobody uses. */
function idle(server: ServerProcess, count: number): Promise<readonly Measure[]> {
  return connected(server, async (client) => {
    await fill(server, 'I', { subjects: ['i.>'] }, 1000, (n) => `i.${n % 10}`);
    const base = residentKiB(server.pid);
    const tenth = Math.ceil(count / 10);
    const make = (from: number, to: number): Promise<number> =>
      timed(() =>
        client.each(to - from, 100, (n) => create(client, 'I', `c${from + n}`, { filter_subject: `i.${(from + n) % 10}` })),
      );
    const first = await make(0, tenth);
    const middle = await make(tenth, count - tenth);
    const last = await make(count - tenth, count);
    const resident = residentKiB(server.pid);
    const store = await storeOf(server);
    await server.stop();
    const again = await startOver(server.kind, store, 'I');
    const afterwards = residentKiB(again.server.pid);
    await again.server.kill();
    return [
      { name: 'creates', unit: '/s', better: 'more', value: (count * 1000) / (first + middle + last) },
      { name: 'creates, last to first tenth', unit: 'x', better: 'more', value: first / last },
      { name: 'resident', unit: 'MiB', better: 'less', value: resident / 1024 },
      { name: 'resident a consumer', unit: 'KiB', better: 'less', value: (resident - base) / count },
      { name: 'ready again', unit: 'ms', better: 'less', value: again.ms },
      { name: 'resident then', unit: 'MiB', better: 'less', value: afterwards / 1024 },
    ];
  });
}

/** What is created on a large stream: deliver policies and filters, over a tenth as many subjects as messages. */
const starts: Readonly<Record<string, object>> = {
  'no filter': {},
  'a subject': { filter_subject: 'l.7.77' },
  'a wildcard, 1 in 10': { filter_subject: 'l.7.*' },
  'a wildcard, all': { filter_subject: 'l.*.*' },
  'three filters': { filter_subjects: ['l.1.*', 'l.2.*', 'l.3.33'] },
  'last per subject, 1 in 10': { filter_subject: 'l.7.*', deliver_policy: 'last_per_subject' },
  'last per subject, all': { filter_subject: 'l.>', deliver_policy: 'last_per_subject' },
};
const repeats = 7;

/** Creating consumers on a stream of very many messages. */
function large(server: ServerProcess, count: number): Promise<readonly Measure[]> {
  return connected(server, async (client) => {
    const subjects = Math.ceil(count / 10);
    await fill(server, 'L', { subjects: ['l.>'] }, count, (n) => `l.${n % 10}.${n % subjects}`);
    const { state } = (await client.api('STREAM.INFO.L')) as { state: { first_ts: string; last_ts: string } };
    const middle = new Date((Date.parse(state.first_ts) + Date.parse(state.last_ts)) / 2).toISOString();
    const fromMiddle = { deliver_policy: 'by_start_time', opt_start_time: middle };
    const all = { ...starts, 'by time, 1 in 10': { ...fromMiddle, filter_subject: 'l.7.*' }, 'by time, all': fromMiddle };
    const measures: Measure[] = [];
    for (const [name, config] of Object.entries(all)) {
      const times: number[] = [];
      for (let index = 0; index < repeats; index++) {
        times.push(await timed(() => create(client, 'L', `c${index}`, config)));
        await client.api(`CONSUMER.DELETE.L.c${index}`);
      }
      measures.push(milliseconds(`create, ${name}`, times.sort((a, b) => a - b)[repeats >> 1] ?? 0));
    }
    return measures;
  });
}

/** A bucket of very many keys: watched whole, and read key by key. */
function keys(server: ServerProcess, count: number): Promise<readonly Measure[]> {
  return connected(server, async (client) => {
    const config = { subjects: ['$KV.B.>'], max_msgs_per_subject: 1, allow_direct: true, discard: 'new' };
    await fill(server, 'KV_B', config, count, (n) => `$KV.B.key${n}`);
    let left = count;
    let resolveWatch: () => void = () => {};
    const watched = new Promise<void>((resolve) => (resolveWatch = resolve));
    client.subscribe('watch', ({ reply, headers }) => {
      if (headers.length > 0 && headers.toString().startsWith('NATS/1.0 100')) {
        if (reply !== '') client.write(`PUB ${reply} 0\r\n\r\n`);
      } else if (--left === 0) resolveWatch();
    });
    const cpu = cpuSeconds(server.pid);
    const flow = { flow_control: true, idle_heartbeat: 5_000_000_000 };
    const watch = await timed(async () => {
      const watcher = {
        deliver_subject: 'watch',
        deliver_policy: 'last_per_subject',
        ack_policy: 'none',
        filter_subject: '$KV.B.>',
      };
      await client.api('CONSUMER.CREATE.KV_B.w', {
        stream_name: 'KV_B',
        config: { name: 'w', mem_storage: true, ...watcher, ...flow },
      });
      await watched;
    });
    const spent = cost(server.pid, cpu, count);
    const gets = 200_000;
    const before = cpuSeconds(server.pid);
    const load = await StoredLoad.open(server.port);
    const getting = await load.run(gets, 200, (n) => [`$JS.API.DIRECT.GET.KV_B.$KV.B.key${(n * 7919) % count}`, '']);
    load.end();
    return [
      { ...rate((count * 1000) / watch), name: 'watch' },
      { ...spent, name: 'server CPU a message watched' },
      { ...rate(getting), name: 'direct gets' },
      { ...cost(server.pid, before, gets), name: 'server CPU a get' },
    ];
  });
}

/** A work queue emptied by eight workers. */
function queue(server: ServerProcess, count: number): Promise<readonly Measure[]> {
  return connected(server, async (client) => {
    await fill(server, 'Q', { subjects: ['q.>'], retention: 'workqueue' }, count, () => 'q.x');
    await create(client, 'Q', 'w', { max_ack_pending: 20_000 });
    const workers = await Promise.all(Array.from({ length: 8 }, () => StreamClient.connect(server.port)));
    const base = residentKiB(server.pid);
    const cpu = cpuSeconds(server.pid);
    let left = count;
    /** Resident memory when a third is done: the server is warm then. */
    let warm = base;
    const third = Math.floor((count * 2) / 3);
    const seen = new Uint8Array(count + 1);
    let twice = 0;
    const working = await timed(
      () =>
        new Promise<void>((resolve) => {
          for (const [index, worker] of workers.entries()) {
            const body = JSON.stringify({ batch: 500, expires: 30_000_000_000 });
            const ask = `PUB $JS.API.CONSUMER.MSG.NEXT.Q.w work.${index} ${body.length}\r\n${body}\r\n`;
            let inBatch = 500;
            let acks = '';
            worker.subscribe(`work.${index}`, ({ reply }) => {
              if (reply === '') return worker.write(ask);
              const seq = Number(reply.split('.')[5]);
              if (seen[seq] === 1) twice += 1;
              seen[seq] = 1;
              acks += `PUB ${reply} 0\r\n\r\n`;
              inBatch -= 1;
              left -= 1;
              if (left === third) warm = residentKiB(server.pid);
              if (inBatch > 0 && left > 0) return;
              worker.write(inBatch === 0 ? acks + ask : acks);
              acks = '';
              if (inBatch === 0) inBatch = 500;
              if (left === 0) resolve();
            });
            worker.write(ask);
          }
        }),
    );
    for (const worker of workers) await worker.flushed();
    const resident = residentKiB(server.pid);
    const info = await client.api('STREAM.INFO.Q');
    for (const worker of workers) worker.end();
    const state = info['state'] as { readonly messages: number };
    return [
      rate((count * 1000) / working),
      cost(server.pid, cpu, count),
      { name: 'delivered twice', unit: '', better: 'less', value: twice },
      { name: 'left at the end', unit: '', better: 'less', value: state.messages },
      { name: 'resident grew to', unit: 'MiB', better: 'less', value: resident / 1024 },
      { name: 'of it after the first third', unit: 'MiB', better: 'less', value: (resident - warm) / 1024 },
    ];
  });
}

export const consumerScale: readonly Workload[] = [
  jetstream('js-filters', 'consumers with filters over a large stream', 1_000_000, filters),
  jetstream('js-durables', 'a thousand durable consumers on one stream', 1_000, durables),
  { ...jetstream('js-idle', 'very many consumers that nobody uses', 100_000, idle), natsServerMessages: 10_000 },
  { ...jetstream('js-large', 'consumers created on a large stream', 10_000_000, large), natsServerMessages: 1_000_000 },
  jetstream('kv-keys', 'a bucket of a million keys: watch, gets', 1_000_000, keys),
  jetstream('js-queue', 'a work queue emptied by 8 workers', 3_000_000, queue),
];
