/**
 * How long a server takes to be ready again over a stream of many subjects: after `kill -9`, where an index nobody wrote has to be made anew,
 * and after a clean stop. Ready is when the stream answers.
 */
import { monitoring } from '../../test/support/monitoring.ts';
import { ServerProcess, type ServerKind } from '../../test/support/server.ts';
import { StoredLoad } from './stored-load.ts';
import { jetstream, type Measure, type Workload } from './workload.ts';

const PAYLOAD = 'x'.repeat(128);

/** The folder a server keeps its streams in. */
export async function storeOf(server: ServerProcess): Promise<string> {
  const { config } = (await monitoring(server, '/jsz')) as { config: { store_dir: string } };
  return config.store_dir.replace(/\/jetstream$/, '');
}

/** Starts a server over the store; resolves when the stream has answered, with the time that took. */
export async function startOver(
  kind: ServerKind,
  store: string,
  stream = 'BENCH',
): Promise<{ readonly server: ServerProcess; readonly ms: number }> {
  const started = performance.now();
  const server = await ServerProcess.start(kind, { args: ['-m', '-1', '-js', '-sd', store] });
  const load = await StoredLoad.open(server.port);
  await load.run(1, 1, () => [`$JS.API.STREAM.INFO.${stream}`, '']);
  load.end();
  return { server, ms: performance.now() - started };
}

async function restart(server: ServerProcess, messages: number): Promise<readonly Measure[]> {
  const load = await StoredLoad.open(server.port);
  const stream = JSON.stringify({ name: 'BENCH', subjects: ['bench.>'], storage: 'file', retention: 'limits', num_replicas: 1 });
  await load.run(1, 1, () => ['$JS.API.STREAM.CREATE.BENCH', stream]);
  const distinct = messages >> 1;
  await load.run(messages, 1000, (index) => [`bench.${index % 97}.${index % distinct}`, PAYLOAD]);
  load.end();
  const store = await storeOf(server);
  await server.kill();
  const killed = await startOver(server.kind, store);
  await killed.server.stop();
  const stopped = await startOver(server.kind, store);
  await stopped.server.kill();
  return [
    { name: 'ready after kill -9', unit: 'ms', better: 'less', value: killed.ms },
    { name: 'ready after a stop', unit: 'ms', better: 'less', value: stopped.ms },
  ];
}

export const restarting: readonly Workload[] = [
  jetstream('js-restart', 'ready again with a stream of half as many subjects as messages', 1_000_000, restart),
];
