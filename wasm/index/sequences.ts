// The sequence index of one stream: where each message lies. Sequences of one block form a segment with an array of entries,
// dense from the segment's first sequence; a wide gap in the sequences starts another segment of the same block. Entries of
// messages that are gone stay, marked, until their whole segment has none left.
//
//   Entry  16 bytes: u32 offset in the block (bit 31: gone, bit 30: by a limit) | u32 record length | u32 leaf | u32 next
//   length 0 when there is no record on disk any more, or never was
//   next   distance to the next message of the same subject when this one was written, 0 while there is none; it may lead to an
//          entry that is gone (go on from there) or to a segment that was freed (then the caller searches)

import { alloc, free } from '../lib/arena';
import { copy } from '../lib/bytes';

/** Bytes of an entry. */
export const ENTRY_SIZE: u32 = 16;
const GONE: u32 = 1 << 31;
/** Gone by a limit: no tombstone says so. */
const GHOST: u32 = 1 << 30;
/** Bit of a record's length that belongs to whoever enters it. */
const OWNERS: u32 = 1 << 31;
/** Gaps up to this are filled with entries that are gone. */
const WIDEST_GAP: u64 = 4096;
const SMALLEST: u32 = 16;

/** The entries of one run of sequences in one block. */
@unmanaged
export class Segment {
  first: u64;
  firstTime: i64;
  lastTime: i64;
  liveBytes: u64;
  entries: usize;
  count: u32;
  capacity: u32;
  live: u32;
  block: u32;
  spare: u32;
}

const SEGMENT_SIZE: usize = 56;

/** The index itself, embedded in the stream: an array of segment pointers in order of sequence. */
@unmanaged
export class Sequences {
  list: usize;
  count: u32;
  capacity: u32;
  spare: u32;
}

/** Segment of the entry that was found last. */
export let foundSegment: usize = 0;

/** Leaves a segment in `foundSegment`. */
// @ts-ignore: decorator
@inline
export function noteSegment(segment: Segment): void {
  foundSegment = changetype<usize>(segment);
}

/** The i-th segment. */
// @ts-ignore: decorator
@inline
export function segmentAt(index: Sequences, i: u32): Segment {
  return changetype<Segment>(<usize>load<u32>(index.list + ((<usize>i) << 2)));
}

/** The i-th entry of a segment. */
// @ts-ignore: decorator
@inline
export function entryAt(segment: Segment, i: u32): usize {
  return segment.entries + ((<usize>i) << 4);
}

/** Whether the message of this entry is there. */
// @ts-ignore: decorator
@inline
export function isLive(entry: usize): bool {
  return (load<u32>(entry) & GONE) == 0;
}

/** Offset in the block. */
// @ts-ignore: decorator
@inline
export function entryOffset(entry: usize): u32 {
  return load<u32>(entry) & ~(GONE | GHOST);
}

/** Length of the record. */
// @ts-ignore: decorator
@inline
export function entryLength(entry: usize): u32 {
  return load<u32>(entry, 4) & ~OWNERS;
}

/** Length of the record, with the owner's bit. */
// @ts-ignore: decorator
@inline
export function entryLengthWord(entry: usize): u32 {
  return load<u32>(entry, 4);
}

/** Leaf of the subject. */
// @ts-ignore: decorator
@inline
export function entryLeaf(entry: usize): usize {
  return <usize>load<u32>(entry, 8);
}

/** Distance to the next message of the subject, see above. */
// @ts-ignore: decorator
@inline
export function entryNext(entry: usize): u32 {
  return load<u32>(entry, 12);
}

/** Sets that distance. */
// @ts-ignore: decorator
@inline
export function setEntryNext(entry: usize, distance: u64): void {
  store<u32>(entry, distance > 0xffffffff ? 0 : <u32>distance, 12);
}

/** Sequence of an entry of a segment. */
// @ts-ignore: decorator
@inline
export function entrySequence(segment: Segment, entry: usize): u64 {
  return segment.first + ((entry - segment.entries) >> 4);
}

