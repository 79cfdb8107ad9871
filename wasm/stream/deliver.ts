// Delivery: one batch of stored messages to one consumer's deliver subject, in one call a window. The records are read from a
// window (a piece of a block file that the host has put into memory), checked against their checksum, filtered by subject, and
// routed with the reply subject that carries the consumer's numbers:
//
//   <ack prefix><deliveries>.<stream seq>.<consumer seq>.<ns>.<pending>
//
// The call's arguments and results lie in CALL, so that the host goes on with the same call once it has put the next window in
// place.

import { alloc, free } from '../lib/arena';
import { copy, printNumber } from '../lib/bytes';
import { setData, setOrigin, setReply, setSubject } from '../deliver/message';
import { routeVia } from '../deliver/route';
import { collect, collectMore, collectedList, dropCollected } from '../index/filter';
import { Leaf } from '../index/subjects';
import { Segment, entryLeaf, entryLength, entryOffset, entrySequence, foundSegment, nextLive } from '../index/sequences';
import {
  RECORD_HEAD,
  blockKey,
  recordData,
  recordDataLength,
  recordHeaderLength,
  recordSequence,
  recordSubjectLength,
  recordTime,
  recordValid,
} from '../record/record';
import { freshMark } from './delete';
import { sendDirect } from './direct';
import { Stream, sequencesOf } from './stream';

/** Arguments and results of a delivery; the host reads and writes the fields at these offsets. */
@unmanaged
export class DeliverCall {
  /** In, moved on by the kernel: sequence to go on from, numbers of the next message. */
  next: f64;
  consumerSeq: f64;
  pending: f64;
  /** In: last sequence that may go, deliveries of each message. */
  to: f64;
  deliveries: f64;
  /** Out: last sequence delivered. */
  last: f64;
  stream: usize;
  /** In: the window: its address, block, and range of offsets. */
  window: usize;
  windowBlock: u32;
  windowFrom: u32;
  windowTo: u32;
  /** In, counted down: messages and bytes that may still go. */
  messages: u32;
  bytes: u32;
  subject: usize;
  subjectLength: u32;
  prefix: usize;
  prefixLength: u32;
  /** In: filters (u32 length and bytes each) and how many. */
  filters: usize;
  filterCount: u32;
  headersOnly: u32;
  /** In: where delivered sequences go, as f64. Out: how many. */
  list: usize;
  count: u32;
  /** Out: the record that is needed in the window, or that is damaged. */
  needBlock: u32;
  needOffset: u32;
  needLength: u32;
  /** Kept between the calls of one batch: the mark of matching subjects, 0 when everything matches. */
  mark: u32;
  /** In: a header line with its CRLF that every message carries behind its own headers; length 0: none. */
  extra: usize;
  extraLength: u32;
  /** In: the messages go to an inbox as a direct get answers (DIRECT_*); 0: to a consumer. */
  direct: u32;
}

/** Results of `deliver`. */
export const DELIVER_END: u32 = 0;
export const DELIVER_MESSAGES: u32 = 1;
export const DELIVER_BYTES: u32 = 2;
export const DELIVER_INTEREST: u32 = 3;
export const DELIVER_WINDOW: u32 = 4;
export const DELIVER_DAMAGED: u32 = 5;

/** Where the host puts the call. */
export const CALL: usize = memory.data(192, 16);

const reply: usize = memory.data(2048, 16);
const key: usize = memory.data(32, 16);
let keyStream: usize = 0;
let keyBlock: u32 = 0;

const SIZE_HEADER: usize = memory.data<u8>([
  0x4e, 0x61, 0x74, 0x73, 0x2d, 0x4d, 0x73, 0x67, 0x2d, 0x53, 0x69, 0x7a, 0x65, 0x3a, 0x20,
]);
const SIZE_HEADER_LENGTH: u32 = 15;
const STATUS_LINE: usize = memory.data<u8>([0x4e, 0x41, 0x54, 0x53, 0x2f, 0x31, 0x2e, 0x30, 0x0d, 0x0a]);
const STATUS_LINE_LENGTH: u32 = 10;
const CRLF: u16 = 0x0a0d;

/** The key of a block of a stream, made once while the same block is read. */
function keyOf(stream: Stream, block: u32): usize {
  if (keyStream == changetype<usize>(stream) && keyBlock == block) return key;
  keyStream = changetype<usize>(stream);
  keyBlock = block;
  blockKey(key, stream.name, stream.nameLength, block);
  return key;
}

/** Forgets the key kept for reading: the stream's address may be given to another. */
export function forgetKey(): void {
  keyStream = 0;
}

/** Whether a whole, undamaged record lies at `at`. */
export function checkRecord(stream: Stream, block: u32, at: usize, length: u32): bool {
  return recordValid(keyOf(stream, block), at, length);
}

/** Marks the subjects that the call's filters match. False: none does. */
function markSubjects(call: DeliverCall, stream: Stream): bool {
  call.mark = 0;
  if (!call.filterCount) return true;
  let found: u32 = collect(0, 0, 0);
  let at = call.filters;
  for (let i: u32 = 0; i < call.filterCount; i++) {
    const length = load<u32>(at);
    found = collectMore(stream.subjects, at + 4, length);
    at += 4 + length;
  }
  const mark = freshMark();
  const list = collectedList();
  let last: u64 = 0;
  let different: u32 = 0;
  for (let i: u32 = 0; i < found; i++) {
    const leaf = changetype<Leaf>(<usize>load<u32>(list + ((<usize>i) << 2)));
    if (leaf.mark != mark) different++;
    leaf.mark = mark;
    last = max(last, leaf.last);
  }
  dropCollected();
  if (different != stream.numSubjects) call.mark = mark;
  return found > 0 && <f64>last >= call.next;
}

