// The OCSP port: documents read and made, responders asked, files of answers, and our own certificates. What reads documents is large and loads
// at first use: most servers never check a status.

import type { OcspPeerOptions } from '../core/config/options-network.ts';
import type { CertificateFacts, ChainLink, ReadAnswer } from '../core/ocsp/answer.ts';
import type { TlsSettings } from './listen.ts';

export interface OcspDocuments {
  /** Throws when it is no certificate. */
  facts(der: Uint8Array): CertificateFacts;
  /** The certificate promises that its status is stapled. */
  mustStaple(der: Uint8Array): boolean;
  request(link: ChainLink): Uint8Array;
  /** Checks the signature, and that it is about this certificate. Never throws. */
  read(raw: Uint8Array, link: ChainLink): ReadAnswer;
}

export interface FetchRequest {
  readonly timeoutMs: number;
  /** Sent with POST; GET without. */
  readonly body?: Uint8Array;
}

export interface FetchedAnswer {
  /** HTTP's. */
  readonly status: number;
  readonly body: Uint8Array;
}

/** Our own certificate, as its file has it. */
export interface OwnCertificate {
  readonly file: string;
  readonly der: Uint8Array;
  /** It may promise a stapled status; a promise is looked for before anything large is loaded. */
  readonly mayPromise: boolean;
  /** The certificate that signed it. Throws one line when there is none. */
  issuer(): Uint8Array;
}

export interface OcspPort {
  documents(): Promise<OcspDocuments>;
  /** Rejects with why there is no answer: the network, or the time. */
  fetch(url: string, request: FetchRequest): Promise<FetchedAnswer>;
  /** The first certificate of a listener; throws when its files cannot be used. */
  ownCertificate(tls: TlsSettings): OwnCertificate;
  /** With the directories that stand for a relative path. */
  absolute(path: string): string;
  /** Undefined when there is no such file. */
  readFile(path: string): Uint8Array | undefined;
  /** Writes a file whole, synced, and makes its directory. */
  writeFile(path: string, content: Uint8Array): void;
}

/** What a listener asks at its handshakes. */
export interface HandshakeStatus {
  /** Chains from the peer's certificate to a trusted one, DER. Resolves to why it is not let in, undefined when it is; never rejects. */
  judge(chains: readonly (readonly Uint8Array[])[], policy: OcspPeerOptions): Promise<string | undefined>;
  /** The status shown with a certificate of ours, DER; undefined: none is. Rejects when one must be shown and cannot be had. */
  staple(certificate: Uint8Array): Promise<Uint8Array> | undefined;
}
