// Routing: the current message (message.ts) to everybody who subscribes to its subject: each plain subscription, and one member
// of each queue group, picked at random, walking on when the member cannot take it (closed, no echo, denied).
//
// Groups with the same name on different subjects (`a.b q`, `a.* q`) are one group: their members are counted together.

import { alloc, free } from '../lib/arena';
import { randomBelow } from '../lib/bytes';
import { matchWildcards, matchedList } from '../match/cache';
import { Entry, findEntry, subjectTag, touchEntry } from '../match/interest';
import { accountAt, findQueueName, interestAt } from './account';
import { Connection, NO_ECHO } from './connection';
import {
  crossResponse,
  crossService,
  crossStream,
  storeBare,
  tellHost,
  traceReply,
  tracedLength,
  tracedSubject,
} from './crossing';
import { frame } from './frame';
import { hostMessage } from './host';
import {
  bareData,
  msgAccount,
  msgConnection,
  msgDataLength,
  msgReply,
  msgReplyLength,
  msgSubject,
  msgSubjectLength,
  setData,
  setOrigin,
  setReply,
  setRouted,
  setSubject,
} from './message';
import { permits } from './permissions';
import { rememberReply } from './replies';
import {
  Group,
  KIND_ACK,
  KIND_CLIENT,
  KIND_HOST,
  KIND_SERVICE,
  KIND_SHADOW,
  KIND_STREAM,
  SUB_DIRECT,
  SUB_FILTERED,
  SUB_REMOVED,
  Sub,
  removeSub,
} from './subscription';
import { consumerAck } from '../stream/ack';
import { streamAppend } from '../stream/append';
import { askStream } from '../stream/direct-get';

let outMsgs: f64 = 0;
let outBytes: f64 = 0;

/** Messages queued for clients. */
export function routedMsgs(): f64 {
  return outMsgs;
}

/** Bytes of payload and headers queued for clients. */
export function routedBytes(): f64 {
  return outBytes;
}

/** Subscriptions that reached their maximum while the message was routed, linked through `target`. */
let exhausted: usize = 0;
let groups: usize = 0;
let groupCapacity: u32 = 0;
let groupCount: u32 = 0;
/** How many messages are being routed inside one another. */
let routing: u32 = 0;

function takeBack(): void {
  while (exhausted) {
    const sub = changetype<Sub>(exhausted);
    exhausted = <usize>sub.target;
    sub.target = 0;
    removeSub(sub);
  }
}

/** Hands the current message to a client's subscription. False: it takes nothing. */
export function deliverToClient(sub: Sub): bool {
  const connection = changetype<Connection>(sub.connection);
  if (sub.connection == msgConnection && connection.flags & NO_ECHO) return false;
  if (sub.flags & SUB_REMOVED) return false;
  if (sub.flags & SUB_FILTERED && connection.deliverSet && !permits(connection.deliverSet, msgSubject, msgSubjectLength))
    return false;
  if (!frame(connection, sub)) return false;
  outMsgs++;
  outBytes += <f64>msgDataLength;
  if (connection.responseMax && msgReplyLength) rememberReply(connection, msgReply, msgReplyLength);
  sub.delivered++;
  if (sub.max && sub.delivered >= sub.max) {
    sub.flags |= SUB_REMOVED;
    sub.target = <u32>exhausted;
    exhausted = changetype<usize>(sub);
  }
  return true;
}

/** Hands the current message to a subscription of the host; a direct get of a client may need no host. */
function toHost(sub: Sub): bool {
  if (!msgConnection) return tellHost(sub);
  return sub.flags & SUB_DIRECT && routing == 1 ? askStream(sub) : hostMessage(sub);
}

