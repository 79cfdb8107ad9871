// Questions about a stream: where a sequence lies, which sequence is the last or next on a subject, how many messages match.
// Answers of more than one number are left in ANSWER, which the host reads.
//
//   ANSWER  u32 block | u32 offset | u32 length | u32 address while the record is in memory | f64 low | f64 high

import { collectedList, dropCollected } from '../index/collected';
import { collect, collectFilters, isLiteral, subjectFits } from '../index/filter';
import { Leaf, findSubject, leafSubject } from '../index/subjects';
import { Segment, entryLeaf, entryLength, entryOffset, isLive, segmentEnd } from '../index/segment';
import {
  Sequences,
  countFrom,
  findEntry,
  foundAt,
  foundSegment,
  foundSequence,
  nextLive,
  nextOfLeaf,
  segmentAt,
} from '../index/sequences';
import { freshMark } from './mark';
import { stagedAt } from './runs';
import { Stream, sequencesOf } from './stream';

/** So many messages are looked at one by one before it is asked which subjects match: most filters match one of the next. */
const LOOKED_AT: u32 = 1024;

/** Where answers are left. */
export const ANSWER: usize = memory.data(64, 16);

/** Finds a message. False: there is none. */
function isThere(index: Sequences, sequence: u64): bool {
  return findEntry(index, sequence) && isLive(changetype<Segment>(foundSegment), foundAt);
}

/** The subject of the message found last. */
// @ts-ignore: decorator
@inline
function foundLeaf(): Leaf {
  return changetype<Leaf>(entryLeaf(changetype<Segment>(foundSegment), foundAt));
}

/** Finds where a message lies. False: there is none. */
export function locate(stream: Stream, sequence: u64): bool {
  if (!isThere(sequencesOf(stream), sequence)) return false;
  const segment = changetype<Segment>(foundSegment);
  const offset = entryOffset(segment, foundAt);
  store<u32>(ANSWER, segment.block);
  store<u32>(ANSWER, offset, 4);
  store<u32>(ANSWER, entryLength(segment, foundAt), 8);
  store<u32>(ANSWER, <u32>stagedAt(stream, segment.block, offset), 12);
  return true;
}

// @ts-ignore: decorator
@inline
function collected(i: u32): Leaf {
  return changetype<Leaf>(<usize>load<u32>(collectedList() + ((<usize>i) << 2)));
}

/** The last sequence on subjects that match, 0 for none. */
export function lastMatching(stream: Stream, filter: usize, length: u32): u64 {
  const count = collect(stream.subjects, filter, length);
  let last: u64 = 0;
  for (let i: u32 = 0; i < count; i++) last = max(last, collected(i).last);
  dropCollected();
  return last;
}

/** The first sequence at or behind `from` on subjects that match, 0 for none. */
export function nextMatching(stream: Stream, filter: usize, length: u32, from: u64): u64 {
  const index = sequencesOf(stream);
  if (!length) return nextLive(index, from) ? foundSequence() : 0;
  if (!isLiteral(filter, length)) return nextFitting(stream, filter, length, from);
  const leaf = findSubject(stream.subjects, filter, length);
  if (!changetype<usize>(leaf) || leaf.last < from) return 0;
  if (leaf.first >= from) return leaf.first;
  return nextOfLeaf(index, from, changetype<usize>(leaf)) ? foundSequence() : 0;
}

/** The same for a filter with wildcards. */
function nextFitting(stream: Stream, filter: usize, length: u32, from: u64): u64 {
  let at = from;
  for (let looked: u32 = 0; looked < LOOKED_AT; looked++) {
    if (!nextLive(sequencesOf(stream), at)) return 0;
    const leaf = foundLeaf();
    const sequence = foundSequence();
    if (subjectFits(filter, length, leafSubject(leaf), leaf.length)) return sequence;
    at = sequence + 1;
  }
  return nextOfMany(stream, collect(stream.subjects, filter, length), at);
}

function nextOfMany(stream: Stream, count: u32, from: u64): u64 {
  const mark = freshMark();
  let best: u64 = 0;
  let scan = false;
  for (let i: u32 = 0; i < count; i++) {
    const leaf = collected(i);
    if (leaf.last < from) continue;
    if (leaf.first >= from) {
      if (!best || leaf.first < best) best = leaf.first;
    } else {
      leaf.mark = mark;
      scan = true;
    }
  }
  dropCollected();
  let at = from;
  while (scan && (!best || at < best)) {
    if (!nextLive(sequencesOf(stream), at)) break;
    const sequence = foundSequence();
    if (foundLeaf().mark == mark) return best ? min(best, sequence) : sequence;
    at = sequence + 1;
  }
  return best;
}

/** How many messages at or behind `from` match any of `count` filters at `filters` (u32 length, bytes; one after the other). */
export function countMatching(stream: Stream, filters: usize, count: u32, from: u64): u64 {
  const index = sequencesOf(stream);
  if (!count) return countFrom(index, from);
  const found = collectFilters(stream.subjects, filters, count);
  const mark = freshMark();
  let total: u64 = 0;
  let different: u32 = 0;
  let scan = false;
  for (let i: u32 = 0; i < found; i++) {
    const leaf = collected(i);
    if (leaf.mark == mark) continue;
    leaf.mark = mark;
    different++;
    if (leaf.first >= from) total += leaf.count;
    else if (leaf.last >= from) scan = true;
  }
  dropCollected();
  if (!scan) return total;
  return different == stream.numSubjects ? countFrom(index, from) : countMarked(stream, mark, from);
}

function countMarked(stream: Stream, mark: u32, from: u64): u64 {
  const index = sequencesOf(stream);
  let total: u64 = 0;
  for (let at = from; nextLive(index, at); at = foundSequence() + 1) if (foundLeaf().mark == mark) total++;
  return total;
}

/** The range of sequences in which the first message at or after `time` is: left in ANSWER; low 0 when all are older. */
export function rangeAtTime(stream: Stream, time: i64): void {
  const index = sequencesOf(stream);
  store<f64>(ANSWER, 0, 16);
  for (let i: u32 = 0; i < index.count; i++) {
    const segment = segmentAt(index, i);
    if (!segment.live || segment.lastTime < time) continue;
    store<f64>(ANSWER, <f64>segment.first, 16);
    store<f64>(ANSWER, <f64>(segmentEnd(segment) - 1), 24);
    return;
  }
}

/** The first sequence at or behind `from`, up to the last, that has no message; 0 for none. */
export function nextGap(stream: Stream, from: u64): u64 {
  const index = sequencesOf(stream);
  if (!stream.messages) return 0;
  let at = max(from, stream.first);
  while (at <= stream.last) {
    if (!isThere(index, at)) return at;
    at++;
  }
  return 0;
}
