// Removing messages from the indexes: by limits (nothing is written, every opener applies the limits again), by delete and by
// purge (a tombstone is written first, tombstones.ts). Keeps the stream's counts, its first sequence and each subject's first and
// last true.

import { nextOfSubject } from '../index/chain';
import { Leaf, removeSubject } from '../index/subjects';
import { Segment, entryLeaf, entryLengthWord, markGone, segmentEnd, takeGhost } from '../index/segment';
import {
  dropEmptySegments,
  findEntry,
  foundAt,
  foundSegment,
  foundSequence,
  nextLive,
  previousOfLeaf,
  segmentAt,
  segmentFrom,
} from '../index/sequences';
import { stagedFull } from './runs';
import { noteRemoval } from './selection';
import { DISCARD_NEW, Stream, countedBytes, sequencesOf, subjectsSlot } from './stream';
import { writeTombstone } from './tail';

/** What one publish removes of its subject while the host brings the stream within its limits. */
const MOST_BESIDE: u32 = 64;

function unlink(stream: Stream, leaf: Leaf, segment: Segment, i: u32): void {
  const sequence = segment.first + i;
  if (--leaf.count == 0) {
    removeSubject(subjectsSlot(stream), leaf);
    stream.numSubjects--;
    return;
  }
  if (leaf.first == sequence) {
    if (leaf.count == 1) leaf.first = leaf.last;
    else if (nextOfSubject(sequencesOf(stream), segment, i)) leaf.first = foundSequence();
  } else if (leaf.last == sequence) {
    if (leaf.count == 1) leaf.last = leaf.first;
    else if (previousOfLeaf(sequencesOf(stream), sequence, changetype<usize>(leaf))) leaf.last = foundSequence();
  }
}

/** Takes a live message out of the indexes; by a limit: without a tombstone. */
export function removeEntry(stream: Stream, segment: Segment, i: u32, byLimit: bool): void {
  const sequence = segment.first + i;
  const leaf = changetype<Leaf>(entryLeaf(segment, i));
  const length = entryLengthWord(segment, i);
  stream.messages--;
  stream.bytes -= countedBytes(stream, length);
  markGone(segment, i, length, byLimit);
  noteRemoval(stream, sequence, leaf);
  unlink(stream, leaf, segment, i);
  if (sequence == stream.first) moveFirst(stream);
  if (!segment.live && segment.block != stream.block) dropEmptySegments(sequencesOf(stream), stream.block);
}

/** Sets the first sequence to the first message there is. */
function moveFirst(stream: Stream): void {
  const isThere = stream.messages && nextLive(sequencesOf(stream), stream.first);
  stream.first = isThere ? foundSequence() : stream.last + 1;
}

function noteRemoved(stream: Stream, sequence: u64): void {
  if (!stream.removedLow) {
    stream.removedLow = sequence;
    stream.removedHigh = sequence;
    return;
  }
  stream.removedLow = min(stream.removedLow, sequence);
  stream.removedHigh = max(stream.removedHigh, sequence);
}

function removeForLimit(stream: Stream, sequence: u64): void {
  findEntry(sequencesOf(stream), sequence);
  noteRemoved(stream, sequence);
  stream.ghosts = true;
  removeEntry(stream, changetype<Segment>(foundSegment), foundAt, true);
}

/** Whether there are messages, and the index knows which. */
// @ts-ignore: decorator
@inline
function knowsMessages(stream: Stream): bool {
  return stream.messages > 0 && !sequencesOf(stream).lost;
}

/** Removes the first message because of its age. */
export function expireFirst(stream: Stream): void {
  if (knowsMessages(stream)) removeForLimit(stream, stream.first);
}

/** Removes the messages of leading segments whose last one is not younger than `time`, at most `most`. False: there are more. */
export function expireSegments(stream: Stream, time: i64, most: u32): bool {
  const index = sequencesOf(stream);
  while (knowsMessages(stream)) {
    const segment = segmentAt(index, segmentFrom(index, stream.first));
    if (segment.lastTime > time) return true;
    const end = segmentEnd(segment);
    for (; knowsMessages(stream) && stream.first < end; most--) {
      if (!most) return false;
      removeForLimit(stream, stream.first);
    }
  }
  return true;
}

/**
 * Writes tombstones for the first messages that limits removed, before something changes that would bring them back at the next
 * start: a delete (then the limit would have room for them again) or a higher limit. False: the index does not know all of them.
 */
export function buryGhosts(stream: Stream): bool {
  if (stream.ghosts) buryEach(stream);
  return !sequencesOf(stream).lost;
}

