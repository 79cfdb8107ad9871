// The status of one certificate of ours, stapled to handshakes: in memory, in the store directory, and at the responder, which is asked again half
// way to the time it named.
// Kept true: what is shown is good for now, or nothing is shown at all; a revocation ends the server where the options say so.

import type { ChainLink, OcspAnswer } from '../../core/ocsp/answer.ts';
import { goodText, nextAskMs, whyNotShown } from '../../core/ocsp/staple-rules.ts';
import { formatDuration } from '../../core/config/duration.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { FetchedAnswer, OcspDocuments, OcspPort } from '../../ports/ocsp.ts';
import { messageOf } from '../../lib/message-of.ts';

const TIMEOUT_MS = 30_000;
const FIRST_REFUSAL = 300;

export interface StapleSettings {
  /** The certificate's file, for the log. */
  readonly file: string;
  readonly link: ChainLink;
  readonly endsWhenRevoked: boolean;
  /** In place of those the certificate names; may be empty. */
  readonly urls: readonly string[];
  /** Where a status is kept; undefined: nowhere. */
  readonly directory: string | undefined;
}

export interface StapleParts {
  readonly port: Pick<OcspPort, 'fetch' | 'readFile' | 'writeFile'>;
  readonly documents: OcspDocuments;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends the server. */
  readonly end: () => void;
}

export class Staple {
  readonly #settings: StapleSettings;
  readonly #parts: StapleParts;
  #answer: OcspAnswer | undefined;
  #asking: Promise<OcspAnswer> | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(settings: StapleSettings, parts: StapleParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  isOf(certificate: Uint8Array): boolean {
    return Buffer.compare(certificate, this.#settings.link.leaf.der) === 0;
  }

  /** Rejects with a line when there is no status, or one with which the server must not start. */
  async open(): Promise<void> {
    const { file, endsWhenRevoked } = this.#settings;
    const answer = await this.status().catch((error: unknown) => {
      throw new Error(`bad OCSP status update for certificate at '${file}': ${messageOf(error)}`, { cause: error });
    });
    if (answer.status !== 'good' && endsWhenRevoked) {
      throw new Error(`found existing OCSP status for certificate at '${file}': ${answer.status}`);
    }
  }

  /** Keeps the status fresh from here on. */
  begin(): void {
    const { log, clock, end } = this.#parts;
    const { file, endsWhenRevoked } = this.#settings;
    const answer = this.#answer;
    log.info('OCSP Stapling enabled for Client connections');
    const found = `Found OCSP status for Client certificate at '${file}': `;
    if (answer?.status === 'good') {
      const nextMs = nextAskMs(answer, clock.wallMs());
      log.info(found + goodText(answer, nextMs));
      return this.#askAfter(nextMs);
    }
    if (answer === undefined || !endsWhenRevoked) return this.#askAfter(0);
    log.error(found + answer.status);
    end();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** What may be shown now. Rejects with why there is nothing. */
  async status(): Promise<OcspAnswer> {
    const nowMs = this.#parts.clock.wallMs();
    const known = this.#answer;
    if (known !== undefined && whyNotShown(known, nowMs) === undefined) return known;
    const kept = this.#kept(nowMs);
    if (kept === undefined) return this.#askOnce();
    this.#answer = kept;
    return kept;
  }

  #path(directory: string): string {
    return `${directory}/${Buffer.from(this.#settings.link.leaf.fingerprint, 'base64').toString('hex')}`;
  }

  #kept(nowMs: number): OcspAnswer | undefined {
    const { directory, link } = this.#settings;
    if (directory === undefined) return undefined;
    try {
      const raw = this.#parts.port.readFile(this.#path(directory));
      const read = raw && this.#parts.documents.read(raw, link);
      return read?.kind === 'answer' && whyNotShown(read.answer, nowMs) === undefined ? read.answer : undefined;
    } catch {
      return undefined;
    }
  }

  #askOnce(): Promise<OcspAnswer> {
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #ask(): Promise<OcspAnswer> {
    const { documents, clock, port } = this.#parts;
    const { link, directory } = this.#settings;
    const raw = await this.#fetch(documents.request(link));
    const read = documents.read(raw, link);
    if (read.kind !== 'answer') {
      const why = read.kind === 'delegation' ? 'the signer may not sign for the issuer' : read.why;
      throw new Error(`failed to get remote status: ${why}`);
    }
    const problem = whyNotShown(read.answer, clock.wallMs());
    if (problem !== undefined) throw new Error(problem);
    try {
      if (directory !== undefined) port.writeFile(this.#path(directory), raw);
    } catch (error) {
      throw new Error(`failed to write ocsp status: ${messageOf(error)}`, { cause: error });
    }
    this.#answer = read.answer;
    return read.answer;
  }

  /** The first responder that answers; each is tried with POST, then with GET. */
  async #fetch(request: Uint8Array): Promise<Uint8Array> {
    const { link, urls } = this.#settings;
    const encoded = Buffer.from(request).toString('base64');
    const problems: string[] = [];
    for (const named of urls.length > 0 ? urls : link.leaf.responders) {
      const url = named.replace(/\/$/, '');
      problems.length = 0;
      for (const method of ['POST', 'GET'] as const) {
        try {
          return await this.#fetchFrom(method, method === 'GET' ? `${url}/${encoded}` : url, request);
        } catch (error) {
          problems.push(messageOf(error));
        }
      }
    }
    throw new Error(problems.length === 0 ? 'no available ocsp servers' : `exhausted ocsp servers: ${problems.join('\n')}`);
  }

  async #fetchFrom(method: 'POST' | 'GET', url: string, request: Uint8Array): Promise<Uint8Array> {
    const { port, clock, log } = this.#parts;
    const beganMs = clock.monotonicMs();
    const answer: FetchedAnswer = await port.fetch(url, { timeoutMs: TIMEOUT_MS, ...(method === 'POST' && { body: request }) });
    const seconds = ((clock.monotonicMs() - beganMs) / 1000).toFixed(3);
    log.debug(`Received OCSP response (method=${method}, status=${answer.status}, url=${url}, duration=${seconds}s)`);
    if (answer.status >= FIRST_REFUSAL) throw new Error(`non-ok http status on ${method} request: ${answer.status}`);
    return answer.body;
  }

  #askAfter(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = this.#parts.clock.after(delayMs, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    const { log, clock, end } = this.#parts;
    const { file, endsWhenRevoked } = this.#settings;
    try {
      const answer = await this.#askOnce();
      if (this.#stopped) return;
      const received = `Received OCSP status for Client certificate '${file}': `;
      if (answer.status === 'good') {
        const nextMs = nextAskMs(answer, clock.wallMs());
        log.info(received + goodText(answer, nextMs));
        this.#askAfter(nextMs);
      } else {
        log.error(received + answer.status);
        if (endsWhenRevoked) end();
      }
    } catch (error) {
      if (this.#stopped) return;
      const nextMs = nextAskMs(this.#answer, clock.wallMs());
      const again = formatDuration(nextMs);
      log.error(`Bad OCSP status update for certificate '${file}': ${messageOf(error)}, trying again in ${again}`);
      this.#askAfter(nextMs);
    }
  }
}
