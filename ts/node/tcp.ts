// Listens for plain client connections: over node's handles where they can be had, over its sockets elsewhere.

import { createServer } from 'node:net';
import type { Acceptor, Listening } from '../ports/connection.ts';
import type { TcpListenOptions } from '../ports/listen.ts';
import { HandleListener, HandleTransport } from './handle-transport.ts';
import { listening } from './listening.ts';
import { behindProxies } from './proxied-transport.ts';
import { SocketTransport } from './socket-transport.ts';
import { streamHandles, takeConnections } from './stream-handle.ts';
import type { StreamHandles } from './stream-handle.ts';

/** How connections are taken; tests choose. */
export async function listenOver(
  handles: StreamHandles | undefined,
  options: TcpListenOptions,
  acceptor: Acceptor,
): Promise<Listening> {
  const sessions = options.proxyProtocol ? behindProxies(acceptor, options.inbound) : acceptor;
  const accept = (transport: HandleTransport | SocketTransport): void => transport.start(sessions.accept(transport));
  const server = createServer({ pauseOnConnect: true, noDelay: true }, (socket) =>
    accept(new SocketTransport(socket, options.inbound)),
  );
  const open = await listening(server, options);
  if (handles !== undefined) {
    const shared = new HandleListener(handles, options.inbound);
    takeConnections<HandleTransport>(server, (handle, closed) => accept(new HandleTransport(handle, shared, closed)));
  }
  return open;
}

/** Rejects with the system's error when the address cannot be had. */
export function listenTcp(options: TcpListenOptions, acceptor: Acceptor): Promise<Listening> {
  return listenOver(streamHandles, options, acceptor);
}
