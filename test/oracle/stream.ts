/**
 * What a stream holds, as plainly as it can be said: an array of messages. The twin of the store's kernel for property tests.
 */
import type { PurgeRequest, StoreLimits, StoreState } from '../../ts/engine/store/store.ts';

export interface PlainMessage {
  readonly seq: number;
  readonly subject: string;
  readonly headers: string;
  readonly payload: string;
}

/** Whether a subject matches a filter, token by token. */
export function matches(filter: string, subject: string): boolean {
  const wanted = filter.split('.');
  const tokens = subject.split('.');
  for (const [i, token] of wanted.entries()) {
    if (token === '>' && i === wanted.length - 1) return tokens.length > i;
    if (tokens[i] === undefined || (token !== '*' && token !== tokens[i])) return false;
  }
  return tokens.length === wanted.length;
}

/** The size of a message's record. */
export function recordSize({ subject, headers, payload }: PlainMessage): number {
  return 30 + subject.length + payload.length + (headers === '' ? 0 : 4 + headers.length);
}

export class PlainStream {
  messages: PlainMessage[] = [];
  last = 0;
  #first = 1;
  /** Its first sequence was set though nothing was stored. */
  #begun = false;
  limits: StoreLimits;

  constructor(limits: StoreLimits) {
    this.limits = limits;
  }

  get first(): number {
    return this.messages[0]?.seq ?? (this.last === 0 && !this.#begun ? 0 : this.#first);
  }

  append(subject: string, headers: string, payload: string): number {
    this.messages.push({ seq: ++this.last, subject, headers, payload });
    this.#first = this.last + 1;
    this.enforce();
    return this.last;
  }

  get bytes(): number {
    return this.messages.reduce((sum, message) => sum + recordSize(message), 0);
  }

  enforce(): void {
    const { maxMessages, maxBytes, maxMessagesPerSubject } = this.limits;
    if (maxMessagesPerSubject > 0) {
      for (const subject of new Set(this.messages.map((message) => message.subject))) {
        const of = this.messages.filter((message) => message.subject === subject);
        this.#drop(of.slice(0, Math.max(0, of.length - maxMessagesPerSubject)));
      }
    }
    if (maxMessages > 0) this.#drop(this.messages.slice(0, Math.max(0, this.messages.length - maxMessages)));
    while (maxBytes > 0 && this.bytes > maxBytes && this.messages.length > 0) this.#drop(this.messages.slice(0, 1));
  }

  #drop(gone: readonly PlainMessage[]): void {
    const seqs = new Set(gone.map(({ seq }) => seq));
    this.messages = this.messages.filter(({ seq }) => !seqs.has(seq));
    this.#first = this.last + 1;
  }

  delete(seq: number): boolean {
    const found = this.messages.filter((message) => message.seq === seq);
    this.#drop(found);
    return found.length > 0;
  }

  purge({ filter = '>', seq = 0, keep = 0 }: PurgeRequest): number {
    const before = this.messages.length;
    this.#begun ||= filter === '>' && keep === 0 && seq !== 1;
    const chosen = this.messages.filter((message) => matches(filter, message.subject));
    const below = seq > 0 ? chosen.filter((message) => message.seq < seq) : chosen;
    this.#drop(keep > 0 ? chosen.slice(0, Math.max(0, chosen.length - keep)) : below);
    if (filter === '>' && seq > this.last) {
      this.last = seq - 1;
      this.#first = seq;
    }
    return before - this.messages.length;
  }

  /** It was stopped and opened again: that an empty stream was purged is written nowhere. */
  reopened(): void {
    this.#begun = false;
  }

  lastOn(filter: string): number {
    return this.messages.findLast((message) => matches(filter, message.subject))?.seq ?? 0;
  }

  nextOn(filter: string, from: number): number {
    return this.messages.find((message) => message.seq >= from && matches(filter, message.subject))?.seq ?? 0;
  }

  count(filters: readonly string[], from: number): number {
    const matching = this.messages.filter(
      ({ seq, subject }) => seq >= from && (filters.length === 0 || filters.some((filter) => matches(filter, subject))),
    );
    return matching.length;
  }

  subjects(filter: string): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { subject } of this.messages) if (matches(filter, subject)) counts[subject] = (counts[subject] ?? 0) + 1;
    return counts;
  }

  /** The parts of a stream's state that do not depend on time. */
  state(): Pick<StoreState, 'messages' | 'bytes' | 'firstSeq' | 'lastSeq' | 'numSubjects' | 'numDeleted'> {
    const messages = this.messages.length;
    return {
      messages,
      bytes: this.bytes,
      firstSeq: this.first,
      lastSeq: this.last,
      numSubjects: Object.keys(this.subjects('>')).length,
      numDeleted: messages > 0 ? this.last - this.first + 1 - messages : 0,
    };
  }
}
