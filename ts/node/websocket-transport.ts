// One WebSocket as a byte stream: frames in, in any cut, are bytes; bytes out are binary frames, one a write.
// Kept true: a message is compressed only when worth it; frames to browsers stay small; the close frame carries the reason given.
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { WebSocket } from 'ws';
import { plainAddress } from '../lib/address.ts';
import type { Transport, TransportSink, TransportTls } from '../ports/connection.ts';
import type { WebSocketListenOptions } from '../ports/listen.ts';
import { agreedTls } from './peer-certificate.ts';
import { SocketWrite } from './socket-write.ts';
import { deliver, GatheredBytes } from './stream-inbound.ts';
import { namedCookies } from './websocket-upgrade.ts';

/** Some browsers hand over a frame only when it is whole, so they get small ones. */
const BROWSER_FRAME_BYTES = 4_096;
/** Shorter messages do not gain from compression. */
const COMPRESS_ABOVE_BYTES = 64;
/** How long the peer may take to answer the close frame. */
const END_GRACE_MS = 250;

/** The peer's address, or the one a proxy says it forwards for. */
function clientAddress(request: IncomingMessage): string {
  const forwarded = request.headers['x-forwarded-for'];
  const first = (Array.isArray(forwarded) ? forwarded[0] : forwarded)?.split(',')[0]?.trim() ?? '';
  return isIP(first) === 0 ? plainAddress(request.socket.remoteAddress) : first;
}

function agreed(socket: Socket): TransportTls | undefined {
  return 'encrypted' in socket ? agreedTls(socket as TLSSocket, true) : undefined;
}

export class WebSocketTransport implements Transport {
  readonly kind = 'websocket';
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly tls?: TransportTls;
  readonly cookies: Readonly<Record<string, string>>;
  readonly #socket: WebSocket;
  readonly #options: WebSocketListenOptions;
  readonly #frameBytes: number;
  #sink: TransportSink | undefined = undefined;
  /** The connection that carries the frames. */
  readonly #carrier: Socket;
  readonly #write = new SocketWrite();
  readonly #gathered = new GatheredBytes(() => this.#handOver());
  #error: Error | undefined = undefined;
  #closed = false;

  constructor(socket: WebSocket, request: IncomingMessage, options: WebSocketListenOptions) {
    this.remoteAddress = clientAddress(request);
    this.remotePort = request.socket.remotePort ?? 0;
    this.localAddress = plainAddress(request.socket.localAddress);
    this.localPort = request.socket.localPort ?? 0;
    const tls = agreed(request.socket);
    if (tls !== undefined) this.tls = tls;
    this.cookies = namedCookies(request.headers.cookie, options.cookies);
    this.#socket = socket;
    this.#carrier = request.socket;
    this.#options = options;
    this.#frameBytes = (request.headers['user-agent'] ?? '').startsWith('Mozilla/') ? BROWSER_FRAME_BYTES : Infinity;
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('close', () => this.#onClose());
  }

  begin(sink: TransportSink): void {
    this.#sink = sink;
    this.#socket.on('message', (bytes: Buffer) => this.#gathered.add(bytes));
  }

  write(views: readonly Uint8Array[]): boolean {
    this.#write.begin(this.#carrier, views);
    const bytes = Buffer.concat(views);
    const sent = (error?: Error): void => {
      if (!error && !this.#closed) this.#sink?.onWritten();
    };
    const frame = Math.min(bytes.length, this.#frameBytes);
    for (let at = 0; at < bytes.length; at += frame) {
      const part = bytes.subarray(at, at + frame);
      const last = at + frame >= bytes.length;
      this.#socket.send(part, { binary: true, compress: part.length > COMPRESS_ABOVE_BYTES }, last ? sent : undefined);
    }
    return false;
  }

  get unsentBytes(): number {
    return this.#write.unsentBytes(this.#carrier);
  }

  pauseReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  end(reason = ''): void {
    const { code, text } = this.#options.closeStatus(reason);
    this.#socket.close(code, text);
    setTimeout(() => this.#socket.terminate(), END_GRACE_MS).unref();
  }

  destroy(): void {
    this.#socket.terminate();
  }

  #handOver(): void {
    const bytes = this.#gathered.take();
    if (!this.#closed && bytes.length > 0 && this.#sink !== undefined) deliver(bytes, this.#options.inbound, this.#sink);
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#sink?.onClose(this.#error);
  }
}
