// Deletes that the disk must remember: a tombstone in the tail block for each message, wherever the message itself is. A purge of
// everything needs one only, in a block of its own: the host removes the blocks before it.

import { nextOfSubject } from '../index/chain';
import { collectedList, dropCollected } from '../index/collected';
import { collect } from '../index/filter';
import { Leaf, freeSubjects } from '../index/subjects';
import { Segment, entryLeaf, isLive } from '../index/segment';
import { closeSequences, countFrom, findEntry, foundAt, foundSegment, foundSequence, nextLive } from '../index/sequences';
import { freshMark } from './mark';
import { buryGhosts, removeEntry } from './remove';
import { forgetCounts } from './selection';
import { stagedFull } from './runs';
import { Stream, sequencesOf, setTail } from './stream';
import { writeTombstone } from './tail';

let unfinished: bool = false;
/** How many messages it may still delete before others have their turn. */
let allowance: u32 = 0;

/** Whether the last purge stopped before its end. */
export function purgeUnfinished(): bool {
  return unfinished;
}

/** Whether a purge shall stop: to go on when its tombstones are written or in another turn, or as the index knows no more. */
function isFull(stream: Stream): bool {
  unfinished = !allowance || stagedFull(stream);
  return unfinished || sequencesOf(stream).lost != 0;
}

function deleteEntry(stream: Stream, segment: Segment, i: u32): void {
  const sequence = segment.first + i;
  if (!buryGhosts(stream)) return;
  if (allowance) allowance--;
  writeTombstone(stream, sequence, sequence == stream.last ? stream.lastTime : segment.lastTime);
  removeEntry(stream, segment, i, false);
}

/** Deletes one message. False: there is none with this sequence. */
export function deleteMessage(stream: Stream, sequence: u64): bool {
  if (!findEntry(sequencesOf(stream), sequence)) return false;
  const segment = changetype<Segment>(foundSegment);
  if (!isLive(segment, foundAt)) return false;
  deleteEntry(stream, segment, foundAt);
  return !sequencesOf(stream).lost;
}

/**
 * Empties the stream; `next` is the sequence that comes next, at least last + 1. Its blocks before the new tail block are to be
 * removed.
 */
function purgeAll(stream: Stream, next: u64): u64 {
  const purged = stream.messages;
  forgetCounts(stream);
  freeSubjects(stream.subjects);
  stream.subjects = 0;
  stream.numSubjects = 0;
  closeSequences(sequencesOf(stream));
  stream.messages = 0;
  stream.bytes = 0;
  stream.last = next - 1;
  stream.first = next;
  setTail(stream, stream.block + 1, 0);
  writeTombstone(stream, stream.last, stream.lastTime);
  return purged;
}

/** Deletes the first messages: those below `below`, at most `most`. */
function purgeFront(stream: Stream, below: u64, most: u64): u64 {
  let purged: u64 = 0;
  while (purged < most && stream.messages && stream.first < below && !isFull(stream)) {
    if (!deleteMessage(stream, stream.first)) break;
    purged++;
  }
  return purged;
}

/** Deletes the messages of one subject below `below`. */
function purgeSubject(stream: Stream, leaf: Leaf, below: u64): u64 {
  let purged: u64 = 0;
  let left = leaf.count;
  let sequence = leaf.first;
  while (left-- > 0 && sequence < below && !isFull(stream)) {
    if (!findEntry(sequencesOf(stream), sequence)) break;
    const segment = changetype<Segment>(foundSegment);
    const i = foundAt;
    const next = left && nextOfSubject(sequencesOf(stream), segment, i) ? foundSequence() : 0;
    deleteEntry(stream, segment, i);
    purged++;
    if (!next) break;
    sequence = next;
  }
  return purged;
}

/** Deletes the first `most` messages of the marked subjects. */
function purgeMarked(stream: Stream, mark: u32, most: u64): u64 {
  let purged: u64 = 0;
  let from = stream.first;
  while (purged < most && !isFull(stream)) {
    if (!nextLive(sequencesOf(stream), from)) break;
    const segment = changetype<Segment>(foundSegment);
    const i = foundAt;
    from = segment.first + i + 1;
    if (changetype<Leaf>(entryLeaf(segment, i)).mark != mark) continue;
    deleteEntry(stream, segment, i);
    purged++;
  }
  return purged;
}

function purgeFiltered(stream: Stream, filter: usize, filterLength: u32, below: u64, keep: u64): u64 {
  const count = collect(stream.subjects, filter, filterLength);
  const list = collectedList();
  let total: u64 = 0;
  const mark = freshMark();
  for (let i: u32 = 0; i < count; i++) {
    const leaf = changetype<Leaf>(<usize>load<u32>(list + ((<usize>i) << 2)));
    leaf.mark = mark;
    total += leaf.count;
  }
  let purged: u64 = 0;
  if (keep) purged = total > keep ? purgeMarked(stream, mark, total - keep) : 0;
  else
    for (let i: u32 = 0; i < count && !unfinished; i++)
      purged += purgeSubject(stream, changetype<Leaf>(<usize>load<u32>(list + ((<usize>i) << 2))), below);
  dropCollected();
  return purged;
}

/**
 * Purges: messages that match the filter (empty: all) below `below` (0: no bound), but the newest `keep`. Returns how many went.
 * `purgeAll` does it when nothing is to stay. Where that makes many tombstones, or after `allowed` messages, it stops on the
 * way, to be called again (`purgeUnfinished`).
 */
export function purge(stream: Stream, filter: usize, filterLength: u32, below: u64, keep: u64, allowed: u32): u64 {
  unfinished = false;
  allowance = allowed;
  const bound: u64 = below ? below : u64.MAX_VALUE;
  if (filterLength) return purgeFiltered(stream, filter, filterLength, bound, keep);
  if (keep) return stream.messages > keep ? purgeFront(stream, bound, stream.messages - keep) : 0;
  if (bound > stream.last) return purgeAll(stream, below ? below : stream.last + 1);
  return purgeFront(stream, bound, stream.messages - countFrom(sequencesOf(stream), bound));
}
