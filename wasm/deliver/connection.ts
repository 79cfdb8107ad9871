// A connection as the kernel knows it. The host opens and closes connections and decides who they are (`bind`); the kernel keeps
// their parser state, their limits, their subscriptions and what is still to be written to them.
//
//   connection table: u32 address a connection, by index; freed indexes form a list through the same words (low bit set)

import { alloc, allocZero, free } from '../lib/arena';
import { copy } from '../lib/bytes';

/** Nothing but CONNECT, PING and PONG is taken; other verbs raise EVENT_UNAUTHENTICATED. */
export const UNAUTHENTICATED: u32 = 1;
/** `+OK` after each operation. */
export const VERBOSE: u32 = 2;
/** Publish subjects are checked. */
export const PEDANTIC: u32 = 4;
/** The client's own publishes do not come back to it. */
export const NO_ECHO: u32 = 8;
/** The client understands HMSG. */
export const HEADERS: u32 = 16;
/** A request without receivers is answered with status 503. */
export const NO_RESPONDERS: u32 = 32;
/** Each SUB is judged by the host. */
export const JUDGE_SUBSCRIBE: u32 = 64;
/** Operations are reported for tracing. */
export const TRACE: u32 = 128;
/** PING is answered by the host. */
export const REPORT_PING: u32 = 256;
/** HPUB is refused: the server has headers off. */
export const HEADERS_OFF: u32 = 512;
/** Bound to the system account. */
export const SYSTEM: u32 = 1024;
/** A bound subset of flags that `bind` may set. */
export const BINDABLE: u32 = 0xffff;
/** Nothing is delivered or parsed any more. */
export const CLOSED: u32 = 0x10000;
/** More than `maxPending` bytes wait: what comes now is dropped and the host closes it. */
export const SLOW: u32 = 0x20000;
/** On the list of connections with something to write or to tell. */
export const DIRTY: u32 = 0x40000;

/** More than three quarters of `maxPending` wait: publishers to it are made to rest. */
export const PRESSED: u32 = 0x80000;

/** One connection. */
@unmanaged
export class Connection {
  index: u32;
  flags: u32;
  account: usize;
  /** Subscriptions, a doubly linked list through Sub.nextOfConnection. */
  firstSub: usize;
  subs: u32;
  /** 0: unlimited. */
  maxSubs: u32;
  maxPayload: u32;
  maxControlLine: u32;
  /** Permission sets, 0: everything allowed. */
  publishSet: usize;
  deliverSet: usize;
  /** Response permissions: publishes allowed a reply (0: none), their life in ms, table of replies. */
  responseMax: i32;
  responseTtl: u32;
  replies: usize;
  /** Bytes carried over from earlier reads: `carryLength` bytes from `carry + carryStart` on. */
  carry: usize;
  carryStart: u32;
  carryLength: u32;
  carryCapacity: u32;
  /** Bytes the carried operation needs before it is worth another look; 0: until a line ends. */
  need: u32;
  /** Out-chain: chunks waiting, bytes in them; chunks handed to the host, bytes in them. */
  head: usize;
  tail: usize;
  queued: u32;
  flying: usize;
  flyingBytes: u32;
  maxPending: u32;
  /** Size of the first chunk to take next: what the last write needed. */
  chunkHint: u32;
  nextDirty: usize;
  /** What a service is told of who asks, see request-info.ts; 0: nothing. */
  info: usize;
  inMsgs: f64;
  inBytes: f64;
  outMsgs: f64;
  outBytes: f64;
}

const CONNECTION_SIZE: usize = 160;

let table: usize = 0;
let capacity: u32 = 0;
let freeIndex: u32 = 0;
let opened: u32 = 0;
let firstDirty: usize = 0;

/** The connection with this index; the index must be open. */
// @ts-ignore: decorator
@inline
export function connectionAt(index: u32): Connection {
  return changetype<Connection>(<usize>load<u32>(table + ((<usize>index) << 2)));
}

/** How many connections are open. */
export function connectionsOpen(): u32 {
  return opened;
}

function growTable(): void {
  const size: u32 = capacity ? capacity << 1 : 256;
  const grown = alloc((<usize>size) << 2);
  copy(grown, table, (<usize>capacity) << 2);
  for (let i: u32 = size - 1; i >= max<u32>(capacity, 1); i--) {
    store<u32>(grown + ((<usize>i) << 2), (freeIndex << 1) | 1);
    freeIndex = i;
  }
  free(table);
  table = grown;
  capacity = size;
}

/** Opens a connection, unauthenticated and without account; returns its index (never 0). */
export function newConnection(): Connection {
  if (!freeIndex) growTable();
  const index = freeIndex;
  freeIndex = load<u32>(table + ((<usize>index) << 2)) >> 1;
  const connection = changetype<Connection>(allocZero(CONNECTION_SIZE));
  store<u32>(table + ((<usize>index) << 2), <u32>changetype<usize>(connection));
  connection.index = index;
  connection.flags = UNAUTHENTICATED | REPORT_PING;
  opened++;
  return connection;
}

/** Frees a connection without subscriptions and chunks; its index may be given out again. */
export function freeConnection(connection: Connection): void {
  unmarkDirty(connection);
  store<u32>(table + ((<usize>connection.index) << 2), (freeIndex << 1) | 1);
  freeIndex = connection.index;
  free(connection.carry);
  free(connection.info);
  free(changetype<usize>(connection));
  opened--;
}

/** Puts a connection on the list that the host flushes. */
// @ts-ignore: decorator
@inline
export function markDirty(connection: Connection): void {
  if (connection.flags & DIRTY) return;
  connection.flags |= DIRTY;
  connection.nextDirty = firstDirty;
  firstDirty = changetype<usize>(connection);
}

/** Takes the next connection with something to write; 0 when there is none. */
export function takeDirty(): u32 {
  const connection = changetype<Connection>(firstDirty);
  if (!changetype<usize>(connection)) return 0;
  firstDirty = connection.nextDirty;
  connection.nextDirty = 0;
  connection.flags &= ~DIRTY;
  return connection.index;
}

function unmarkDirty(connection: Connection): void {
  if (!(connection.flags & DIRTY)) return;
  const self = changetype<usize>(connection);
  if (firstDirty == self) firstDirty = connection.nextDirty;
  else {
    let before = changetype<Connection>(firstDirty);
    while (before.nextDirty != self) before = changetype<Connection>(before.nextDirty);
    before.nextDirty = connection.nextDirty;
  }
  connection.flags &= ~DIRTY;
}
