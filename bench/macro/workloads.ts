/**
 * The workloads, one row each: of core NATS here, of storing in storing.ts, of starting again in restarting.ts, of backups in
 * backups.ts, of reading streams in consumption.ts and consumer-scale.ts.
 */
import { awaitMonitoring, monitoring } from '../../test/support/monitoring.ts';
import type { ServerProcess } from '../../test/support/server.ts';
import { backingUp } from './backups.ts';
import { consumerScale } from './consumer-scale.ts';
import { consumption } from './consumption.ts';
import { startBench } from './nats-bench.ts';
import { cpuSeconds, residentKiB } from './process-cost.ts';
import { connectionLoad, subscriptionLoad } from './raw-load.ts';
import { restarting } from './restarting.ts';
import { storing } from './storing.ts';
import { core, cost, measured, rate, settled, type Measure, type Workload } from './workload.ts';

/** A publisher with nobody listening. */
async function publish(server: ServerProcess, messages: number, size: string): Promise<readonly Measure[]> {
  return measured(server, messages, startBench(server.url, ['pub', 'bench', '--msgs', String(messages), '--size', size]));
}

/** One publisher to several subscribers; the rate is that of all deliveries, as the subscribers saw it. */
async function deliver(server: ServerProcess, messages: number, receivers: number): Promise<readonly Measure[]> {
  const own = Number((await monitoring(server, '/varz'))['subscriptions']);
  const before = cpuSeconds(server.pid);
  const shape = ['--msgs', String(messages), '--size', '128'];
  const subscribers = startBench(server.url, ['sub', 'bench', '--clients', String(receivers), ...shape]);
  await awaitMonitoring(server, '/varz', (varz) => Number(varz['subscriptions']) >= own + receivers);
  const publisher = startBench(server.url, ['pub', 'bench', ...shape]);
  const [received] = await Promise.all([subscribers.result, publisher.result]);
  return [rate(received.messagesPerSecond), cost(server.pid, before, messages * (1 + receivers))];
}

async function request(server: ServerProcess, messages: number): Promise<readonly Measure[]> {
  const own = Number((await monitoring(server, '/varz'))['subscriptions']);
  const service = startBench(server.url, ['service', 'serve', 'bench', '--size', '128']);
  await awaitMonitoring(server, '/varz', (varz) => Number(varz['subscriptions']) > own);
  await settled();
  const before = cpuSeconds(server.pid);
  const result = await startBench(server.url, ['service', 'request', 'bench', '--msgs', String(messages), '--size', '128'])
    .result;
  const spent = cost(server.pid, before, messages * 2);
  await service.stop();
  const p50: Measure = { name: 'p50', unit: 'us', better: 'less', value: result.p50Us ?? Number.NaN };
  const p99: Measure = { name: 'p99', unit: 'us', better: 'less', value: result.p99Us ?? Number.NaN };
  return [rate(result.messagesPerSecond), p50, p99, spent];
}

async function subscribe(server: ServerProcess, total: number): Promise<readonly Measure[]> {
  const before = cpuSeconds(server.pid);
  const load = await subscriptionLoad(server.port, total);
  const resident = residentKiB(server.pid) / 1024;
  const spent = cost(server.pid, before, total * 3);
  load.end();
  return [
    { name: 'subscribes', unit: '/s', better: 'more', value: load.subscribesPerSecond },
    { name: 'uncached publishes', unit: 'msg/s', better: 'more', value: load.publishesPerSecond },
    { name: 'resident', unit: 'MiB', better: 'less', value: resident },
    { ...spent, name: 'server CPU an operation' },
  ];
}

async function connections(server: ServerProcess, total: number): Promise<readonly Measure[]> {
  const base = residentKiB(server.pid);
  const load = await connectionLoad(server.port, total);
  const each = (residentKiB(server.pid) - base) / total;
  load.end();
  return [
    { name: 'connects', unit: '/s', better: 'more', value: load.connectionsPerSecond },
    { name: 'resident a connection', unit: 'KiB', better: 'less', value: each },
  ];
}

/** Start-up is measured by the runner, which alone starts servers. */
export const startUp = 'start';

export const workloads: readonly Workload[] = [
  core('pub-16', 'publish 16 B, nobody listens', 4_000_000, (server, messages) => publish(server, messages, '16')),
  core('pub-128', 'publish 128 B, nobody listens', 3_000_000, (server, messages) => publish(server, messages, '128')),
  core('pub-16k', 'publish 16 KiB, nobody listens', 100_000, (server, messages) => publish(server, messages, '16384')),
  core('1-to-1', '1 publisher, 1 subscriber, 128 B', 1_000_000, (server, messages) => deliver(server, messages, 1)),
  core('1-to-4', '1 publisher, 4 subscribers, 128 B', 500_000, (server, messages) => deliver(server, messages, 4)),
  core('request', 'request and reply, 128 B', 20_000, request),
  ...storing,
  ...restarting,
  ...backingUp,
  ...consumption,
  ...consumerScale,
  core('subscriptions', '4 connections, a tenth wildcards, then a publish to each', 200_000, subscribe),
  core('connections', 'connections with a subscription each', 2_000, connections),
];
