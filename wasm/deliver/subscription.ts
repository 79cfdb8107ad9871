// Subscriptions: who wants which subject. A subscription hangs on its subject's entry (or on a queue group of it) and on its
// connection, and is found by (connection, sid) in one table of the kernel.
//
//   Sub    64 bytes, then the sid's bytes
//   Group  one queue group on one subject: u32 next | u32 name | first sub | last sub | count | entry
//
// Removing while a message is being routed would pull entries from under the router, so the router collects those that reached
// their maximum and removes them afterwards (route.ts).

import { alloc, free } from '../lib/arena';
import { copy, equal, hash64 } from '../lib/bytes';
import { Table, slotPointer, slotTag, tableAdd, tableAt, tableNext, tableOpen, tableRemove, tableStart } from '../lib/table';
import { Entry, dropEntry, holdEntry } from '../match/interest';
import { Account, accountAt, dropQueueName, holdQueueName, interestAt } from './account';
import { Connection } from './connection';
import { tellLoss } from './measured';
import { dropShadows } from './shadow';
import { noteInterest } from './watch';

/** A client's subscription. */
export const KIND_CLIENT: u8 = 0;
/** A message becomes an event for the host. */
export const KIND_HOST: u8 = 1;
/** A message is appended to a stream. */
export const KIND_STREAM: u8 = 2;
/** A message is an acknowledgement for a consumer. */
export const KIND_ACK: u8 = 3;

/** What is taken goes to a subscription of another account, see shadow.ts. */
export const KIND_SHADOW: u8 = 4;
/** A request goes to another account, see services.ts. */
export const KIND_SERVICE: u8 = 5;
/** A reply goes to another account, see responses.ts. */
export const KIND_RESPONSE: u8 = 6;

/** Deliveries are checked against the connection's deliver set. */
export const SUB_FILTERED: u8 = 1;
/** Removed, waiting for the router to finish. */
export const SUB_REMOVED: u8 = 2;
/** A subscription of the host to direct gets of a stream, of which the kernel answers what it can, see stream/direct-get.ts. */
export const SUB_DIRECT: u8 = 4;

/** One subscription. */
@unmanaged
export class Sub {
  /** 0 for subscriptions of the server itself. */
  connection: usize;
  account: usize;
  entry: usize;
  group: usize;
  next: usize;
  prev: usize;
  nextOfConnection: usize;
  prevOfConnection: usize;
  kind: u8;
  flags: u8;
  sidLength: u16;
  /** The hash of its sid; with SUB_DIRECT, the stream. */
  tag: u32;
  /** What the host or the store knows the subscription by; for clients a link of the router. */
  target: u32;
  /** The first of its shadows in other accounts, see shadow.ts. */
  shadows: usize;
  delivered: u64;
  /** Removed after this many deliveries; 0: never. */
  max: u64;
}

/** Bytes of a Sub before its sid. */
export const SUB_SIZE: usize = 64;

/** One queue group on one subject. */
@unmanaged
export class Group {
  next: usize;
  name: usize;
  firstSub: usize;
  lastSub: usize;
  count: u32;
  entry: usize;
}

const GROUP_SIZE: usize = 24;

const sidTable: usize = memory.data(16, 8);
let total: u32 = 0;
let every: u32 = 0;

/** Address of a subscription's sid. */
// @ts-ignore: decorator
@inline
export function sidOf(sub: Sub): usize {
  return changetype<usize>(sub) + SUB_SIZE;
}

/** Subscriptions in the whole kernel, those of the server itself among them. */
export function everySubscription(): u32 {
  return every;
}

/** Subscriptions of clients in the whole kernel. */
export function subscriptionCount(): u32 {
  return total;
}

// @ts-ignore: decorator
@inline
function sids(): Table {
  return tableAt(sidTable);
}

// @ts-ignore: decorator
@inline
function sidTag(connection: Connection, at: usize, length: u32): u32 {
  return (<u32>hash64(at, length)) ^ (connection.index * 0x9e3779b1);
}

/** The subscription of a connection by its sid, or null. */
export function findSub(connection: Connection, at: usize, length: u32): Sub {
  if (!sids().slots) return changetype<Sub>(0);
  const tag = sidTag(connection, at, length);
  let slot = tableStart(sids(), tag);
  while (true) {
    const pointer = slotPointer(sids(), slot);
    if (!pointer) return changetype<Sub>(0);
    if (slotTag(sids(), slot) == tag) {
      const sub = changetype<Sub>(pointer);
      if (
        sub.connection == changetype<usize>(connection) &&
        <u32>sub.sidLength == length &&
        equal(pointer + SUB_SIZE, at, length)
      )
        return sub;
    }
    slot = tableNext(sids(), slot);
  }
}

