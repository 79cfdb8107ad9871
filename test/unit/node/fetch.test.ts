// Documents over HTTP: what is sent, what comes back, and every way it can fail.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { fetchDocument, fetchText } from '../../../ts/node/fetch.ts';

const SETTINGS = { timeoutMs: 10_000 };

async function withServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  body: (url: string) => Promise<void>,
) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await body(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test('a document is got, and one that is sent is posted with its headers', async () => {
  const echo = (request: IncomingMessage, response: ServerResponse): void => {
    response.write(`${request.method} ${request.url} ${request.headers['content-type']} `);
    request.pipe(response);
  };
  await withServer(echo, async (url) => {
    assert.equal(await fetchText(`${url}/a%2Fb`, SETTINGS), 'GET /a%2Fb undefined ');
    const sent = { ...SETTINGS, body: Buffer.from('bytes'), headers: { 'content-type': 'x/y' } };
    assert.equal((await fetchDocument(`${url}/c`, sent)).body.toString(), 'POST /c x/y bytes');
  });
});

test('another status is told, and is an error where a text is wanted', async () => {
  await withServer(
    (_request, response) => response.writeHead(404).end('nothing'),
    async (url) => {
      const { status, statusText, body } = await fetchDocument(url, SETTINGS);
      assert.deepEqual([status, statusText, body.toString()], [404, 'Not Found', 'nothing']);
      await assert.rejects(fetchText(url, SETTINGS), /^Error: 404 Not Found$/);
    },
  );
});

test('redirections are followed, but not for ever, and not with what was posted', async () => {
  const answer = ({ url = '' }: IncomingMessage, response: ServerResponse): void => {
    if (url === '/end') response.end('here');
    else response.writeHead(url === '/once' ? 302 : 307, { location: url === '/once' ? 'end' : '/again' }).end();
  };
  await withServer(answer, async (url) => {
    assert.equal(await fetchText(`${url}/once`, SETTINGS), 'here');
    await assert.rejects(fetchText(`${url}/again`, SETTINGS), /stopped after 10 redirects/);
    assert.equal((await fetchDocument(`${url}/once`, { ...SETTINGS, body: Buffer.from('x') })).status, 302);
  });
});

test('an answer that is too long, that never comes, or that nobody gives is an error', async () => {
  await withServer(
    (_request, response) => response.end(Buffer.alloc(2 << 20)),
    async (url) => assert.rejects(fetchText(url, SETTINGS), /the answer is too long/),
  );
  await withServer(
    () => undefined,
    async (url) => assert.rejects(fetchText(url, { timeoutMs: 20 }), /no answer in 20ms/),
  );
  let gone = '';
  await withServer(
    () => undefined,
    (url) => Promise.resolve(void (gone = url)),
  );
  await assert.rejects(fetchText(gone, SETTINGS), /ECONNREFUSED/);
  await assert.rejects(fetchText(gone.replace('127.0.0.1', 'localhost'), SETTINGS), /ECONNREFUSED/);
});
