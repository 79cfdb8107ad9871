// The kernel as the host sees it: every export of build/wasm/server.wasm. Pointers and connection, account and set handles are
// u32; the host applies `>>> 0`. No callback, no 64-bit integer crosses this border; counters are f64.
//
// The store's exports are in ../stream/exports.ts, those of account imports in ../deliver/imports.ts.

import { arenaLive } from '../lib/arena';
import { setSeed as seedHash } from '../lib/bytes';
import { INBOUND, RING, SCRATCH } from '../lib/layout';
import { limitMemory, pagesUsed, startAtPage } from '../lib/pages';
import { ringClear, ringUsed } from '../lib/ring';
import { rememberMatches } from '../match/cache';
import { setNow as setTime } from '../lib/time';
import { accountAt, freeAccount, interestAt, newAccount } from '../deliver/account';
import { append, chunksWritten, dropQueued, pressedConnections, producedBytes, takeChunks } from '../deliver/chain';
import {
  BINDABLE,
  CLOSED,
  Connection,
  SLOW,
  connectionAt,
  connectionsOpen,
  freeConnection,
  newConnection,
  takeDirty,
} from '../deliver/connection';
import { takeStalled } from '../deliver/frame';
import { freeLent } from '../deliver/lent';
import { setData, setOrigin, setReply, setSubject } from '../deliver/message';
import { addToSet, allowNothing, freeSet, newSet, permits } from '../deliver/permissions';
import { dropReplies } from '../deliver/replies';
import { hasInterest, hasLiteral, hasReceiver, routeHost, routedBytes, routedMsgs } from '../deliver/route';
import { SUB_DIRECT, Sub, addSub, everySubscription, removeSub, subscriptionCount } from '../deliver/subscription';
import { Watch, closeWatch, nextNews, openWatch } from '../deliver/watch';
import { listConnection, listInterest } from '../deliver/listing';
import { ingest as ingestBytes, ingestStopped, stash as stashBytes } from '../parse/ingest';
import { publishedBytes, publishedMsgs, routePublished } from '../parse/publish';
import { admit } from '../parse/subscribe';

export * from '../deliver/imports';
export * from '../stream/exports';
export * from '../stream/limit-exports';

/** Address of the inbound region (1 MiB). */
export function inboundAt(): usize {
  return INBOUND;
}
/** Address of the event ring. */
export function ringAt(): usize {
  return RING;
}
/** Address of the scratch region (64 KiB). */
export function scratchAt(): usize {
  return SCRATCH;
}
/** Words in the ring. */
export function eventWords(): u32 {
  return ringUsed();
}
/** Forgets the drained entries, and what only they pointed to. */
export function clearEvents(): void {
  ringClear();
  freeLent();
}
/** Tells the time: seconds since 1970 and nanoseconds beyond. */
export function setNow(seconds: f64, nanos: u32): void {
  setTime(seconds, nanos);
}
/** Whether what matches a subject is remembered, in all accounts. */
export function setMatchCache(on: bool): void {
  rememberMatches(on);
}

/** Sets the secret of hashing and the seed of queue picks. */
export function setSeed(low: u32, high: u32): void {
  seedHash(low, high);
}
/** Limits the memory to `pages` of 64 KiB. */
export function limitPages(pages: u32): void {
  limitMemory(pages);
}
/** Starts the arena at a page (tests above 2 GiB); before anything else. */
export function startArena(page: u32): void {
  startAtPage(page);
}
/** Bytes in use in the arena. */
export function liveBytes(): f64 {
  return arenaLive();
}
/** Pages of 64 KiB that the memory has. */
export function memoryPages(): u32 {
  return memory.size();
}
/** Pages of 64 KiB in use. */
export function usedPages(): u32 {
  return pagesUsed();
}
/** Takes a block of the arena for the host. */
export { alloc, free, tryAlloc } from '../lib/arena';

/** Opens a connection; returns its index. */
export function openConnection(maxPayload: u32, maxControlLine: u32, maxPending: u32): u32 {
  const connection = newConnection();
  connection.maxPayload = maxPayload;
  connection.maxControlLine = maxControlLine;
  connection.maxPending = maxPending;
  return connection.index;
}

/** Says who a connection is: its account, flags (deliver/connection.ts) and limits. */
export function bindConnection(index: u32, account: usize, flags: u32, maxPayload: u32, maxSubs: u32, maxControlLine: u32): void {
  const connection = connectionAt(index);
  connection.account = account;
  connection.flags = (connection.flags & ~BINDABLE) | (flags & BINDABLE);
  connection.maxPayload = maxPayload;
  connection.maxSubs = maxSubs;
  connection.maxControlLine = maxControlLine;
}

/** Sets a connection's permission sets (0: none) and response permissions (`responseMax` 0: none, negative: unlimited). */
export function permitConnection(index: u32, publishSet: usize, deliverSet: usize, responseMax: i32, responseTtl: u32): void {
  const connection = connectionAt(index);
  connection.publishSet = publishSet;
  connection.deliverSet = deliverSet;
  connection.responseMax = responseMax;
  connection.responseTtl = responseTtl;
}

