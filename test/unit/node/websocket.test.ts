// The WebSocket listener against the `ws` client and against raw HTTP: upgrade rules, frames, compression, cookies, closing.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';
import { listenWebSocket } from '../../../ts/node/websocket.ts';
import type { TlsListening, WebSocketListenOptions } from '../../../ts/ports/listen.ts';
import { KeepingAcceptor, authority, bytesOf, certificate, tlsSettings } from '../../support/listener-peer.ts';

interface Bench {
  readonly acceptor: KeepingAcceptor;
  readonly listener: TlsListening;
  open(options?: ClientOptions): Promise<WebSocket>;
  /** Sends raw HTTP and reads until the answer's end. */
  http(lines: readonly string[], behind?: string): Promise<string>;
}

const upgradeHeaders = [
  'Host: 127.0.0.1',
  'Upgrade: websocket',
  'Connection: keep-alive, Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];

async function withListener(change: Partial<WebSocketListenOptions>, body: (bench: Bench) => Promise<void>): Promise<void> {
  const acceptor = new KeepingAcceptor((transport) => void transport.write([bytesOf('INFO '), bytesOf('{}\r\n')]));
  const { inbound, onProblem } = acceptor;
  const listener = await listenWebSocket(
    {
      host: '127.0.0.1',
      port: -1,
      inbound,
      tls: undefined,
      compression: false,
      sameOrigin: false,
      allowedOrigins: [],
      headers: {},
      handshakeTimeoutMs: 0,
      cookies: [],
      maxMessageBytes: 1 << 20,
      closeStatus: (reason) => ({ code: 1008, text: reason }),
      onProblem,
      ...change,
    },
    acceptor,
  );
  const clients: WebSocket[] = [];
  const open = async (options: ClientOptions = {}): Promise<WebSocket> => {
    const scheme = change.tls === undefined ? 'ws' : 'wss';
    const client = new WebSocket(`${scheme}://127.0.0.1:${listener.port}/`, { ca: authority, ...options });
    clients.push(client);
    client.on('error', () => undefined);
    const [greeting] = (await once(client, 'message')) as [Buffer];
    assert.equal(greeting.toString(), 'INFO {}\r\n');
    return client;
  };
  const http = async (lines: readonly string[], behind = ''): Promise<string> => {
    const socket = connect(listener.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (bytes: Buffer) => {
      answer += bytes.toString('latin1');
      if (answer.startsWith('HTTP/1.1 101')) socket.destroy();
    });
    socket.write(`${lines.join('\r\n')}\r\n\r\n${behind}`);
    await once(socket, 'close');
    return answer;
  };
  try {
    await body({ acceptor, listener, open, http });
  } finally {
    for (const client of clients) client.terminate();
    for (const { transport } of acceptor.accepted) transport.destroy();
    await listener.close();
  }
}

async function message(client: WebSocket): Promise<string> {
  const [bytes, isBinary] = (await once(client, 'message')) as [Buffer, boolean];
  assert.equal(isBinary, true);
  return bytes.toString();
}

test('text and binary frames, in any cut, are one stream of bytes', async () => {
  await withListener({}, async ({ acceptor, open }) => {
    const client = await open();
    client.send(Buffer.from('PI'));
    client.send('NG\r\nPO');
    client.send(Buffer.from('NG'), { fin: false });
    client.send(Buffer.from('\r\n'), { fin: true });
    await acceptor.until(() => acceptor.accepted[0]?.text === 'PING\r\nPONG\r\n');
    acceptor.accepted[0]?.transport.write([bytesOf('PO'), bytesOf('NG\r\n')]);
    assert.equal(await message(client), 'PONG\r\n');
    await acceptor.until(() => acceptor.accepted[0]?.written === 2);
    client.close();
    await acceptor.until(() => acceptor.accepted[0]?.closed === true);
    assert.equal(acceptor.accepted[0]?.error, undefined);
  });
});

for (const tls of [undefined, tlsSettings({})]) {
  test(`frames that arrive together over ${tls === undefined ? 'TCP' : 'TLS'} are handed over together, so that one write answers them`, async () => {
    await withListener({ tls }, async ({ acceptor, open }) => {
      const client = await open();
      const frames = ['PING\r\n', 'SUB greet 1\r\n', 'PUB greet 5\r\nhello\r\n'];
      // One write of the carrier, so that one read takes it.
      const carrier = (client as unknown as { readonly _socket: Socket })._socket;
      carrier.cork();
      for (const frame of frames) client.send(frame);
      carrier.uncork();
      await acceptor.until(() => acceptor.accepted[0]?.text === frames.join(''));
      assert.equal(acceptor.accepted[0]?.handovers, 1);
    });
  });
}

test('a connection over TLS knows what was agreed and who the client is', async () => {
  await withListener({ tls: tlsSettings({ verify: true }) }, async ({ acceptor, open }) => {
    await open(certificate('client'));
    const { tls } = acceptor.accepted[0]?.transport ?? {};
    assert.equal(tls?.peerCertificates[0]?.subject, 'CN=carol,OU=Team,O=Slipstream');
  });
});

test('after a reload that asks for certificates a client without one is turned away', async () => {
  await withListener({ tls: tlsSettings({}) }, async ({ acceptor, listener, open }) => {
    await open();
    listener.reloadTls(tlsSettings({ verify: true }, 'server-renewed'));
    const bare = new WebSocket(`wss://127.0.0.1:${listener.port}/`, { ca: authority });
    await once(bare, 'error');
    await acceptor.until(() => acceptor.problems.length > 0);
    assert.match(
      acceptor.problems[0] ?? '',
      /^127\.0\.0\.1:\d+ - TLS handshake error: tls: client didn't provide a certificate$/,
    );
  });
});

test('compression is agreed without context takeover, and long messages survive it', async () => {
  await withListener({ compression: true }, async ({ acceptor, open }) => {
    const client = await open({ perMessageDeflate: true });
    assert.match(client.extensions, /permessage-deflate/);
    const long = 'abcdefghij'.repeat(2_000);
    client.send(long);
    await acceptor.until(() => acceptor.accepted[0]?.text === long);
    acceptor.accepted[0]?.transport.write([bytesOf(long)]);
    assert.equal(await message(client), long);
  });
});

test('a browser is sent frames of at most 4096 bytes', async () => {
  await withListener({}, async ({ acceptor, open }) => {
    const client = await open({ headers: { 'User-Agent': 'Mozilla/5.0' } });
    const sizes: number[] = [];
    client.on('message', (bytes: Buffer) => sizes.push(bytes.length));
    acceptor.accepted[0]?.transport.write([new Uint8Array(10_000).fill(97)]);
    await once(client, 'message');
    await acceptor.until(() => acceptor.accepted[0]?.written === 2);
    while (sizes.length < 3) await once(client, 'message');
    assert.deepEqual(sizes, [4_096, 4_096, 1_808]);
  });
});

test('configured headers are sent, and only configured cookies are kept', async () => {
  await withListener({ headers: { 'X-Edge': 'a' }, cookies: ['token', 'user'] }, async ({ acceptor, http, open }) => {
    assert.match(await http(['GET / HTTP/1.1', ...upgradeHeaders]), /^HTTP\/1\.1 101 .*\r\nX-Edge: a\r\n/s);
    await open({ headers: { Cookie: 'a=1; token="s3=="; token=other; b' } });
    assert.deepEqual(acceptor.accepted.at(-1)?.transport.cookies, { token: 's3==' });
  });
});

test('behind a proxy the first forwarded address is the client', async () => {
  await withListener({}, async ({ acceptor, open }) => {
    await open({ headers: { 'X-Forwarded-For': '192.0.2.7, 198.51.100.1' } });
    await open({ headers: { 'X-Forwarded-For': 'somewhere' } });
    assert.deepEqual(
      acceptor.accepted.map(({ transport }) => transport.remoteAddress),
      ['192.0.2.7', '127.0.0.1'],
    );
  });
});

test('requests that may not be upgraded get the status and the words they deserve', async () => {
  const without = (name: string): string[] => upgradeHeaders.filter((line) => !line.startsWith(name));
  const get = 'GET / HTTP/1.1';
  const cases: readonly (readonly [lines: string[], status: string, problem: RegExp])[] = [
    [['POST / HTTP/1.1', ...upgradeHeaders], '405 Method Not Allowed', /request method must be GET/],
    [[get, 'Host: x'], '400 Bad Request', /'Upgrade'/],
    [[get, ...without('Connection'), 'Connection: x'], '400 Bad Request', /'(Upgrade|Connection)'/],
    [[get, ...without('Sec-WebSocket-Version'), 'Sec-WebSocket-Version: 12'], '400 Bad Request', /invalid version/],
    [[get, ...without('Sec-WebSocket-Key')], '400 Bad Request', /key missing/],
    [['GET /mqtt HTTP/1.1', ...upgradeHeaders], '404 Not Found', /mqtt/],
    [['GET /leafnode HTTP/1.1', ...upgradeHeaders], '404 Not Found', /leaf/],
  ];
  await withListener({}, async ({ acceptor, http }) => {
    for (const [lines, status, problem] of cases) {
      const answer = await http(lines);
      assert.ok(answer.startsWith(`HTTP/1.1 ${status}\r\n`), `${lines.join(' | ')}\n${answer}`);
      assert.match(acceptor.problems.at(-1) ?? '', problem);
    }
    assert.equal(acceptor.accepted.length, 0);
    const early = await http([get, ...upgradeHeaders], 'abc');
    assert.match(early, /^HTTP\/1\.1 400/);
  });
});

test('origins: same origin, an allowed list, and none at all', async () => {
  const origin = (value: string, host = '127.0.0.1'): string[] => [
    'GET / HTTP/1.1',
    ...upgradeHeaders.map((line) => (line.startsWith('Host') ? `Host: ${host}` : line)),
    `Origin: ${value}`,
  ];
  await withListener({ sameOrigin: true }, async ({ http }) => {
    assert.match(await http(origin('http://a.example', 'a.example')), /^HTTP\/1\.1 101/);
    assert.match(await http(origin('http://a.example:81', 'a.example')), /^HTTP\/1\.1 403/);
    assert.match(await http(origin('http://b.example', 'a.example')), /^HTTP\/1\.1 403/);
    assert.match(await http(['GET / HTTP/1.1', ...upgradeHeaders]), /^HTTP\/1\.1 101/);
  });
  await withListener({ allowedOrigins: ['https://a.example', 'http://b.example:8080'] }, async ({ http }) => {
    assert.match(await http(origin('https://a.example:443')), /^HTTP\/1\.1 101/);
    assert.match(await http(origin('http://b.example:8080')), /^HTTP\/1\.1 101/);
    assert.match(await http(origin('http://a.example')), /^HTTP\/1\.1 403/);
    assert.match(await http(origin('::')), /^HTTP\/1\.1 403/);
  });
});

test('the reason a connection is ended with is in the close frame', async () => {
  await withListener({}, async ({ acceptor, open }) => {
    const client = await open();
    const closed = once(client, 'close');
    acceptor.accepted[0]?.transport.end('authTimeout');
    const [code, reason] = (await closed) as [number, Buffer];
    assert.deepEqual([code, reason.toString()], [1008, 'authTimeout']);
    await acceptor.until(() => acceptor.accepted[0]?.closed === true);
  });
});

test('a message beyond the limit closes the connection', async () => {
  await withListener({ maxMessageBytes: 100 }, async ({ acceptor, open }) => {
    const client = await open();
    client.send('x'.repeat(101));
    const [code] = (await once(client, 'close')) as [number];
    assert.equal(code, 1009);
    await acceptor.until(() => acceptor.accepted[0]?.closed === true);
    assert.equal(acceptor.accepted[0]?.text, '');
  });
});
