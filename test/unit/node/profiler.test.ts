// Profiles over HTTP: V8's own files, one at a time, at nats-server's paths.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createProfiler } from '../../../ts/node/profiler.ts';
import type { HttpReply } from '../../../ts/ports/http.ts';

const commandLine = ['node', 'server', '-c', 'a.conf'];

function profiler(wait: (seconds: number) => Promise<void> = () => Promise.resolve()) {
  const handler = createProfiler({ commandLine, wait });
  return async (target: string): Promise<HttpReply> => handler({ target, method: 'GET' });
}

describe('the profiler', () => {
  it('lists what it has, and knows nothing else', async () => {
    const get = profiler();
    assert.match((await get('/debug/pprof/')).body, /\/debug\/pprof\/profile\?seconds=30 .*\n.*\/debug\/pprof\/heap/);
    assert.equal((await get('/debug/pprof/cmdline')).body, 'node\0server\0-c\0a.conf');
    for (const path of ['/', '/debug/pprof', '/debug/pprof/block', '/debug/pprof/constructor', '//']) {
      assert.equal((await get(path)).status, 404, path);
    }
  });

  it('shows where the time went', async () => {
    const waited: number[] = [];
    const get = profiler((seconds) => {
      waited.push(seconds);
      return Promise.resolve();
    });
    const reply = await get('/debug/pprof/profile?seconds=2.5');
    assert.equal(reply.headers['Content-Disposition'], 'attachment; filename="profile.cpuprofile"');
    const { nodes, startTime, endTime } = JSON.parse(reply.body) as { nodes: unknown[]; startTime: number; endTime: number };
    assert.ok(nodes.length > 0 && endTime >= startTime);
    await get('/debug/pprof/profile?seconds=-1');
    await get('/debug/pprof/profile?seconds=1e9');
    assert.deepEqual(waited, [2.5, 30, 3_600]);
  });

  it('shows what was allocated', async () => {
    const { head } = JSON.parse((await profiler()('/debug/pprof/heap')).body) as { head: { callFrame: object } };
    assert.ok('callFrame' in head);
  });

  it('takes one profile at a time', async () => {
    let end = (): void => {};
    let began = (): void => {};
    const waiting = new Promise<void>((resolve) => (began = resolve));
    const get = profiler(() => {
      began();
      return new Promise((resolve) => (end = resolve));
    });
    const first = get('/debug/pprof/profile');
    await waiting;
    assert.equal((await get('/debug/pprof/heap')).status, 500);
    end();
    assert.equal((await first).status, 200);
  });
});
