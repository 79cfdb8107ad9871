// TCP, read without a copy: libuv fills the kernel's inbound region itself (read-into.ts), so all plain connections share one buffer, and the
// sink must take the bytes before it returns. What is written are views of the kernel's memory, which node hands to the system as they are.

import net from 'node:net';
import { plainAddress } from '../lib/address.ts';
import type { Acceptor, Listening, Transport, TransportSink } from '../ports/connection.ts';
import type { TcpListenOptions } from '../ports/listen.ts';
import { listening } from './listening.ts';
import { readInto } from './read-into.ts';

/** How long an ended connection may take to let its last bytes go and to end from its side. */
const LINGER_MS = 500;

const nothing: TransportSink = { onBytes: () => {}, onWritten: () => {}, onClose: () => {} };

class TcpTransport implements Transport {
  readonly kind = 'tcp';
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #socket: net.Socket;
  #sink: TransportSink = nothing;
  #error: Error | undefined;
  /** Write callbacks still to come for writes that had left at once. */
  #passedOver = 0;
  readonly #written = (error?: Error | null): void => {
    if (this.#passedOver > 0) this.#passedOver--;
    else if (!error) this.#sink.onWritten();
  };

  constructor(socket: net.Socket, inbound: Uint8Array) {
    this.#socket = socket;
    this.remoteAddress = plainAddress(socket.remoteAddress);
    this.remotePort = socket.remotePort ?? 0;
    readInto(socket, inbound, () => this.#sink);
    socket.on('error', (error) => (this.#error = error));
    socket.once('close', () => this.#sink.onClose(this.#error));
  }

  /** Asked of the system when somebody wants to know, which is seldom. */
  get localAddress(): string {
    return plainAddress(this.#socket.localAddress);
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  start(sink: TransportSink): void {
    this.#sink = sink;
    this.#socket.resume();
    this.#socket.read(0);
  }

  write(views: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    const last = views.length - 1;
    if (last > 0) socket.cork();
    for (let i = 0; i < last; i++) socket.write(views[i] as Uint8Array);
    socket.write(views[last] as Uint8Array, this.#written);
    if (last > 0) socket.uncork();
    if (socket.writableLength > 0) return false;
    this.#passedOver++;
    return true;
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
  const server = net.createServer({ pauseOnConnect: true, noDelay: true }, (socket) => {
    const transport = new TcpTransport(socket, options.inbound);
    transport.start(acceptor.accept(transport));
  });
  return listening(server, options);
}
