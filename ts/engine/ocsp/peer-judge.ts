// Are the certificates of a peer in order, after those who signed them? Drives the decisions of core/ocsp: looks into the cache, asks responders,
// keeps what they answer, prints the lines and tells the system account.
// Kept true: a link is asked about once however many peers wait for it; what goes wrong in here is no reason to let anybody in.

import type { OcspPeerOptions } from '../../core/config/options-network.ts';
import type { CertificateFacts, ChainLink, LogLine } from '../../core/ocsp/answer.ts';
import { checkChain } from '../../core/ocsp/chain-check.ts';
import { judgeFetched, judgeKept, judgeStatus } from '../../core/ocsp/link-check.ts';
import type { Fetched, LinkVerdict } from '../../core/ocsp/link-check.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { OcspDocuments, OcspPort } from '../../ports/ocsp.ts';
import type { ResponseCache } from './response-cache.ts';
import { messageOf } from '../../lib/message-of.ts';

const REFUSED = 'client not OCSP valid';
const OK = 200;
const DEFAULT_CA_TIMEOUT_MS = 2_000;

/** What the system account hears of. */
export interface PeerEvents {
  linkInvalid(peer: CertificateFacts, link: CertificateFacts, reason: string): void;
  peerRejected(peer: CertificateFacts, reason: string): void;
}

export interface JudgeParts {
  readonly port: Pick<OcspPort, 'documents' | 'fetch'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: PeerEvents;
  /** Undefined: nothing is kept. */
  readonly cache: () => ResponseCache | undefined;
}

export class PeerJudge {
  readonly #parts: JudgeParts;
  /** Responders being asked, by certificate. */
  readonly #asked = new Map<string, Promise<Fetched>>();

  constructor(parts: JudgeParts) {
    this.#parts = parts;
  }

  /** Why the peer is not let in; undefined: it is. */
  async judge(chains: readonly (readonly Uint8Array[])[], policy: OcspPeerOptions): Promise<string | undefined> {
    try {
      const documents = await this.#parts.port.documents();
      const known = chains.map((chain) => chain.map((der) => documents.facts(der)));
      return (await this.#isValid(documents, known, policy)) ? undefined : REFUSED;
    } catch (error) {
      this.#parts.log.error(`OCSP peer verification failed: ${messageOf(error)}`);
      return REFUSED;
    }
  }

  #say(lines: readonly LogLine[]): void {
    for (const { level, text } of lines) this.#parts.log[level](text);
  }

  async #isValid(documents: OcspDocuments, chains: readonly (readonly CertificateFacts[])[], policy: OcspPeerOptions) {
    const { log, events } = this.#parts;
    log.debug(`Peer OCSP enabled: ${chains.length} TLS client chain(s) will be evaluated`);
    const peer = chains[0]?.[0];
    if (peer === undefined) {
      log.error('Peer certificate is nil, rejecting OCSP peer');
      return false;
    }
    for (const [index, chain] of chains.entries()) {
      const { good, links, lines } = checkChain(chain, index);
      this.#say(lines);
      if (good) return true;
      if (await this.#areGood(documents, peer, links, policy)) {
        log.debug(`Chain [${index}] is OCSP valid for all eligible links, thus peer is valid`);
        return true;
      }
    }
    log.debug('No OCSP valid chains, thus peer is invalid');
    events.peerRejected(peer, REFUSED);
    return false;
  }

  async #areGood(documents: OcspDocuments, peer: CertificateFacts, links: readonly ChainLink[], policy: OcspPeerOptions) {
    for (const link of links) {
      const verdict = await this.#judgeLink(documents, link, policy);
      if (verdict.good) continue;
      this.#parts.log.debug(verdict.reason);
      this.#parts.events.linkInvalid(peer, link.leaf, verdict.reason);
      return false;
    }
    return true;
  }

  async #judgeLink(documents: OcspDocuments, link: ChainLink, policy: OcspPeerOptions): Promise<LinkVerdict> {
    const { clock, log, cache } = this.#parts;
    const { subject, fingerprint } = link.leaf;
    log.debug(`Checking OCSP peer cache for [${subject}], key [${fingerprint}]`);
    const raw = cache()?.get(fingerprint);
    const kept = judgeKept(link.leaf, raw && documents.read(raw, link), policy, clock.wallMs());
    this.#say(kept.lines);
    if (kept.forget) cache()?.forget(fingerprint);
    let { answer } = kept;
    if (answer === undefined) {
      const fetched = await this.#fetchOnce(documents, link, policy);
      const judged = judgeFetched(link.leaf, fetched, policy, clock.wallMs(), kept.wasRevoked);
      this.#say(judged.lines);
      if (judged.answer === undefined) return judged.verdict;
      answer = judged.answer;
      cache()?.put(fingerprint, answer, subject, clock.wallMs());
    }
    const { verdict, lines } = judgeStatus(link.leaf, answer.status, policy);
    this.#say(lines);
    return verdict;
  }

  #fetchOnce(documents: OcspDocuments, link: ChainLink, policy: OcspPeerOptions): Promise<Fetched> {
    const key = `${link.leaf.fingerprint} ${link.issuer.fingerprint} ${policy.caTimeoutMs}`;
    const asked = this.#asked.get(key) ?? this.#fetch(documents, link, policy).finally(() => this.#asked.delete(key));
    this.#asked.set(key, asked);
    return asked;
  }

  /** The first responder that answers. */
  async #fetch(documents: OcspDocuments, link: ChainLink, { caTimeoutMs }: OcspPeerOptions): Promise<Fetched> {
    const { port, log } = this.#parts;
    const request = encodeURIComponent(Buffer.from(documents.request(link)).toString('base64'));
    const timeoutMs = caTimeoutMs > 0 ? caTimeoutMs : DEFAULT_CA_TIMEOUT_MS;
    let why = '';
    for (const url of link.leaf.responders) {
      log.debug(`Trying OCSP responder url [${url}]`);
      try {
        const { status, body } = await port.fetch(`${url.replace(/\/$/, '')}/${request}`, { timeoutMs });
        if (status === OK && body.length > 0) return documents.read(body, link);
        why = status === OK ? 'empty answer' : `bad OCSP responder http status: [${status}]`;
      } catch (error) {
        why = messageOf(error);
      }
    }
    return { kind: 'failed', why: `exhausted OCSP responders: ${why}` };
  }
}
