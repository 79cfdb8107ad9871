// TCP, read without a copy: libuv fills the kernel's inbound region itself (`onread`), so all plain connections share one buffer, and the
// sink must take the bytes before it returns. The accepted socket's handle moves into a new Socket with that option; the accepted shell
// stays behind only so that the server counts its connections truly, and is destroyed with the new one.

import net from 'node:net';
import { plainAddress } from '../lib/address.ts';
import type { Acceptor, Listening, Transport, TransportSink } from '../ports/connection.ts';
import type { TcpListenOptions } from '../ports/listen.ts';
import { listening } from './listening.ts';

/** How long an ended connection may take to let its last bytes go and to end from its side. */
const LINGER_MS = 500;

interface WithHandle {
  _handle: unknown;
}

const nothing: TransportSink = { onBytes: () => {}, onWritten: () => {}, onClose: () => {} };

class TcpTransport implements Transport {
  readonly kind = 'tcp';
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly #socket: net.Socket;
  #sink: TransportSink = nothing;
  #error: Error | undefined;

  constructor(shell: net.Socket, inbound: Uint8Array) {
    const handle = (shell as unknown as WithHandle)._handle;
    (shell as unknown as WithHandle)._handle = null;
    const callback = (length: number): boolean => {
      this.#sink.onBytes(length);
      return true;
    };
    const options = { handle, writableHighWaterMark: 1, allowHalfOpen: false, onread: { buffer: inbound, callback } };
    const socket = new net.Socket(options);
    this.#socket = socket;
    socket.setNoDelay(true);
    this.remoteAddress = plainAddress(socket.remoteAddress);
    this.remotePort = socket.remotePort ?? 0;
    this.localAddress = plainAddress(socket.localAddress);
    this.localPort = socket.localPort ?? 0;
    socket.on('drain', () => this.#sink.onWritten());
    socket.on('error', (error) => (this.#error = error));
    socket.once('close', () => {
      shell.destroy();
      this.#sink.onClose(this.#error);
    });
  }

  start(sink: TransportSink): void {
    this.#sink = sink;
    this.#socket.resume();
    this.#socket.read(0);
  }

  write(views: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (views.length === 1) socket.write(views[0] as Uint8Array);
    else {
      socket.cork();
      for (const view of views) socket.write(view);
      socket.uncork();
    }
    return socket.writableLength === 0;
  }

  pauseReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  /**
   * Says that nothing more comes, and waits a moment for the peer to do the same: closing with bytes of the peer unread would make the
   * system throw away what was written last, the `-ERR` it should see.
   */
  end(): void {
    const socket = this.#socket;
    socket.end();
    if (socket.destroyed) return;
    socket.resume();
    const linger = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(linger));
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** Listens for plain client connections. Rejects with the system's error when the address cannot be had. */
export function listenTcp(options: TcpListenOptions, acceptor: Acceptor): Promise<Listening> {
  const server = net.createServer({ pauseOnConnect: true, noDelay: true }, (shell) => {
    const transport = new TcpTransport(shell, options.inbound);
    transport.start(acceptor.accept(transport));
  });
  return listening(server, options);
}
