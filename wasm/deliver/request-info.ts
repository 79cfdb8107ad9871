// What a request that crosses into another account carries in headers of the server: who asks, and where its trace goes.
//
// Who asks: a request that crosses into another account says in the header `Nats-Request-Info` which account it comes from, and
// more of the client where the import shares that. The host writes the texts once a connection; here they become a header.
//
//   connection.info  u32 lengths of four texts: opening and rest of the short one, opening and rest of the long one | their bytes
//   between opening and rest comes `,"svc":"<account>"` for a request that came through that account's import

import { alloc, free } from '../lib/arena';
import { copy, equal } from '../lib/bytes';
import { Connection } from './connection';
import { lend } from './lent';
import { msgData, msgDataLength, msgHeaderLength, setData } from './message';

const LINE: u32 = 19;
/** Nats-Request-Info: */
const name: usize = memory.data<u8>([
  0x4e, 0x61, 0x74, 0x73, 0x2d, 0x52, 0x65, 0x71, 0x75, 0x65, 0x73, 0x74, 0x2d, 0x49, 0x6e, 0x66, 0x6f, 0x3a, 0x20,
]);
const NAME_AND_COLON: u32 = 18;
const STATUS: u32 = 10;
/** NATS/1.0 CR LF */
const status: usize = memory.data<u8>([0x4e, 0x41, 0x54, 0x53, 0x2f, 0x31, 0x2e, 0x30, 13, 10]);
const CRLF: u16 = 0x0a0d;
const LINE_FEED: u32 = 10;

const LENGTHS: usize = 16;

const TRACE_LINE: u32 = 17;
/** Nats-Trace-Dest: */
const traceName: usize = memory.data<u8>([
  0x4e, 0x61, 0x74, 0x73, 0x2d, 0x54, 0x72, 0x61, 0x63, 0x65, 0x2d, 0x44, 0x65, 0x73, 0x74, 0x3a, 0x20,
]);
const TRACE_NAME_AND_COLON: u32 = 16;

/** Sets the texts of a connection: `at` holds the four lengths and the bytes, `size` bytes in all; 0: none. */
export function describe(connection: Connection, at: usize, size: u32): void {
  if (connection.info) free(connection.info);
  connection.info = size ? alloc(size) : 0;
  if (size) copy(connection.info, at, size);
}

/** Copies the header lines of the current message but those that begin with a name; returns where they end. */
function copyHeaders(to: usize, name: usize, nameLength: u32): usize {
  if (msgHeaderLength < STATUS + 2) {
    copy(to, status, STATUS);
    return to + STATUS;
  }
  const end = msgData + msgHeaderLength - 2;
  let line = msgData;
  while (line < end) {
    let next = line;
    while (next < end && <u32>load<u8>(next) != LINE_FEED) next++;
    if (next < end) next++;
    const length = <usize>(next - line);
    if (length < nameLength || !equal(line, name, nameLength)) {
      copy(to, line, length);
      to += length;
    }
    line = next;
  }
  return to;
}

/** Ends the headers at `data` behind a value: they are the current message's from now on, before its payload of `body` bytes. */
function endHeaders(data: usize, at: usize, body: u32): void {
  store<u16>(at, CRLF);
  store<u16>(at, CRLF, 2);
  const payload = at + 4;
  const headerLength = <u32>(payload - data);
  copy(payload, msgData + msgHeaderLength, body);
  setData(data, headerLength + body, headerLength);
}

/** Puts the header into the current message. */
export function setRequestInfo(connection: Connection, long: bool, via: usize, viaLength: u32): void {
  const info = connection.info;
  if (!info) return;
  let text = info + LENGTHS;
  if (long) text += load<u32>(info) + load<u32>(info, 4);
  const opening = load<u32>(info + (long ? 8 : 0));
  const rest = load<u32>(info + (long ? 12 : 4));
  const body = msgDataLength - msgHeaderLength;
  const data = lend(<usize>msgHeaderLength + STATUS + LINE + opening + viaLength + rest + 4 + body);
  let at = copyHeaders(data, name, NAME_AND_COLON);
  copy(at, name, LINE);
  at += LINE;
  copy(at, text, opening);
  at += opening;
  if (via) {
    copy(at, via, viaLength);
    at += viaLength;
  }
  copy(at, text + opening, rest);
  at += rest;
  endHeaders(data, at, body);
}

/** Says in the current message, which has headers, where its trace goes. */
export function setTraceDestination(value: usize, length: u32): void {
  const body = msgDataLength - msgHeaderLength;
  const data = lend(<usize>msgDataLength + TRACE_LINE + length + 4);
  let at = copyHeaders(data, traceName, TRACE_NAME_AND_COLON);
  copy(at, traceName, TRACE_LINE);
  at += TRACE_LINE;
  copy(at, value, length);
  at += length;
  endHeaders(data, at, body);
}
