/**
 * The running server's monitoring documents have the keys, in the order, that the Go nats-server gave in the same situations, down to the
 * stream and consumer configurations; refusals have its status and text. What is recorded and how: test/fixtures/monitor.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import {
  ask,
  peersConfig,
  plainConfig,
  plainTargets,
  play,
  richConfig,
  richTargets,
  wrongTargets,
} from '../fixtures/monitor/scenario.ts';
import { outline, shapeOf, type Shape } from '../fixtures/monitor/shape.ts';
import { ServerProcess } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary.ts';

function recorded<T>(name: string): Readonly<Record<string, T>> {
  return JSON.parse(readFileSync(new URL(`../fixtures/monitor/${name}`, import.meta.url), 'utf8')) as Record<string, T>;
}

const shapes = recorded<Shape>('shapes.json');
const errors = recorded<{ status: number; body: string }>('errors.json');

/** What comes and goes: requests under way. */
const unlike: ReadonlySet<string> = new Set(['inflight', 'http_req_stats']);

/** A server in one of the situations, for every test of a group. */
function situation(label: string, config: () => string, prepare: (server: ServerProcess) => Promise<void>): () => ServerProcess {
  let server: ServerProcess | undefined;
  before(async () => {
    server = await ServerProcess.start('slipstream', { config: config() });
    await prepare(server);
  });
  after(async () => void (await server?.kill()));
  return () => {
    assert.ok(server !== undefined, `no ${label} server`);
    return server;
  };
}

function compare(label: string, server: () => ServerProcess, targets: readonly string[]): void {
  for (const target of targets) {
    test(`${target} of a ${label} server`, async () => {
      const { body } = await ask(server(), target);
      assert.deepEqual(outline(shapeOf(JSON.parse(body)), unlike), outline(shapes[`${label} ${target}`] ?? 'unrecorded', unlike));
    });
  }
}

describe('a server without options', () => {
  const server = situation(
    'plain',
    () => plainConfig,
    async () => {},
  );
  compare('plain', server, plainTargets);
});

describe('a server with every block about other servers', () => {
  const server = situation(
    'peers',
    () => peersConfig,
    async () => {},
  );
  compare('peers', server, ['/varz']);
});

describe('a busy server', () => {
  const server = situation('rich', () => richConfig(temporaryFolder()), play);
  compare('rich', server, richTargets);
  for (const target of wrongTargets) {
    test(`${target} is refused alike`, async () => {
      assert.deepEqual(await ask(server(), target), errors[target]);
    });
  }
});