function buryEach(stream: Stream): void {
  stream.ghosts = false;
  const index = sequencesOf(stream);
  for (let i: u32 = 0; i < index.count; i++) {
    const segment = segmentAt(index, i);
    if (segment.first >= stream.first) return;
    for (let n: u32 = 0; n < segment.count; n++) {
      if (takeGhost(segment, n)) writeTombstone(stream, segment.first + n, segment.lastTime);
    }
  }
}

/** Deletes every message from one sequence to another, with a tombstone each; returns how many there were. */
export function buryRange(stream: Stream, from: u64, to: u64): u64 {
  const index = sequencesOf(stream);
  let buried: u64 = 0;
  for (let at = from; nextLive(index, at);) {
    const segment = changetype<Segment>(foundSegment);
    const i = foundAt;
    at = segment.first + i;
    if (at > to) break;
    writeTombstone(stream, at, segment.lastTime);
    removeEntry(stream, segment, i, false);
    buried++;
    at++;
  }
  return buried;
}

/** Whether first messages have to go. */
// @ts-ignore: decorator
@inline
function isOver(stream: Stream): bool {
  return (
    knowsMessages(stream) &&
    ((stream.maxMessages > 0 && <i64>stream.messages > stream.maxMessages) ||
      (stream.maxBytes > 0 && <i64>stream.bytes > stream.maxBytes))
  );
}

/** Removes first messages until the stream is within its limits of messages and bytes. */
export function enforceLimits(stream: Stream): void {
  while (isOver(stream)) removeForLimit(stream, stream.first);
}

/** The same for at most so many messages. False: it is not within the limits yet. */
export function enforceLimitsInPieces(stream: Stream, most: u32): bool {
  for (; isOver(stream); most--) {
    if (!most) return false;
    removeForLimit(stream, stream.first);
  }
  return true;
}

/**
 * Removes first messages of one subject until it is within the limit a subject. With a tombstone each: the last message of the
 * subject may be deleted later, and at the next start an earlier one must not be in its place.
 */
export function enforceSubjectLimit(stream: Stream, leaf: Leaf): void {
  if (stream.maxPerSubject <= 0) return;
  while (<i64>leaf.count > stream.maxPerSubject && knowsMessages(stream)) dropFirstOf(stream, leaf);
}

/** The same while the host brings the stream within lowered limits: few messages go, the host comes by for the others. */
export function enforceSubjectLimitALittle(stream: Stream, leaf: Leaf): void {
  if (stream.maxPerSubject <= 0) return;
  for (let left: u32 = MOST_BESIDE; left && <i64>leaf.count > stream.maxPerSubject && knowsMessages(stream); left--)
    dropFirstOf(stream, leaf);
}

/**
 * Brings all subjects within their limit, message after message from `from` on: of a subject that has too many, the one that is
 * met is its first. Looks at `most` messages; returns where to go on, 0 behind the last.
 */
export function enforceSubjectLimits(stream: Stream, from: u64, most: u32): u64 {
  if (stream.maxPerSubject <= 0) return 0;
  const index = sequencesOf(stream);
  let at = from;
  for (; most; most--) {
    if (!knowsMessages(stream) || !nextLive(index, at)) return 0;
    at = foundSequence();
    const leaf = changetype<Leaf>(entryLeaf(changetype<Segment>(foundSegment), foundAt));
    if (<i64>leaf.count > stream.maxPerSubject) dropFirstOf(stream, leaf);
    at++;
  }
  return at;
}

/** The same as long as not too much waits to be written. False: it is not within the limit yet. */
export function enforceSubjectLimitInPieces(stream: Stream, leaf: Leaf): bool {
  while (<i64>leaf.count > stream.maxPerSubject && knowsMessages(stream)) {
    if (stagedFull(stream)) return false;
    dropFirstOf(stream, leaf);
  }
  return true;
}

function dropFirstOf(stream: Stream, leaf: Leaf): void {
  const sequence = leaf.first;
  findEntry(sequencesOf(stream), sequence);
  const segment = changetype<Segment>(foundSegment);
  const i = foundAt;
  noteRemoved(stream, sequence);
  writeTombstone(stream, sequence, segment.lastTime);
  removeEntry(stream, segment, i, false);
}

/** Whether the stream would be over a limit that rejects, with one more message of `length` bytes. */
export function overLimit(stream: Stream, length: u32): u32 {
  if (!(stream.flags & DISCARD_NEW)) return 0;
  if (stream.maxMessages > 0 && <i64>stream.messages >= stream.maxMessages) return 1;
  if (stream.maxBytes > 0 && <i64>stream.bytes + <i64>length > stream.maxBytes) return 2;
  return 0;
}
