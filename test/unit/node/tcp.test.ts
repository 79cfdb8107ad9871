// The TCP transport over real sockets: bytes land where the kernel reads them, writes are reported when they have left, nothing stays open.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it } from 'node:test';
import { listenTcp } from '../../../ts/node/tcp.ts';
import type { Transport, TransportSink } from '../../../ts/ports/connection.ts';

interface Side {
  readonly transport: Transport;
  text: string;
  written: number;
  closed: number;
}

/** A listener whose side of each connection keeps what it is told. */
async function listener(inbound = Buffer.alloc(1 << 16)) {
  const sides: Side[] = [];
  let changed = () => {};
  const listening = await listenTcp(
    { host: '127.0.0.1', port: 0, inbound },
    {
      accept(transport): TransportSink {
        const side: Side = { transport, text: '', written: 0, closed: 0 };
        sides.push(side);
        changed();
        return {
          onBytes: (length) => {
            side.text += inbound.toString('latin1', 0, length);
            changed();
          },
          onWritten: () => {
            side.written++;
            changed();
          },
          onClose: () => {
            side.closed++;
            changed();
          },
        };
      },
    },
  );
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise<void>((resolve) => (changed = resolve));
  };
  return { listening, sides, until, inbound };
}

describe('TCP listener', () => {
  it('places what it reads at the front of the inbound region', async () => {
    const { listening, sides, until } = await listener();
    const client = net.connect(listening.port, '127.0.0.1');
    client.write('hello ');
    await until(() => sides[0]?.text === 'hello ');
    client.write('world');
    await until(() => sides[0]?.text === 'hello world');
    client.destroy();
    await until(() => sides[0]?.closed === 1);
    await listening.close();
  });

  it('says at once when a write has left, and calls back when it has not', async () => {
    const { listening, sides, until } = await listener();
    const client = net.connect(listening.port, '127.0.0.1');
    client.pause();
    await until(() => sides.length === 1);
    const [side] = sides as [Side];
    assert.equal(side.transport.write([Buffer.from('small')]), true);
    const large = Buffer.alloc(8 << 20, 'x');
    assert.equal(side.transport.write([Buffer.from('a'), large, Buffer.from('z')]), false);
    let received = 0;
    client.on('data', (bytes) => (received += bytes.length));
    client.resume();
    await until(() => side.written === 1);
    while (received < 5 + 2 + large.length) await once(client, 'data');
    assert.equal(side.transport.write([Buffer.from('again')]), true);
    assert.equal(side.written, 1, 'a write that left at once is not called back');
    client.destroy();
    await until(() => side.closed === 1);
    await listening.close();
  });

  it('lets the last bytes through although the client is still sending', async () => {
    const { listening, sides, until } = await listener();
    const client = net.connect(listening.port, '127.0.0.1');
    client.on('error', () => {});
    await until(() => sides.length === 1);
    const [side] = sides as [Side];
    client.write('x'.repeat(100_000));
    side.transport.write([Buffer.from("-ERR 'bye'\r\n")]);
    side.transport.end();
    let text = '';
    client.on('data', (bytes) => (text += bytes.toString('latin1')));
    await once(client, 'end');
    assert.equal(text, "-ERR 'bye'\r\n");
    client.destroy();
    await until(() => side.closed === 1);
    await listening.close();
  });

  it('closes completely after many connections came and went', async () => {
    const { listening, sides, until } = await listener();
    for (let round = 0; round < 20; round++) {
      const clients = Array.from({ length: 50 }, () => net.connect(listening.port, '127.0.0.1'));
      await Promise.all(clients.map((client) => once(client, 'connect')));
      for (const client of clients) client.destroy();
    }
    await until(() => sides.length === 1000 && sides.every((side) => side.closed === 1));
    await listening.close();
  });

  it('reports a port in use', async () => {
    const { listening } = await listener();
    await assert.rejects(
      listenTcp({ host: '127.0.0.1', port: listening.port, inbound: Buffer.alloc(16) }, { accept: () => assert.fail() }),
      { code: 'EADDRINUSE' },
    );
    await listening.close();
  });
});
