// The sequence index of one stream: where each message lies. Sequences of one block form a segment (segment.ts); a wide gap in
// the sequences starts another segment of the same block.
//
// Whoever looks for an entry finds its segment in `foundSegment` and its number in `foundAt`.

import { alloc, free } from '../lib/arena';
import { copy } from '../lib/bytes';
import { GONE, OWNERS } from './chunk';
import { nextBitsFor } from './packing';
import { endStage, isOverMark } from './cold';
import {
  Segment,
  addTo,
  coolSegment,
  countLiveIn,
  freeSegment,
  isFull,
  isGrowing,
  newSegment,
  nextLiveIn,
  nextOfLeafIn,
  previousOfLeafIn,
  packOpen,
  sealSegment,
  setEntryNext,
  segmentEnd,
  segmentGrowth,
} from './segment';

/** Gaps up to this are filled with entries that are gone. */
const WIDEST_GAP: u64 = 4096;

/** The index itself, embedded in the stream: an array of segment pointers in order of sequence. */
@unmanaged
export class Sequences {
  list: usize;
  count: u32;
  capacity: u32;
  /** The next chunks get so many bits for distances at once, and how many chunks: others had to be packed anew to have them. */
  nextBits: u16;
  roomy: u16;
  /** Not 0: chunks of it are lost (cold.ts). What it says of messages is not true, until it is made anew. */
  lost: u32;
}

/** A chunk that had to be packed anew makes so many that have room at once, up to the second number. */
const ROOMY: u16 = 8;
const ROOMY_MOST: u16 = 64;

/** Segment of the entry that was found last, and its number there. */
export let foundSegment: usize = 0;
export let foundAt: u32 = 0;

/** Leaves an entry in `foundSegment` and `foundAt`; true. */
// @ts-ignore: decorator
@inline
export function noteFound(segment: Segment, i: u32): bool {
  foundSegment = changetype<usize>(segment);
  foundAt = i;
  return true;
}

/** Sequence of the entry that was found last. */
// @ts-ignore: decorator
@inline
export function foundSequence(): u64 {
  return changetype<Segment>(foundSegment).first + foundAt;
}

/** The i-th segment. */
// @ts-ignore: decorator
@inline
export function segmentAt(index: Sequences, i: u32): Segment {
  return changetype<Segment>(<usize>load<u32>(index.list + ((<usize>i) << 2)));
}

/** Number in a segment of the first entry at or behind a sequence that is below the segment's end. */
// @ts-ignore: decorator
@inline
export function numberFrom(segment: Segment, sequence: u64): u32 {
  return sequence > segment.first ? <u32>(sequence - segment.first) : 0;
}

/** Number behind the last entry of a segment below `end`. */
// @ts-ignore: decorator
@inline
export function numberBelow(segment: Segment, end: u64): u32 {
  return segmentEnd(segment) > end ? <u32>(end - segment.first) : segment.count;
}

/** Begins the next segment. */
export function addSegment(index: Sequences, first: u64, block: u32): Segment {
  if (index.count == index.capacity) {
    const capacity: u32 = index.capacity ? index.capacity << 1 : 4;
    const grown = alloc((<usize>capacity) << 2);
    copy(grown, index.list, (<usize>index.count) << 2);
    free(index.list);
    index.list = grown;
    index.capacity = capacity;
  }
  if (index.count) sealSegment(segmentAt(index, index.count - 1));
  if (isOverMark()) coolDown(index);
  const segment = newSegment(first, block);
  store<u32>(index.list + ((index.count as usize) << 2), <u32>changetype<usize>(segment));
  index.count++;
  return segment;
}

/** Has chunks of the first segments go to the file, until all chunks take no more than the mark. */
function coolDown(index: Sequences): void {
  let i: u32 = 0;
  while (i < index.count && segmentAt(index, i).isCold) i++;
  const from = i;
  const loss = changetype<usize>(index) + offsetof<Sequences>('lost');
  while (i < index.count && isOverMark()) if (!coolSegment(segmentAt(index, i++), loss)) return;
  if (!endStage()) return;
  while (i > from) segmentAt(index, --i).isCold = true;
}

/** Bytes that the next entry takes at most. */
export function entriesGrowth(index: Sequences): usize {
  return index.count ? segmentGrowth(segmentAt(index, index.count - 1)) : 0;
}

function add(index: Sequences, segment: Segment, offset: u32, length: u32, leaf: usize): void {
  if (isFull(segment)) {
    packOpen(segment, index.roomy ? index.nextBits : 0);
    if (index.roomy) index.roomy--;
  }
  addTo(segment, offset, length, leaf);
}

/** Notes at the entry that was found last how far the next message of its subject is. */
export function linkFound(index: Sequences, distance: u64): void {
  if (distance > u32.MAX_VALUE || setEntryNext(changetype<Segment>(foundSegment), foundAt, <u32>distance)) return;
  index.nextBits = <u16>nextBitsFor(<u32>distance);
  index.roomy = min<u16>(index.roomy + ROOMY, ROOMY_MOST);
}

