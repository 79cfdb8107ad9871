// The client listener with TLS. A connection is greeted in plain and upgraded when the session asks for it; with `handshake_first` it
// is secured before anybody hears of it, and with the fallback only if the peer begins soon.
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Acceptor, TransportTls } from '../ports/connection.ts';
import type { TlsListenOptions, TlsListening } from '../ports/listen.ts';
import { firstByte } from './first-byte.ts';
import { listening } from './listening.ts';
import { agreedTls } from './peer-certificate.ts';
import { TlsHandshakes } from './tls-handshakes.ts';
import { TlsTransport } from './tls-transport.ts';

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
    try {
      const secured = await this.handshakes.handshake(socket);
      this.#accept(secured, agreedTls(secured, true));
    } catch (error) {
      this.#options.onProblem(`${where} - TLS handshake error: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #accept(socket: Socket | TLSSocket, agreed: TransportTls | undefined): void {
    const { inbound, allowNonTls } = this.#options;
    const transport = new TlsTransport(socket, { inbound, allowNonTls, handshakes: this.handshakes }, agreed);
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
