// Acknowledgements waiting for the sync: reply subject and sequence of each publish, in order of sequence, in a list of chunks.
// When the host reports a sequence as synced, everything up to it is framed as a PubAck and routed to its reply subject.
//
//   Chunk  u32 next | u32 used | u32 read | u32 capacity | entries
//   entry  u64 sequence | u16 length | reply subject

import { alloc, free } from '../lib/arena';
import { copy, copyOver, printNumber } from '../lib/bytes';
import { routeHost } from '../deliver/route';
import { Stream } from './stream';


@unmanaged
class Chunk {
  next: usize;
  used: u32;
  read: u32;
  capacity: u32;
}

const HEAD: usize = 16;
const ENTRY_HEAD: u32 = 10;
const SLACK: u32 = 16;
const FIRST_SIZE: u32 = 1024;
const SIZE: u32 = 32768;

const body: usize = memory.data(1024, 16);

function newChunk(stream: Stream, entry: u32): Chunk {
  const size = max(entry + <u32>HEAD + SLACK, stream.lastAcks ? SIZE : FIRST_SIZE);
  const chunk = changetype<Chunk>(alloc(size));
  chunk.next = 0;
  chunk.used = 0;
  chunk.read = 0;
  chunk.capacity = size - <u32>HEAD - SLACK;
  if (stream.lastAcks) changetype<Chunk>(stream.lastAcks).next = changetype<usize>(chunk);
  else stream.firstAcks = changetype<usize>(chunk);
  stream.lastAcks = changetype<usize>(chunk);
  return chunk;
}

/** Remembers to acknowledge `sequence` to a reply subject. */
export function queueAck(stream: Stream, sequence: u64, reply: usize, length: u32): void {
  const entry = ENTRY_HEAD + length;
  let chunk = changetype<Chunk>(stream.lastAcks);
  if (!stream.lastAcks || chunk.used + entry > chunk.capacity) chunk = newChunk(stream, entry);
  const at = changetype<usize>(chunk) + HEAD + chunk.used;
  store<u64>(at, sequence);
  store<u16>(at, <u16>length, 8);
  copyOver(at + ENTRY_HEAD, reply, length);
  chunk.used += entry;
}

/** Goes on to the next entry; 0 when there is none. Frees chunks that were read. */
function firstEntry(stream: Stream): usize {
  while (stream.firstAcks) {
    const chunk = changetype<Chunk>(stream.firstAcks);
    if (chunk.read < chunk.used) return changetype<usize>(chunk) + HEAD + chunk.read;
    stream.firstAcks = chunk.next;
    if (!chunk.next) stream.lastAcks = 0;
    free(changetype<usize>(chunk));
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function skipEntry(stream: Stream, length: u32): void {
  changetype<Chunk>(stream.firstAcks).read += ENTRY_HEAD + length;
}

/** Sends the PubAcks of everything up to `sequence`, at most `most` of them; returns how many went. */
export function releaseAcks(stream: Stream, sequence: u64, most: u32): u32 {
  const prefix = stream.ackLength;
  copy(body, stream.ack, prefix);
  let count: u32 = 0;
  while (count < most) {
    const entry = firstEntry(stream);
    if (!entry) break;
    const acked = load<u64>(entry);
    if (acked > sequence) break;
    const length: u32 = load<u16>(entry, 8);
    const end = printNumber(body + prefix, acked);
    store<u8>(end, 0x7d);
    routeHost(stream.account, entry + ENTRY_HEAD, length, 0, 0, 0, body, <u32>(end - body) + 1);
    skipEntry(stream, length);
    count++;
  }
  return count;
}

/** Answers everything that waits with the same bytes (an error): nothing of it will be stored. */
export function rejectAcks(stream: Stream, answer: usize, answerLength: u32): void {
  for (;;) {
    const entry = firstEntry(stream);
    if (!entry) return;
    const length: u32 = load<u16>(entry, 8);
    routeHost(stream.account, entry + ENTRY_HEAD, length, 0, 0, 0, answer, answerLength);
    skipEntry(stream, length);
  }
}

/** Frees what waits. */
export function dropAcks(stream: Stream): void {
  for (;;) {
    const entry = firstEntry(stream);
    if (!entry) return;
    skipEntry(stream, load<u16>(entry, 8));
  }
}
