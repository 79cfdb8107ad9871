// Connections that come through a proxy, on plain listeners over handles and over sockets, and on listeners with TLS: the header is read before
// anything of the client, in whatever pieces it comes, and the client's bytes arrive whole under its own address.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { streamHandles } from '../../../ts/node/stream-handle.ts';
import { listenOver } from '../../../ts/node/tcp.ts';
import { listenTls } from '../../../ts/node/tls.ts';
import type { Listening, Transport } from '../../../ts/ports/connection.ts';
import { KeepingAcceptor, authority, bytesOf, tlsSettings } from '../../support/listener-peer.ts';

const header = 'PROXY TCP4 203.0.113.50 127.0.0.1 54321 4222\r\n';

interface Bench {
  readonly acceptor: KeepingAcceptor;
  readonly outcomes: string[];
  connect(): Promise<Socket>;
}

type Listen = (acceptor: KeepingAcceptor) => Promise<Listening>;

/** Greets as a session does: INFO, the introduction, then TLS where there is some. */
async function withListener(listen: Listen, body: (bench: Bench) => Promise<void>): Promise<void> {
  const outcomes: string[] = [];
  const greet = async (transport: Transport): Promise<void> => {
    transport.write([bytesOf('INFO {}\r\n')]);
    try {
      await transport.introduce?.();
      outcomes.push(`${transport.remoteAddress}:${transport.remotePort}`);
      await transport.startTls?.();
    } catch (error) {
      outcomes.push((error as Error).message);
      transport.end();
    }
  };
  const acceptor = new KeepingAcceptor((transport) => void greet(transport));
  const listener = await listen(acceptor);
  const sockets: Socket[] = [];
  const connect = async (): Promise<Socket> => {
    const socket = connectTcp(listener.port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };
  try {
    await body({ acceptor, outcomes, connect });
  } finally {
    for (const socket of sockets) socket.destroy();
    for (const { transport } of acceptor.accepted) transport.destroy();
    await listener.close();
  }
}

const at = { host: '127.0.0.1', port: 0, proxyProtocol: true };

for (const [name, handles] of [
  ['handles', streamHandles],
  ['sockets', undefined],
] as const) {
  const plain: Listen = (acceptor) => listenOver(handles, { ...at, inbound: acceptor.inbound }, acceptor);

  describe(`a plain connection over ${name} behind a proxy`, () => {
    it('is the client whom the header names, and the log is told the proxy', async () => {
      await withListener(plain, async ({ acceptor, outcomes, connect }) => {
        const socket = await connect();
        socket.write(`${header}CONNECT {}\r\nPING\r\n`);
        await acceptor.until(() => acceptor.accepted[0]?.text === 'CONNECT {}\r\nPING\r\n');
        assert.deepEqual(outcomes, ['203.0.113.50:54321']);
        assert.deepEqual(acceptor.accepted[0]?.transport.proxy, { address: '127.0.0.1', port: socket.localPort });
        socket.write('PUB x 0\r\n\r\n');
        await acceptor.until(() => acceptor.accepted[0]?.text.endsWith('PUB x 0\r\n\r\n') === true);
      });
    });

    it('may send the header byte by byte', async () => {
      await withListener(plain, async ({ acceptor, outcomes, connect }) => {
        const socket = await connect();
        socket.setNoDelay(true);
        for (const char of `${header}PING\r\n`) await new Promise((resolve) => socket.write(char, resolve));
        await acceptor.until(() => acceptor.accepted[0]?.text === 'PING\r\n');
        assert.deepEqual(outcomes, ['203.0.113.50:54321']);
      });
    });

    it('without a header is served under its own address', async () => {
      await withListener(plain, async ({ acceptor, outcomes, connect }) => {
        const socket = await connect();
        socket.write('PING\r\n');
        await acceptor.until(() => acceptor.accepted[0]?.text === 'PING\r\n');
        assert.deepEqual(outcomes, [`127.0.0.1:${socket.localPort}`]);
      });
    });

    it('that ends or says nonsense is given up, and nothing of it is parsed', async () => {
      await withListener(plain, async ({ acceptor, outcomes, connect }) => {
        (await connect()).end();
        await acceptor.until(() => acceptor.accepted[0]?.closed === true);
        (await connect()).write('PROXY TCP4 x\r\nPING\r\n');
        await acceptor.until(() => acceptor.accepted[1]?.closed === true);
        assert.deepEqual(outcomes, ['failed to read protocol version: EOF', 'invalid PROXY protocol header: invalid v1 format']);
        assert.deepEqual(
          acceptor.accepted.map(({ text }) => text),
          ['', ''],
        );
      });
    });
  });
}

/** The first line is plain, then TLS. */
async function secured(socket: Socket): Promise<Socket> {
  const tls = connectTls({ socket, ca: authority, servername: 'localhost' });
  tls.on('error', () => undefined);
  await once(tls, 'secureConnect');
  return tls;
}

const withTls =
  (change: Parameters<typeof tlsSettings>[0], allowNonTls = false): Listen =>
  (acceptor) => {
    const { inbound, onProblem } = acceptor;
    return listenTls({ ...at, inbound, tls: tlsSettings(change), allowNonTls, onProblem }, acceptor);
  };

describe('a connection with TLS behind a proxy', () => {
  it('begins the handshake behind the header', async () => {
    await withListener(withTls({}), async ({ acceptor, outcomes, connect }) => {
      const socket = await connect();
      socket.write(header);
      await once(socket, 'data');
      (await secured(socket)).write('PING\r\n');
      await acceptor.until(() => acceptor.accepted[0]?.text === 'PING\r\n');
      assert.deepEqual(outcomes, ['203.0.113.50:54321']);
    });
  });

  it('may be plain where both are allowed, and is looked at behind the header', async () => {
    await withListener(withTls({}, true), async ({ acceptor, outcomes, connect }) => {
      (await connect()).write(`${header}PING\r\n`);
      await acceptor.until(() => acceptor.accepted[0]?.text === 'PING\r\n');
      const socket = await connect();
      socket.write(header);
      await once(socket, 'data');
      (await secured(socket)).write('PONG\r\n');
      await acceptor.until(() => acceptor.accepted[1]?.text === 'PONG\r\n');
      assert.deepEqual(outcomes, ['203.0.113.50:54321', '203.0.113.50:54321']);
    });
  });

  for (const handshakeFirstFallbackMs of [0, 5_000]) {
    it(`may be secured first, with a fallback after ${handshakeFirstFallbackMs} ms`, async () => {
      const listen = withTls({ handshakeFirst: true, handshakeFirstFallbackMs });
      await withListener(listen, async ({ acceptor, outcomes, connect }) => {
        const socket = await connect();
        socket.write(header);
        (await secured(socket)).write('PING\r\n');
        await acceptor.until(() => acceptor.accepted[0]?.text === 'PING\r\n');
        assert.deepEqual(outcomes, ['203.0.113.50:54321']);
        const direct = await connect();
        (await secured(direct)).write('PONG\r\n');
        await acceptor.until(() => acceptor.accepted[1]?.text === 'PONG\r\n');
        assert.equal(outcomes[1], `127.0.0.1:${direct.localPort}`);
      });
    });
  }

  it('is given up before the handshake when the header is none', async () => {
    await withListener(withTls({}), async ({ acceptor, outcomes, connect }) => {
      (await connect()).write('PROXY TCP4 x\r\n');
      await acceptor.until(() => acceptor.accepted[0]?.closed === true);
      assert.deepEqual(outcomes, ['invalid PROXY protocol header: invalid v1 format']);
    });
    await withListener(withTls({ handshakeFirst: true }), async ({ acceptor, connect }) => {
      const socket = await connect();
      socket.write('PROXY TCP4 x\r\n');
      await acceptor.until(() => acceptor.problems.length > 0);
      assert.match(acceptor.problems[0] ?? '', /^Error reading PROXY protocol header from 127\.0\.0\.1:\d+: invalid PROXY/);
    });
  });
});