/** Sequence behind the last entry of a segment. */
// @ts-ignore: decorator
@inline
export function segmentEnd(segment: Segment): u64 {
  return segment.first + segment.count;
}

function addSegment(index: Sequences, first: u64, block: u32): Segment {
  if (index.count == index.capacity) {
    const capacity: u32 = index.capacity ? index.capacity << 1 : 4;
    const grown = alloc((<usize>capacity) << 2);
    copy(grown, index.list, (<usize>index.count) << 2);
    free(index.list);
    index.list = grown;
    index.capacity = capacity;
  }
  if (index.count) trim(segmentAt(index, index.count - 1));
  const segment = changetype<Segment>(alloc(SEGMENT_SIZE));
  memory.fill(changetype<usize>(segment), 0, SEGMENT_SIZE);
  segment.first = first;
  segment.block = block;
  store<u32>(index.list + ((index.count as usize) << 2), <u32>changetype<usize>(segment));
  index.count++;
  return segment;
}

function resize(segment: Segment, capacity: u32): void {
  const grown = alloc((<usize>capacity) << 4);
  copy(grown, segment.entries, (<usize>segment.count) << 4);
  free(segment.entries);
  segment.entries = grown;
  segment.capacity = capacity;
}

/** A segment that will not grow any more gives back what it does not use. */
function trim(segment: Segment): void {
  if (segment.capacity - segment.count > segment.capacity >> 3 && segment.count) resize(segment, segment.count);
}

/** Makes room for `more` entries at once (recovery knows how many come). */
export function reserveEntries(index: Sequences, first: u64, block: u32, more: u32): void {
  const segment = addSegment(index, first, block);
  resize(segment, max(more, SMALLEST));
}

/** Bytes that the next entry takes when the last segment has to grow for it. */
export function entriesGrowth(index: Sequences): usize {
  if (!index.count) return 0;
  const segment = segmentAt(index, index.count - 1);
  return segment.count == segment.capacity ? (<usize>segment.capacity) << 5 : 0;
}

function place(segment: Segment, offset: u32, length: u32, leaf: usize): usize {
  if (segment.count == segment.capacity) resize(segment, max(SMALLEST, segment.capacity << 1));
  const entry = entryAt(segment, segment.count++);
  store<u32>(entry, offset);
  store<u32>(entry, length, 4);
  store<u32>(entry, <u32>leaf, 8);
  store<u32>(entry, 0, 12);
  return entry;
}

