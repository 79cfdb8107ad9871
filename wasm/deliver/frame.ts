// Framing: the current message (message.ts) as MSG or HMSG for one subscription, into its connection's out-chain.
//
//   MSG <subject> <sid> [<reply> ]<size>\r\n<payload>\r\n
//   HMSG <subject> <sid> [<reply> ]<header size> <total size>\r\n<headers><payload>\r\n
//
// A connection that does not understand headers gets MSG with the payload alone.

import { alloc } from '../lib/arena';
import { copy, copyOver, printNumber } from '../lib/bytes';
import { EVENT_TRACE_OUT } from '../lib/events';
import { pushEvent, ringNearlyFull } from '../lib/ring';
import { LONGEST_RUN, append, commit, overPending, press, reserve } from './chain';
import { CLOSED, Connection, HEADERS, SLOW, TRACE } from './connection';
import {
  msgConnection,
  msgData,
  msgDataLength,
  msgHeaderLength,
  msgHeaderSize,
  msgHeaderSizeLength,
  msgReply,
  msgReplyLength,
  msgSize,
  msgSizeLength,
  msgSubject,
  msgSubjectLength,
} from './message';
import { Sub, sidOf } from './subscription';

/** "MSG " and "HMSG" as little-endian words. */
const MSG_: u32 = 0x2047534d;
const HMSG: u32 = 0x47534d48;
const SPACE: u8 = 0x20;
const CRLF: u16 = 0x0a0d;
/** Verb, spaces, two sizes, line ends: what a head adds to subject, sid and reply at most. */
const HEAD_EXTRA: u32 = 48;

let stalled: bool = false;

/** Whether a client's message left a receiver with three quarters of its pending limit since the last call; asking clears it. */
export function takeStalled(): bool {
  const was = stalled;
  stalled = false;
  return was;
}

/** Prints a size: the publisher's own digits where there are any. */
// @ts-ignore: decorator
@inline
function printSize(to: usize, size: u32, digits: usize, length: u32): usize {
  if (!length) return printNumber(to, size);
  copyOver(to, digits, length);
  return to + length;
}

function head(to: usize, sub: Sub, headerLength: u32, total: u32): usize {
  let at = to;
  if (headerLength) {
    store<u32>(at, HMSG);
    store<u8>(at, SPACE, 4);
    at += 5;
  } else {
    store<u32>(at, MSG_);
    at += 4;
  }
  copyOver(at, msgSubject, msgSubjectLength);
  at += msgSubjectLength;
  store<u8>(at++, SPACE);
  copyOver(at, sidOf(sub), sub.sidLength);
  at += sub.sidLength;
  store<u8>(at++, SPACE);
  if (msgReplyLength) {
    copyOver(at, msgReply, msgReplyLength);
    at += msgReplyLength;
    store<u8>(at++, SPACE);
  }
  if (headerLength) {
    at = printSize(at, headerLength, msgHeaderSize, msgHeaderSizeLength);
    store<u8>(at++, SPACE);
  }
  // Without its headers the message has another size than was written.
  at = printSize(at, total, msgSize, headerLength == msgHeaderLength ? msgSizeLength : 0);
  store<u16>(at, CRLF);
  return at + 2;
}

/** Subjects and replies of the server's own messages, kept until they are traced. Used in a circle, made when first wanted. */
const TRACE_ROOM: u32 = 1 << 20;
let traceRoom: usize = 0;
let traceUsed: u32 = 0;

/** A copy of bytes that may be gone when the trace is written. */
function keptForTrace(at: usize, length: u32): usize {
  if (msgConnection || length > TRACE_ROOM) return at;
  if (!traceRoom) traceRoom = alloc(TRACE_ROOM);
  if (length > TRACE_ROOM - traceUsed) traceUsed = 0;
  const kept = traceRoom + traceUsed;
  copy(kept, at, length);
  traceUsed += length;
  return kept;
}

function traceOut(connection: Connection, sub: Sub, headerLength: u32, data: usize, total: u32): void {
  // The last words are for entries that must not be lost.
  if (ringNearlyFull()) return;
  const words = pushEvent(EVENT_TRACE_OUT, 10);
  store<u32>(words, connection.index);
  store<u32>(words, <u32>keptForTrace(msgSubject, msgSubjectLength), 4);
  store<u32>(words, msgSubjectLength, 8);
  store<u32>(words, <u32>sidOf(sub), 12);
  store<u32>(words, sub.sidLength, 16);
  store<u32>(words, <u32>keptForTrace(msgReply, msgReplyLength), 20);
  store<u32>(words, msgReplyLength, 24);
  store<u32>(words, headerLength, 28);
  store<u32>(words, total, 32);
  // What the server itself sends may be gone when the trace is written.
  store<u32>(words, msgConnection ? <u32>data : 0, 36);
}

/** Queues the current message for a client's subscription. False: the connection takes no more. */
export function frame(connection: Connection, sub: Sub): bool {
  if (connection.flags & (CLOSED | SLOW)) return false;
  let headerLength = msgHeaderLength;
  let data = msgData;
  let total = msgDataLength;
  if (headerLength && !(connection.flags & HEADERS)) {
    data += headerLength;
    total -= headerLength;
    headerLength = 0;
  }
  const headMost = msgSubjectLength + <u32>sub.sidLength + msgReplyLength + HEAD_EXTRA;
  const most = headMost + total + 2;
  if (overPending(connection, most)) return false;
  if (most <= LONGEST_RUN) {
    const to = reserve(connection, most);
    let at = head(to, sub, headerLength, total);
    copyOver(at, data, total);
    at += total;
    store<u16>(at, CRLF);
    commit(connection, <u32>(at - to) + 2);
  } else frameLong(connection, sub, headMost, data, headerLength, total);
  connection.outMsgs++;
  connection.outBytes += <f64>total;
  // What the server itself delivers makes no client rest.
  if (press(connection) && msgConnection) stalled = true;
  if (connection.flags & TRACE) traceOut(connection, sub, headerLength, data, total);
  return true;
}

const crlf: usize = memory.data<u8>([13, 10]);

function frameLong(connection: Connection, sub: Sub, headMost: u32, data: usize, headerLength: u32, total: u32): void {
  if (headMost <= LONGEST_RUN) {
    const to = reserve(connection, headMost);
    commit(connection, <u32>(head(to, sub, headerLength, total) - to));
  } else headInPieces(connection, sub, headerLength, total);
  append(connection, data, total);
  append(connection, crlf, 2);
}

const sizes: usize = memory.data(64, 8);
const verbs: usize = memory.data<u8>([0x48, 0x4d, 0x53, 0x47, 0x20]);

/** A head longer than a chunk: subjects beyond 60 KiB, with a raised max_control_line. */
function headInPieces(connection: Connection, sub: Sub, headerLength: u32, total: u32): void {
  store<u8>(sizes, SPACE);
  if (headerLength) append(connection, verbs, 5);
  else append(connection, verbs + 1, 4);
  append(connection, msgSubject, msgSubjectLength);
  append(connection, sizes, 1);
  append(connection, sidOf(sub), sub.sidLength);
  append(connection, sizes, 1);
  if (msgReplyLength) {
    append(connection, msgReply, msgReplyLength);
    append(connection, sizes, 1);
  }
  let at = sizes + 8;
  if (headerLength) {
    at = printNumber(at, headerLength);
    store<u8>(at++, SPACE);
  }
  at = printNumber(at, total);
  store<u16>(at, CRLF);
  append(connection, sizes + 8, <u32>(at + 2 - sizes - 8));
}
