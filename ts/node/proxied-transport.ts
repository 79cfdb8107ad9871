// A plain connection that may come through a proxy: greeted at once, listened to by the session only when the header has been read, and from then on
// under the address of the client. Its bytes stay in the kernel's inbound region, save those that came together with the header.
// Kept true: nothing of the header reaches the sink, and nothing behind it is lost; the sink hears of the end after the session heard why.

import { ProxyGreeting } from '../core/session/proxy-header.ts';
import type { ProxiedClient } from '../core/session/proxy-header.ts';
import type { Acceptor, PeerAddress, Transport, TransportSink } from '../ports/connection.ts';
import { HEADER_WAIT_MS, readFailure } from './proxy-header.ts';
import { deliver } from './stream-inbound.ts';

interface Settling {
  resolve(): void;
  reject(error: Error): void;
}

class ProxiedTransport implements Transport, TransportSink {
  readonly kind: Transport['kind'];
  readonly #inner: Transport;
  readonly #inbound: Uint8Array;
  #sink: TransportSink | undefined;
  /** Until what came with the header has been handed over. */
  #greeting: ProxyGreeting | undefined = new ProxyGreeting();
  #client: ProxiedClient | undefined;
  #waiting: Settling | undefined;
  #timer: NodeJS.Timeout | undefined;
  #paused = false;
  #closed = false;

  constructor(inner: Transport, inbound: Uint8Array) {
    this.#inner = inner;
    this.#inbound = inbound;
    this.kind = inner.kind;
  }

  begin(sink: TransportSink): this {
    this.#sink = sink;
    return this;
  }

  get remoteAddress(): string {
    return (this.#client ?? this.#peer).address;
  }

  get remotePort(): number {
    return (this.#client ?? this.#peer).port;
  }

  get #peer(): PeerAddress {
    return { address: this.#inner.remoteAddress, port: this.#inner.remotePort };
  }

  get proxy(): PeerAddress {
    return this.#peer;
  }

  get localAddress(): string {
    return this.#inner.localAddress;
  }

  get localPort(): number {
    return this.#inner.localPort;
  }

  get unsentBytes(): number {
    return this.#inner.unsentBytes;
  }

  introduce(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#timer = setTimeout(() => this.#fail(readFailure(this, 'i/o timeout')), HEADER_WAIT_MS);
    });
  }

  write(views: readonly Uint8Array[]): boolean {
    return this.#inner.write(views);
  }

  pauseReading(): void {
    this.#paused = true;
    this.#inner.pauseReading();
  }

  resumeReading(): void {
    this.#paused = false;
    if (this.#greeting === undefined) this.#inner.resumeReading();
  }

  end(reason?: string): void {
    this.#inner.end(reason);
  }

  destroy(): void {
    this.#inner.destroy();
  }

  // What the connection tells

  onBytes(length: number): void {
    const greeting = this.#greeting;
    if (greeting === undefined) return this.#sink?.onBytes(length);
    if (this.#waiting === undefined || !greeting.take(this.#inbound.subarray(0, length))) return;
    const { header } = greeting;
    if (header.kind === 'broken') return this.#fail();
    if (header.kind === 'header') this.#client = header.client;
    this.#inner.pauseReading();
    this.#settle((waiting) => waiting.resolve());
    // The session goes on first: its turn comes with the promise.
    setImmediate(() => this.#handOver(greeting.rest));
  }

  onWritten(): void {
    this.#sink?.onWritten();
  }

  onClose(error?: Error): void {
    this.#closed = true;
    if (this.#waiting === undefined) return this.#sink?.onClose(error);
    this.#fail(error && readFailure(this, error.message));
    setImmediate(() => this.#sink?.onClose(error));
  }

  #handOver(rest: Uint8Array): void {
    this.#greeting = undefined;
    if (this.#closed) return;
    if (rest.length > 0 && this.#sink !== undefined) deliver(rest, this.#inbound, this.#sink);
    if (!this.#paused) this.#inner.resumeReading();
  }

  #fail(why?: string): void {
    const problem = this.#greeting?.problem(why) ?? '';
    this.#settle((waiting) => waiting.reject(new Error(problem)));
  }

  #settle(settle: (waiting: Settling) => void): void {
    const waiting = this.#waiting;
    clearTimeout(this.#timer);
    this.#waiting = undefined;
    if (waiting !== undefined) settle(waiting);
  }
}

/** An acceptor whose connections may come through a proxy. */
export function behindProxies(acceptor: Acceptor, inbound: Uint8Array): Acceptor {
  return {
    accept(transport) {
      const proxied = new ProxiedTransport(transport, inbound);
      return proxied.begin(acceptor.accept(proxied));
    },
  };
}