/** The flags of a connection, CLOSED and SLOW among them. */
export function connectionFlags(index: u32): u32 {
  return connectionAt(index).flags;
}
/** Sets and clears flags of a connection. */
export function changeFlags(index: u32, set: u32, clear: u32): void {
  const connection = connectionAt(index);
  connection.flags = (connection.flags & ~clear) | set;
}

/** Takes bytes for a connection; returns how many were taken, fewer only when `stopped`. */
export function ingest(index: u32, at: usize, length: u32): u32 {
  return ingestBytes(connectionAt(index), at, length);
}
/** Whether the last `ingest` stopped for the host. */
export function stopped(): bool {
  return ingestStopped();
}
/** Bytes queued for connections since the last `ingest` began. */
export function produced(): u32 {
  return producedBytes();
}
/** Keeps bytes for later without parsing. */
export function stash(index: u32, at: usize, length: u32): void {
  stashBytes(connectionAt(index), at, length);
}
/** Whether a receiver passed three quarters of its pending limit since the last call. */
export function stalled(): bool {
  return takeStalled();
}

/** Connections with more than three quarters of their pending limit waiting. */
export function pressed(): u32 {
  return pressedConnections();
}

/** Queues bytes for a connection, whatever its state. */
export function send(index: u32, at: usize, length: u32): void {
  append(connectionAt(index), at, length);
}
/** Next connection with something to write, 0: none. */
export function nextDirty(): u32 {
  return takeDirty();
}
/** Hands out up to `most` chunks as (address, length) pairs at `list`; returns how many. */
export function takeOut(index: u32, list: usize, most: u32): u32 {
  return takeChunks(connectionAt(index), list, most);
}
/** The chunks handed out were written. 1: more wait. */
export function outDone(index: u32): u32 {
  const connection = connectionAt(index);
  chunksWritten(connection);
  return connection.head ? 1 : 0;
}
/** Bytes queued or being written. */
export function pendingBytes(index: u32): u32 {
  const connection = connectionAt(index);
  return connection.queued + connection.flyingBytes;
}

function removeSubs(connection: Connection): void {
  while (connection.firstSub) removeSub(changetype<Sub>(connection.firstSub));
}
/** Removes a connection's subscriptions; it keeps its account. */
export function unsubscribeAll(index: u32): void {
  removeSubs(connectionAt(index));
}
/** Stops parsing and delivery: subscriptions go, what is queued may still be written. */
export function closeConnection(index: u32): void {
  const connection = connectionAt(index);
  connection.flags |= CLOSED;
  removeSubs(connection);
  dropReplies(connection);
}
/** Frees a closed connection with everything it still holds. */
export function releaseConnection(index: u32): void {
  const connection = connectionAt(index);
  closeConnection(index);
  dropQueued(connection);
  chunksWritten(connection);
  freeConnection(connection);
}
/** Makes a subscription the host has judged. `filtered`: deliveries pass the deliver set. */
export function subscribe(
  index: u32,
  subject: usize,
  length: u32,
  queue: usize,
  queueLength: u32,
  sid: usize,
  sidLength: u32,
  filtered: bool,
): void {
  admit(connectionAt(index), subject, length, queue, queueLength, sid, sidLength, filtered);
}
/** Removes one subscription by its address (from a listing). */
export function dropSubscription(sub: usize): void {
  removeSub(changetype<Sub>(sub));
}

/** Connection counters: messages and bytes in and out. */
export function connectionInMsgs(index: u32): f64 {
  return connectionAt(index).inMsgs;
}
/** Bytes received in messages. */
export function connectionInBytes(index: u32): f64 {
  return connectionAt(index).inBytes;
}
/** Messages sent. */
export function connectionOutMsgs(index: u32): f64 {
  return connectionAt(index).outMsgs;
}
/** Bytes sent in messages. */
export function connectionOutBytes(index: u32): f64 {
  return connectionAt(index).outBytes;
}
/** Subscriptions of a connection. */
export function connectionSubs(index: u32): u32 {
  return connectionAt(index).subs;
}
/** Whether a connection is a slow consumer. */
export function isSlow(index: u32): bool {
  return (connectionAt(index).flags & SLOW) != 0;
}
/** Connections open in the kernel. */
export function openConnections(): u32 {
  return connectionsOpen();
}

