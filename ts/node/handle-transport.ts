// One TCP connection over node's own handle (stream-handle.ts), read without a copy: libuv fills the kernel's inbound region itself, so all plain
// connections share one buffer, and the sink must take the bytes before it returns. What is written are views of the kernel's memory, which the
// system takes as they are; nearly always it takes them at once, and nothing else has to happen.
//
// Kept true: one write is in flight at most; the sink hears `onClose` once, when the handle is closed, and nothing after it; an end of the peer
// does not cut off what is still being written to it.

import { getSystemErrorName } from 'node:util';
import { plainAddress } from '../lib/address.ts';
import type { Transport, TransportSink } from '../ports/connection.ts';
import type { Closed, Endpoint, StreamHandle, StreamHandles, StreamRequest } from './stream-handle.ts';

/** How long an ended connection may take to let its last bytes go and to end from its side. */
export const LINGER_MS = 500;

const nothing: TransportSink = { onBytes: () => {}, onWritten: () => {}, onClose: () => {} };

function readInto(this: StreamHandle<HandleTransport>): void {
  this.owner?.arrived();
}

function writeDone(this: StreamRequest<HandleTransport>, status: number): void {
  this.owner?.written(status);
}

function shutdownDone(): void {}

/** What the connections of a listener share. */
export class HandleListener {
  readonly handles: StreamHandles;
  readonly inbound: Uint8Array;
  #spare: StreamRequest<HandleTransport>;

  constructor(handles: StreamHandles, inbound: Uint8Array) {
    this.handles = handles;
    this.inbound = inbound;
    this.#spare = this.#newWrite();
  }

  /** The request for the next write, the same one again until a write has used it. */
  get request(): StreamRequest<HandleTransport> {
    return this.#spare;
  }

  requestUsed(): void {
    this.#spare = this.#newWrite();
  }

  #newWrite(): StreamRequest<HandleTransport> {
    const request = this.handles.newWrite<HandleTransport>();
    request.oncomplete = writeDone;
    return request;
  }
}

export class HandleTransport implements Transport {
  readonly kind = 'tcp';
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly #listener: HandleListener;
  readonly #handle: StreamHandle<HandleTransport>;
  readonly #closed: Closed;
  #sink = nothing;
  #error: Error | undefined;
  /** What a write in flight still has to send; held so that nobody takes the memory away. */
  #unsent: readonly Uint8Array[] | undefined;
  #reading = false;
  #peerEnded = false;
  #ending = false;
  #destroyed = false;
  #linger: NodeJS.Timeout | undefined;

  constructor(handle: StreamHandle<HandleTransport>, listener: HandleListener, closed: Closed) {
    this.#handle = handle;
    this.#listener = listener;
    this.#closed = closed;
    const peer: Endpoint = {};
    handle.getpeername(peer);
    this.remoteAddress = plainAddress(peer.address);
    this.remotePort = peer.port ?? 0;
    handle.owner = this;
    handle.onread = readInto;
    handle.useUserBuffer(listener.inbound);
  }

  /** Asked of the system when somebody wants to know, which is seldom. */
  get localAddress(): string {
    return plainAddress(this.#local().address);
  }

  get localPort(): number {
    return this.#local().port ?? 0;
  }

  #local(): Endpoint {
    const local: Endpoint = {};
    if (!this.#destroyed) this.#handle.getsockname(local);
    return local;
  }

  start(sink: TransportSink): void {
    this.#sink = sink;
    this.resumeReading();
  }

  /** The handle has read something, or knows that nothing more comes. */
  arrived(): void {
    const { bytesRead, endOfFile } = this.#listener.handles;
    if (bytesRead === 0 || this.#destroyed) return;
    if (bytesRead > 0) return this.#sink.onBytes(bytesRead);
    if (bytesRead !== endOfFile) return this.#fail('read', bytesRead);
    this.#peerEnded = true;
    if (this.#unsent === undefined) this.destroy();
  }

  write(views: readonly Uint8Array[]): boolean {
    if (this.#destroyed) return false;
    const { request, handles } = this.#listener;
    const handle = this.#handle;
    const status = views.length === 1 ? handle.writeBuffer(request, views[0] as Uint8Array) : handle.writev(request, views, true);
    if (status !== 0) {
      this.#fail('write', status);
      return false;
    }
    if (!handles.writeWaits) return true;
    request.owner = this;
    this.#listener.requestUsed();
    this.#unsent = views;
    return false;
  }

  get unsentBytes(): number {
    return this.#destroyed ? 0 : this.#handle.writeQueueSize;
  }

  /** The write in flight is done, or was given up. */
  written(status: number): void {
    this.#unsent = undefined;
    if (this.#destroyed) return;
    if (status !== 0) return this.#fail('write', status);
    this.#sink.onWritten();
    if (this.#peerEnded && this.#unsent === undefined) this.destroy();
  }

  pauseReading(): void {
    if (!this.#reading || this.#destroyed) return;
    this.#reading = false;
    this.#handle.readStop();
  }

  resumeReading(): void {
    if (this.#reading || this.#destroyed) return;
    this.#reading = true;
    const status = this.#handle.readStart();
    if (status !== 0) this.#fail('read', status);
  }

  /**
   * Says that nothing more comes, and waits a moment for the peer to do the same: closing with bytes of the peer unread would make the
   * system throw away what was written last, the `-ERR` it should see.
   */
  end(): void {
    if (this.#destroyed || this.#ending) return;
    this.#ending = true;
    const request = this.#listener.handles.newShutdown<HandleTransport>();
    request.oncomplete = shutdownDone;
    // Fails when the peer is gone already.
    if (this.#handle.shutdown(request) !== 0) return this.destroy();
    this.resumeReading();
    this.#linger = setTimeout(() => this.destroy(), LINGER_MS);
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    clearTimeout(this.#linger);
    this.#handle.close(() => {
      this.#closed();
      this.#sink.onClose(this.#error);
    });
  }

  #fail(call: 'read' | 'write', status: number): void {
    this.#error ??= new Error(`${call} ${getSystemErrorName(status)}`);
    this.destroy();
  }
}
