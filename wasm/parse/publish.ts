// PUB and HPUB: arguments, limits, permissions, routing.
//
//   PUB  <subject> [reply] <size>              CRLF payload CRLF
//   HPUB <subject> [reply] <header> <total>    CRLF headers payload CRLF

import { equal, parseSize } from '../lib/bytes';
import {
  ERROR_BAD_ARGUMENTS,
  ERROR_PAYLOAD,
  ERROR_PUBLISH_DENIED,
  ERROR_REPLY_DENIED,
  ERROR_UNKNOWN_OPERATION,
} from '../lib/errors';
import { asksForTrace, hasTraceParent } from './trace-header';
import { EVENT_MAP } from '../lib/events';
import { pushEvent, raiseBarrier } from '../lib/ring';
import { accountAt } from '../deliver/account';
import { Connection, HEADERS_OFF, NO_RESPONDERS, PEDANTIC, SYSTEM, VERBOSE } from '../deliver/connection';
import {
  msgData,
  msgDataLength,
  msgHeaderLength,
  msgReply,
  msgReplyLength,
  msgSubject,
  msgSubjectLength,
  setData,
  setOrigin,
  setReply,
  setSizes,
  setSubject,
} from '../deliver/message';
import { hears, sendNoResponders } from '../deliver/noresponders';
import { permits } from '../deliver/permissions';
import { mayRespond } from '../deliver/replies';
import { route } from '../deliver/route';
import { SUBJECT_LITERAL, inspect } from '../match/subject';
import { answerTaken } from '../stream/direct-get';
import { argumentAt, argumentCount, argumentLength, lineEnd } from './line';
import { sendInvalidSubject, sendOk } from './answers';
import { raiseError } from './fault';

/** The publish was routed; go on behind it. */
export const PUBLISHED: u32 = 0;
/** More bytes are needed: `publishEnd` says up to where. */
export const PUBLISH_INCOMPLETE: u32 = 1;
/** An error was raised and the connection is to be closed. */
export const PUBLISH_FAILED: u32 = 2;

/** Where the operation ends: behind its payload's CRLF. */
export let publishEnd: usize = 0;

let inMsgs: f64 = 0;
let inBytes: f64 = 0;

/** Messages published by clients. */
export function publishedMsgs(): f64 {
  return inMsgs;
}

/** Bytes of headers and payload published by clients. */
export function publishedBytes(): f64 {
  return inBytes;
}

function readHead(connection: Connection, headers: bool): bool {
  const sizes: u32 = headers ? 2 : 1;
  const count = argumentCount;
  if (count < 1 + sizes || count > 2 + sizes || (headers && connection.flags & HEADERS_OFF)) {
    raiseError(connection, ERROR_BAD_ARGUMENTS, 0, 0);
    return false;
  }
  const total = parseSize(argumentAt(count - 1), argumentLength(count - 1));
  const headerLength = headers ? parseSize(argumentAt(count - 2), argumentLength(count - 2)) : 0;
  if (total < 0 || headerLength < 0 || headerLength > total) {
    raiseError(connection, ERROR_BAD_ARGUMENTS, 0, 0);
    return false;
  }
  if (<u32>total > connection.maxPayload) {
    raiseError(connection, ERROR_PAYLOAD, 0, <u32>total);
    return false;
  }
  setSubject(argumentAt(0), argumentLength(0));
  if (count == 2 + sizes) setReply(argumentAt(1), argumentLength(1));
  else setReply(0, 0);
  setData(lineEnd, <u32>total, <u32>headerLength);
  setSizes(argumentAt(count - 1), argumentLength(count - 1), argumentAt(count - 2), headers ? argumentLength(count - 2) : 0);
  return true;
}

