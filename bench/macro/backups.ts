/**
 * `nats stream backup` and `nats stream restore` of a stream of messages that do not compress: how long each takes, and the server's CPU time.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ServerProcess } from '../../test/support/server.ts';
import { temporaryFolder } from '../../test/support/temporary.ts';
import { natsProgram } from './nats-bench.ts';
import { cpuSeconds } from './process-cost.ts';
import { StoredLoad } from './stored-load.ts';
import { jetstream, settled, unsynced, type Measure, type Workload } from './workload.ts';

const TEXTS = Array.from({ length: 256 }, () => randomBytes(8192).toString('hex'));

async function timed(server: ServerProcess, name: string, args: readonly string[]): Promise<readonly Measure[]> {
  await settled();
  const before = cpuSeconds(server.pid);
  const begun = performance.now();
  await promisify(execFile)(natsProgram(), ['-s', server.url, 'stream', ...args, '--no-progress']);
  return [
    { name, unit: 'ms', better: 'less', value: performance.now() - begun },
    { name: `server CPU of ${name}`, unit: 'ms', better: 'less', value: (cpuSeconds(server.pid) - before) * 1e3 },
  ];
}

async function backups(server: ServerProcess, messages: number): Promise<readonly Measure[]> {
  const load = await StoredLoad.open(server.port);
  const stream = JSON.stringify({ name: 'BENCH', subjects: ['bench'], storage: 'file', retention: 'limits', num_replicas: 1 });
  await load.run(1, 1, () => ['$JS.API.STREAM.CREATE.BENCH', stream]);
  await load.run(messages, 200, (index) => ['bench', TEXTS[index % TEXTS.length] ?? '']);
  const folder = join(temporaryFolder(), 'backup');
  const backup = await timed(server, 'backup', ['backup', 'BENCH', folder]);
  await load.run(1, 1, () => ['$JS.API.STREAM.DELETE.BENCH', '']);
  load.end();
  return [...backup, ...(await timed(server, 'restore', ['restore', folder]))];
}

export const backingUp: readonly Workload[] = [
  jetstream('js-backup', 'a stream of 16 KiB messages backed up and restored', 30_000, backups),
  { ...jetstream('js-backup-2m', 'the same, restored without waiting for the disk', 30_000, backups), ...unsynced },
];
