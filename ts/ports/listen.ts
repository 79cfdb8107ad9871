// The listening port: what it takes to open a listener for each kind of transport. Real ones are node/tcp, node/tls and node/websocket.
// Every listener hands its connections to one Acceptor and puts what they send into the same inbound region.
import type { OcspPeerOptions } from '../core/config/options-network.ts';
import type { Acceptor, Listening } from './connection.ts';
import type { HandshakeStatus } from './ocsp.ts';

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** The `tls` block as the listening side needs it; files are read when the listener opens and when it reloads. */
export interface TlsSettings extends CertificateFiles {
  readonly caFile: string;
  readonly certs: readonly CertificateFiles[];
  readonly verify: boolean;
  readonly verifyAndMap: boolean;
  readonly timeoutMs: number;
  readonly handshakeFirst: boolean;
  /** 0: a peer that does not begin the handshake is never greeted in plain. */
  readonly handshakeFirstFallbackMs: number;
  /** Handshakes a second; 0 is no limit. */
  readonly connectionRateLimit: number;
  readonly pinnedCerts: readonly string[];
  readonly cipherSuites: readonly string[];
  readonly curvePreferences: readonly string[];
  readonly minVersion: '1.2' | '1.3';
  /** Whether, and how, peers are checked with those who signed their certificates. */
  readonly ocspPeer?: OcspPeerOptions;
}

export interface TcpListenOptions {
  readonly host: string;
  /** -1 or 0: any free port. */
  readonly port: number;
  readonly inbound: Uint8Array;
  /** Connections may begin with the header of a proxy. */
  readonly proxyProtocol?: boolean;
}

export interface TlsListenOptions extends TcpListenOptions {
  readonly tls: TlsSettings;
  readonly status?: HandshakeStatus;
  /** Peers that send no TLS are served in plain. */
  readonly allowNonTls: boolean;
  /** A connection that failed before it was accepted. */
  readonly onProblem: (text: string, level?: 'error' | 'warn') => void;
}

export interface CloseStatus {
  readonly code: number;
  readonly text: string;
}

export interface WebSocketListenOptions extends TcpListenOptions {
  readonly tls: TlsSettings | undefined;
  readonly status?: HandshakeStatus;
  readonly compression: boolean;
  readonly sameOrigin: boolean;
  readonly allowedOrigins: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  /** 0: as long as a TLS handshake may take. */
  readonly handshakeTimeoutMs: number;
  /** Names of cookies kept for the session. */
  readonly cookies: readonly string[];
  /** Bytes of one message after decompression. */
  readonly maxMessageBytes: number;
  /** The close frame for the reason given to `Transport.end`. */
  readonly closeStatus: (reason: string) => CloseStatus;
  readonly onProblem: (text: string) => void;
}

/** A listener whose certificates can be read again. */
export interface TlsListening extends Listening {
  /** Throws when the files cannot be used; then the old certificates stay. */
  reloadTls(tls: TlsSettings): void;
  /** End of validity of the certificate served, in milliseconds since 1970. */
  readonly certificateNotAfterMs: number | undefined;
}

export interface Listeners {
  tcp(options: TcpListenOptions, acceptor: Acceptor): Promise<Listening>;
  tls(options: TlsListenOptions, acceptor: Acceptor): Promise<TlsListening>;
  webSocket(options: WebSocketListenOptions, acceptor: Acceptor): Promise<TlsListening>;
}
