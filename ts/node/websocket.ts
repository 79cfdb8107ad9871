// The WebSocket listener: node:http or node:https up to the upgrade, the `ws` package from there. Both load when the first such
// listener opens, since most servers have none.
// Kept true: a request that does not become a WebSocket is answered with one short text and its connection closed.
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { PerMessageDeflateOptions, WebSocketServer } from 'ws';
import type { Acceptor } from '../ports/connection.ts';
import type { TlsListening, TlsSettings, WebSocketListenOptions } from '../ports/listen.ts';
import { listening } from './listening.ts';
import { plainAddress } from '../lib/address.ts';
import { loadTls } from './tls-context.ts';
import type { LoadedTls } from './tls-context.ts';
import { plainError } from './tls-handshakes.ts';
import { WebSocketTransport } from './websocket-transport.ts';
import { refusalResponse, upgradeRefusal } from './websocket-upgrade.ts';

const DEFAULT_HANDSHAKE_MS = 2_000;

const deflate: PerMessageDeflateOptions = { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 };

async function httpServer(options: WebSocketListenOptions, loaded: LoadedTls | undefined): Promise<Server> {
  const headersTimeout = options.handshakeTimeoutMs || options.tls?.timeoutMs || DEFAULT_HANDSHAKE_MS;
  const common = {
    headersTimeout,
    requestTimeout: headersTimeout,
    connectionsCheckingInterval: headersTimeout,
    keepAlive: true,
    noDelay: true,
  };
  if (loaded === undefined || options.tls === undefined) return (await import('node:http')).createServer(common);
  const requestCert = options.tls.verify || options.tls.verifyAndMap;
  const { createServer } = await import('node:https');
  return createServer({
    ...common,
    ...loaded.options,
    requestCert,
    rejectUnauthorized: requestCert,
    handshakeTimeout: options.tls.timeoutMs,
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
  const loaded = options.tls && loadTls(options.tls);
  const { WebSocketServer } = await import('ws');
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: options.maxMessageBytes,
    perMessageDeflate: options.compression && deflate,
    skipUTF8Validation: true,
  });
  const server = await httpServer(options, loaded);
  const listener = new WebSocketListener(options, acceptor, sockets);
  server.on('upgrade', (request, socket, head) => listener.upgrade(request, socket, head));
  server.on('request', (request) => listener.request(request));
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    const where = `${plainAddress(socket.remoteAddress)}:${socket.remotePort}`;
    options.onProblem(`${where} - TLS handshake error: ${plainError(error).message}`);
    socket.destroy();
  });
  let notAfterMs = loaded?.notAfterMs;
  const open = await listening(server, options);
  return {
    ...open,
    close: async () => {
      server.closeIdleConnections();
      await open.close();
    },
    reloadTls: (tls: TlsSettings) => {
      const renewed = loadTls(tls);
      if ('setSecureContext' in server)
        (server as unknown as { setSecureContext(options: object): void }).setSecureContext(renewed.options);
      notAfterMs = renewed.notAfterMs;
    },
    get certificateNotAfterMs() {
      return notAfterMs;
    },
  };
}
