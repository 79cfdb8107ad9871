// The TCP transports over real connections, those over node's handles and those over its sockets: bytes land where the kernel reads them, writes
// are reported when they have left, nothing stays open.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it } from 'node:test';
import { boundHost } from '../../../ts/node/listening.ts';
import { streamHandles } from '../../../ts/node/stream-handle.ts';
import type { StreamHandles } from '../../../ts/node/stream-handle.ts';
import { listenOver } from '../../../ts/node/tcp.ts';
import type { Transport, TransportSink } from '../../../ts/ports/connection.ts';

interface Side {
  readonly transport: Transport;
  text: string;
  written: number;
  closed: number;
  error: Error | undefined;
}

/** A listener whose side of each connection keeps what it is told. */
async function listener(handles: StreamHandles | undefined) {
  const inbound = Buffer.alloc(1 << 16);
  const sides: Side[] = [];
  let changed = () => {};
  const listening = await listenOver(
    handles,
    { host: '127.0.0.1', port: 0, inbound },
    {
      accept(transport): TransportSink {
        const side: Side = { transport, text: '', written: 0, closed: 0, error: undefined };
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
          onClose: (error) => {
            side.closed++;
            side.error = error;
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

function theSame(handles: StreamHandles | undefined): void {
  it('places what it reads at the front of the inbound region', async () => {
    const { listening, sides, until } = await listener(handles);
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
    const { listening, sides, until } = await listener(handles);
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
    const { listening, sides, until } = await listener(handles);
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

  it('knows how much of a write has not left yet', async () => {
    const { listening, sides, until } = await listener(handles);
    const client = net.connect(listening.port, '127.0.0.1');
    client.pause();
    await until(() => sides.length === 1);
    const [side] = sides as [Side];
    const views = [Buffer.alloc(16 << 20), Buffer.alloc(16 << 20)];
    assert.equal(side.transport.write(views), false);
    const before = side.transport.unsentBytes;
    assert.ok(before > 16 << 20 && before < 32 << 20, `${before} unsent`);
    client.resume();
    await until(() => side.written === 1);
    assert.equal(side.transport.unsentBytes, 0);
    client.destroy();
    await until(() => side.closed === 1);
    await listening.close();
  });

  it('closes completely after many connections came and went', async () => {
    const { listening, sides, until } = await listener(handles);
    for (let round = 0; round < 20; round++) {
      const clients = Array.from({ length: 50 }, () => net.connect(listening.port, '127.0.0.1'));
      await Promise.all(clients.map((client) => once(client, 'connect')));
      for (const client of clients) client.destroy();
    }
    await until(() => sides.length === 1000 && sides.every((side) => side.closed === 1));
    await listening.close();
  });

  it('binds every address where the host is every address of IPv4', () => {
    assert.deepEqual(['0.0.0.0', '127.0.0.1', '::', '::1'].map(boundHost), [undefined, '127.0.0.1', '::', '::1']);
  });

  it('reports a port in use', async () => {
    const { listening } = await listener(handles);
    await assert.rejects(
      listenOver(
        handles,
        { host: '127.0.0.1', port: listening.port, inbound: Buffer.alloc(16) },
        { accept: () => assert.fail() },
      ),
      { code: 'EADDRINUSE' },
    );
    await listening.close();
  });

  it('knows both addresses of a connection', async () => {
    const { listening, sides, until } = await listener(handles);
    const client = net.connect(listening.port, '127.0.0.1');
    await until(() => sides.length === 1);
    const [{ transport }] = sides as [Side];
    assert.equal(transport.remoteAddress, '127.0.0.1');
    assert.equal(transport.remotePort, client.localPort);
    assert.equal(transport.localAddress, '127.0.0.1');
    assert.equal(transport.localPort, listening.port);
    client.destroy();
    await until(() => sides[0]?.closed === 1);
    await listening.close();
  });

  it('reads nothing while reading is paused', async () => {
    const { listening, sides, until } = await listener(handles);
    const client = net.connect(listening.port, '127.0.0.1');
    const other = net.connect(listening.port, '127.0.0.1');
    await until(() => sides.length === 2);
    const [paused, reading] = sides as [Side, Side];
    const first = paused.transport.remotePort === client.localPort ? paused : reading;
    const second = first === paused ? reading : paused;
    first.transport.pauseReading();
    client.write('before');
    for (let round = 0; round < 3; round++) {
      other.write('x');
      await until(() => second.text.length === round + 1);
    }
    assert.equal(first.text, '');
    first.transport.resumeReading();
    await until(() => first.text === 'before');
    client.destroy();
    other.destroy();
    await until(() => sides.every((side) => side.closed === 1));
    await listening.close();
  });

  it('goes on writing to a client that will not send any more', async () => {
    const { listening, sides, until } = await listener(handles);
    const client = net.connect({ port: listening.port, host: '127.0.0.1', allowHalfOpen: true });
    client.pause();
    await until(() => sides.length === 1);
    const [side] = sides as [Side];
    const large = Buffer.alloc(8 << 20, 'x');
    assert.equal(side.transport.write([large]), false);
    client.end('last');
    await until(() => side.text === 'last');
    let received = 0;
    client.on('data', (bytes) => (received += bytes.length));
    client.resume();
    await once(client, 'end');
    assert.equal(received, large.length);
    await until(() => side.closed === 1);
    assert.equal(side.error, undefined);
    await listening.close();
  });

  it('says so when the client reset the connection', async () => {
    const { listening, sides, until } = await listener(handles);
    const client = net.connect(listening.port, '127.0.0.1');
    await until(() => sides.length === 1);
    client.resetAndDestroy();
    await until(() => sides[0]?.closed === 1);
    assert.match(String(sides[0]?.error), /ECONNRESET/);
    await listening.close();
  });

  it('drops what was not sent yet when it is destroyed', async () => {
    const { listening, sides, until } = await listener(handles);
    const client = net.connect(listening.port, '127.0.0.1');
    client.on('error', () => {});
    client.pause();
    await until(() => sides.length === 1);
    const [side] = sides as [Side];
    assert.equal(side.transport.write([Buffer.alloc(8 << 20)]), false);
    side.transport.destroy();
    side.transport.destroy();
    await until(() => side.closed === 1);
    assert.equal(side.written, 0);
    assert.equal(side.transport.write([Buffer.from('late')]), false);
    client.destroy();
    await listening.close();
  });
}

describe('TCP over handles of node', () => {
  assert.notEqual(streamHandles, undefined, 'this node has the handles');
  theSame(streamHandles);
});

describe('TCP over sockets of node', () => theSame(undefined));
