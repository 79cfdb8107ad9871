// TLS handshakes on sockets that were accepted, and perhaps spoken to, before: one tls.Server that never listens is handed the
// sockets one by one, so that verification, timeouts and new certificates are Node's own.
// Kept true: every `handshake` settles exactly once, and a socket whose handshake failed is destroyed; a peer whose certificates are checked with
// those who signed them is not read from before the verdict.
import type { X509Certificate } from 'node:crypto';
import { createServer } from 'node:tls';
import type { Server, TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';
import type { OcspPeerOptions } from '../core/config/options-network.ts';
import type { TlsListening, TlsSettings } from '../ports/listen.ts';
import type { HandshakeStatus } from '../ports/ocsp.ts';
import { peerCertificate } from './peer-certificate.ts';
import { loadTls, trustPartialChains, trustedCertificates } from './tls-context.ts';
import { presented, verifiedChains } from './verified-chains.ts';
import { messageOf } from '../lib/message-of.ts';

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

/** Why OpenSSL does not trust the peer's certificates, as Go says it. */
const distrust: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'certificate has expired or is not yet valid',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate signed by unknown authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate signed by unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate signed by unknown authority',
  INVALID_PURPOSE: 'certificate specifies an incompatible key usage',
};

/** Node closes such a connection without an error; why is left on the socket. */
function distrustOf(socket: Socket): Error | undefined {
  const code = (socket as { authorizationError?: unknown }).authorizationError;
  if (typeof code !== 'string') return undefined;
  return new Error(`tls: failed to verify certificate: x509: ${distrust[code] ?? code}`);
}

function plainError(error: Error): Error {
  const code = (error as NodeJS.ErrnoException).code;
  const found = sentences.find(([known]) => known === code);
  if (found !== undefined) return new Error(found[1]);
  const reason = (error as { reason?: string }).reason;
  return reason === undefined ? error : new Error(`tls: ${reason}`);
}

/** The accepted socket below a TLS socket. */
function below(socket: Socket): Socket {
  return (socket as { readonly _parent?: Socket })._parent ?? socket;
}

function key(socket: Socket): string {
  return `${socket.remoteAddress}|${socket.remotePort}|${socket.localPort}`;
}

export class TlsHandshakes implements Pick<TlsListening, 'reloadTls' | 'certificateNotAfterMs'> {
  certificateNotAfterMs: number | undefined = undefined;
  #settings: TlsSettings;
  #server: Server;
  #trusted: readonly X509Certificate[] = [];
  readonly #status: HandshakeStatus | undefined;
  readonly #waiting = new Map<string, Waiting>();
  /** A socket that is destroyed knows its addresses no more. */
  readonly #keys = new WeakMap<Socket, string>();
  #second = 0;
  #inSecond = 0;

  /** Throws when the certificates cannot be used. */
  constructor(settings: TlsSettings, status?: HandshakeStatus) {
    this.#status = status;
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
    this.#trusted = settings.ocspPeer?.verify ? trustedCertificates(settings) : [];
    this.certificateNotAfterMs = loaded.notAfterMs;
    const requestCert = settings.verify || settings.verifyAndMap;
    const rules = { requestCert, rejectUnauthorized: requestCert, handshakeTimeout: settings.timeoutMs };
    const server = createServer({ ...loaded.options, ...(loaded.SNICallback && { SNICallback: loaded.SNICallback }), ...rules });
    trustPartialChains(server);
    server.on('secureConnection', (socket) => this.#secured(socket));
    server.on('tlsClientError', (error, socket) => this.#failed(error, socket));
    if (this.#status !== undefined) server.on('OCSPRequest', (own: Buffer, _issuer, done) => void this.#staple(own, done));
    return server;
  }

  async #staple(own: Buffer, done: (error: Error | null, staple: Buffer) => void): Promise<void> {
    const none = null as unknown as Buffer;
    try {
      const staple = await this.#status?.staple(own);
      done(null, staple === undefined ? none : Buffer.from(staple));
    } catch (error) {
      done(error as Error, none);
    }
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
      const waiting = { resolve, reject };
      this.#waiting.set(id, waiting);
      this.#keys.set(socket, id);
      socket.once('close', () => setImmediate(() => this.#gone(id, waiting)));
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
    const { ocspPeer } = this.#settings;
    if (ocspPeer?.verify) void this.#judge(socket, ocspPeer);
    else this.#settle(key(socket), (waiting) => waiting.resolve(socket));
  }

  async #judge(socket: TLSSocket, policy: OcspPeerOptions): Promise<void> {
    // The verdict may take seconds, in which the peer may go.
    socket.on('error', () => undefined);
    const refusal = await this.#refusal(socket, policy);
    // Another connection may be under its name by now.
    if (socket.destroyed) return;
    this.#settle(key(socket), (waiting) =>
      refusal === undefined ? waiting.resolve(socket) : waiting.reject(new Error(refusal)),
    );
    if (refusal !== undefined) socket.destroy();
  }

  async #refusal(socket: TLSSocket, policy: OcspPeerOptions): Promise<string | undefined> {
    try {
      const [leaf, ...others] = presented(socket.getPeerCertificate(true));
      const chains = leaf === undefined ? [] : verifiedChains(leaf, others, this.#trusted, Date.now());
      const encoded = chains.map((chain) => chain.map(({ raw }) => raw));
      return this.#status === undefined ? 'status of certificates is not known' : await this.#status.judge(encoded, policy);
    } catch (error) {
      return messageOf(error);
    }
  }

  #failed(error: Error, socket: TLSSocket): void {
    const why = distrustOf(socket) ?? plainError(error);
    this.#settle(this.#keys.get(below(socket)) ?? key(socket), (waiting) => waiting.reject(why));
    socket.destroy();
  }

  /** The socket has closed; what the handshake had to say of it has come before. */
  #gone(id: string, waiting: Waiting): void {
    if (this.#waiting.get(id) === waiting) this.#settle(id, () => waiting.reject(new Error('EOF')));
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