/** Adds the message with the highest sequence so far. */
export function addEntry(index: Sequences, sequence: u64, block: u32, offset: u32, length: u32, leaf: usize, time: i64): void {
  let segment = changetype<Segment>(0);
  if (index.count) segment = segmentAt(index, index.count - 1);
  if (!changetype<usize>(segment) || !isGrowing(segment) || segment.block != block || sequence - segmentEnd(segment) > WIDEST_GAP)
    segment = addSegment(index, sequence, block);
  if (!segment.count) {
    segment.first = sequence;
    segment.firstTime = time;
  }
  while (segmentEnd(segment) < sequence) add(index, segment, GONE, 0, 0);
  add(index, segment, offset, length, leaf);
  segment.lastTime = time;
  segment.live++;
  segment.liveBytes += length & ~OWNERS;
}

/** Where the search found something last: most go on from there. */
let hint: u32 = 0;

// @ts-ignore: decorator
@inline
function holds(index: Sequences, i: u32, sequence: u64): bool {
  if (i >= index.count) return false;
  const segment = segmentAt(index, i);
  return sequence >= segment.first && sequence < segmentEnd(segment);
}

/** Index of the first segment that ends behind `sequence`; `index.count` when there is none. */
export function segmentFrom(index: Sequences, sequence: u64): u32 {
  if (holds(index, hint, sequence)) return hint;
  if (holds(index, hint + 1, sequence)) return ++hint;
  hint = searchFrom(index, sequence);
  return hint;
}

function searchFrom(index: Sequences, sequence: u64): u32 {
  let low: u32 = 0;
  let high = index.count;
  if (high && segmentAt(index, high - 1).first <= sequence) low = high - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (segmentEnd(segmentAt(index, middle)) <= sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Finds the entry of a sequence, live or not. False: there is none. */
export function findEntry(index: Sequences, sequence: u64): bool {
  const i = segmentFrom(index, sequence);
  if (i == index.count) return false;
  const segment = segmentAt(index, i);
  return sequence >= segment.first && noteFound(segment, <u32>(sequence - segment.first));
}

/** Finds the first message at or behind `sequence`. False: there is none. */
export function nextLive(index: Sequences, sequence: u64): bool {
  for (let i = segmentFrom(index, sequence); i < index.count; i++) {
    const segment = segmentAt(index, i);
    if (!segment.live) continue;
    const at = nextLiveIn(segment, numberFrom(segment, sequence), segment.count);
    if (at < segment.count) return noteFound(segment, at);
  }
  return false;
}

/** As `nextLive`, but only messages of one subject. */
export function nextOfLeaf(index: Sequences, sequence: u64, leaf: usize): bool {
  for (let i = segmentFrom(index, sequence); i < index.count; i++) {
    const segment = segmentAt(index, i);
    if (!segment.live) continue;
    const at = nextOfLeafIn(segment, numberFrom(segment, sequence), segment.count, leaf);
    if (at < segment.count) return noteFound(segment, at);
  }
  return false;
}

/** Finds the last message of one subject below `sequence`. False: there is none. */
export function previousOfLeaf(index: Sequences, sequence: u64, leaf: usize): bool {
  let i = min(segmentFrom(index, sequence) + 1, index.count);
  while (i-- > 0) {
    const segment = segmentAt(index, i);
    if (!segment.live || segment.first >= sequence) continue;
    const at = previousOfLeafIn(segment, numberBelow(segment, sequence), leaf);
    if (at >= 0) return noteFound(segment, <u32>at);
  }
  return false;
}

/** How many messages there are at or behind `sequence`. */
export function countFrom(index: Sequences, sequence: u64): u64 {
  let total: u64 = 0;
  for (let i = segmentFrom(index, sequence); i < index.count; i++) {
    const segment = segmentAt(index, i);
    const from = numberFrom(segment, sequence);
    if (!from || !segment.live) total += segment.live;
    else if (segment.live == segment.count) total += segment.count - from;
    else if (from <= segment.count >> 1) total += segment.live - countLiveIn(segment, 0, from);
    else total += countLiveIn(segment, from, segment.count);
  }
  return total;
}

/** The first segment of a block, or where it would be. Blocks rise with the sequences. */
export function segmentOfBlock(index: Sequences, block: u32): u32 {
  let low: u32 = 0;
  let high = index.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (segmentAt(index, middle).block < block) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Live messages in a block. */
export function liveInBlock(index: Sequences, block: u32): u32 {
  let live: u32 = 0;
  for (let i = segmentOfBlock(index, block); i < index.count && segmentAt(index, i).block == block; i++)
    live += segmentAt(index, i).live;
  return live;
}

/** Frees the segments of blocks without messages, except the one that is still appended to. */
export function dropEmptySegments(index: Sequences, keepBlock: u32): void {
  let kept: u32 = 0;
  let i: u32 = 0;
  while (i < index.count) {
    const block = segmentAt(index, i).block;
    let live: u32 = 0;
    let end = i;
    while (end < index.count && segmentAt(index, end).block == block) live += segmentAt(index, end++).live;
    for (; i < end; i++) {
      const segment = segmentAt(index, i);
      if (live || block == keepBlock) {
        store<u32>(index.list + ((<usize>kept) << 2), <u32>changetype<usize>(segment));
        kept++;
      } else {
        freeSegment(segment);
      }
    }
  }
  index.count = kept;
}

/** Frees everything. */
export function closeSequences(index: Sequences): void {
  for (let i: u32 = 0; i < index.count; i++) freeSegment(segmentAt(index, i));
  free(index.list);
  index.list = 0;
  index.count = 0;
  index.capacity = 0;
  index.lost = 0;
}
