// A queue of entries of any length, in a list of chunks: entries go in at the end and are taken from the front, and a chunk that
// was read is freed. How long an entry is, whoever put it in finds out from the entry.
//
//   Queue  u32 first chunk | u32 last chunk, embedded in its owner, zero when it is empty
//   Chunk  u32 next | u32 used | u32 read | u32 capacity | entries

import { alloc, free } from './arena';

/** The queue's head: 8 bytes, embedded in its owner. */
@unmanaged
export class Queue {
  first: usize;
  last: usize;
}


@unmanaged
class Chunk {
  next: usize;
  used: u32;
  read: u32;
  capacity: u32;
}

const HEAD: usize = 16;
/** Bytes that copies of entries may run over. */
const SLACK: u32 = 16;
/** The first chunk is small, as most queues are. */
const FIRST_SIZE: u32 = 1024;
const SIZE: u32 = 32768;

/** The queue embedded at an address. */
// @ts-ignore: decorator
@inline
export function queueAt(address: usize): Queue {
  return changetype<Queue>(address);
}

function newChunk(queue: Queue, entry: u32): Chunk {
  const size = max(entry + <u32>HEAD + SLACK, queue.last ? SIZE : FIRST_SIZE);
  const chunk = changetype<Chunk>(alloc(size));
  chunk.next = 0;
  chunk.used = 0;
  chunk.read = 0;
  chunk.capacity = size - <u32>HEAD - SLACK;
  if (queue.last) changetype<Chunk>(queue.last).next = changetype<usize>(chunk);
  else queue.first = changetype<usize>(chunk);
  queue.last = changetype<usize>(chunk);
  return chunk;
}

/** Where the next entry goes, which has `length` bytes. */
// @ts-ignore: decorator
@inline
export function queueAdd(queue: Queue, length: u32): usize {
  let chunk = changetype<Chunk>(queue.last);
  if (!queue.last || chunk.used + length > chunk.capacity) chunk = newChunk(queue, length);
  const at = changetype<usize>(chunk) + HEAD + chunk.used;
  chunk.used += length;
  return at;
}

/** The entry at the front, 0 when there is none. Frees chunks that were read. */
export function queueFront(queue: Queue): usize {
  while (queue.first) {
    const chunk = changetype<Chunk>(queue.first);
    if (chunk.read < chunk.used) return changetype<usize>(chunk) + HEAD + chunk.read;
    queue.first = chunk.next;
    if (!chunk.next) queue.last = 0;
    free(changetype<usize>(chunk));
  }
  return 0;
}

/** The entry at the front, of `length` bytes, is done with. */
// @ts-ignore: decorator
@inline
export function queueSkip(queue: Queue, length: u32): void {
  changetype<Chunk>(queue.first).read += length;
}

/** Where the walk is. */
let walked: usize = 0;
let walkedUpTo: u32 = 0;

function walkInto(chunk: usize): usize {
  while (chunk && changetype<Chunk>(chunk).read == changetype<Chunk>(chunk).used) chunk = changetype<Chunk>(chunk).next;
  walked = chunk;
  if (!chunk) return 0;
  walkedUpTo = changetype<Chunk>(chunk).read;
  return chunk + HEAD + walkedUpTo;
}

/** Begins a walk over the entries from the front on; 0: there is none. Nothing is added or taken meanwhile. */
export function queueWalk(queue: Queue): usize {
  return walkInto(queue.first);
}

/** The entry behind the one the walk is at, which has `length` bytes; 0: that was the last. */
export function queueWalkOn(length: u32): usize {
  walkedUpTo += length;
  if (walkedUpTo == changetype<Chunk>(walked).used) return walkInto(changetype<Chunk>(walked).next);
  return walked + HEAD + walkedUpTo;
}
