/** What the monitoring service does around its documents: base path, counts, index page, subsz, jsz, varz values and health. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultOptions } from '../../../ts/core/config/options.ts';
import type { EngineView, StreamSnapshot } from '../../../ts/engine/snapshot.ts';
import type { HttpReply } from '../../../ts/ports/http.ts';
import { elapsedText, roundTripText } from '../../../ts/ops/monitor/context.ts';
import { healthz, healthzOptions } from '../../../ts/ops/monitor/healthz.ts';
import { createMonitor } from '../../../ts/ops/monitor/monitor.ts';
import { turnsOfLoop } from '../../../ts/node/turns-of-loop.ts';
import { after, engineView, plainEngine, processFacts, richEngine, startedAt, withOptions } from './fake-engine.ts';

function monitor(view: EngineView = plainEngine, basePath = ''): (target: string) => Promise<HttpReply> {
  const handle = createMonitor({ view, process: processFacts, slices: turnsOfLoop, basePath });
  return async (target) => handle({ target, method: 'GET' });
}

async function document(view: EngineView, target: string): Promise<Record<string, unknown>> {
  return JSON.parse((await monitor(view)(target)).body) as Record<string, unknown>;
}

test('elapsed time leaves out leading zero units', () => {
  const rows: readonly (readonly [number, string])[] = [
    [0, '0s'],
    [59, '59s'],
    [60, '1m0s'],
    [3_661, '1h1m1s'],
    [86_400, '1d0h0m0s'],
    [366 * 86_400 + 5, '1y1d0h0m5s'],
  ];
  for (const [seconds, text] of rows) assert.equal(elapsedText(startedAt, after(seconds)), text);
});

test('a round trip is shown as Go prints durations, and as nothing before the first PONG', () => {
  assert.equal(roundTripText(1.587_55), '1.58755ms');
  assert.equal(roundTripText(0.846_9), '846µs');
  assert.equal(roundTripText(0.000_7), '700ns');
  assert.equal(roundTripText(undefined), '0s');
});

test('every way to write a base path means the same, and nothing is answered outside it', async () => {
  for (const basePath of ['mon', '/mon', 'mon/', '/mon/']) {
    const ask = monitor(plainEngine, basePath);
    assert.equal((await ask('/mon/varz')).status, 200, basePath);
    assert.match((await ask('/mon')).body, /href="\.\/mon\/varz"/);
    assert.equal((await ask('/varz')).status, 404);
    assert.equal((await ask('/mon/')).status, 404);
  }
});

test('requests are counted by path, both names of subsz as one, and unknown paths not at all', async () => {
  const ask = monitor();
  for (const target of ['/', '/connz?limit=1', '/connz', '/subsz', '/subscriptionsz', '/nothing', '/raftz']) await ask(target);
  const varz = JSON.parse((await ask('/varz')).body) as Record<string, unknown>;
  assert.deepEqual(varz['http_req_stats'], { '/': 1, '/connz': 2, '/subsz': 2, '/varz': 1 });
});

test('documents are indented by two spaces, allow other origins and end without a line break', async () => {
  const reply = await monitor()('/routez');
  assert.equal(reply.headers['Content-Type'], 'application/json');
  assert.equal(reply.headers['Access-Control-Allow-Origin'], '*');
  assert.match(reply.body, /^\{\n {2}"server_id": "NSERVER",\n[^]*"routes": \[\]\n\}$/);
});

test('the index page links every endpoint and escapes the server name', async () => {
  const view = engineView({ server: () => ({ ...plainEngine.server(), name: '<b>&' }) });
  const { body, headers } = await monitor(view)('/');
  assert.match(headers['Content-Type'] ?? '', /text\/html/);
  assert.match(body, /&lt;b&gt;&amp;/);
  for (const path of ['varz', 'connz', 'jsz', 'healthz', 'debug/vars']) assert.ok(body.includes(`href="./${path}"`), path);
});

test('varz tells durations in nanoseconds and handshake timeouts in seconds', async () => {
  const varz = await document(plainEngine, '/varz');
  assert.equal(varz['ping_interval'], 120_000_000_000);
  assert.equal(varz['write_deadline'], 10_000_000_000);
  assert.equal(varz['auth_timeout'], 2);
  assert.equal(varz['uptime'], '1d1h1m1s');
  assert.equal(varz['start'], '2026-11-18T11:06:40.12Z');
});

test('varz shows the advertised address in place of the own one', async () => {
  const rows: readonly (readonly [string, string, number])[] = [
    ['foo:33', 'foo', 33],
    ['foo', 'foo', 4222],
    ['[::1]:33', '::1', 33],
    ['', '127.0.0.1', 4222],
  ];
  for (const [clientAdvertise, host, port] of rows) {
    const varz = await document(withOptions(plainEngine, { clientAdvertise }), '/varz');
    assert.deepEqual([varz['host'], varz['port']], [host, port], clientAdvertise);
  }
});

test('subsz lists only what a test subject matches, and only when asked to list', async () => {
  assert.equal((await document(richEngine, '/subsz?subs=1&test=s.a'))['total'], 2);
  assert.equal((await document(richEngine, '/subsz?subs=1&test=s.b'))['total'], 1);
  assert.equal((await document(richEngine, '/subsz?test=s.a'))['total'], 0);
  assert.equal((await document(richEngine, '/subsz'))['cache_hit_rate'], 0.75);
});

test('an account without limits reserves the largest 64-bit integer, digit for digit', async () => {
  const { body } = await monitor(richEngine)('/jsz?acc=A');
  assert.match(body, /"reserved_storage": 18446744073709551615,/);
});

test('jsz shows configurations only when asked, and nothing of an unknown account', async () => {
  const { body } = await monitor(richEngine)('/jsz?consumers=1');
  assert.doesNotMatch(body, /durable_name|js\.\\u003e/);
  assert.match((await monitor(richEngine)('/jsz?consumers=1&config=1')).body, /"durable_name": "C"/);
  assert.equal((await document(richEngine, '/jsz?acc=nobody'))['account_details'], undefined);
  assert.equal((await document(richEngine, '/jsz?direct-consumers=1'))['account_details'], undefined);
});

function health(view: EngineView, query: string): readonly [number, unknown] {
  const { status, document } = healthz(view, healthzOptions(new URLSearchParams(query)));
  return [status, document];
}

test('a server that is not ready yet, or whose JetStream does not run, is unhealthy', () => {
  assert.equal(health(engineView({ ready: () => false }), '')[0], 500);
  const configured = withOptions(plainEngine, { jetstream: { ...defaultOptions().jetstream, enabled: true } });
  assert.deepEqual(health(configured, ''), [503, { status: 'unavailable', error: 'JetStream not enabled' }]);
  assert.deepEqual(health(plainEngine, 'js-enabled-only=1'), [200, { status: 'ok' }]);
});

test('a stream with a fault is reported unless only the server is asked about', () => {
  const jetstream = richEngine.jetstream();
  assert.ok(jetstream !== undefined);
  const accounts = jetstream.accounts();
  const ill = (stream: StreamSnapshot): StreamSnapshot => ({ ...stream, fault: 'sync failed' });
  const view: EngineView = {
    ...richEngine,
    jetstream: () => ({
      ...jetstream,
      accounts: () => accounts.map((one) => ({ ...one, streams: () => [...one.streams()].map(ill) })),
    }),
  };
  assert.equal(health(view, '')[0], 503);
  assert.deepEqual(health(view, 'details=1')[1], {
    status: 'error',
    errors: [
      {
        type: 'STREAM',
        account: 'A',
        stream: 'S',
        consumer: undefined,
        error: "JetStream stream 'A > S' is not current: sync failed",
      },
    ],
  });
  assert.equal(health(view, 'js-server-only=1')[0], 200);
  assert.equal(health(view, 'js-enabled-only=1')[0], 200);
});
