// Direct gets answer with the message itself, its place in the stream in headers; batches go out in the kernel and end with an empty `204 EOB`.
// Kept true: what is asked, and in which order it is refused, is nats-server's; nothing is shown before it is on disk.

import { isLevelRefused } from '../../core/jetstream/api-level.ts';
import { addHeaders, buildHeaders } from '../../core/jetstream/headers.ts';
import { formatInstant } from '../../core/jetstream/instant.ts';
import { JsonError } from '../../core/jetstream/parse-json.ts';
import { readDocument } from '../../core/jetstream/schema.ts';
import { hasWildcard } from '../../core/subject/subject.ts';
import type { Selection, StoredMessage } from '../store/store.ts';
import { findMessage, messageGetSchema, type MessageGet } from './message-get.ts';
import type { InboundMessage } from './ports.ts';
import { isFault } from './request.ts';
import type { Stream } from './stream.ts';

type Extra = readonly (readonly [string, string | number])[];

const noBytes = new Uint8Array(0);
const decoder = new TextDecoder();
/** What a batch may have without `max_bytes`: nats-server's usual limit of what waits for a client. */
const usualBytes = 64 * 1024 * 1024;
const mostSubjects = 1024;

/** Answers a direct get on `DIRECT.GET.<stream>` or, with `subject`, `DIRECT.GET.<stream>.<subject>`. */
export function directGet(stream: Stream, message: InboundMessage, subject: string): void {
  if (message.reply === '') return;
  const answer = new DirectAnswer(stream, message.reply);
  answer.orFault(() => find(stream, message, subject, answer));
}

function find(stream: Stream, message: InboundMessage, subject: string, answer: DirectAnswer): void {
  const plain = message.headers.length > 0 ? 0 : plainlyAsked(message.payload, subject);
  if (plain !== 0 && stream.store.fault === undefined && stream.store.answerDirect(plain, message.reply)) return;
  const asked = readDirect(message, subject);
  if (stream.store.fault !== undefined) answer.give(asked);
  else if (!answer.giveShown(asked)) stream.whenSynced(() => answer.orFault(() => answer.give(asked)));
}

const longestPlain = 32;
const seqRequest = /^\{"seq": ?([1-9]\d{0,14})\}$/;

/** What a get asks in one of the usual forms: the last message of a subject, or a sequence; 0 for all others. */
function plainlyAsked(payload: Uint8Array, subject: string): number | string {
  if (subject !== '') return payload.length === 0 ? subject : 0;
  if (payload.length > longestPlain) return 0;
  return Number(seqRequest.exec(decoder.decode(payload))?.[1] ?? 0);
}

function isBad(asked: MessageGet): boolean {
  const { seq, last_by_subj: last, next_by_subj: next, start_time: start, multi_last: multi } = asked;
  if (seq > 0 && (last !== '' || start !== undefined)) return true;
  if (last !== '' && (start !== undefined || next !== '' || asked.batch > 0 || multi.length > 0)) return true;
  return (next !== '' && multi.length > 0) || (asked.up_to_seq > 0 && asked.up_to_time !== undefined);
}

/** Whether a get by subject asks for something besides. */
function saysMore(asked: MessageGet): boolean {
  const { last_by_subj, next_by_subj, multi_last, seq, batch, start_time, up_to_seq, up_to_time } = asked;
  const times = start_time !== undefined || up_to_time !== undefined;
  return (
    last_by_subj !== '' || next_by_subj !== '' || multi_last.length > 0 || seq !== 0 || batch !== 0 || up_to_seq !== 0 || times
  );
}

/** The request, or the status that refuses it. */
function readDirect({ headers, payload }: InboundMessage, subject: string): MessageGet | string {
  if (headers.length > 0 && isLevelRefused(headers)) return '412 Required Api Level';
  if (payload.length === 0 && subject === '') return '408 Empty Request';
  let asked: MessageGet;
  try {
    const text = payload.length === 0 ? '{}' : decoder.decode(payload);
    asked = readDocument(messageGetSchema, text, false) as unknown as MessageGet;
  } catch (thrown) {
    if (thrown instanceof JsonError) return '408 Malformed Request';
    throw thrown;
  }
  if (subject !== '') return saysMore(asked) ? '408 Bad Request' : { ...asked, last_by_subj: subject };
  const { seq, last_by_subj, next_by_subj, start_time, multi_last } = asked;
  const isEmpty = seq === 0 && last_by_subj === '' && next_by_subj === '' && start_time === undefined && multi_last.length === 0;
  if (isEmpty) return '408 Empty Request';
  return isBad(asked) ? '408 Bad Request' : asked;
}

class DirectAnswer {
  readonly #stream: Stream;
  readonly #inbox: string;

  constructor(stream: Stream, inbox: string) {
    this.#stream = stream;
    this.#inbox = inbox;
  }

  /** Does what gives an answer; one that the store cannot give is its fault's. */
  orFault(work: () => void): void {
    try {
      work();
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown;
      this.#status(`500 ${thrown.message}`);
    }
  }

