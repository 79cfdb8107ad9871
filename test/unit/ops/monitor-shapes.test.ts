/**
 * Every monitoring document has the keys, and their order, that the Go nats-server was recorded to give for the same request, and every
 * request it refuses is refused with the same status and text. The recordings and how to renew them are in test/fixtures/monitor.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { EngineView } from '../../../ts/engine/snapshot.ts';
import { createMonitor } from '../../../ts/ops/monitor/monitor.ts';
import { turnsOfLoop } from '../../../ts/node/turns-of-loop.ts';
import { outline, shapeOf, type Shape } from '../../fixtures/monitor/shape.ts';
import { plainEngine, processFacts, richEngine } from './fake-engine.ts';

function recorded<T>(name: string): Record<string, T> {
  return JSON.parse(readFileSync(new URL(`../../fixtures/monitor/${name}`, import.meta.url), 'utf8')) as Record<string, T>;
}

const views: Readonly<Record<string, EngineView>> = { plain: plainEngine, rich: richEngine };

/** Parts whose inside belongs to others (the JetStream API, imports) or to a listener with tests of its own. */
const elsewhere: ReadonlySet<string> = new Set([
  'imports',
  'config',
  'state',
  'consumer_detail',
  'leaf',
  'mqtt',
  'http_req_stats',
  'inflight',
  'mappings',
]);

async function ask(view: EngineView, target: string): Promise<{ status: number; body: string }> {
  return createMonitor({ view, process: processFacts, slices: turnsOfLoop, basePath: '' })({ target, method: 'GET' });
}

for (const [name, shape] of Object.entries(recorded<Shape>('shapes.json'))) {
  const [label = '', target = ''] = name.split(' ');
  const view = views[label];
  if (view === undefined) continue;
  test(`${target} of a ${label} server has the keys nats-server gives, in its order`, async () => {
    const { body } = await ask(view, target);
    assert.deepEqual(outline(shapeOf(JSON.parse(body)), elsewhere), outline(shape, elsewhere));
  });
}

for (const [target, { status, body }] of Object.entries(recorded<{ status: number; body: string }>('errors.json'))) {
  test(`${target} is refused with nats-server's status and text`, async () => {
    const reply = await ask(richEngine, target);
    assert.deepEqual({ status: reply.status, body: reply.body }, { status, body });
  });
}
