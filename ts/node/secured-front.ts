// Accepts for an HTTP server, which sees a connection only when its TLS handshake is done and its peer is let in.

import { createServer } from 'node:net';
import type { Server } from 'node:net';
import type { Server as HttpServer } from 'node:http';
import { plainAddress } from '../lib/address.ts';
import type { TlsHandshakes } from './tls-handshakes.ts';

/** `onProblem` hears whose handshake failed, and why. */
export function securedFront(
  http: HttpServer,
  handshakes: TlsHandshakes,
  onProblem: (peer: string, why: string) => void,
): Server {
  return createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    const peer = `${plainAddress(socket.remoteAddress)}:${socket.remotePort}`;
    socket.on('error', () => undefined);
    handshakes.handshake(socket).then(
      (secured) => {
        http.emit('connection', secured);
        secured.resume();
      },
      (error: Error) => onProblem(peer, error.message),
    );
  });
}
