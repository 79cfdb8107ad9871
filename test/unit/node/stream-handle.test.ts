// The private door to node's TCP handles: a server whose connections are taken counts them and closes as one whose connections are not.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { takeConnections } from '../../../ts/node/stream-handle.ts';
import type { Closed, StreamHandle } from '../../../ts/node/stream-handle.ts';

async function listen(): Promise<net.Server> {
  const server = net.createServer(() => assert.fail('the event is not for taken connections'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function countOf(server: net.Server): Promise<number> {
  return promisify(server.getConnections.bind(server))();
}

describe('connections taken from a server', () => {
  it('are counted until they are closed, and the server ends with the last of them', async () => {
    const server = await listen();
    const taken: { handle: StreamHandle<never>; closed: Closed }[] = [];
    let came = () => {};
    assert.equal(
      takeConnections<never>(server, (handle, closed) => {
        taken.push({ handle, closed });
        came();
      }),
      true,
    );
    const { port } = server.address() as net.AddressInfo;
    const clients = [net.connect(port, '127.0.0.1'), net.connect(port, '127.0.0.1')];
    while (taken.length < 2) await new Promise<void>((resolve) => (came = resolve));
    assert.equal(await countOf(server), 2);
    let ended = false;
    const end = once(server, 'close').then(() => (ended = true));
    server.close();
    for (const { handle, closed } of taken) {
      assert.equal(ended, false);
      await new Promise<void>((resolve) => handle.close(resolve));
      closed();
    }
    await end;
    assert.equal(await countOf(server), 0);
    for (const client of clients) client.destroy();
  });

  it('send without delay: each is told to, or the listening socket once, where it hands that on', () => {
    const told = (inherits: boolean, status: number): string[] => {
      const calls: string[] = [];
      const tells = (who: string, answer: number) => ({ setNoDelay: (on: boolean) => (calls.push(`${who} ${on}`), answer) });
      const listening = { onconnection: (_status: number, _handle: unknown) => {}, ...tells('listener', status) };
      const server = { _handle: listening, _connections: 0, _emitCloseIfDrained: () => {} };
      assert.equal(
        takeConnections(server as unknown as net.Server, () => {}, inherits),
        true,
      );
      for (let come = 0; come < 2; come++) listening.onconnection(0, tells('connection', 0));
      return calls;
    };
    assert.deepEqual(told(true, 0), ['listener true']);
    assert.deepEqual(told(true, -22), ['listener true', 'connection true', 'connection true']);
    assert.deepEqual(told(false, 0), ['connection true', 'connection true']);
  });

  it('cannot be taken from a server that does not listen', () => {
    assert.equal(
      takeConnections(net.createServer(), () => assert.fail()),
      false,
    );
  });
});
