// The client listener with TLS. A connection is greeted in plain and upgraded when the session asks for it; with `handshake_first` it
// is secured before anybody hears of it, and with the fallback only if the peer begins soon.
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ProxiedClient } from '../core/session/proxy-header.ts';
import { hostPort, plainAddress } from '../lib/address.ts';
import type { Acceptor, TransportTls } from '../ports/connection.ts';
import type { TlsListenOptions, TlsListening } from '../ports/listen.ts';
import { firstByte } from './first-byte.ts';
import { listening } from './listening.ts';
import { agreedTls } from './peer-certificate.ts';
import { proxiedClient } from './proxy-header.ts';
import { TlsHandshakes } from './tls-handshakes.ts';
import { TlsTransport } from './tls-transport.ts';
import { messageOf } from '../lib/message-of.ts';

const THROTTLED = "-ERR 'Connection throttling is active. Please try again later.'\r\n";

class TlsListener {
  readonly handshakes: TlsHandshakes;
  readonly #options: TlsListenOptions;
  readonly #acceptor: Acceptor;

  constructor(options: TlsListenOptions, acceptor: Acceptor) {
    this.handshakes = new TlsHandshakes(options.tls, options.status);
    this.#options = options;
    this.#acceptor = acceptor;
  }

  async receive(socket: Socket): Promise<void> {
    socket.setNoDelay(true);
    // A peer may reset before anything else listens for errors.
    socket.on('error', () => undefined);
    if (!this.handshakes.admit(Date.now())) {
      socket.end(THROTTLED);
      return;
    }
    if (await this.#secureFirst(socket)) await this.#secure(socket);
    else if (!socket.destroyed) this.#accept(socket, undefined);
  }

  async #secureFirst(socket: Socket): Promise<boolean> {
    const { handshakeFirst, handshakeFirstFallbackMs } = this.handshakes.settings;
    if (!handshakeFirst || handshakeFirstFallbackMs === 0) return handshakeFirst;
    return (await firstByte(socket, handshakeFirstFallbackMs)) !== undefined;
  }

  async #secure(socket: Socket): Promise<void> {
    const where = `${socket.remoteAddress}:${socket.remotePort}`;
    const client = await this.#introduced(socket);
    if (client === 'nobody') return;
    try {
      const secured = await this.handshakes.handshake(socket);
      this.#accept(secured, agreedTls(secured, true), client);
    } catch (error) {
      this.#options.onProblem(`${where} - TLS handshake error: ${messageOf(error)}`);
    }
  }

  /** For whom a proxy speaks, if one does; `nobody`: the connection is given up. */
  async #introduced(socket: Socket): Promise<ProxiedClient | undefined | 'nobody'> {
    if (!this.#options.proxyProtocol) return undefined;
    const where = hostPort(plainAddress(socket.remoteAddress), socket.remotePort ?? 0);
    try {
      return await proxiedClient(socket);
    } catch (error) {
      this.#options.onProblem(`Error reading PROXY protocol header from ${where}: ${(error as Error).message}`, 'warn');
      socket.destroy();
      return 'nobody';
    }
  }

  #accept(socket: Socket | TLSSocket, agreed: TransportTls | undefined, client?: ProxiedClient): void {
    const { inbound, allowNonTls, proxyProtocol = false } = this.#options;
    const options = { inbound, allowNonTls, proxyProtocol, handshakes: this.handshakes };
    const transport = new TlsTransport(socket, options, agreed, client);
    transport.begin(this.#acceptor.accept(transport));
  }
}

/** Rejects when the certificates cannot be used or the port cannot be had. */
export async function listenTls(options: TlsListenOptions, acceptor: Acceptor): Promise<TlsListening> {
  const listener = new TlsListener(options, acceptor);
  const server = createServer({ pauseOnConnect: true }, (socket) => void listener.receive(socket));
  const open = await listening(server, options);
  return {
    ...open,
    reloadTls: (tls) => listener.handshakes.reloadTls(tls),
    get certificateNotAfterMs() {
      return listener.handshakes.certificateNotAfterMs;
    },
  };
}
