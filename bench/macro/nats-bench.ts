/**
 * Runs `nats bench` of the official CLI and reads the line of statistics it ends with. The command and its flags are those of CLI 0.4;
 * output that cannot be read is an error with the output in it, never a number.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { findPeer } from '../../test/support/peers.ts';

export interface BenchResult {
  readonly messagesPerSecond: number;
  /** Median time of one request or publish in microseconds, where the workload measures it. */
  readonly p50Us?: number;
  readonly p99Us?: number;
}

export interface RunningBench {
  readonly result: Promise<BenchResult>;
  /** Ends a workload that runs until told. */
  stop(): Promise<void>;
}

function count(text: string | undefined): number {
  return Number((text ?? '').replaceAll(',', ''));
}

function microseconds(text: string, name: string): number | undefined {
  const match = new RegExp(`${name}: ([\\d,.]+)us`).exec(text);
  return match === null ? undefined : count(match[1]);
}

/** Reads the last statistics line; `aggregated stats` where several clients ran. */
export function readStatistics(output: string): BenchResult {
  const lines = output.split('\n').filter((line) => /stats: [\d,]+ msgs\/sec/.test(line));
  const line = lines.find((candidate) => candidate.includes('aggregated')) ?? lines.at(-1);
  if (line === undefined) throw new Error(`nats bench printed no statistics:\n${output}`);
  const messagesPerSecond = count(/stats: ([\d,]+) msgs/.exec(line)?.[1]);
  const p50Us = microseconds(line, 'P50');
  const p99Us = microseconds(line, 'P99');
  return { messagesPerSecond, ...(p50Us === undefined ? {} : { p50Us }), ...(p99Us === undefined ? {} : { p99Us }) };
}

const live = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of live) child.kill('SIGKILL');
});

/** The official CLI. */
export function natsProgram(): string {
  const program = findPeer('nats');
  if (program === undefined) throw new Error('the nats CLI was not found: `npm run peers` builds it where Go is there');
  return program;
}

export function startBench(url: string, args: readonly string[], withinMs = 120_000): RunningBench {
  const program = natsProgram();
  const child = spawn(program, ['--server', url, '--no-context', '--timeout', '20s', 'bench', ...args, '--no-progress'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  live.add(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  const timer = setTimeout(() => child.kill('SIGKILL'), withinMs);
  const result = ended.then((code) => {
    clearTimeout(timer);
    live.delete(child);
    if (code !== 0)
      throw new Error(`nats bench ${args.join(' ')} ended with ${code ?? `nothing after ${withinMs} ms`}: ${lastLine(output)}`);
    return readStatistics(output);
  });
  return {
    result,
    stop: async () => {
      child.kill('SIGINT');
      await result.catch(() => undefined);
    },
  };
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? '';
}
