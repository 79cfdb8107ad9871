// Direct gets: a stored message goes to the subject of an inbox as it is, with headers behind its own that say where it lies
// in the stream.

import { alloc, free } from '../lib/arena';
import { copy, copyOver, printNumber } from '../lib/bytes';
import { printInstant } from '../lib/instant';
import { setData, setOrigin, setReply, setSubject } from '../deliver/message';
import { routeVia } from '../deliver/route';
import {
  RECORD_HEAD,
  recordData,
  recordDataLength,
  recordHeaderLength,
  recordSequence,
  recordSubjectLength,
  recordTime,
} from '../record/record';
import { Stream } from './stream';

/** How a message is sent: with its place in a batch, without any headers, or alone. */
export const DIRECT_BATCH: u32 = 1;
export const DIRECT_BARE: u32 = 2;
export const DIRECT_ONE: u32 = 3;

const CRLF: u16 = 0x0a0d;
/** Room for all that is added, without stream name and subject; what is copied may run over its end. */
const ADDED: u32 = 320;

/** Texts, each a header's beginning with the end of the line before it. */
const HEAD: usize = memory.data<u8>([0x4e, 0x41, 0x54, 0x53, 0x2f, 0x31, 0x2e, 0x30]);
const HEAD_LENGTH: u32 = 8;
/** `\r\nNats-` */
const NATS: usize = memory.data<u8>([0x0d, 0x0a, 0x4e, 0x61, 0x74, 0x73, 0x2d]);
/** `Stream: ` */
const STREAM: usize = memory.data<u8>([0x53, 0x74, 0x72, 0x65, 0x61, 0x6d, 0x3a, 0x20]);
/** `Subject: ` */
const SUBJECT: usize = memory.data<u8>([0x53, 0x75, 0x62, 0x6a, 0x65, 0x63, 0x74, 0x3a, 0x20]);
/** `Sequence: ` */
const SEQUENCE: usize = memory.data<u8>([0x53, 0x65, 0x71, 0x75, 0x65, 0x6e, 0x63, 0x65, 0x3a, 0x20]);
/** `Time-Stamp: ` */
const TIME: usize = memory.data<u8>([0x54, 0x69, 0x6d, 0x65, 0x2d, 0x53, 0x74, 0x61, 0x6d, 0x70, 0x3a, 0x20]);
/** `Num-Pending: ` */
const PENDING: usize = memory.data<u8>([0x4e, 0x75, 0x6d, 0x2d, 0x50, 0x65, 0x6e, 0x64, 0x69, 0x6e, 0x67, 0x3a, 0x20]);
/** `Last-Sequence: ` */
const LAST: usize = memory.data<u8>([0x4c, 0x61, 0x73, 0x74, 0x2d, 0x53, 0x65, 0x71, 0x75, 0x65, 0x6e, 0x63, 0x65, 0x3a, 0x20]);

// @ts-ignore: decorator
@inline
function name(to: usize, text: usize, length: u32): usize {
  copyOver(to, NATS, 7);
  copyOver(to + 7, text, length);
  return to + 7 + length;
}

// @ts-ignore: decorator
@inline
function put(to: usize, text: usize, length: u32): usize {
  copyOver(to, text, length);
  return to + length;
}

/** Writes the headers of the record at `to`; returns where they end. */
function layHeaders(to: usize, stream: Stream, record: usize, inBatch: bool, pending: u64, last: u64): usize {
  const own = recordHeaderLength(record);
  // The message's own block ends with an empty line, which comes last again.
  let at = own ? put(to, recordData(record), own - 4) : put(to, HEAD, HEAD_LENGTH);
  at = put(name(at, STREAM, 8), stream.name, stream.nameLength);
  at = put(name(at, SUBJECT, 9), record + RECORD_HEAD, recordSubjectLength(record));
  at = printNumber(name(at, SEQUENCE, 10), recordSequence(record));
  at = printInstant(name(at, TIME, 12), recordTime(record));
  if (inBatch) {
    at = printNumber(name(at, PENDING, 13), pending);
    at = printNumber(name(at, LAST, 15), last);
  }
  store<u16>(at, CRLF);
  store<u16>(at, CRLF, 2);
  return at + 4;
}

/**
 * Makes the record the current message, for an inbox; `pending` are left behind it, `last` went before it. Returns the block it
 * lies in, to be freed behind the routing.
 */
export function layDirect(
  stream: Stream,
  record: usize,
  inbox: usize,
  inboxLength: u32,
  how: u32,
  pending: u64,
  last: u64,
): usize {
  const own = recordHeaderLength(record);
  const payload = recordData(record) + own;
  const length = recordDataLength(record) - own;
  setOrigin(0, stream.account);
  setSubject(inbox, inboxLength);
  setReply(0, 0);
  if (how == DIRECT_BARE) {
    setData(payload, length, 0);
    return 0;
  }
  const block = alloc(own + stream.nameLength + recordSubjectLength(record) + ADDED + length);
  const end = layHeaders(block, stream, record, how == DIRECT_BATCH, pending, last);
  copy(end, payload, length);
  setData(block, <u32>(end - block) + length, <u32>(end - block));
  return block;
}

/** Sends one record to an inbox. */
export function sendDirect(stream: Stream, record: usize, inbox: usize, inboxLength: u32): void {
  const block = layDirect(stream, record, inbox, inboxLength, DIRECT_ONE, 0, 0);
  routeVia(inbox, inboxLength);
  free(block);
}
