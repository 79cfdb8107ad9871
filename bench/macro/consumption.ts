/**
 * Reading streams with `nats bench`: through each kind of consumer, by gets, and as a key-value bucket. The stream is filled first, which is
 * not measured.
 */
import type { ServerProcess } from '../../test/support/server.ts';
import { startBench } from './nats-bench.ts';
import { always, jetstream, measured, unsynced, type Measure, type Workload } from './workload.ts';

type Storage = 'file' | 'memory';

async function fill(server: ServerProcess, messages: number, storage: Storage): Promise<void> {
  const stream = ['--create', '--storage', storage, '--maxbytes', '4GB', '--purge'];
  await startBench(server.url, ['js', 'pub', 'async', 'bench', '--msgs', String(messages), '--size', '128', ...stream]).result;
}

/** `js <words>` over a filled stream. */
function reading(
  name: string,
  about: string,
  messages: number,
  words: readonly string[],
  storage: Storage = 'file',
  more: readonly string[] = [],
): Workload {
  const run = async (server: ServerProcess, count: number): Promise<readonly Measure[]> => {
    await fill(server, count, storage);
    return measured(server, count, startBench(server.url, ['js', ...words, '--msgs', String(count), '--size', '128', ...more]));
  };
  return jetstream(name, about, messages, run);
}

const put = (server: ServerProcess, count: number, clients: number) =>
  startBench(server.url, ['kv', 'put', '--msgs', String(count), '--size', '128', '--clients', String(clients)]);

function putting(name: string, about: string, messages: number, clients: number): Workload {
  return jetstream(name, about, messages, (server, count) => measured(server, count, put(server, count, clients)));
}

export const consumption: readonly Workload[] = [
  reading('js-ordered', 'read a stream, ordered consumer', 1_000_000, ['ordered']),
  reading('js-consume', 'read a stream, durable with a callback, explicit acks', 500_000, ['consume']),
  reading('js-consume-none', 'read a stream, durable with a callback, no acks', 1_000_000, ['consume'], 'file', [
    '--acks',
    'none',
  ]),
  reading('js-fetch', 'read a stream, durable with fetches, explicit acks', 500_000, ['fetch']),
  reading('js-fetch-memory', 'read a memory stream, durable with fetches, explicit acks', 500_000, ['fetch'], 'memory'),
  reading('js-get', 'direct gets, one at a time', 20_000, ['get', 'sync']),
  reading('js-get-batch', 'direct gets in batches of 500', 500_000, ['get', 'batch']),
  putting('kv-put', 'puts one at a time', 20_000, 1),
  { ...putting('kv-put-always', 'the same, both synced', 20_000, 1), ...always },
  { ...putting('kv-put-2m', 'the same, neither synced', 20_000, 1), ...unsynced },
  putting('kv-put-8', 'puts, 8 clients', 40_000, 8),
  { ...putting('kv-put-8-always', 'the same, both synced', 40_000, 8), ...always, natsServerMessages: 8_000 },
  { ...putting('kv-put-8-2m', 'the same, neither synced', 40_000, 8), ...unsynced },
  jetstream('kv-get', 'gets one at a time', 20_000, async (server, count) => {
    await put(server, count, 8).result;
    return measured(server, count, startBench(server.url, ['kv', 'get', '--msgs', String(count), '--size', '128']));
  }),
  jetstream('kv-get-8', 'gets, 8 clients', 60_000, async (server, count) => {
    await put(server, count, 8).result;
    const gets = ['kv', 'get', '--msgs', String(count), '--size', '128', '--clients', '8'];
    return measured(server, count, startBench(server.url, gets));
  }),
];