/** Adds the message with the highest sequence so far. */
export function addEntry(index: Sequences, sequence: u64, block: u32, offset: u32, length: u32, leaf: usize, time: i64): usize {
  let segment = changetype<Segment>(0);
  if (index.count) segment = segmentAt(index, index.count - 1);
  if (!changetype<usize>(segment) || segment.block != block || sequence - segmentEnd(segment) > WIDEST_GAP) {
    segment = addSegment(index, sequence, block);
  }
  if (!segment.count) {
    segment.first = sequence;
    segment.firstTime = time;
  }
  while (segmentEnd(segment) < sequence) place(segment, GONE, 0, 0);
  const entry = place(segment, offset, length, leaf);
  segment.lastTime = time;
  segment.live++;
  segment.liveBytes += length & ~OWNERS;
  return entry;
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

/** The entry of a sequence, live or not; 0 when there is none. Leaves its segment in `foundSegment`. */
export function findEntry(index: Sequences, sequence: u64): usize {
  const i = segmentFrom(index, sequence);
  if (i == index.count) return 0;
  const segment = segmentAt(index, i);
  if (sequence < segment.first) return 0;
  foundSegment = changetype<usize>(segment);
  return entryAt(segment, <u32>(sequence - segment.first));
}

/** The entry of the first message at or behind `sequence`, 0 when there is none. Leaves its segment in `foundSegment`. */
export function nextLive(index: Sequences, sequence: u64): usize {
  for (let i = segmentFrom(index, sequence); i < index.count; i++) {
    const segment = segmentAt(index, i);
    if (!segment.live) continue;
    let entry = sequence > segment.first ? entryAt(segment, <u32>(sequence - segment.first)) : segment.entries;
    const end = entryAt(segment, segment.count);
    for (; entry < end; entry += ENTRY_SIZE) {
      if (!isLive(entry)) continue;
      foundSegment = changetype<usize>(segment);
      return entry;
    }
  }
  return 0;
}

/** As `nextLive`, but only messages of one subject. */
export function nextOfLeaf(index: Sequences, sequence: u64, leaf: usize): usize {
  for (let i = segmentFrom(index, sequence); i < index.count; i++) {
    const segment = segmentAt(index, i);
    if (!segment.live) continue;
    let entry = sequence > segment.first ? entryAt(segment, <u32>(sequence - segment.first)) : segment.entries;
    const end = entryAt(segment, segment.count);
    for (; entry < end; entry += ENTRY_SIZE) {
      if (load<u32>(entry, 8) != <u32>leaf || !isLive(entry)) continue;
      foundSegment = changetype<usize>(segment);
      return entry;
    }
  }
  return 0;
}

/** The last message of one subject below `sequence`, 0 when there is none. */
export function previousOfLeaf(index: Sequences, sequence: u64, leaf: usize): usize {
  let i = min(segmentFrom(index, sequence) + 1, index.count);
  while (i-- > 0) {
    const segment = segmentAt(index, i);
    if (!segment.live || segment.first >= sequence) continue;
    let n = <u32>min<u64>(segment.count, sequence - segment.first);
    while (n-- > 0) {
      const entry = entryAt(segment, n);
      if (load<u32>(entry, 8) != <u32>leaf || !isLive(entry)) continue;
      foundSegment = changetype<usize>(segment);
      return entry;
    }
  }
  return 0;
}

/** How many messages there are at or behind `sequence`. */
export function countFrom(index: Sequences, sequence: u64): u64 {
  let total: u64 = 0;
  for (let i = segmentFrom(index, sequence); i < index.count; i++) {
    const segment = segmentAt(index, i);
    if (sequence <= segment.first) {
      total += segment.live;
      continue;
    }
    const from = <u32>(sequence - segment.first);
    if (segment.live == segment.count) {
      total += segment.count - from;
      continue;
    }
    let live: u32 = 0;
    if (from <= segment.count >> 1) {
      for (let n: u32 = 0; n < from; n++) if (isLive(entryAt(segment, n))) live++;
      total += segment.live - live;
    } else {
      for (let n = from; n < segment.count; n++) if (isLive(entryAt(segment, n))) live++;
      total += live;
    }
  }
  return total;
}

/** Marks an entry of a segment as gone. */
export function markGone(segment: Segment, entry: usize): void {
  segment.live--;
  segment.liveBytes -= entryLength(entry);
  store<u32>(entry, load<u32>(entry) | GONE);
}

/** Notes that an entry went by a limit. */
export function markGhost(entry: usize): void {
  store<u32>(entry, load<u32>(entry) | GHOST);
}

/** Whether an entry went by a limit and no tombstone was written for it; asking clears that. */
export function takeGhost(entry: usize): bool {
  const word = load<u32>(entry);
  store<u32>(entry, word & ~GHOST);
  return (word & GHOST) != 0;
}

/** Sets the offset of an entry's record. */
export function moveRecord(entry: usize, offset: u32): void {
  store<u32>(entry, (load<u32>(entry) & (GONE | GHOST)) | offset);
}

/** The record of an entry that is gone is no longer on disk. */
export function forgetRecord(entry: usize): void {
  store<u32>(entry, GONE);
  store<u32>(entry, 0, 4);
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
        free(segment.entries);
        free(changetype<usize>(segment));
      }
    }
  }
  index.count = kept;
}

/** Frees everything. */
export function closeSequences(index: Sequences): void {
  for (let i: u32 = 0; i < index.count; i++) {
    const segment = segmentAt(index, i);
    free(segment.entries);
    free(changetype<usize>(segment));
  }
  free(index.list);
  index.list = 0;
  index.count = 0;
  index.capacity = 0;
}
