/** nats.py at work; the sessions are in session.py. Skipped where no Python with nats-py is there (PYTHON names one). */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { findPeer, repositoryRoot, skipWithoutPython } from '../support/peers.ts';
import { serverFor, ServerProcess } from '../support/server.ts';
import { ways, type Credentials } from './credentials.ts';
import { targets } from './servers.ts';

interface Session {
  readonly child: ChildProcess;
  readonly finished: Promise<{ code: number | null; output: string }>;
  says(text: string): Promise<void>;
}

function start(url: string, name: string, credentials: Credentials = {}): Session {
  const { nkeySeedFile: _file, ...given } = credentials;
  const script = join(repositoryRoot, 'test', 'interop', 'session.py');
  const child = spawn(findPeer('python3') ?? 'python3', [script, JSON.stringify({ url, ...given }), name], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const waiting = new Set<() => void>();
  const heard = (chunk: Buffer): void => {
    output += chunk.toString();
    for (const wake of waiting) wake();
  };
  child.stdout.on('data', heard);
  child.stderr.on('data', heard);
  const finished = new Promise<{ code: number | null; output: string }>((resolve) => {
    child.once('close', (code) => {
      resolve({ code, output });
      for (const wake of waiting) wake();
    });
  });
  const says = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (output.includes(text)) resolve();
        else if (child.exitCode !== null) reject(new Error(`the session ended without ${text}:\n${output}`));
      };
      waiting.add(look);
      look();
    });
  return { child, finished, says };
}

async function succeeds(session: Session): Promise<void> {
  const { code, output } = await session.finished;
  assert.equal(code, 0, output);
}

for (const { kind, skip } of targets) {
  const reason = skip === false ? skipWithoutPython('nats', 'nkeys') : skip;
  describe(`nats.py at ${kind}`, { skip: reason, concurrency: 2 }, () => {
    for (const way of ways) {
      test(`authenticates with ${way.name}`, async (t) => {
        const server = await serverFor(t, kind, { config: way.config });
        const url = `nats://localhost:${server.port}`;
        await succeeds(start(url, 'connect', way.right));
        if (way.wrong !== undefined) assert.notEqual((await start(url, 'connect', way.wrong).finished).code, 0);
      });
    }
    for (const name of ['messages', 'requests', 'drain']) {
      test(`session: ${name}`, async (t) => succeeds(start((await serverFor(t, kind)).url, name)));
    }
    test('session: jetstream', async (t) => {
      const server = await serverFor(t, kind, { config: 'jetstream { store_dir: "store" }\n' });
      await succeeds(start(server.url, 'jetstream'));
    });
    test('reconnects after a restart on the same port', async (t) => {
      const first = await ServerProcess.start(kind);
      const session = start(first.url, 'reconnect');
      await session.says('connected');
      const port = first.port;
      await first.kill();
      await serverFor(t, kind, { port });
      await succeeds(session);
    });
  });
}
