// Answers of OCSP responders about peers, kept so that a peer that comes again need not be asked about: in memory, and in nats-server's file
// `cache.json`, so that either server finds what the other learnt.
// Kept true: the counts are those of what is kept; a revocation is not forgotten where the options say so.

import { decodeS2, encodeS2 } from '../../core/archive/s2-stream.ts';
import type { CertificateStatus, LogLine, OcspAnswer } from '../../core/ocsp/answer.ts';
import { timeText } from '../../core/ocsp/currency.ts';
import { jsonText } from '../../lib/json-text.ts';
import type { OcspCacheSnapshot } from '../snapshot.ts';
import { messageOf } from '../../lib/message-of.ts';

interface CacheItem {
  readonly subject: string;
  readonly cached_at: string;
  readonly resp_status: CertificateStatus;
  readonly resp_expires: string;
  /** The answer as an S2 stream, in base64. */
  readonly resp: string;
}

const statuses: readonly CertificateStatus[] = ['good', 'revoked', 'unknown'];
const noTime = timeText(undefined);

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown, otherwise = ''): string {
  return typeof value === 'string' ? value : otherwise;
}

function itemOf(value: Readonly<Record<string, unknown>>): CacheItem {
  return {
    subject: textOf(value['subject']),
    cached_at: textOf(value['cached_at'], noTime),
    // What is not known is not good.
    resp_status: statuses.find((status) => status === value['resp_status']) ?? 'unknown',
    resp_expires: textOf(value['resp_expires'], noTime),
    resp: textOf(value['resp']),
  };
}

export class ResponseCache {
  /** Something is kept that the file does not have, or the other way round. */
  dirty = false;
  readonly #preserveRevoked: boolean;
  readonly #say: (line: LogLine) => void;
  readonly #items = new Map<string, CacheItem>();
  readonly #counts: Record<CertificateStatus, number> = { good: 0, revoked: 0, unknown: 0 };
  #hits = 0;
  #misses = 0;

  constructor(preserveRevoked: boolean, say: (line: LogLine) => void) {
    this.#preserveRevoked = preserveRevoked;
    this.#say = say;
  }

  get snapshot(): OcspCacheSnapshot {
    const { good, revoked, unknown } = this.#counts;
    return { hits: this.#hits, misses: this.#misses, responses: this.#items.size, good, revoked, unknown };
  }

  /** The answer as it came; undefined: there is none. */
  get(key: string): Uint8Array | undefined {
    const item = this.#items.get(key);
    this.#debug(`OCSP peer cache ${item === undefined ? 'miss' : 'hit'} for key [${key}]`);
    if (item === undefined) {
      this.#misses++;
      return undefined;
    }
    this.#hits++;
    try {
      return decodeS2(Buffer.from(item.resp, 'base64'));
    } catch (error) {
      const text = messageOf(error);
      this.#say({ level: 'error', text: `Unable to decompress OCSP response for key [${key}]: ${text}` });
      return undefined;
    }
  }

  put(key: string, answer: OcspAnswer, subject: string, nowMs: number): void {
    this.#debug(`Caching OCSP response for [${subject}], key [${key}]`);
    const packed = encodeS2(answer.raw);
    this.#debug(`OCSP response compression ratio: [${(packed.length / answer.raw.length).toFixed(6)}]`);
    this.#remove(key);
    this.#add(key, {
      subject,
      cached_at: timeText(Math.round(nowMs / 1000) * 1000),
      resp_status: answer.status,
      resp_expires: timeText(answer.nextUpdateMs),
      resp: Buffer.from(packed).toString('base64'),
    });
    this.dirty = true;
  }

  /** What was found just now is of no use: it was no hit. */
  forget(key: string): void {
    const item = this.#items.get(key);
    if (item === undefined) return;
    this.#hits--;
    this.#misses++;
    if (item.resp_status === 'revoked' && this.#preserveRevoked) {
      this.#debug(`Revoked OCSP response for key [${key}] preserved by cache policy`);
      return;
    }
    this.#debug(`Deleting OCSP peer cached response for key [${key}]`);
    this.#remove(key);
    this.dirty = true;
  }

  /** Takes what a file says; throws when it is none of ours, and is empty then. */
  load(text: string): void {
    const document: unknown = JSON.parse(text);
    if (!isRecord(document)) throw new Error('not a map of answers');
    for (const [key, value] of Object.entries(document)) if (isRecord(value)) this.#add(key, itemOf(value));
  }

  /** The file's text. */
  text(): string {
    const sorted = [...this.#items].toSorted(([left], [right]) => (left < right ? -1 : 1));
    const documents = sorted.map(
      ([key, { subject, ...rest }]) => [key, { ...(subject !== '' && { subject }), ...rest }] as const,
    );
    return jsonText(Object.fromEntries(documents), ' ');
  }

  #add(key: string, item: CacheItem): void {
    this.#items.set(key, item);
    this.#counts[item.resp_status]++;
  }

  #remove(key: string): void {
    const item = this.#items.get(key);
    if (item === undefined) return;
    this.#items.delete(key);
    this.#counts[item.resp_status]--;
  }

  #debug(text: string): void {
    this.#say({ level: 'debug', text });
  }
}
