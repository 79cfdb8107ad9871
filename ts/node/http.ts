// The listener for monitoring, plain or TLS, on node:http. It turns requests into calls of one handler and replies into bytes, and knows
// nothing of what is asked. node:http and node:https are loaded when the first listener opens, since a server without monitoring needs neither.

import type { Server, ServerResponse } from 'node:http';
import type { Server as NetServer } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import type { Socket } from 'node:net';
import { hostPort } from '../lib/address.ts';
import type { HttpHandler, HttpReply, HttpRequest } from '../ports/http.ts';
import { bind } from './listening.ts';
import { securedFront } from './secured-front.ts';
import type { TlsHandshakes } from './tls-handshakes.ts';

export interface HttpListenOptions {
  readonly host: string;
  /** -1 or 0: any free port. */
  readonly port: number;
  /** Certificates of a TLS listener; plain without. */
  readonly tls?: SecureContextOptions;
  /** Instead of `tls`: clients are asked for certificates of their own. */
  readonly handshakes?: TlsHandshakes;
  readonly handler: HttpHandler;
  /** A request whose handler failed, or a connection that sent no HTTP. */
  readonly onProblem: (text: string) => void;
}

export interface HttpListening {
  readonly host: string;
  readonly port: number;
  /** Ends the listener and every connection to it. */
  close(): Promise<void>;
}

const failed: HttpReply = { status: 500, headers: {}, body: '' };

/** Rejects with the system's error when the address cannot be had. */
export async function listenHttp(options: HttpListenOptions): Promise<HttpListening> {
  const http = await createServer(options);
  const server = frontOf(http, options);
  const port = await bind(server, options);
  server.on('error', (error) => options.onProblem(error.message));
  return {
    host: options.host,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        http.closeAllConnections();
      }),
  };
}

function frontOf(http: Server, { handshakes, onProblem }: HttpListenOptions): NetServer {
  if (handshakes === undefined) return http;
  return securedFront(http, handshakes, (peer, why) => onProblem(`monitoring: TLS handshake error from ${peer}: ${why}`));
}

async function createServer({ tls, handler, onProblem }: HttpListenOptions): Promise<Server> {
  const server: Server =
    tls === undefined ? (await import('node:http')).createServer() : (await import('node:https')).createServer(tls);
  server.on('request', (request, response) => {
    request.resume();
    void respond({ target: request.url ?? '/', method: request.method ?? 'GET' }, response, handler, onProblem);
  });
  server.on('tlsClientError', (error: Error & { reason?: string }, socket: Socket) => {
    const peer = hostPort(socket.remoteAddress ?? '', socket.remotePort ?? 0);
    onProblem(`monitoring: TLS handshake error from ${peer}: ${error.reason ?? error.message}`);
  });
  return server;
}

/** Never rejects: a handler that fails is a 500 and a line in the log. */
async function respond(
  request: HttpRequest,
  response: ServerResponse,
  handler: HttpHandler,
  onProblem: (text: string) => void,
): Promise<void> {
  let reply = failed;
  try {
    reply = await handler(request);
  } catch (error) {
    onProblem(`monitoring: ${request.target} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
  const body = Buffer.from(reply.body, 'utf8');
  response.writeHead(reply.status, { ...reply.headers, 'Content-Length': body.length });
  response.end(request.method === 'HEAD' ? undefined : body);
}