/** Takes one PUB or HPUB whose line was read; its bytes lie before `end`. */
export function publish(connection: Connection, headers: bool, end: usize): u32 {
  if (!readHead(connection, headers)) return PUBLISH_FAILED;
  publishEnd = msgData + msgDataLength + 2;
  // Not `publishEnd > end`: near 4 GiB the end of a long payload may lie beyond the last address.
  const incomplete = <usize>msgDataLength + 2 > end - msgData;
  const wrong = incomplete ? wrongEnd(end) : load<u16>(publishEnd - 2) != 0x0a0d;
  if (incomplete && !wrong) return PUBLISH_INCOMPLETE;
  if (connection.flags & PEDANTIC && inspect(msgSubject, msgSubjectLength) != SUBJECT_LITERAL) sendInvalidSubject(connection);
  if (wrong) {
    raiseError(connection, ERROR_UNKNOWN_OPERATION, msgData + msgDataLength, 1);
    return PUBLISH_FAILED;
  }
  inMsgs++;
  inBytes += <f64>msgDataLength;
  connection.inMsgs++;
  connection.inBytes += <f64>msgDataLength;
  setOrigin(changetype<usize>(connection), connection.account);
  const mappings = accountAt(connection.account).mappings;
  if (mappings && permits(mappings, msgSubject, msgSubjectLength)) askHost(connection);
  else if (headers && isFollowed(accountAt(connection.account).traced)) askHost(connection);
  else routePublished(connection);
  return PUBLISHED;
}

/** Whether the host follows the current message; `external`: also where a tracing system asks for it. */
function isFollowed(external: bool): bool {
  return asksForTrace(msgData, msgHeaderLength) || (external && hasTraceParent(msgData, msgHeaderLength));
}

/** A payload that is there in full but goes on where its CR should be is wrong now, not when more bytes have come. */
function wrongEnd(end: usize): bool {
  return publishEnd - 1 == end && load<u8>(end - 1) != 13;
}

/**
 * Routes the current message of a client, its subject mapped already, if its permissions let it; answers 503 where nobody took a
 * request.
 */
export function routePublished(connection: Connection): void {
  if (!allowed(connection)) return;
  if (connection.flags & VERBOSE) sendOk(connection);
  const receivers = route();
  if (receivers) return answerTaken();
  if (!msgReplyLength || !(connection.flags & NO_RESPONDERS)) return;
  if (!hears(connection.account, msgSubject, msgSubjectLength)) sendNoResponders(connection);
}

const ackPrefix: usize = memory.data<u8>([0x24, 0x4a, 0x53, 0x2e, 0x41, 0x43, 0x4b, 0x2e]); // $JS.ACK.
const servicePrefix: usize = memory.data<u8>([0x5f, 0x52, 0x5f, 0x2e, 0, 0, 0, 0]); // _R_.
const gatewayPrefix: usize = memory.data<u8>([0x5f, 0x47, 0x52, 0x5f, 0x2e, 0, 0, 0]); // _GR_.

function reservedReply(): bool {
  if (msgReplyLength > 8 && equal(msgReply, ackPrefix, 8)) return true;
  if (msgReplyLength > 3 && equal(msgReply, servicePrefix, 4)) return true;
  return msgReplyLength > 5 && equal(msgReply, gatewayPrefix, 5);
}

const raftPrefix: usize = memory.data<u8>([0x24, 0x4e, 0x52, 0x47, 0x2e, 0, 0, 0]); // $NRG.

function allowed(connection: Connection): bool {
  if (msgSubjectLength > 5 && !(connection.flags & SYSTEM) && equal(msgSubject, raftPrefix, 5)) {
    raiseError(connection, ERROR_PUBLISH_DENIED, msgSubject, msgSubjectLength);
    return false;
  }
  const set = connection.publishSet;
  if (set && !permits(set, msgSubject, msgSubjectLength)) {
    if (!connection.responseMax || !mayRespond(connection, msgSubject, msgSubjectLength)) {
      raiseError(connection, ERROR_PUBLISH_DENIED, msgSubject, msgSubjectLength);
      return false;
    }
  }
  if (msgReplyLength && reservedReply()) {
    raiseError(connection, ERROR_REPLY_DENIED, msgReply, msgReplyLength);
    return false;
  }
  return true;
}

/** The host maps the subject, or follows the message, and has it routed. */
function askHost(connection: Connection): void {
  const words = pushEvent(EVENT_MAP, 8);
  if (!words) return;
  store<u32>(words, connection.index);
  store<u32>(words, <u32>msgSubject, 4);
  store<u32>(words, msgSubjectLength, 8);
  store<u32>(words, <u32>msgReply, 12);
  store<u32>(words, msgReplyLength, 16);
  store<u32>(words, msgHeaderLength, 20);
  store<u32>(words, <u32>msgData, 24);
  store<u32>(words, msgDataLength, 28);
  raiseBarrier();
}