/** Opens an account under the host's number. */
export function openAccount(id: u32): usize {
  return newAccount(id);
}
/** Frees an account without subscriptions. */
export function closeAccount(account: usize): void {
  freeAccount(account);
}
/** Sets the permission set whose subjects are the sources of the account's mappings; 0: none. */
export function setMappings(account: usize, set: usize): void {
  accountAt(account).mappings = set;
}
/** Sets the permission set of subjects on which a request finds the server, though nothing listens there; 0: none. */
export function setHeard(account: usize, set: usize): void {
  accountAt(account).heard = set;
}
/** Subscriptions of clients in an account. */
export function accountSubs(account: usize): u32 {
  return accountAt(account).subs;
}
/** Publishes as the server itself; returns how many subscriptions took it. */
export function publish(
  account: usize,
  subject: usize,
  subjectLength: u32,
  reply: usize,
  replyLength: u32,
  headerLength: u32,
  data: usize,
  dataLength: u32,
): u32 {
  return routeHost(account, subject, subjectLength, reply, replyLength, headerLength, data, dataLength);
}
/** Publishes for a connection under a mapped subject, with no-echo and 503 as if the client had. */
export function publishMapped(
  index: u32,
  subject: usize,
  subjectLength: u32,
  reply: usize,
  replyLength: u32,
  headerLength: u32,
  data: usize,
  dataLength: u32,
): void {
  const connection = connectionAt(index);
  setOrigin(changetype<usize>(connection), connection.account);
  setSubject(subject, subjectLength);
  setReply(reply, replyLength);
  setData(data, dataLength, headerLength);
  routePublished(connection);
}
/** Whether anybody has subscribed to exactly this subject. */
export function interestedLiterally(account: usize, subject: usize, length: u32): bool {
  return hasLiteral(account, subject, length);
}
/** Whether a plain subscription, or one of this queue group, has exactly this subject. */
export function receives(account: usize, subject: usize, length: u32, queue: usize, queueLength: u32): bool {
  return hasReceiver(account, subject, length, queue, queueLength);
}
/** Whether anybody would take a message on this subject. */
export function interested(account: usize, subject: usize, length: u32): bool {
  return hasInterest(account, subject, length);
}
/** Subscribes the server itself: kind 1 host, 2 stream, 3 acknowledgements; returns the subscription's address. */
export function subscribeServer(
  account: usize,
  subject: usize,
  length: u32,
  queue: usize,
  queueLength: u32,
  kind: u32,
  target: u32,
): usize {
  const sub = addSub(account, 0, subject, length, queue, queueLength, 0, 0);
  sub.kind = <u8>kind;
  sub.target = target;
  return changetype<usize>(sub);
}
/** The kernel answers what it can of the direct gets on a subscription of the host, out of a stream. */
export function answerFrom(sub: usize, stream: usize): void {
  changetype<Sub>(sub).flags |= SUB_DIRECT;
  changetype<Sub>(sub).tag = <u32>stream;
}
/** Ends a subscription of the server itself. */
export function unsubscribeServer(sub: usize): void {
  removeSub(changetype<Sub>(sub));
}

/**
 * Writes subscriptions of a connection as records at `list` (deliver/listing.ts); returns how many, going on behind `after` (0:
 * from the start).
 */
export function listSubscriptions(index: u32, after: usize, list: usize, most: u32): u32 {
  return listConnection(connectionAt(index), after, list, most);
}
/**
 * Writes subscriptions of an account, slot by slot of its entry table from `slot` on. Returns how many; `listedSlot` says where
 * to go on.
 */
export function listAccount(account: usize, slot: u32, list: usize, most: u32): u32 {
  return listInterest(account, slot, list, most);
}
export { listedSlot } from '../deliver/listing';

/** Messages published by clients. */
export function inMsgs(): f64 {
  return publishedMsgs();
}
/** Bytes published by clients. */
export function inBytes(): f64 {
  return publishedBytes();
}
/** Messages queued for clients. */
export function outMsgs(): f64 {
  return routedMsgs();
}
/** Bytes queued for clients. */
export function outBytes(): f64 {
  return routedBytes();
}
/** All subscriptions, those of the server itself among them. */
export function allSubscriptions(): u32 {
  return everySubscription();
}
/** Subscriptions of clients. */
export function subscriptions(): u32 {
  return subscriptionCount();
}
/** Watches a subject: `nextWatched` gives the target, not 0, whenever its subscriptions change. Returns the watch's address. */
export function watchInterest(account: usize, subject: usize, length: u32, target: u32): usize {
  return openWatch(account, subject, length, target);
}
/** Ends a watch. */
export function unwatchInterest(watch: usize): void {
  closeWatch(changetype<Watch>(watch));
}
/** The target of the next watch with something new, each once; 0: none. */
export function nextWatched(): u32 {
  return nextNews();
}
/** Matcher figures of an account: 0 entries, 1 cached results, 2 inserts, 3 removes, 4 matches, 5 cache hits. */
export function matcherFigure(account: usize, which: u32): f64 {
  const interest = interestAt(account);
  if (which == 0) return <f64>interest.entryCount;
  if (which == 1) return <f64>interest.cached;
  if (which == 2) return interest.inserts;
  if (which == 3) return interest.removes;
  return which == 4 ? interest.matches : interest.cacheHits;
}

/** A new permission set. */
export function openSet(): usize {
  return newSet();
}
/** Adds a subject to allow (0) or deny (1). */
export function addSubject(set: usize, subject: usize, length: u32, deny: u32): void {
  addToSet(set, subject, length, deny);
}
/** An empty allow list shall allow nothing. */
export function denyByDefault(set: usize): void {
  allowNothing(set);
}
/** Whether a set lets a literal subject pass. */
export function setPermits(set: usize, subject: usize, length: u32): bool {
  return permits(set, subject, length);
}
/** Frees a set. */
export function closeSet(set: usize): void {
  freeSet(set);
}
