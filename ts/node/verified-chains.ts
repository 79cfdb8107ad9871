// The chains that lead from a certificate to one that is trusted. OpenSSL has verified the peer's before it comes here, but does not say by which
// chain, and what the peer sent along may be anything: so they are looked for once more, signature by signature.
// Kept true: as in nats-server, every certificate of the `ca_file` ends a chain, also one that has an issuer itself; a chain that ends early is
// looked at first.

import { X509Certificate } from 'node:crypto';
import type { PeerCertificate, DetailedPeerCertificate } from 'node:tls';
import { rootCertificates } from 'node:tls';

/** Signatures checked for one peer at most, however many certificates it sends. */
const MOST_CHECKS = 100;

export type Chain = readonly X509Certificate[];

const isSame = (left: X509Certificate, right: X509Certificate): boolean => left.raw.equals(right.raw);

function isValidAt({ validFrom, validTo }: X509Certificate, nowMs: number): boolean {
  return Date.parse(validFrom) <= nowMs && nowMs <= Date.parse(validTo);
}

class Search {
  readonly #trusted: Chain;
  readonly #others: Chain;
  readonly #nowMs: number;
  #checks = 0;

  constructor(trusted: Chain, others: Chain, nowMs: number) {
    this.#trusted = trusted;
    this.#others = others.filter((other) => !trusted.some((one) => isSame(one, other)));
    this.#nowMs = nowMs;
  }

  from(chain: Chain): Chain[] {
    const last = chain.at(-1);
    if (last === undefined) return [];
    if (this.#trusted.some((one) => isSame(one, last))) return [chain];
    const ends = this.#trusted.filter((issuer) => this.#hasSigned(issuer, last)).map((issuer) => [...chain, issuer]);
    const others = this.#others.filter((other) => other.ca && !chain.some((one) => isSame(one, other)));
    const next = others.filter((other) => this.#hasSigned(other, last));
    return [...ends, ...next.flatMap((issuer) => this.from([...chain, issuer]))];
  }

  #hasSigned(issuer: X509Certificate, certificate: X509Certificate): boolean {
    if (!isValidAt(issuer, this.#nowMs) || !certificate.checkIssued(issuer)) return false;
    return ++this.#checks <= MOST_CHECKS && certificate.verify(issuer.publicKey);
  }
}

/** All chains from the first certificate; `others` may be part of them. */
export function verifiedChains(leaf: X509Certificate, others: Chain, trusted: Chain, nowMs: number): Chain[] {
  return new Search(trusted, others, nowMs).from([leaf]);
}

/** The peer's certificate and those it sent with it, as far as they follow each other. */
export function presented(peer: DetailedPeerCertificate | PeerCertificate): X509Certificate[] {
  const found: X509Certificate[] = [];
  let at: Partial<DetailedPeerCertificate> | undefined = peer;
  while (at?.raw !== undefined) {
    const certificate: X509Certificate = new X509Certificate(at.raw);
    if (found.some((one) => isSame(one, certificate))) break;
    found.push(certificate);
    at = at.issuerCertificate;
  }
  return found;
}

const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** All certificates of a PEM file. */
export function certificatesOf(pem: Uint8Array): X509Certificate[] {
  return (Buffer.from(pem).toString('latin1').match(block) ?? []).map((text) => new X509Certificate(text));
}

let system: Chain | undefined;

/** Those everybody trusts. */
export function systemCertificates(): Chain {
  return (system ??= rootCertificates.map((text) => new X509Certificate(text)));
}
