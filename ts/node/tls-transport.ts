// One connection of a listener with TLS: plain until the session asked for the handshake, or secured from its first byte.
// Bytes are copied into the kernel's inbound region.
// Kept true: at most one write is in flight; nothing is written in plain after the upgrade was asked for, save the greeting before it;
// the sink hears `onClose` once, whichever of the two sockets ends first.
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { plainAddress } from '../lib/address.ts';
import type { ProxiedClient } from '../core/session/proxy-header.ts';
import type { PeerAddress, Transport, TransportSink, TransportTls } from '../ports/connection.ts';
import { firstByte } from './first-byte.ts';
import { agreedTls } from './peer-certificate.ts';
import { proxiedClient } from './proxy-header.ts';
import { SocketWrite } from './socket-write.ts';
import { deliver, GatheredBytes } from './stream-inbound.ts';
import type { TlsHandshakes } from './tls-handshakes.ts';

/** First byte of a TLS handshake record. */
const HANDSHAKE_RECORD = 0x16;
const END_GRACE_MS = 1_000;

export interface TlsTransportOptions {
  readonly inbound: Uint8Array;
  readonly allowNonTls: boolean;
  readonly proxyProtocol: boolean;
  readonly handshakes: TlsHandshakes;
}

export class TlsTransport implements Transport {
  remoteAddress: string;
  remotePort: number;
  readonly proxy?: PeerAddress;
  readonly localAddress: string;
  readonly localPort: number;
  tls?: TransportTls;
  readonly introduce?: () => Promise<void>;
  readonly startTls?: () => Promise<TransportTls | undefined>;
  readonly #options: TlsTransportOptions;
  #socket: Socket | TLSSocket;
  #sink: TransportSink | undefined = undefined;
  #paused = false;
  #upgrading = false;
  #closed = false;
  /** The socket has closed, if the sink has heard of it or not. */
  #gone = false;
  #error: Error | undefined = undefined;
  #writing = false;
  readonly #write = new SocketWrite();
  /** A write that waits for the end of the upgrade. */
  #held: readonly Uint8Array[] | undefined = undefined;
  #afterWrite: (() => void) | undefined = undefined;
  /** Records deciphered in this turn of the loop: handed over together, so that what they ask for is answered in one write. */
  readonly #gathered = new GatheredBytes(() => this.#handOver());
  readonly #onError = (error: Error): void => {
    this.#error ??= error;
  };
  readonly #onClose = (): void => {
    this.#gone = true;
    // The upgrade says why, and it is told first.
    if (this.#closed || this.#upgrading) return;
    this.#handOver();
    this.#closed = true;
    this.#sink?.onClose(this.#error);
  };

  /** `agreed`: the handshake is done already, and so is what a proxy says: the connection is from `client`, if it is from a proxy. */
  constructor(
    socket: Socket | TLSSocket,
    options: TlsTransportOptions,
    agreed: TransportTls | undefined,
    client: ProxiedClient | undefined,
  ) {
    this.remoteAddress = plainAddress(socket.remoteAddress);
    this.remotePort = socket.remotePort ?? 0;
    this.localAddress = plainAddress(socket.localAddress);
    this.localPort = socket.localPort ?? 0;
    this.#socket = socket;
    this.#options = options;
    if (options.proxyProtocol) this.proxy = { address: this.remoteAddress, port: this.remotePort };
    if (client !== undefined) this.#isFrom(client);
    if (options.proxyProtocol && agreed === undefined) this.introduce = () => this.#introduce();
    if (agreed === undefined) this.startTls = () => this.#startTls();
    else this.tls = agreed;
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
  }

  get kind(): 'tls' | 'tcp' {
    return this.tls === undefined ? 'tcp' : 'tls';
  }

  begin(sink: TransportSink): void {
    this.#sink = sink;
    if (this.startTls === undefined) this.#listen();
  }

  write(views: readonly Uint8Array[]): boolean {
    if (this.#upgrading && this.#socket.bytesWritten > 0) this.#held = views;
    else this.#writeNow(views);
    return false;
  }

  get unsentBytes(): number {
    return this.#write.unsentBytes(this.#socket);
  }

  pauseReading(): void {
    this.#paused = true;
    if (!this.#upgrading) this.#socket.pause();
  }

  resumeReading(): void {
    this.#paused = false;
    this.#gathered.remind();
    if (!this.#upgrading) this.#socket.resume();
  }

  end(): void {
    const socket = this.#socket;
    socket.once('finish', () => socket.destroy());
    socket.end();
    setTimeout(() => socket.destroy(), END_GRACE_MS).unref();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #writeNow(views: readonly Uint8Array[]): void {
    const last = views.length - 1;
    this.#writing = true;
    this.#write.begin(this.#socket, views);
    this.#socket.cork();
    views.forEach((view, at) => this.#socket.write(view, at === last ? (error) => this.#written(error) : undefined));
    this.#socket.uncork();
  }

  #written(error: Error | null | undefined): void {
    this.#writing = false;
    this.#afterWrite?.();
    this.#afterWrite = undefined;
    if (!error && !this.#closed) this.#sink?.onWritten();
  }

  #listen(): void {
    this.#socket.on('data', (bytes: Buffer) => this.#gathered.add(bytes));
    if (!this.#paused) this.#socket.resume();
  }

  #handOver(): void {
    if (this.#paused || this.#closed || this.#sink === undefined) return;
    const bytes = this.#gathered.take();
    if (bytes.length > 0) deliver(bytes, this.#options.inbound, this.#sink);
  }

  #isFrom({ address, port }: ProxiedClient): void {
    this.remoteAddress = address;
    this.remotePort = port;
  }

  async #introduce(): Promise<void> {
    this.#upgrading = true;
    try {
      await this.#greeted();
      const client = await proxiedClient(this.#socket);
      if (client !== undefined) this.#isFrom(client);
    } finally {
      this.#upgrading = false;
      if (this.#gone) setImmediate(this.#onClose);
    }
  }

  async #startTls(): Promise<TransportTls | undefined> {
    this.#upgrading = true;
    try {
      const agreed = await this.#upgrade();
      if (agreed !== undefined) this.tls = agreed;
    } finally {
      this.#upgrading = false;
      if (this.#gone) setImmediate(this.#onClose);
    }
    this.#listen();
    if (this.#held !== undefined && !this.#closed) this.#writeNow(this.#held);
    this.#held = undefined;
    return this.tls;
  }

  async #upgrade(): Promise<TransportTls | undefined> {
    const plain = this.#socket;
    const { allowNonTls, handshakes } = this.#options;
    await this.#greeted();
    if (allowNonTls && (await firstByte(plain, handshakes.settings.timeoutMs)) !== HANDSHAKE_RECORD) return undefined;
    const secured = await handshakes.handshake(plain);
    plain.off('close', this.#onClose);
    secured.on('error', this.#onError);
    secured.on('close', this.#onClose);
    this.#socket = secured;
    return agreedTls(secured, false);
  }

  /** Resolves when the first write has left. */
  #greeted(): Promise<void> {
    if (!this.#writing && this.#socket.bytesWritten > 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#afterWrite = resolve;
    });
  }
}
