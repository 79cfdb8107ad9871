// Which links of a peer's chains are to be checked. Of several chains one that is good is enough.
// Kept true: a chain without a link that can be asked about is good, as is one of a single certificate that is trusted itself; no chain at all is not.

import type { CertificateFacts, ChainLink, LogLine } from './answer.ts';

export interface ChainCheck {
  /** Good as it is; else every one of `links` must be. */
  readonly good: boolean;
  readonly links: readonly ChainLink[];
  readonly lines: readonly LogLine[];
}

/** `chain` begins with the peer's certificate and ends with one that is trusted, which nobody is asked about. */
export function checkChain(chain: readonly CertificateFacts[], index: number): ChainCheck {
  const debug = (text: string): LogLine => ({ level: 'debug', text });
  const length = debug(`Chain [${index}]: ${chain.length} total link(s)`);
  if (chain.length === 1) {
    return { good: true, links: [], lines: [length, debug(`Chain [${index}] is self-signed, thus peer is valid`)] };
  }
  const links = chain.flatMap((leaf, at): ChainLink[] => {
    const issuer = chain[at + 1];
    return issuer === undefined || leaf.responders.length === 0 ? [] : [{ leaf, issuer }];
  });
  if (links.length === 0) {
    const text = `Chain [${index}] has no OCSP eligible links, thus peer is valid`;
    return { good: true, links, lines: [length, debug(text)] };
  }
  return { good: false, links, lines: [length, debug(`Chain [${index}] has ${links.length} OCSP eligible link(s)`)] };
}
