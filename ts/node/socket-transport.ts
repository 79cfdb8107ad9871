// One TCP connection over a socket of node, for a node whose handles are not what handle-transport.ts expects: the same behaviour, with the bytes
// copied into the kernel's inbound region, and slower.

import type { Socket } from 'node:net';
import { plainAddress } from '../lib/address.ts';
import type { Transport, TransportSink } from '../ports/connection.ts';
import { LINGER_MS } from './handle-transport.ts';
import { SocketWrite } from './socket-write.ts';
import { deliver } from './stream-inbound.ts';

export class SocketTransport implements Transport {
  readonly kind = 'tcp';
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #socket: Socket;
  readonly #inbound: Uint8Array;
  readonly #write = new SocketWrite();
  #error: Error | undefined;
  /** Write callbacks still to come for writes that had left at once. */
  #passedOver = 0;
  #written: (error?: Error | null) => void = () => {};

  constructor(socket: Socket, inbound: Uint8Array) {
    this.#socket = socket;
    this.#inbound = inbound;
    this.remoteAddress = plainAddress(socket.remoteAddress);
    this.remotePort = socket.remotePort ?? 0;
    socket.on('error', (error) => (this.#error = error));
  }

  get localAddress(): string {
    return plainAddress(this.#socket.localAddress);
  }

  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  start(sink: TransportSink): void {
    const socket = this.#socket;
    this.#written = (error) => {
      if (this.#passedOver > 0) this.#passedOver--;
      else if (!error && !socket.destroyed) sink.onWritten();
    };
    socket.once('close', () => sink.onClose(this.#error));
    socket.on('data', (bytes) => deliver(bytes, this.#inbound, sink));
    socket.resume();
  }

  write(views: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (socket.destroyed) return false;
    this.#write.begin(socket, views);
    const last = views.length - 1;
    if (last > 0) socket.cork();
    for (let i = 0; i < last; i++) socket.write(views[i] as Uint8Array);
    socket.write(views[last] as Uint8Array, (error) => this.#written(error));
    if (last > 0) socket.uncork();
    if (socket.writableLength > 0) return false;
    this.#passedOver++;
    return true;
  }

  get unsentBytes(): number {
    return this.#write.unsentBytes(this.#socket);
  }

  pauseReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  /** As with handles: what was written last must reach a peer that is still sending. */
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
