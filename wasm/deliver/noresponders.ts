// No responders: a request that nobody subscribes to is answered at once, to the requestor's own subscription on the reply
// subject, by
//
//   HMSG <reply> <sid> <n> <n>\r\nNATS/1.0 503\r\nNats-Subject: <subject>\r\n\r\n\r\n

import { alloc, free } from '../lib/arena';
import { copy } from '../lib/bytes';
import { matchWildcards, matchedList } from '../match/cache';
import { Entry, findEntry, subjectTag } from '../match/interest';
import { accountAt, interestAt } from './account';
import { Connection, TRACE } from './connection';
import { frame } from './frame';
import { msgReply, msgReplyLength, msgSubject, msgSubjectLength, setData, setReply, setSubject } from './message';
import { permits } from './permissions';
import { Sub } from './subscription';

// NATS/1.0 503 CR LF Nats-Subject: SPACE
const opening: usize = memory.data<u8>([
  0x4e, 0x41, 0x54, 0x53, 0x2f, 0x31, 0x2e, 0x30, 0x20, 0x35, 0x30, 0x33, 13, 10, 0x4e, 0x61, 0x74, 0x73, 0x2d, 0x53, 0x75, 0x62,
  0x6a, 0x65, 0x63, 0x74, 0x3a, 0x20,
]);
const OPENING: u32 = 28;

/** The last answer to a traced connection, kept for the trace. */
let traced: usize = 0;

/** The connection's first plain subscription of the entry; queue groups are not asked, as in nats-server. */
function ownOf(entry: Entry, connection: usize): Sub {
  let sub = changetype<Sub>(entry.firstSub);
  while (changetype<usize>(sub) && sub.connection != connection) sub = changetype<Sub>(sub.next);
  return sub;
}

/** The connection's own plain subscription that would get a message on this subject, or null. */
function ownSubscription(connection: Connection, at: usize, length: u32): Sub {
  const interest = interestAt(connection.account);
  const tag = subjectTag(at, length);
  const self = changetype<usize>(connection);
  const entry = findEntry(interest, tag, at, length);
  let sub = changetype<Sub>(0);
  if (changetype<usize>(entry) && !entry.wildcard) sub = ownOf(entry, self);
  if (changetype<usize>(sub) || !interest.wildcards) return sub;
  const found = matchWildcards(interest, tag, at, length);
  for (let i: u32 = 0; i < found && !changetype<usize>(sub); i++) {
    sub = ownOf(changetype<Entry>(<usize>load<u32>(matchedList() + ((<usize>i) << 2))), self);
  }
  return sub;
}

/** Whether the server counts as somebody who took a request on this subject of `account`, though it will not answer. */
export function hears(account: usize, subject: usize, length: u32): bool {
  const set = accountAt(account).heard;
  return set != 0 && permits(set, subject, length);
}

/** Answers the current message, a request that nobody took. */
export function sendNoResponders(connection: Connection): void {
  const sub = ownSubscription(connection, msgReply, msgReplyLength);
  if (!changetype<usize>(sub)) return;
  const length = OPENING + msgSubjectLength + 4;
  const block = alloc(length);
  copy(block, opening, OPENING);
  copy(block + OPENING, msgSubject, msgSubjectLength);
  store<u32>(block + OPENING + msgSubjectLength, 0x0a0d0a0d);
  setSubject(msgReply, msgReplyLength);
  setReply(0, 0);
  setData(block, length, length);
  if (frame(connection, sub)) {
    // It is no message delivered, as nats-server counts.
    connection.outMsgs--;
    connection.outBytes -= <f64>length;
  }
  if (!(connection.flags & TRACE)) return free(block);
  free(traced);
  traced = block;
}
