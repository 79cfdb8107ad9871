// TLS handshakes on sockets that were accepted, and perhaps spoken to, before: one tls.Server that never listens is handed the
// sockets one by one, so that verification, timeouts and new certificates are Node's own.
// Kept true: every `handshake` settles exactly once, and a socket whose handshake failed is destroyed.
import { createServer } from 'node:tls';
import type { Server, TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';
import type { TlsListening, TlsSettings } from '../ports/listen.ts';
import { peerCertificate } from './peer-certificate.ts';
import { loadTls } from './tls-context.ts';

interface Waiting {
  resolve(socket: TLSSocket): void;
  reject(error: Error): void;
}

const SECOND_MS = 1_000;

/** OpenSSL's sentences as the shorter ones operators know from nats-server. */
const sentences: readonly (readonly [code: string, text: string])[] = [
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls: first record does not look like a TLS handshake'],
  ['ERR_SSL_HTTP_REQUEST', 'tls: first record does not look like a TLS handshake'],
  ['ERR_SSL_HTTPS_PROXY_REQUEST', 'tls: first record does not look like a TLS handshake'],
  ['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', "tls: client didn't provide a certificate"],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'tls: client offered only unsupported versions'],
  ['ERR_SSL_NO_SHARED_CIPHER', 'tls: no cipher suite supported by both client and server'],
  ['ERR_TLS_HANDSHAKE_TIMEOUT', 'i/o timeout'],
  ['ECONNRESET', 'EOF'],
];

function plainError(error: Error): Error {
  const code = (error as NodeJS.ErrnoException).code;
  const found = sentences.find(([known]) => known === code);
  if (found !== undefined) return new Error(found[1]);
  const reason = (error as { reason?: string }).reason;
  return reason === undefined ? error : new Error(`tls: ${reason}`);
}

function key(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}|${socket.localPort}`;
}

export class TlsHandshakes implements Pick<TlsListening, 'reloadTls' | 'certificateNotAfterMs'> {
  certificateNotAfterMs: number | undefined = undefined;
  #settings: TlsSettings;
  #server: Server;
  readonly #waiting = new Map<string, Waiting>();
  #second = 0;
  #inSecond = 0;

  /** Throws when the certificates cannot be used. */
  constructor(settings: TlsSettings) {
    this.#settings = settings;
    this.#server = this.#serverOf(settings);
  }

  /** Handshakes from now on follow these settings, whole; throws and keeps the old ones when the certificates cannot be used. */
  reloadTls(settings: TlsSettings): void {
    this.#server = this.#serverOf(settings);
    this.#settings = settings;
  }

  /** It never listens, so that one of new settings simply takes the place of the old. */
  #serverOf(settings: TlsSettings): Server {
    const loaded = loadTls(settings);
    this.certificateNotAfterMs = loaded.notAfterMs;
    const requestCert = settings.verify || settings.verifyAndMap;
    const rules = { requestCert, rejectUnauthorized: requestCert, handshakeTimeout: settings.timeoutMs };
    const server = createServer({ ...loaded.options, ...(loaded.SNICallback && { SNICallback: loaded.SNICallback }), ...rules });
    server.on('secureConnection', (socket) => this.#secured(socket));
    server.on('tlsClientError', (error, socket) => this.#failed(error, socket));
    return server;
  }

  get settings(): TlsSettings {
    return this.#settings;
  }

  /** Counts a handshake about to begin; false when this second's are used up. */
  admit(nowMs: number): boolean {
    const limit = this.#settings.connectionRateLimit;
    if (limit <= 0) return true;
    const second = Math.floor(nowMs / SECOND_MS);
    if (second !== this.#second) {
      this.#second = second;
      this.#inSecond = 0;
    }
    return ++this.#inSecond <= limit;
  }

  /** Bytes already read from the socket must have been put back with `unshift`. */
  handshake(socket: Socket): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      if (socket.destroyed) return reject(new Error('EOF'));
      const id = key(socket);
      this.#waiting.set(id, { resolve, reject });
      socket.once('close', () => this.#settle(id, (waiting) => waiting.reject(new Error('EOF'))));
      this.#server.emit('connection', socket);
    });
  }

  #secured(socket: TLSSocket): void {
    const pinned = this.#settings.pinnedCerts;
    if (pinned.length > 0 && !isPinned(socket, pinned)) {
      this.#settle(key(socket), (waiting) => waiting.reject(new Error('certificate not pinned')));
      socket.destroy();
      return;
    }
    socket.pause();
    this.#settle(key(socket), (waiting) => waiting.resolve(socket));
  }

  #failed(error: Error, socket: TLSSocket): void {
    this.#settle(key(socket), (waiting) => waiting.reject(plainError(error)));
    socket.destroy();
  }

  #settle(id: string, settle: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    settle(waiting);
  }
}

function isPinned(socket: TLSSocket, pinned: readonly string[]): boolean {
  const raw = socket.getPeerCertificate(false).raw as Buffer | undefined;
  return raw !== undefined && pinned.includes(peerCertificate(raw).spkiSha256);
}