// @ts-ignore: decorator
@inline
function deliver(sub: Sub): bool {
  const kind = sub.kind;
  if (kind == KIND_CLIENT) return deliverToClient(sub);
  if (kind == KIND_HOST) return toHost(sub);
  if (kind == KIND_ACK) return consumerAck(sub.target);
  if (kind == KIND_STREAM) return bareData ? storeBare(sub.target) : streamAppend(sub.target);
  if (kind == KIND_SHADOW) return crossStream(sub);
  return kind == KIND_SERVICE ? crossService(sub) : crossResponse();
}

function deliverPlain(entry: Entry): u32 {
  let count: u32 = 0;
  let sub = changetype<Sub>(entry.firstSub);
  while (changetype<usize>(sub)) {
    const next = changetype<Sub>(sub.next);
    if (deliver(sub)) count++;
    sub = next;
  }
  return count;
}

function collectGroups(entry: Entry): void {
  let group = entry.groups;
  while (group) {
    if (groupCount == groupCapacity) {
      const capacity: u32 = groupCapacity ? groupCapacity << 1 : 64;
      const grown = alloc((<usize>capacity) << 2);
      memory.copy(grown, groups, (<usize>groupCount) << 2);
      free(groups);
      groups = grown;
      groupCapacity = capacity;
    }
    store<u32>(groups + ((<usize>groupCount) << 2), <u32>group);
    groupCount++;
    group = changetype<Group>(group).next;
  }
}

// @ts-ignore: decorator
@inline
function collected(i: u32): Group {
  return changetype<Group>(<usize>load<u32>(groups + ((<usize>i) << 2)));
}

/** Delivers to the first member that takes it, `skip` members on, over all groups of the same name from index `first` on. */
function walkGroup(first: u32, name: usize, skip: u32, members: u32): bool {
  let i = first;
  let group = collected(i);
  let sub = changetype<Sub>(group.firstSub);
  for (let step: u32 = 0; step < skip + members; step++) {
    if (step >= skip && deliver(sub)) return true;
    sub = changetype<Sub>(sub.next);
    if (changetype<usize>(sub)) continue;
    do {
      if (++i == groupCount) i = first;
      group = collected(i);
    } while (group.name != name);
    sub = changetype<Sub>(group.firstSub);
  }
  return false;
}

/** One member of each group collected from index `base` on. */
function deliverGroups(base: u32): u32 {
  let count: u32 = 0;
  for (let i = base; i < groupCount; i++) {
    const name = collected(i).name;
    let seen = false;
    for (let j = base; j < i && !seen; j++) seen = collected(j).name == name;
    if (seen) continue;
    let members: u32 = 0;
    for (let j = i; j < groupCount; j++) if (collected(j).name == name) members += collected(j).count;
    if (walkGroup(i, name, members > 1 ? randomBelow(members) : 0, members)) count++;
  }
  return count;
}

/**
 * Routes the current message to whoever subscribes to another subject (a deliver subject); returns how many subscriptions took
 * it. A message that crosses into another account is routed there from inside this.
 */
export function routeVia(subject: usize, length: u32): u32 {
  const interest = interestAt(msgAccount);
  const crossings = accountAt(msgAccount).crossings;
  const tag = subjectTag(subject, length);
  let found: u32 = 0;
  if (interest.wildcards) {
    touchEntry(interest, tag);
    found = matchWildcards(interest, tag, subject, length);
  }
  let list = matchedList();
  const entry = findEntry(interest, tag, subject, length);
  const base = groupCount;
  let count: u32 = 0;
  interest.matches++;
  if (crossings) {
    setRouted(subject, length);
    if (found) list = keep(list, found);
  }
  routing++;
  if (changetype<usize>(entry) && !entry.wildcard) {
    if (entry.firstSub) count += deliverPlain(entry);
    if (entry.groups) collectGroups(entry);
  }
  for (let i: u32 = 0; i < found; i++) {
    const wild = changetype<Entry>(<usize>load<u32>(list + ((<usize>i) << 2)));
    if (wild.firstSub) count += deliverPlain(wild);
    if (wild.groups) collectGroups(wild);
  }
  if (groupCount != base) count += deliverGroups(base);
  groupCount = base;
  if (crossings && found) free(list);
  if (!--routing && exhausted) takeBack();
  return count;
}

