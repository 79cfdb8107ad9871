/** `/metrics` in Prometheus' text format: names that hold to its rules, values of the moment, labels escaped, counters that do not add up twice. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { EngineView } from '../../../ts/engine/snapshot.ts';
import type { MetricFamily } from '../../../ts/ports/metrics.ts';
import { createMetricsEndpoint } from '../../../ts/node/metrics.ts';
import { metricRows, metricsOf, mostWithFigures } from '../../../ts/ops/metrics/metrics.ts';
import { endpoints } from '../../../ts/ops/monitor/endpoints.ts';
import { createMonitor } from '../../../ts/ops/monitor/monitor.ts';
import { turnsOfLoop } from '../../../ts/node/turns-of-loop.ts';
import { engineView, plainEngine, processFacts, richEngine, serverSnapshot } from './fake-engine.ts';

function familiesOf(view: EngineView, requests: ReadonlyMap<string, number> = new Map()): MetricFamily[] {
  return [...metricsOf(view, processFacts, requests)()].filter((family) => family !== undefined);
}

test('metric names are unique, counters end in _total and gauges do not', () => {
  const names = metricRows.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const { name, type, help } of metricRows) {
    assert.match(name, /^nats_[a-z_]+$/);
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    assert.match(help, /^[A-Z0-9].*[^.]$/, name);
  }
});

test('every sample has a value for each label', () => {
  for (const { name, labels, samples } of familiesOf(richEngine, new Map([['/varz', 1]]))) {
    for (const sample of samples) {
      assert.equal(sample.labels.length, labels.length, name);
      assert.ok(Number.isFinite(sample.value), name);
    }
  }
});

test('without JetStream its metrics have no sample', () => {
  const families = familiesOf(plainEngine);
  const present = families.filter(({ name, samples }) => /jetstream|stream_|consumer_/.test(name) && samples.length > 0);
  assert.deepEqual(
    present.map(({ name }) => name).filter((name) => name !== 'nats_slow_consumers_total'),
    [],
  );
});

test('a scrape shows server, streams and consumers, and a second one the values of then', async () => {
  let inMsgs = 5;
  const view = { ...richEngine, server: () => serverSnapshot({ name: 'a "name"\\', inMsgs }) };
  const handle = createMonitor({
    view,
    process: processFacts,
    slices: turnsOfLoop,
    basePath: '',
    exposition: createMetricsEndpoint,
  });
  const scrape = async (): Promise<string> => (await handle({ target: '/metrics', method: 'GET' })).body;
  const first = await scrape();
  assert.match(first, /^nats_received_messages_total 5$/m);
  assert.match(first, /^nats_server_info\{server_id="NSERVER",server_name="a \\"name\\"\\\\",/m);
  assert.match(first, /^nats_stream_messages\{account="A",stream="S"\} 1$/m);
  assert.match(first, /^nats_consumer_pending_messages\{account="A",stream="S",consumer="C"\} 1$/m);
  assert.match(first, /^# TYPE nats_received_messages_total counter$/m);
  assert.match(first, /^nodejs_eventloop_lag_seconds/m);
  inMsgs = 8;
  const second = await scrape();
  assert.match(second, /^nats_received_messages_total 8$/m);
  assert.match(second, /^nats_http_requests_total\{path="\/metrics"\} 2$/m);
});

test('a deleted stream leaves the next scrape', async () => {
  const jetstream = richEngine.jetstream();
  assert.ok(jetstream !== undefined);
  let accounts = jetstream.accounts();
  const view = engineView({ ...richEngine, jetstream: () => ({ ...jetstream, accounts: () => accounts }) });
  const endpoint = createMetricsEndpoint(metricsOf(view, processFacts, new Map()));
  assert.match((await endpoint()).body, /^nats_stream_bytes\{/m);
  accounts = [];
  assert.doesNotMatch((await endpoint()).body, /^nats_stream_bytes\{/m);
});

test('how long syncs took is a histogram of Prometheus', async () => {
  const { body } = await createMetricsEndpoint(metricsOf(richEngine, processFacts, new Map()))();
  const lines = body.split('\n').filter((line) => line.includes('nats_jetstream_sync_seconds'));
  assert.deepEqual(lines.slice(1), [
    '# TYPE nats_jetstream_sync_seconds histogram',
    'nats_jetstream_sync_seconds_bucket{le="0.001"} 2',
    'nats_jetstream_sync_seconds_bucket{le="0.01"} 5',
    'nats_jetstream_sync_seconds_bucket{le="+Inf"} 6',
    'nats_jetstream_sync_seconds_sum 0.25',
    'nats_jetstream_sync_seconds_count 6',
  ]);
});

test('thousands of streams and consumers have no more figures than a scrape can bear', () => {
  const jetstream = richEngine.jetstream();
  const [account] = jetstream?.accounts() ?? [];
  const [stream] = account?.streams() ?? [];
  const [consumer] = stream?.consumers() ?? [];
  assert.ok(jetstream !== undefined && account !== undefined && stream !== undefined && consumer !== undefined);
  const consumers = Array.from({ length: 3 }, (_, n) => ({ ...consumer, name: `C${n}` }));
  const streams = Array.from({ length: 1500 }, (_, n) => ({
    ...stream,
    name: `S${n}`,
    consumers: () => consumers,
  }));
  const many = { ...account, streams: () => streams };
  const view = engineView({
    ...richEngine,
    jetstream: () => ({ ...jetstream, streams: 3000, consumers: 9000, accounts: () => [many, { ...many, name: 'B' }] }),
  });
  const families = familiesOf(view);
  const samples = (name: string): readonly { readonly labels: readonly string[]; readonly value: number }[] =>
    families.find((family) => family.name === name)?.samples ?? [];
  assert.equal(samples('nats_stream_messages').length, mostWithFigures.streams);
  assert.equal(samples('nats_consumer_pending_messages').length, mostWithFigures.consumers);
  assert.deepEqual(samples('nats_jetstream_without_figures'), [
    { labels: ['stream'], value: 2000 },
    { labels: ['consumer'], value: 7000 },
  ]);
});

test('docs/monitoring.md explains every metric and every endpoint', () => {
  const page = readFileSync(new URL('../../../docs/monitoring.md', import.meta.url), 'utf8');
  for (const { name, help } of metricRows) assert.ok(page.includes(`\`${name}\``) && page.includes(help), name);
  for (const { path } of endpoints) assert.ok(page.includes(`\`${path}\``), path);
});