  /** Gives an answer that says nothing but what is on disk. False: it must wait. */
  giveShown(asked: MessageGet | string): boolean {
    if (typeof asked === 'string') {
      this.#status(asked);
      return true;
    }
    if (asked.multi_last.length > 0 || asked.batch !== 0) return false;
    const found = findMessage(this.#stream, asked);
    if (found === undefined || !this.#stream.store.shows(found.seq)) return false;
    this.#message(asked, found);
    return true;
  }

  give(asked: MessageGet | string): void {
    if (typeof asked === 'string') return this.#status(asked);
    if (asked.multi_last.length > 0) return this.#lastOfMany(asked);
    if (asked.batch !== 0) return this.#batch(asked);
    const found = findMessage(this.#stream, asked);
    if (found === undefined) return this.#status('404 Message Not Found');
    this.#message(asked, found);
  }

  #message({ no_hdr }: MessageGet, found: StoredMessage): void {
    this.#send(no_hdr ? noBytes : this.#headers(found, []), found.payload);
  }

  #send(headers: Uint8Array, payload: Uint8Array): void {
    const { ports, account } = this.#stream;
    ports.door.publish(account.number, this.#inbox, '', headers.length > 0 ? headers : undefined, payload);
  }

  #status(line: string, extra: Extra = []): void {
    this.#send(buildHeaders(line, extra), noBytes);
  }

  #headers(message: StoredMessage, extra: Extra): Uint8Array {
    return addHeaders(message.headers, [
      ['Nats-Stream', this.#stream.name],
      ['Nats-Subject', message.subject],
      ['Nats-Sequence', message.seq],
      ['Nats-Time-Stamp', formatInstant(message.ts)],
      ...extra,
    ]);
  }

  #batch(asked: MessageGet): void {
    const { store } = this.#stream;
    const selection = store.select(asked.next_by_subj === '' ? [] : [asked.next_by_subj]);
    try {
      this.#selected(asked, selection);
    } finally {
      selection.close();
    }
  }

  #selected(asked: MessageGet, selection: Selection): void {
    const { store } = this.#stream;
    const fromSeq = Math.max(1, asked.start_time === undefined ? asked.seq : store.seqAtTime(asked.start_time));
    const pending = selection.count(fromSeq);
    if (asked.batch > 0 && pending === 0) return this.#status('404 Message Not Found');
    const { messages, lastSeq } = store.deliver({
      ...{ selection, fromSeq, pendingBefore: pending, deliverSubject: this.#inbox, ackPrefix: '', headersOnly: false },
      ...{ firstConsumerSeq: 0, deliveredCount: 0 },
      maxMessages: Math.max(0, asked.batch),
      maxBytes: asked.max_bytes === 0 ? usualBytes : Math.max(1, asked.max_bytes),
      direct: asked.no_hdr ? 'bare' : 'batch',
    });
    const left = asked.no_hdr ? pending : pending - messages;
    this.#status('204 EOB', [
      ['Nats-Num-Pending', left],
      ['Nats-Last-Sequence', lastSeq],
    ]);
  }

  /** The last messages of several subjects, in order of their sequences. */
  #lastOfMany(asked: MessageGet): void {
    const { store } = this.#stream;
    const { firstSeq, lastSeq } = store.state;
    let bound = asked.up_to_seq === 0 ? lastSeq : asked.up_to_seq;
    if (asked.up_to_time !== undefined) {
      const behind = store.seqAtTime(asked.up_to_time);
      if (behind <= firstSeq) return this.#status('404 No Results');
      bound = behind - 1;
    }
    const filters = asked.multi_last.filter((filter) => filter !== '');
    if (bound === lastSeq && filters.some((filter) => this.#matchesTooMany(filter))) return this.#status('413 Too Many Results');
    const all = bound <= lastSeq && filters.length > 0 ? store.lastSeqs(filters, bound) : [];
    if (all.length > mostSubjects) return this.#status('413 Too Many Results');
    if (all.length === 0) return this.#status('404 No Results');
    this.#each(asked, [...all], bound);
  }

  /** Whether one filter alone matches too many subjects: seen at the first of them, where all there are may be a million. */
  #matchesTooMany(filter: string): boolean {
    const { store } = this.#stream;
    if (!hasWildcard(filter) || store.state.numSubjects <= mostSubjects) return false;
    return store.subjects(filter, mostSubjects + 1).subjects.length > mostSubjects;
  }

  #each(asked: MessageGet, seqs: readonly number[], bound: number): void {
    const mostBytes = asked.max_bytes === 0 ? usualBytes : asked.max_bytes;
    let left = seqs.length;
    let last = 0;
    let bytes = 0;
    let sent = 0;
    for (const seq of seqs) {
      left -= 1;
      if (seq < asked.seq) continue;
      const message = this.#stream.store.get(seq);
      if (message === undefined) return this.#status('404 Message Not Found');
      const place: Extra = [
        ['Nats-Num-Pending', left],
        ['Nats-Last-Sequence', last],
      ];
      this.#send(this.#headers(message, place), message.payload);
      last = seq;
      bytes += message.subject.length + message.headers.length + message.payload.length;
      sent += 1;
      if (bytes >= mostBytes || (asked.batch > 0 && sent >= asked.batch)) break;
    }
    this.#status('204 EOB', [
      ['Nats-Num-Pending', left],
      ['Nats-Last-Sequence', last],
      ['Nats-UpTo-Sequence', bound],
    ]);
  }
}
