// SUB and UNSUB.
//
//   SUB   <subject> [queue] <sid>
//   UNSUB <sid> [max]

import { equal, parseSize } from '../lib/bytes';
import { ERROR_BAD_ARGUMENTS, ERROR_SUBJECT, ERROR_SUBSCRIPTIONS } from '../lib/errors';
import { EVENT_SUBSCRIBE, EVENT_SUBSCRIBED } from '../lib/events';
import { memoryShortFor } from '../lib/pages';
import { pushEvent, raiseBarrier } from '../lib/ring';
import { accountAt } from '../deliver/account';
import { Connection, JUDGE_SUBSCRIBE, VERBOSE } from '../deliver/connection';
import { SUB_FILTERED, Sub, addSub, findSub, removeSub, subscriptionCount } from '../deliver/subscription';
import { SUBJECT_INVALID, inspect } from '../match/subject';
import { sendOk } from './answers';
import { raiseError } from './fault';
import { argumentAt, argumentCount, argumentLength } from './line';

/** When a hash table of all subscriptions doubles, it takes this many adjacent bytes for each of them at the most. */
const TABLES_GROW: usize = 32;

/** A subscription keeps the length of its sid in 16 bits. */
const LONGEST_SID: u32 = 0xffff;

/** The server's own queue name, which the host refuses to clients. */
const systemQueue: usize = memory.data<u8>([0x5f, 0x73, 0x79, 0x73, 0x5f, 0, 0, 0]); // _sys_

/** Takes one SUB whose line was read. False: closed. */
export function subscribe(connection: Connection): bool {
  const count = argumentCount;
  if (count < 2 || count > 3 || argumentLength(count - 1) > LONGEST_SID) {
    raiseError(connection, ERROR_BAD_ARGUMENTS, 0, 0);
    return false;
  }
  const queue: usize = count == 3 ? argumentAt(1) : 0;
  const queueLength: u32 = count == 3 ? argumentLength(1) : 0;
  const sid = argumentAt(count - 1);
  const sidLength = argumentLength(count - 1);
  const reserved = queueLength == 5 && equal(queue, systemQueue, 5);
  if (reserved || connection.flags & JUDGE_SUBSCRIBE) askHost(connection, queue, queueLength, sid, sidLength);
  else admit(connection, argumentAt(0), argumentLength(0), queue, queueLength, sid, sidLength, false);
  return true;
}

function askHost(connection: Connection, queue: usize, queueLength: u32, sid: usize, sidLength: u32): void {
  const words = pushEvent(EVENT_SUBSCRIBE, 7);
  if (!words) return;
  store<u32>(words, connection.index);
  store<u32>(words, <u32>argumentAt(0), 4);
  store<u32>(words, argumentLength(0), 8);
  store<u32>(words, <u32>queue, 12);
  store<u32>(words, queueLength, 16);
  store<u32>(words, <u32>sid, 20);
  store<u32>(words, sidLength, 24);
  raiseBarrier();
}

/**
 * Makes a subscription that nothing forbids any more; `filtered`: each delivery is checked against the connection's deliver set.
 */
export function admit(
  connection: Connection,
  subject: usize,
  length: u32,
  queue: usize,
  queueLength: u32,
  sid: usize,
  sidLength: u32,
  filtered: bool,
): void {
  const room = !memoryShortFor(<usize>subscriptionCount() * TABLES_GROW);
  if (!room || (connection.maxSubs && connection.subs >= connection.maxSubs)) {
    raiseError(connection, ERROR_SUBSCRIPTIONS, 0, 0);
    return;
  }
  if (!changetype<usize>(findSub(connection, sid, sidLength))) {
    if (inspect(subject, length) == SUBJECT_INVALID) {
      raiseError(connection, ERROR_SUBJECT, subject, length);
      return;
    }
    const sub = addSub(connection.account, changetype<usize>(connection), subject, length, queue, queueLength, sid, sidLength);
    if (filtered) sub.flags |= SUB_FILTERED;
    if (accountAt(connection.account).importing) report(sub);
  }
  if (connection.flags & VERBOSE) sendOk(connection);
}

/** Tells the host of a subscription that may have shadows in other accounts. */
function report(sub: Sub): void {
  const words = pushEvent(EVENT_SUBSCRIBED, 2);
  if (!words) return;
  store<u32>(words, <u32>changetype<usize>(sub));
  store<u32>(words, changetype<Connection>(sub.connection).index, 4);
  raiseBarrier();
}

/** Takes one UNSUB whose line was read. False: closed. */
export function unsubscribe(connection: Connection): bool {
  const count = argumentCount;
  const max = count == 2 ? parseSize(argumentAt(1), argumentLength(1)) : 0;
  if (count < 1 || count > 2) {
    raiseError(connection, ERROR_BAD_ARGUMENTS, 0, 0);
    return false;
  }
  const sub = findSub(connection, argumentAt(0), argumentLength(0));
  if (changetype<usize>(sub)) {
    if (max > 0 && sub.delivered < <u64>max) sub.max = <u64>max;
    else removeSub(sub);
  }
  if (connection.flags & VERBOSE) sendOk(connection);
  return true;
}
