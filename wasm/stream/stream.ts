// A stream as the kernel keeps it: what `append` needs to place a message (tail block, key, limits), the indexes, the records
// waiting to be written and the acknowledgements waiting for the sync. The host opens and closes streams, writes the runs and
// reports what is synced.
//
// All sequences are below 2^53, so that they cross to the host as f64.

import { alloc, allocZero, free } from '../lib/arena';
import { copy } from '../lib/bytes';
import { freeSubjects } from '../index/subjects';
import { Sequences, closeSequences } from '../index/sequences';
import { blockKey } from '../record/record';

/** A publish over a limit is rejected instead of the first message removed. */
export const DISCARD_NEW: u32 = 1;
/** So is a publish over the limit a subject. */
export const DISCARD_NEW_PER_SUBJECT: u32 = 2;
export const SEALED: u32 = 4;
/** No PubAcks. */
export const NO_ACK: u32 = 8;
/** The disk failed: nothing is appended any more. */
export const FAULTED: u32 = 16;
/** Every publish is handed to the host: the stream stores under another subject. */
export const JUDGED: u32 = 64;
/** Ids of an earlier run are not in the window yet: publishes with one are handed to the host. */
export const IDS_COLD: u32 = 128;
/** A stream in memory: its bytes are counted as nats-server counts those. */
export const MEMORY: u32 = 256;
/** Deletes are not on disk yet: the host shows what is left when they are. */
export const HELD: u32 = 512;
/** The host brings it within limits that were lowered, in pieces. */
export const TRIMMED: u32 = 1024;
/** Reported to the host as having something to write. */
export const DIRTY: u32 = 32;

/** One stream. */
@unmanaged
export class Stream {
  /** What the host knows it by. */
  tag: u32;
  flags: u32;
  account: usize;
  name: usize;
  nameLength: u32;
  /** PubAck up to the sequence: `{"stream":"S","seq":`. */
  ack: usize;
  ackLength: u32;
  /** Root of the subject tree. */
  subjects: usize;
  messages: u64;
  bytes: u64;
  first: u64;
  last: u64;
  lastTime: i64;
  /** Messages up to here are on disk. */
  shown: u64;
  numSubjects: u32;
  /** Block that is appended to, and where its next record goes. */
  block: u32;
  offset: u32;
  blockLimit: u32;
  maxMessages: i64;
  maxBytes: i64;
  maxPerSubject: i64;
  maxMessageSize: i64;
  /** Bytes that may be appended before the host is asked for room; -1: any number. */
  granted: i64;
  /** Records to be written: a list of runs (runs.ts). */
  firstRun: usize;
  lastRun: usize;
  staged: u32;
  runHint: u32;
  /** Acknowledgements to be sent: a list of chunks (acks.ts). */
  firstAcks: usize;
  lastAcks: usize;
  /** Range of sequences that limits removed since the host asked last; `removedLow` 0: none. */
  removedLow: u64;
  removedHigh: u64;
  /** The duplicate window: how long in nanoseconds, and what is in it (ids.ts). */
  windowSpan: i64;
  ids: usize;
  /** Open fast batches: a list (fast.ts). */
  fast: usize;
  /** Open atomic batches: a list (members.ts). */
  atomic: usize;
  /** Limits removed first messages for which there is no tombstone. */
  ghosts: bool;
  /** The newest block with a record that says what the last sequence is: a message, or what is left of it. */
  lastBlock: u32;
  /** Messages that went so far; wraps. */
  removals: u32;
  /** Selections that take removals off their counts (selection.ts), and where the next of them goes. */
  counted: usize;
  countedAt: u32;
}

const SEQUENCES_SIZE: usize = 20;
const KEY_SIZE: usize = 32;
const STREAM_SIZE: usize = offsetof<Stream>() + SEQUENCES_SIZE + KEY_SIZE + 16;

/** The key of the tail block's checksums. */
// @ts-ignore: decorator
@inline
export function tailKey(stream: Stream): usize {
  return (changetype<usize>(stream) + offsetof<Stream>() + SEQUENCES_SIZE + 15) & ~15;
}

/** Of a record's length: the message has headers. */
const WITH_HEADERS: u32 = 1 << 31;
/** What a record has more than nats-server counts for a message in memory, which is 16 bytes more than its content. */
const RECORD_MORE: u32 = 14;
const RECORD_MORE_WITH_HEADERS: u32 = 18;

/** A record's length as it stands in the index: a stream in memory must know later whether there were headers. */
// @ts-ignore: decorator
@inline
export function indexedLength(stream: Stream, length: u32, headerLength: u32): u32 {
  return stream.flags & MEMORY && headerLength ? length | WITH_HEADERS : length;
}

/** What a message counts in the stream's bytes, by its length in the index. */
// @ts-ignore: decorator
@inline
export function countedBytes(stream: Stream, indexed: u32): u32 {
  if (!(stream.flags & MEMORY)) return indexed;
  return indexed & WITH_HEADERS ? (indexed & ~WITH_HEADERS) - RECORD_MORE_WITH_HEADERS : indexed - RECORD_MORE;
}

/** The sequence index. */
// @ts-ignore: decorator
@inline
export function sequencesOf(stream: Stream): Sequences {
  return changetype<Sequences>(changetype<usize>(stream) + offsetof<Stream>());
}

/** Address of the word that holds the subject tree's root. */
// @ts-ignore: decorator
@inline
export function subjectsSlot(stream: Stream): usize {
  return changetype<usize>(stream) + offsetof<Stream>('subjects');
}

function keep(at: usize, length: u32): usize {
  const kept = alloc(length);
  copy(kept, at, length);
  return kept;
}

/** A new, empty stream without limits. */
export function newStream(tag: u32, account: usize, name: usize, nameLength: u32, ack: usize, ackLength: u32): Stream {
  const stream = changetype<Stream>(allocZero(STREAM_SIZE));
  stream.tag = tag;
  stream.account = account;
  stream.name = keep(name, nameLength);
  stream.nameLength = nameLength;
  stream.ack = keep(ack, ackLength);
  stream.ackLength = ackLength;
  stream.first = 1;
  stream.maxMessages = -1;
  stream.maxBytes = -1;
  stream.maxPerSubject = -1;
  stream.maxMessageSize = -1;
  stream.granted = -1;
  return stream;
}

/** Sets the block that is appended to. */
export function setTail(stream: Stream, block: u32, offset: u32): void {
  stream.block = block;
  stream.offset = offset;
  blockKey(tailKey(stream), stream.name, stream.nameLength, block);
}

/** Forgets every message of a stream whose runs and acknowledgements are gone. */
export function emptyStream(stream: Stream): void {
  freeSubjects(stream.subjects);
  closeSequences(sequencesOf(stream));
  stream.subjects = 0;
  stream.messages = 0;
  stream.bytes = 0;
  stream.first = 1;
  stream.last = 0;
  stream.lastTime = 0;
  stream.numSubjects = 0;
  stream.removedLow = 0;
  stream.removedHigh = 0;
  stream.ghosts = false;
}

/** Frees a stream whose runs and acknowledgements are gone. */
export function freeStream(stream: Stream): void {
  freeSubjects(stream.subjects);
  closeSequences(sequencesOf(stream));
  free(stream.counted);
  free(stream.name);
  free(stream.ack);
  free(changetype<usize>(stream));
}
