/**
 * What a workload is, and the measures that most of them take. A row knows how to load a running server and what it measures; it does not
 * know which server that is. `messages` is what the server carried, in and out, as the CPU time a message is counted by.
 */
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ServerKind, ServerProcess } from '../../test/support/server.ts';
import type { RunningBench } from './nats-bench.ts';
import { cpuSeconds } from './process-cost.ts';

/** One measured number of a workload, e.g. `rate`, and whether more or less of it is better. */
export interface Measure {
  readonly name: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly value: number;
}

export interface Workload {
  readonly name: string;
  readonly about: string;
  readonly messages: number;
  readonly jetstream: boolean;
  /** Configuration of a server, where it differs from its defaults. */
  readonly config?: Partial<Record<ServerKind, string>>;
  /** How many messages nats-server gets where the same number would take it minutes. */
  readonly natsServerMessages?: number;
  run(server: ServerProcess, messages: number): Promise<readonly Measure[]>;
}

/** The server's CPU time since `before`, a message. */
export function cost(pid: number, before: number, messages: number): Measure {
  return { name: 'server CPU a message', unit: 'us', better: 'less', value: ((cpuSeconds(pid) - before) * 1e6) / messages };
}

export function rate(value: number): Measure {
  return { name: 'rate', unit: 'msg/s', better: 'more', value };
}

/** Rate and cost of a run of `nats bench`. */
export async function measured(server: ServerProcess, messages: number, running: RunningBench): Promise<readonly Measure[]> {
  const before = cpuSeconds(server.pid);
  const result = await running.result;
  return [rate(result.messagesPerSecond), cost(server.pid, before, messages)];
}

/**
 * Lets processes that have just started come to rest: where the system puts three of them on two cores in their first moments stays so, and
 * is worth a tenth of a round trip, whichever server it is. What was written before is on disk then: a server that syncs does not pay for what
 * the one before it left to the system.
 */
export async function settled(): Promise<void> {
  await promisify(execFile)('sync');
  await delay(500);
}

export function core(name: string, about: string, messages: number, run: Workload['run']): Workload {
  return { name, about, messages, jetstream: false, run };
}

export function jetstream(name: string, about: string, messages: number, run: Workload['run']): Workload {
  return { name, about, messages, jetstream: true, run };
}

/** By default ours syncs before it acknowledges and nats-server behind it: both before, or both behind it. */
export const always = { config: { 'nats-server': 'jetstream { sync_interval: always }' } };
export const unsynced = { config: { slipstream: 'jetstream { sync_interval: 2m }' } };