/** Prepares a batch: finds the subjects that match. False: nothing will be delivered. */
export function beginDeliver(): bool {
  const call = changetype<DeliverCall>(CALL);
  call.count = 0;
  call.last = 0;
  return markSubjects(call, changetype<Stream>(call.stream));
}

/** Writes the reply subject; returns its length. */
function layReply(call: DeliverCall, sequence: u64, time: i64): u32 {
  if (!call.prefixLength) return 0;
  copy(reply, call.prefix, call.prefixLength);
  let at = printNumber(reply + call.prefixLength, <u64>call.deliveries);
  store<u8>(at, 0x2e);
  at = printNumber(at + 1, sequence);
  store<u8>(at, 0x2e);
  at = printNumber(at + 1, <u64>call.consumerSeq);
  store<u8>(at, 0x2e);
  at = printNumber(at + 1, <u64>time);
  store<u8>(at, 0x2e);
  at = printNumber(at + 1, <u64>max(call.pending - 1, 0));
  return <u32>(at - reply);
}

/** Routes the record with headers it was not stored with: the call's own, and `Nats-Msg-Size` where the payload stays away. */
function routeHeaders(call: DeliverCall, record: usize): u32 {
  const headerLength = recordHeaderLength(record);
  const payload = recordData(record) + headerLength;
  const payloadLength = recordDataLength(record) - headerLength;
  const block = alloc(headerLength + 64 + call.extraLength + (call.headersOnly ? 0 : payloadLength));
  let at = block;
  if (headerLength) {
    copy(at, recordData(record), headerLength - 2);
    at += headerLength - 2;
  } else {
    copy(at, STATUS_LINE, STATUS_LINE_LENGTH);
    at += STATUS_LINE_LENGTH;
  }
  if (call.headersOnly) {
    copy(at, SIZE_HEADER, SIZE_HEADER_LENGTH);
    at = printNumber(at + SIZE_HEADER_LENGTH, payloadLength);
    store<u16>(at, CRLF);
    at += 2;
  }
  copy(at, call.extra, call.extraLength);
  at += call.extraLength;
  store<u16>(at, CRLF);
  at += 2;
  const headers = <u32>(at - block);
  let length = headers;
  if (!call.headersOnly) {
    copy(at, payload, payloadLength);
    length += payloadLength;
  }
  setData(block, length, headers);
  const taken = routeVia(call.subject, call.subjectLength);
  free(block);
  return taken;
}

/** Routes one record; 0: nobody took it. */
function send(call: DeliverCall, stream: Stream, record: usize, replyLength: u32): u32 {
  setOrigin(0, stream.account);
  setSubject(record + RECORD_HEAD, recordSubjectLength(record));
  setReply(reply, replyLength);
  if (call.headersOnly || call.extraLength) return routeHeaders(call, record);
  setData(recordData(record), recordDataLength(record), recordHeaderLength(record));
  return routeVia(call.subject, call.subjectLength);
}

/** Sends one record to the inbox of a direct get; 0: nobody took it. */
function answer(call: DeliverCall, stream: Stream, record: usize): u32 {
  const pending = <u64>max(call.pending - 1, 0);
  return sendDirect(stream, record, call.subject, call.subjectLength, call.direct, pending, <u64>call.last);
}

function need(call: DeliverCall, block: u32, entry: usize): void {
  call.needBlock = block;
  call.needOffset = entryOffset(entry);
  call.needLength = entryLength(entry);
}

/** Goes on with the batch in CALL until it is done (DELIVER_*), or until another window is needed. */
export function deliver(): u32 {
  const call = changetype<DeliverCall>(CALL);
  const stream = changetype<Stream>(call.stream);
  for (let entry = nextLive(sequencesOf(stream), <u64>call.next); entry; entry = nextLive(sequencesOf(stream), <u64>call.next)) {
    const segment = changetype<Segment>(foundSegment);
    const sequence = entrySequence(segment, entry);
    if (<f64>sequence > call.to) return DELIVER_END;
    if (call.mark && changetype<Leaf>(entryLeaf(entry)).mark != call.mark) {
      call.next = <f64>sequence + 1;
      continue;
    }
    call.next = <f64>sequence;
    if (!call.messages) return DELIVER_MESSAGES;
    const block = segment.block;
    const offset = entryOffset(entry);
    const length = entryLength(entry);
    need(call, block, entry);
    if (block != call.windowBlock || offset < call.windowFrom || offset + length > call.windowTo) return DELIVER_WINDOW;
    const record = call.window + (offset - call.windowFrom);
    if (!recordValid(keyOf(stream, block), record, length) || recordSequence(record) != sequence) return DELIVER_DAMAGED;
    const replyLength = layReply(call, sequence, recordTime(record));
    const size = recordSubjectLength(record) + replyLength + recordDataLength(record);
    if (!call.direct && size > call.bytes) return DELIVER_BYTES;
    if (!(call.direct ? answer(call, stream, record) : send(call, stream, record, replyLength))) return DELIVER_INTEREST;
    if (!call.direct) store<f64>(call.list + ((<usize>call.count) << 3), <f64>sequence);
    call.count++;
    call.bytes -= min(size, call.bytes);
    call.messages--;
    call.last = <f64>sequence;
    call.next = <f64>sequence + 1;
    call.consumerSeq += 1;
    call.pending = max(call.pending - 1, 0);
    if (call.direct && !call.bytes) return DELIVER_BYTES;
  }
  return DELIVER_END;
}