function groupOf(account: usize, entry: Entry, queue: usize, queueLength: u32): Group {
  const name = holdQueueName(account, queue, queueLength);
  let group = changetype<Group>(entry.groups);
  while (changetype<usize>(group)) {
    if (group.name == name) {
      dropQueueName(account, name);
      return group;
    }
    group = changetype<Group>(group.next);
  }
  const block = alloc(GROUP_SIZE);
  group = changetype<Group>(block);
  group.next = entry.groups;
  group.name = name;
  group.firstSub = 0;
  group.lastSub = 0;
  group.count = 0;
  group.entry = changetype<usize>(entry);
  entry.groups = block;
  entry.groupCount++;
  return group;
}

/**
 * Adds a subscription on a valid subject. `connection` is 0 for the server's own; then `sid` is not kept in the table.
 * `queueLength` 0: no queue group.
 */
export function addSub(
  account: usize,
  connection: usize,
  subject: usize,
  length: u32,
  queue: usize,
  queueLength: u32,
  sid: usize,
  sidLength: u32,
): Sub {
  const entry = holdEntry(interestAt(account), subject, length);
  const block = alloc(SUB_SIZE + sidLength);
  memory.fill(block, 0, SUB_SIZE);
  copy(block + SUB_SIZE, sid, sidLength);
  const sub = changetype<Sub>(block);
  sub.connection = connection;
  sub.account = account;
  sub.entry = changetype<usize>(entry);
  sub.sidLength = <u16>sidLength;
  if (queueLength) appendToGroup(sub, groupOf(account, entry, queue, queueLength));
  else appendPlain(sub, entry);
  if (connection) addToConnection(sub, changetype<Connection>(connection));
  every++;
  if (accountAt(account).watches) noteInterest(account, entry);
  return sub;
}

function appendPlain(sub: Sub, entry: Entry): void {
  sub.prev = entry.lastSub;
  if (entry.lastSub) changetype<Sub>(entry.lastSub).next = changetype<usize>(sub);
  else entry.firstSub = changetype<usize>(sub);
  entry.lastSub = changetype<usize>(sub);
  entry.plainCount++;
}

function appendToGroup(sub: Sub, group: Group): void {
  sub.group = changetype<usize>(group);
  sub.prev = group.lastSub;
  if (group.lastSub) changetype<Sub>(group.lastSub).next = changetype<usize>(sub);
  else group.firstSub = changetype<usize>(sub);
  group.lastSub = changetype<usize>(sub);
  group.count++;
}

function addToConnection(sub: Sub, connection: Connection): void {
  if (!sids().slots) tableOpen(sids());
  sub.tag = sidTag(connection, sidOf(sub), sub.sidLength);
  tableAdd(sids(), sub.tag, changetype<usize>(sub));
  sub.nextOfConnection = connection.firstSub;
  if (connection.firstSub) changetype<Sub>(connection.firstSub).prevOfConnection = changetype<usize>(sub);
  connection.firstSub = changetype<usize>(sub);
  connection.subs++;
  accountAt(sub.account).subs++;
  total++;
}

/** Removes a subscription and frees it. Not while a message is being routed. */
export function removeSub(sub: Sub): void {
  if (sub.shadows) dropShadows(sub);
  if (sub.kind >= KIND_SHADOW) accountAt(sub.account).crossings--;
  if (sub.connection) removeFromConnection(sub, changetype<Connection>(sub.connection));
  const entry = changetype<Entry>(sub.entry);
  if (accountAt(sub.account).watches) noteInterest(sub.account, entry);
  if (accountAt(sub.account).measured) tellLoss(sub.account);
  if (sub.group) removeFromGroup(sub, entry, changetype<Group>(sub.group));
  else {
    if (sub.prev) changetype<Sub>(sub.prev).next = sub.next;
    else entry.firstSub = sub.next;
    if (sub.next) changetype<Sub>(sub.next).prev = sub.prev;
    else entry.lastSub = sub.prev;
    entry.plainCount--;
  }
  dropEntry(interestAt(sub.account), entry);
  free(changetype<usize>(sub));
  every--;
}

function removeFromConnection(sub: Sub, connection: Connection): void {
  tableRemove(sids(), sub.tag, changetype<usize>(sub));
  if (sub.prevOfConnection) changetype<Sub>(sub.prevOfConnection).nextOfConnection = sub.nextOfConnection;
  else connection.firstSub = sub.nextOfConnection;
  if (sub.nextOfConnection) changetype<Sub>(sub.nextOfConnection).prevOfConnection = sub.prevOfConnection;
  connection.subs--;
  accountAt(sub.account).subs--;
  total--;
}

function removeFromGroup(sub: Sub, entry: Entry, group: Group): void {
  if (sub.prev) changetype<Sub>(sub.prev).next = sub.next;
  else group.firstSub = sub.next;
  if (sub.next) changetype<Sub>(sub.next).prev = sub.prev;
  else group.lastSub = sub.prev;
  if (--group.count) return;
  let link = changetype<usize>(entry) + offsetof<Entry>('groups');
  while (<usize>load<u32>(link) != changetype<usize>(group)) link = <usize>load<u32>(link);
  store<u32>(link, <u32>group.next);
  entry.groupCount--;
  dropQueueName(sub.account, group.name);
  free(changetype<usize>(group));
}
