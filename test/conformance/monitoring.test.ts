/** The monitoring listener over HTTP and HTTPS: status lines, headers, HEAD, unknown paths, failures, and a clean close. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request as requestTls } from 'node:https';
import { test, type TestContext } from 'node:test';
import { listenHttp, type HttpListening, type HttpListenOptions } from '../../ts/node/http.ts';
import { createMonitor } from '../../ts/ops/monitor/monitor.ts';
import { turnsOfLoop } from '../../ts/node/turns-of-loop.ts';
import { processFacts, richEngine } from '../unit/ops/fake-engine.ts';

async function listen(
  context: TestContext,
  changes: Partial<HttpListenOptions> = {},
): Promise<HttpListening & { problems: string[] }> {
  const problems: string[] = [];
  const handler = createMonitor({ view: richEngine, process: processFacts, slices: turnsOfLoop, basePath: '' });
  const listening = await listenHttp({
    host: '127.0.0.1',
    port: -1,
    handler,
    onProblem: (text) => problems.push(text),
    ...changes,
  });
  context.after(() => listening.close());
  return { ...listening, problems };
}

test('documents arrive whole, with the headers tools rely on', async (context) => {
  const { port } = await listen(context);
  const reply = await fetch(`http://127.0.0.1:${port}/varz`);
  const text = await reply.text();
  assert.equal(reply.status, 200);
  assert.equal(reply.headers.get('content-type'), 'application/json');
  assert.equal(reply.headers.get('access-control-allow-origin'), '*');
  assert.equal(Number(reply.headers.get('content-length')), Buffer.byteLength(text));
  assert.equal((JSON.parse(text) as { server_name: string }).server_name, 'rich');
});

test('any method is answered, HEAD without a body', async (context) => {
  const { port } = await listen(context);
  const post = await fetch(`http://127.0.0.1:${port}/healthz`, { method: 'POST', body: 'x'.repeat(100_000) });
  assert.equal(await post.text(), '{"status":"ok"}');
  const head = await fetch(`http://127.0.0.1:${port}/healthz`, { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.headers.get('content-length'), '15');
  assert.equal(await head.text(), '');
});

test('bad queries and unknown paths have their status', async (context) => {
  const { port } = await listen(context);
  const rows: readonly (readonly [string, number, RegExp])[] = [
    ['/connz?sort=x', 400, /^invalid sorting option: x$/],
    ['/favicon.ico', 404, /^404 page not found\n$/],
    ['/healthz?account=nobody', 404, /not found/],
  ];
  for (const [target, status, body] of rows) {
    const reply = await fetch(`http://127.0.0.1:${port}${target}`);
    assert.equal(reply.status, status, target);
    assert.match(await reply.text(), body);
  }
});

test('a handler that fails is a 500 and a line in the log, and the listener lives on', async (context) => {
  let calls = 0;
  const handler = (): never | { status: number; headers: {}; body: string } => {
    calls++;
    if (calls === 1) throw new Error('broken');
    return { status: 200, headers: {}, body: 'well' };
  };
  const { port, problems } = await listen(context, { handler });
  assert.equal((await fetch(`http://127.0.0.1:${port}/varz`)).status, 500);
  assert.match(problems.join('\n'), /\/varz failed: Error: broken/);
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'well');
});

test('an address in use is an error of the start', async (context) => {
  const { port, ...first } = await listen(context);
  assert.equal(first.host, '127.0.0.1');
  await assert.rejects(listen(context, { port }), { code: 'EADDRINUSE' });
});

test('closing ends connections that are kept alive', async (context) => {
  const listening = await listen(context);
  await (await fetch(`http://127.0.0.1:${listening.port}/healthz`)).text();
  await listening.close();
  await assert.rejects(fetch(`http://127.0.0.1:${listening.port}/healthz`));
});

test('over TLS the same documents arrive, and a plain request is one line in the log', async (context) => {
  const pem = (name: string): Buffer => readFileSync(new URL(`../support/certs/${name}`, import.meta.url));
  const { port, problems } = await listen(context, { tls: { cert: pem('server.pem'), key: pem('server-key.pem') } });
  const text = await new Promise<string>((resolve, reject) => {
    const request = requestTls({ host: '127.0.0.1', port, path: '/healthz', ca: pem('ca.pem') }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
      response.on('end', () => resolve(body));
    });
    request.on('error', reject);
    request.end();
  });
  assert.equal(text, '{"status":"ok"}');
  await assert.rejects(fetch(`http://127.0.0.1:${port}/healthz`));
  assert.match(problems.join('\n'), /^monitoring: TLS handshake error from 127\.0\.0\.1:\d+: .*$/);
});
