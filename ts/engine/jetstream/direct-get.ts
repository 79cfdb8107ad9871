// Direct gets answer with the message itself, its place in the stream in headers; batches end with an empty `204 EOB`.

import { addHeaders, buildHeaders } from '../../core/jetstream/headers.ts';
import { formatInstant } from '../../core/jetstream/instant.ts';
import { JsonError } from '../../core/jetstream/parse-json.ts';
import { readDocument } from '../../core/jetstream/schema.ts';
import type { StoredMessage } from '../store/store.ts';
import { findMessage, isUnclear, messageGetSchema, type MessageGet } from './message-get.ts';
import type { InboundMessage } from './ports.ts';
import type { Stream } from './stream.ts';

const noBytes = new Uint8Array(0);
const decoder = new TextDecoder();

/** Answers a direct get on `DIRECT.GET.<stream>` or, with `subject`, `DIRECT.GET.<stream>.<subject>`. */
export function directGet(stream: Stream, message: InboundMessage, subject: string): void {
  if (message.reply === '') return;
  const reply = (headers: Uint8Array, payload: Uint8Array): void => {
    const send = (): unknown => stream.ports.door.publish(stream.account.number, message.reply, '', headers, payload);
    if (stream.store.fault === undefined) stream.whenSynced(send);
    else send();
  };
  const status = (line: string): void => reply(buildHeaders(line), noBytes);
  const asked = readDirect(message, subject);
  if (typeof asked === 'string') return status(asked);
  if (asked.multi_last.length > 0) return directLast(stream, asked, reply);
  if (asked.batch > 0 && asked.last_by_subj === '') return directBatch(stream, asked, reply);
  const found = findMessage(stream, asked);
  if (found === undefined) return status('404 Message Not Found');
  reply(directHeaders(stream, found, asked.no_hdr, []), found.payload);
}

function readDirect(message: InboundMessage, subject: string): MessageGet | string {
  const empty = message.payload.length === 0;
  if (empty && subject === '') return '408 Empty Request';
  let asked: MessageGet;
  try {
    const text = empty ? '{}' : decoder.decode(message.payload);
    asked = readDocument(messageGetSchema, text, false) as unknown as MessageGet;
  } catch (thrown) {
    if (thrown instanceof JsonError) return '408 Malformed Request';
    throw thrown;
  }
  if (subject !== '') return { ...asked, last_by_subj: subject };
  const nothing = asked.seq === 0 && asked.last_by_subj === '' && asked.next_by_subj === '' && asked.start_time === undefined;
  if (nothing && asked.multi_last.length === 0) return '408 Empty Request';
  if (asked.multi_last.length > 0 ? !nothing && asked.seq === 0 : isUnclear(asked)) return '408 Bad Request';
  if (asked.up_to_seq > 0 && asked.up_to_time !== undefined) return '408 Bad Request';
  return asked;
}

type Reply = (headers: Uint8Array, payload: Uint8Array) => void;
type Extra = readonly (readonly [string, string | number])[];

function directHeaders(stream: Stream, message: StoredMessage, bare: boolean, extra: Extra): Uint8Array {
  return addHeaders(bare ? noBytes : message.headers, [
    ['Nats-Stream', stream.name],
    ['Nats-Subject', message.subject],
    ['Nats-Sequence', message.seq],
    ['Nats-Time-Stamp', formatInstant(message.ts)],
    ...extra,
  ]);
}

const batchBytes = 64 * 1024 * 1024;

function directBatch(stream: Stream, asked: MessageGet, reply: Reply): void {
  const { store } = stream;
  const filter = asked.next_by_subj === '' ? '>' : asked.next_by_subj;
  let seq = Math.max(1, asked.start_time === undefined ? asked.seq : store.seqAtTime(asked.start_time));
  let left = store.countPending([filter], seq);
  let last = 0;
  let bytes = 0;
  if (left === 0) return reply(buildHeaders('404 Message Not Found'), noBytes);
  for (let sent = 0; sent < asked.batch; sent++) {
    const message = store.nextBySubject(filter, seq);
    if (message === undefined) break;
    left -= 1;
    const extra: Extra = [
      ['Nats-Num-Pending', left],
      ['Nats-Last-Sequence', last],
    ];
    bytes += message.payload.length + message.headers.length;
    if (sent > 0 && bytes > (asked.max_bytes > 0 ? asked.max_bytes : batchBytes)) break;
    reply(directHeaders(stream, message, asked.no_hdr, extra), message.payload);
    last = message.seq;
    seq = message.seq + 1;
  }
  reply(endOfBatch(store.countPending([filter], seq), last, []), noBytes);
}

function endOfBatch(pending: number, last: number, extra: Extra): Uint8Array {
  return buildHeaders('204 EOB', [['Nats-Num-Pending', pending], ['Nats-Last-Sequence', last], ...extra]);
}

const mostSubjects = 1024;

function directLast(stream: Stream, asked: MessageGet, reply: Reply): void {
  const { store } = stream;
  const upToTime = asked.up_to_time;
  const upTo = upToTime === undefined ? asked.up_to_seq : Math.max(0, store.seqAtTime(upToTime) - 1);
  const bound = upTo === 0 ? store.state.lastSeq : upTo;
  const all = new Set<number>();
  for (const filter of asked.multi_last) for (const seq of store.lastSeqs(filter, bound)) all.add(seq);
  if (all.size > mostSubjects) return reply(buildHeaders('413 Too Many Results'), noBytes);
  if (all.size === 0) return reply(buildHeaders('404 No Results'), noBytes);
  const seqs = [...all].sort((a, b) => a - b).filter((seq) => seq >= asked.seq);
  const wanted = asked.batch > 0 ? seqs.slice(0, asked.batch) : seqs;
  let last = 0;
  let left = seqs.length;
  for (const seq of wanted) {
    const message = store.get(seq);
    left -= 1;
    if (message === undefined) continue;
    const extra: Extra = [
      ['Nats-Num-Pending', left],
      ['Nats-Last-Sequence', last],
    ];
    reply(directHeaders(stream, message, asked.no_hdr, extra), message.payload);
    last = seq;
  }
  reply(endOfBatch(left, last, [['Nats-UpTo-Sequence', bound]]), noBytes);
}
