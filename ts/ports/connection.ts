// The connection port: a byte stream to one peer (TCP, TLS or WebSocket) as the broker sees it.
// Inbound bytes never pass through this interface: they are placed in the kernel's inbound region and only their number is reported.
// Outbound bytes are views of kernel memory that stay valid until the write is done; at most one write is in flight.

/** What a verified or presented client certificate says; `der` is the raw certificate. */
export interface PeerCertificate {
  readonly subject: string;
  readonly emails: readonly string[];
  readonly dnsNames: readonly string[];
  readonly uris: readonly string[];
  readonly spkiSha256: string;
  readonly certSha256: string;
  readonly der: Uint8Array;
}

export interface TransportTls {
  /** As Go prints it: `1.2`, `1.3`. */
  readonly version: string;
  readonly cipher: string;
  readonly peerCertificates: readonly PeerCertificate[];
  readonly handshakeFirst: boolean;
}

export interface PeerAddress {
  readonly address: string;
  readonly port: number;
}

export interface Transport {
  readonly kind: 'tcp' | 'tls' | 'websocket';
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Where the connection may come through a proxy: who is at the other end of it. The remote address is the client's. */
  readonly proxy?: PeerAddress;
  readonly localAddress: string;
  readonly localPort: number;
  readonly tls?: TransportTls;
  /** WebSocket only: cookies of the upgrade request that the configuration maps to credentials. */
  readonly cookies?: Readonly<Record<string, string>>;
  /**
   * Writes all views as one gathered write. True: every byte has left and the views may be reused.
   * False: the views must stay as they are until the sink's `onWritten`.
   */
  write(views: readonly Uint8Array[]): boolean;
  /** How many bytes of the write in flight the system has not taken, as near as can be told: fewer as it takes more. */
  readonly unsentBytes: number;
  /**
   * Only where the connection may come through a proxy: resolves when the proxy has said whose it is, or has said nothing; the remote address
   * is not known before. Behind the first write, and before TLS. Rejects with what is wrong.
   */
  introduce?(): Promise<void>;
  /**
   * Only on listeners with TLS: asks for the handshake to begin behind the first write (INFO goes out in plain); later writes wait for it.
   * Undefined: the peer chose plain bytes where both are allowed. Rejects when the handshake fails.
   */
  startTls?(): Promise<TransportTls | undefined>;
  pauseReading(): void;
  resumeReading(): void;
  /** Ends after pending writes, then destroys; `reason` becomes a WebSocket close status where there is one. */
  end(reason?: string): void;
  /** Drops the connection at once. */
  destroy(): void;
}

/** The broker's side of one connection. */
export interface TransportSink {
  /** `length` bytes lie at offset 0 of the kernel's inbound region and must be taken before this returns. */
  onBytes(length: number): void;
  /** The write that returned false is done. */
  onWritten(): void;
  /** The stream is gone; called exactly once, and nothing after it. */
  onClose(error?: Error): void;
}

export interface Acceptor {
  accept(transport: Transport): TransportSink;
}

export interface Listening {
  readonly host: string;
  readonly port: number;
  /** Stops accepting; resolves when the listening socket is closed. Accepted connections live on. */
  close(): Promise<void>;
}
