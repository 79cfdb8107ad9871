// What certificates, links of their chains and answers of OCSP responders are to those who decide about them. Reading and signatures are behind
// the port; here nothing is parsed.
// Kept true: an answer is one whose signature was checked, and that is about the certificate it was asked for.

export type CertificateStatus = 'good' | 'revoked' | 'unknown';

export interface CertificateFacts {
  readonly der: Uint8Array;
  /** Names as Go prints them. */
  readonly subject: string;
  readonly issuer: string;
  /** SHA-256 of the certificate in base64: what its answer is kept under. */
  readonly fingerprint: string;
  /** Addresses of responders that can be asked over HTTP. */
  readonly responders: readonly string[];
}

/** A certificate and the one that signed it. */
export interface ChainLink {
  readonly leaf: CertificateFacts;
  readonly issuer: CertificateFacts;
}

export interface OcspAnswer {
  readonly status: CertificateStatus;
  readonly thisUpdateMs: number;
  /** Undefined: the responder did not say when it will know more. */
  readonly nextUpdateMs: number | undefined;
  /** As it came. */
  readonly raw: Uint8Array;
}

/** What is left of an answer after reading it. */
export type ReadAnswer =
  | { readonly kind: 'answer'; readonly answer: OcspAnswer }
  /** Signed by a certificate that the issuer did not make for this. */
  | { readonly kind: 'delegation' }
  | { readonly kind: 'unreadable'; readonly why: string };

export interface LogLine {
  readonly level: 'debug' | 'warn' | 'error';
  readonly text: string;
}
