// The WebSocket listener: node:http up to the upgrade, behind a TLS handshake where that is configured, the `ws` package from there.
// Both load when the first such listener opens, since most servers have none.
// Kept true: a request that does not become a WebSocket is answered with one short text and its connection closed.
import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { Duplex } from 'node:stream';
import type { PerMessageDeflateOptions, WebSocketServer } from 'ws';
import type { Acceptor } from '../ports/connection.ts';
import type { TlsListening, TlsSettings, WebSocketListenOptions } from '../ports/listen.ts';
import { listening } from './listening.ts';
import { plainAddress } from '../lib/address.ts';
import { securedFront } from './secured-front.ts';
import { TlsHandshakes } from './tls-handshakes.ts';
import { WebSocketTransport } from './websocket-transport.ts';
import { refusalResponse, upgradeRefusal } from './websocket-upgrade.ts';

const DEFAULT_HANDSHAKE_MS = 2_000;

const deflate: PerMessageDeflateOptions = { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 };

async function httpServer(options: WebSocketListenOptions): Promise<HttpServer> {
  const headersTimeout = options.handshakeTimeoutMs || options.tls?.timeoutMs || DEFAULT_HANDSHAKE_MS;
  const { createServer } = await import('node:http');
  return createServer({
    headersTimeout,
    requestTimeout: headersTimeout,
    connectionsCheckingInterval: headersTimeout,
    keepAlive: true,
    noDelay: true,
  });
}

class WebSocketListener {
  readonly #options: WebSocketListenOptions;
  readonly #acceptor: Acceptor;
  readonly #sockets: WebSocketServer;

  constructor(options: WebSocketListenOptions, acceptor: Acceptor, sockets: WebSocketServer) {
    this.#options = options;
    this.#acceptor = acceptor;
    this.#sockets = sockets;
    sockets.on('headers', (headers) => {
      for (const [name, value] of Object.entries(options.headers)) headers.push(`${name}: ${value}`);
    });
    sockets.on('wsClientError', (error, socket, request) => {
      this.#refuse(request, socket, 400, error.message);
    });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => undefined);
    const refusal = upgradeRefusal(request, this.#options);
    if (refusal !== undefined) return this.#refuse(request, socket, refusal.status, refusal.problem);
    if (head.length > 0) return this.#refuse(request, socket, 400, 'client sent data before handshake is complete');
    this.#sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const transport = new WebSocketTransport(webSocket, request, this.#options);
      transport.begin(this.#acceptor.accept(transport));
    });
  }

  /** A plain HTTP request: nothing is served here. */
  request(request: IncomingMessage): void {
    const refusal = upgradeRefusal(request, this.#options) ?? { status: 400, problem: "invalid value for header 'Upgrade'" };
    this.#refuse(request, request.socket, refusal.status, refusal.problem);
  }

  #refuse(request: IncomingMessage, socket: Duplex, status: 400 | 403 | 404 | 405, problem: string): void {
    const { remoteAddress, remotePort } = request.socket;
    this.#options.onProblem(`${plainAddress(remoteAddress)}:${remotePort} - websocket handshake error: ${problem}`);
    socket.end(refusalResponse({ status, problem }));
  }
}

/** Rejects when the certificates cannot be used or the port cannot be had. */
export async function listenWebSocket(options: WebSocketListenOptions, acceptor: Acceptor): Promise<TlsListening> {
  const handshakes = options.tls && new TlsHandshakes(options.tls, options.status);
  const { WebSocketServer } = await import('ws');
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: options.maxMessageBytes,
    perMessageDeflate: options.compression && deflate,
    skipUTF8Validation: true,
  });
  const http = await httpServer(options);
  const listener = new WebSocketListener(options, acceptor, sockets);
  http.on('upgrade', (request, socket, head) => listener.upgrade(request, socket, head));
  http.on('request', (request) => listener.request(request));
  const onProblem = (peer: string, why: string): void => options.onProblem(`${peer} - TLS handshake error: ${why}`);
  const front = handshakes === undefined ? http : securedFront(http, handshakes, onProblem);
  const open = await listening(front, options);
  return {
    ...open,
    close: async () => {
      http.closeIdleConnections();
      await open.close();
    },
    reloadTls: (tls: TlsSettings) => handshakes?.reloadTls(tls),
    get certificateNotAfterMs() {
      return handshakes?.certificateNotAfterMs;
    },
  };
}
