/**
 * `npm run bench`: the same workloads on nats-server and on Slipstream, in turn, on private ports of this machine. Rounds are interleaved
 * (A B, then B A), numbers are medians, and each server is started afresh for each workload and round, so that none inherits another's state.
 * Prints a table and writes the same numbers to bench/results/. `npm run bench -- --help` says what can be chosen.
 */
import { mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findPeer, repositoryRoot } from '../../test/support/peers.ts';
import { ServerProcess, type ServerKind } from '../../test/support/server.ts';
import { removeFolder, temporaryFolder } from '../../test/support/temporary.ts';
import { residentKiB } from './process-cost.ts';
import { rowsOf, tableOf, type Row, type Sample } from './report.ts';
import { settled, type Measure, type Workload } from './workload.ts';
import { startUp, workloads } from './workloads.ts';

const help = `npm run bench -- [options]
  --workloads a,b   only these: ${[startUp, ...workloads.map(({ name }) => name)].join(', ')}
  --rounds N        rounds of each workload on each server (3)
  --scale F         factor on the message counts (1)
  --messages N      message count, the same for all chosen workloads
  --servers a,b     nats-server, slipstream (both)
  --slipstream-args "ARGS"   more arguments for Slipstream
  --json FILE       where the numbers go (bench/results/macro-DATE.json)`;

interface Choice {
  readonly names: readonly string[];
  readonly rounds: number;
  readonly scale: number;
  readonly messages: number | undefined;
  readonly kinds: readonly ServerKind[];
  readonly slipstreamArgs: readonly string[];
  readonly json: string;
}

function choiceOf(args: readonly string[]): Choice | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      workloads: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      scale: { type: 'string', default: '1' },
      messages: { type: 'string' },
      servers: { type: 'string', default: 'nats-server,slipstream' },
      'slipstream-args': { type: 'string', default: '' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const known = [startUp, ...workloads.map(({ name }) => name)];
  const names = values.workloads?.split(',') ?? known;
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`no workload is called ${unknown.join(', ')}\n${help}`);
  const kinds = values.servers.split(',').filter((kind): kind is ServerKind => kind === 'nats-server' || kind === 'slipstream');
  const stamp = new Date().toISOString().slice(0, 16).replaceAll(':', '');
  return {
    names,
    rounds: Number(values.rounds),
    scale: Number(values.scale),
    messages: values.messages === undefined ? undefined : Number(values.messages),
    kinds,
    slipstreamArgs: values['slipstream-args'].split(' ').filter((word) => word !== ''),
    json: values.json ?? join(repositoryRoot, 'bench', 'results', `macro-${stamp}.json`),
  };
}

/**
 * Removed at the end: file systems (ext4) pass over the inodes of files deleted in the last minute one by one, which would make the next
 * server's new files slow. What is in them goes at once: gigabytes of it fill the system's cache, and who writes next would pay for its room.
 */
const stores: string[] = [];
const LARGE = 1 << 20;

function emptyFiles(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.path, entry.name);
    if (entry.isFile() && statSync(path).size > LARGE) truncateSync(path);
  }
}

async function withServer<Value>(
  kind: ServerKind,
  choice: Choice,
  { jetstream, config }: Pick<Workload, 'jetstream' | 'config'>,
  use: (server: ServerProcess) => Promise<Value>,
): Promise<Value> {
  const store = temporaryFolder();
  const more = kind === 'slipstream' ? choice.slipstreamArgs : [];
  const text = config?.[kind];
  const args = ['-m', '-1', ...(jetstream ? ['-js', '-sd', store] : []), ...more];
  const server = await ServerProcess.start(kind, { args, ...(text === undefined ? {} : { config: text }) });
  try {
    return await use(server);
  } finally {
    await server.kill();
    emptyFiles(store);
    stores.push(store);
  }
}

async function sampleOf(kind: ServerKind, workload: Workload, choice: Choice): Promise<Sample> {
  const usual = (kind === 'nats-server' ? workload.natsServerMessages : undefined) ?? workload.messages;
  const messages = choice.messages ?? Math.max(1, Math.round(usual * choice.scale));
  try {
    const measures = await withServer(kind, choice, workload, async (server) => {
      await settled();
      return workload.run(server, messages);
    });
    return { measures };
  } catch (error) {
    return { lacking: (error instanceof Error ? error.message : String(error)).split('\n')[0] as string };
  }
}

/** Time from the start of the process to its readiness, and what it holds then. */
async function startSample(kind: ServerKind, choice: Choice): Promise<Sample> {
  const started = performance.now();
  try {
    const measures = await withServer(kind, choice, { jetstream: false }, async (server): Promise<readonly Measure[]> => {
      const value = performance.now() - started;
      return [
        { name: 'start to ready', unit: 'ms', better: 'less', value },
        { name: 'base resident', unit: 'MiB', better: 'less', value: residentKiB(server.pid) / 1024 },
      ];
    });
    return { measures };
  } catch (error) {
    return { lacking: (error instanceof Error ? error.message : String(error)).split('\n')[0] as string };
  }
}

/** All rounds of one workload; the order of the servers turns around each round. */
async function roundsOf(name: string, choice: Choice): Promise<Row[]> {
  const samples: Record<ServerKind, Sample[]> = { 'nats-server': [], slipstream: [] };
  const workload = workloads.find((candidate) => candidate.name === name);
  for (let round = 0; round < choice.rounds; round++) {
    const order = round % 2 === 0 ? choice.kinds : choice.kinds.toReversed();
    for (const kind of order) {
      const sample = workload === undefined ? await startSample(kind, choice) : await sampleOf(kind, workload, choice);
      samples[kind].push(sample);
    }
  }
  return rowsOf(name, samples['nats-server'], samples.slipstream);
}

async function main(): Promise<void> {
  const choice = choiceOf(process.argv.slice(2));
  if (choice === undefined) return console.log(help);
  if (choice.kinds.includes('nats-server') && findPeer('nats-server') === undefined)
    throw new Error('nats-server was not found: `npm run peers` builds it where Go is there');
  const rows: Row[] = [];
  for (const name of choice.names) {
    process.stderr.write(`${name} ...\n`);
    rows.push(...(await roundsOf(name, choice)));
  }
  console.log(tableOf(rows));
  const processor = cpus();
  const machine = { processor: processor[0]?.model, cores: processor.length, node: process.version };
  mkdirSync(join(choice.json, '..'), { recursive: true });
  writeFileSync(
    choice.json,
    `${JSON.stringify({ at: new Date().toISOString(), rounds: choice.rounds, scale: choice.scale, machine, rows }, null, 1)}\n`,
  );
  console.log(`\nmedians of ${choice.rounds} rounds; ${choice.json}`);
}

main()
  .finally(() => stores.forEach(removeFolder))
  .then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exit(1);
    },
  );