/** The entries that match, where a search in another account does not write over them. */
function keep(list: usize, found: u32): usize {
  const kept = alloc((<usize>found) << 2);
  memory.copy(kept, list, (<usize>found) << 2);
  return kept;
}

/** The only subscription that a literal subject reaches, when it is a client's and no member of a queue group; else 0. */
export function soleReceiver(account: usize, subject: usize, length: u32): usize {
  const interest = interestAt(account);
  const tag = subjectTag(subject, length);
  let only: usize = 0;
  const entry = findEntry(interest, tag, subject, length);
  if (changetype<usize>(entry) && !entry.wildcard) {
    if (entry.groups) return 0;
    only = entry.firstSub;
  }
  const found: u32 = interest.wildcards ? matchWildcards(interest, tag, subject, length) : 0;
  for (let i: u32 = 0; i < found; i++) {
    const wild = changetype<Entry>(<usize>load<u32>(matchedList() + ((<usize>i) << 2)));
    if (wild.groups || (only && wild.firstSub)) return 0;
    if (wild.firstSub) only = wild.firstSub;
  }
  if (!only || changetype<Sub>(only).next || changetype<Sub>(only).kind != KIND_CLIENT) return 0;
  return only;
}

/** The current message goes to one subscription of a client. 0: it did not take it; 2: it did, and is gone now. */
export function routeTo(receiver: usize): u32 {
  if (!deliverToClient(changetype<Sub>(receiver))) return 0;
  if (!exhausted) return 1;
  takeBack();
  return 2;
}

/** Routes the current message; returns how many subscriptions took it. */
export function route(): u32 {
  return routeVia(msgSubject, msgSubjectLength);
}

/** Routes a message of the server itself in `account`; returns how many subscriptions took it. Not from inside `route`. */
export function routeHost(
  account: usize,
  subject: usize,
  subjectLength: u32,
  reply: usize,
  replyLength: u32,
  headerLength: u32,
  data: usize,
  dataLength: u32,
): u32 {
  setOrigin(0, account);
  setSubject(subject, subjectLength);
  setReply(reply, replyLength);
  setData(data, dataLength, headerLength);
  return route();
}

/** Whether anybody in `account` has subscribed to exactly this subject, not by wildcards. */
export function hasLiteral(account: usize, subject: usize, length: u32): bool {
  const interest = interestAt(account);
  const entry = findEntry(interest, subjectTag(subject, length), subject, length);
  return changetype<usize>(entry) != 0 && !entry.wildcard;
}

/** Whether a plain subscription has exactly this subject; with a queue name, a member of that group. */
export function hasReceiver(account: usize, subject: usize, length: u32, queue: usize, queueLength: u32): bool {
  const entry = findEntry(interestAt(account), subjectTag(subject, length), subject, length);
  if (!changetype<usize>(entry) || entry.wildcard) return false;
  if (!queueLength) return entry.plainCount != 0;
  const name = findQueueName(account, queue, queueLength);
  let group = changetype<Group>(entry.groups);
  while (changetype<usize>(group)) {
    if (group.name == name) return group.count != 0;
    group = changetype<Group>(group.next);
  }
  return false;
}

/**
 * Whether anybody would take a message on this literal subject in `account`; for a one-time reply subject, where the reply
 * arrives.
 */
export function hasInterest(account: usize, subject: usize, length: u32): bool {
  if (accountAt(account).replies) {
    account = traceReply(account, subject, length);
    subject = tracedSubject;
    length = tracedLength;
  }
  const interest = interestAt(account);
  const tag = subjectTag(subject, length);
  const entry = findEntry(interest, tag, subject, length);
  if (changetype<usize>(entry) && !entry.wildcard) return true;
  return interest.wildcards != 0 && matchWildcards(interest, tag, subject, length) != 0;
}
