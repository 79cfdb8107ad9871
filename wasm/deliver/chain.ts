// Out-chains: the bytes waiting for a connection, in chunks from the arena. A write hands all waiting chunks to the host
// ("flying"); they are freed when the host says that they left. Small connections hold 512 bytes, busy ones whole pages; each
// further chunk of a chain is twice as large as the one before it, so that little is taken for nothing:
//
//   Chunk  u32 next | u32 used | u32 capacity | u32 spare | bytes        512 B to 64 KiB with this head
//
// The last 16 bytes of a chunk are never counted on: copyOver may write there.

import { alloc, free, roundUp } from '../lib/arena';
import { copy } from '../lib/bytes';
import { memoryExhausted, memoryShort } from '../lib/pages';
import { Connection, PRESSED, SLOW, markDirty } from './connection';

const HEAD: usize = 16;
const TAIL_SLACK: u32 = 16;
const SMALL: u32 = 512;
const MIDDLE: u32 = 4096;
const LARGE: u32 = 65536;
/** What may be waiting for a connection that is sent more when the kernel's memory is short. */
const MODEST: u32 = 65536;
/** The longest run of bytes that `reserve` can promise. */
export const LONGEST_RUN: u32 = LARGE - <u32>HEAD - TAIL_SLACK;

let produced: u32 = 0;

/** Bytes put into out-chains since the last `resetProduced`: the budget of one ingest call. */
// @ts-ignore: decorator
@inline
export function producedBytes(): u32 {
  return produced;
}

/** Starts a new budget. */
export function resetProduced(): void {
  produced = 0;
}

function newChunk(connection: Connection, atLeast: u32): usize {
  const wanted = atLeast + <u32>HEAD + TAIL_SLACK;
  const last = connection.tail;
  let size: u32 = connection.chunkHint;
  if (last) size = min(LARGE, max(MIDDLE, (load<u32>(last, 8) + <u32>HEAD + TAIL_SLACK) << 1));
  if (size < wanted) size = max(SMALL, <u32>roundUp(wanted));
  const chunk = alloc(size);
  store<u32>(chunk, 0);
  store<u32>(chunk, 0, 4);
  store<u32>(chunk, size - <u32>HEAD - TAIL_SLACK, 8);
  if (last) store<u32>(last, <u32>chunk);
  else connection.head = chunk;
  connection.tail = chunk;
  return chunk;
}

/**
 * A place for `length` adjacent bytes (at most LONGEST_RUN), to be confirmed by `commit`. Up to 15 bytes more may be scribbled
 * on.
 */
// @ts-ignore: decorator
@inline
export function reserve(connection: Connection, length: u32): usize {
  let chunk = connection.tail;
  if (!chunk || load<u32>(chunk, 4) + length > load<u32>(chunk, 8)) chunk = newChunk(connection, length);
  return chunk + HEAD + <usize>load<u32>(chunk, 4);
}

/** Counts `length` bytes just written at the place that `reserve` gave. */
// @ts-ignore: decorator
@inline
export function commit(connection: Connection, length: u32): void {
  const chunk = connection.tail;
  store<u32>(chunk, load<u32>(chunk, 4) + length, 4);
  connection.queued += length;
  produced += length;
  markDirty(connection);
}

/** Appends any number of bytes, over as many chunks as it takes. */
export function append(connection: Connection, at: usize, length: u32): void {
  while (length) {
    let chunk = connection.tail;
    let room: u32 = chunk ? load<u32>(chunk, 8) - load<u32>(chunk, 4) : 0;
    if (!room) {
      chunk = newChunk(connection, min(length, LONGEST_RUN));
      room = load<u32>(chunk, 8);
    }
    const part = min(room, length);
    copy(chunk + HEAD + <usize>load<u32>(chunk, 4), at, part);
    commit(connection, part);
    at += part;
    length -= part;
  }
}

/**
 * Whether `more` bytes would exceed what may wait for this connection; then it is marked slow and the host told. When the memory
 * limit is near, that is far less than `maxPending`: those who read go on, the others make room.
 */
// @ts-ignore: decorator
@inline
export function overPending(connection: Connection, more: u32): bool {
  const waiting = connection.queued + connection.flyingBytes;
  if (waiting + more <= connection.maxPending && (!memoryShort() || (waiting <= MODEST && !memoryExhausted()))) return false;
  connection.flags |= SLOW;
  markDirty(connection);
  return true;
}

let pressed: u32 = 0;

/** Connections with more than three quarters of their pending limit waiting. */
export function pressedConnections(): u32 {
  return pressed;
}

// @ts-ignore: decorator
@inline
function isPressed(connection: Connection): bool {
  return connection.queued + connection.flyingBytes > connection.maxPending - (connection.maxPending >> 2);
}

/** Looks at a connection after a delivery; true when it is pressed. */
// @ts-ignore: decorator
@inline
export function press(connection: Connection): bool {
  if (!isPressed(connection)) return false;
  if (!(connection.flags & PRESSED)) {
    connection.flags |= PRESSED;
    pressed++;
  }
  return true;
}

function relieve(connection: Connection): void {
  if (!(connection.flags & PRESSED) || isPressed(connection)) return;
  connection.flags &= ~PRESSED;
  pressed--;
}

/**
 * Hands the waiting chunks to the host: writes up to `most` pairs (address, length) at `list` and returns how many.
 * Nothing may be flying. What does not fit into the list stays queued.
 */
export function takeChunks(connection: Connection, list: usize, most: u32): u32 {
  let count: u32 = 0;
  let chunk = connection.head;
  let last: usize = 0;
  let bytes: u32 = 0;
  while (chunk && count < most) {
    const used = load<u32>(chunk, 4);
    store<u32>(list + ((<usize>count) << 3), <u32>(chunk + HEAD));
    store<u32>(list + ((<usize>count) << 3), used, 4);
    bytes += used;
    count++;
    last = chunk;
    chunk = load<u32>(chunk);
  }
  if (!count) return 0;
  connection.flying = connection.head;
  connection.flyingBytes = bytes;
  connection.queued -= bytes;
  store<u32>(last, 0);
  connection.head = chunk;
  if (!chunk) connection.tail = 0;
  connection.chunkHint = bytes >= 32768 ? LARGE : bytes > 1024 ? MIDDLE : 0;
  return count;
}

function freeChunks(chunk: usize): void {
  while (chunk) {
    const next = load<u32>(chunk);
    free(chunk);
    chunk = next;
  }
}

/** The host's write is done: its chunks are free again. */
export function chunksWritten(connection: Connection): void {
  freeChunks(connection.flying);
  connection.flying = 0;
  connection.flyingBytes = 0;
  relieve(connection);
}

/** Frees what waits (what flies stays until written). */
export function dropQueued(connection: Connection): void {
  freeChunks(connection.head);
  connection.head = 0;
  connection.tail = 0;
  connection.queued = 0;
  relieve(connection);
}
