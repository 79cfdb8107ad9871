// Segments of the sequence index: the entries of one run of sequences in one block, dense from its first sequence. All but the
// last of them are packed, 128 a chunk (chunk.ts); those appended last are plain, until there are as many or the segment ends.
//
//   next   distance to the next message of the same subject when this one was written, 0 while there is none; it may lead to an
//          entry that is gone (go on from there) or to a segment that was freed (then the caller searches)
//
// Chunks that nobody asked for lately may be in a file (cold.ts).
//
// An entry is named by its segment and number. Entries of messages that are gone stay, marked, until their whole segment has
// none left.

import { alloc, free } from '../lib/arena';
import { copy } from '../lib/bytes';
import { coldChunk, coolChunk, freeCold, isCold, noteChanged } from './cold';
import {
  CHUNK,
  CHUNK_SHIFT,
  Chunk,
  DELETED,
  GHOST,
  GONE,
  LIMITED,
  LIVE,
  OWNERS,
  PLAIN,
  freeChunk,
  leafRow,
  listLeaves,
  liveRow,
  rowLeaf,
  rowLength,
  rowNext,
  rowOffset,
  rowState,
  setRowNext,
  setRowState,
} from './chunk';
import { growRowNext, pack, repack, unpack } from './packing';

/** The entries of one run of sequences in one block. */
@unmanaged
export class Segment {
  first: u64;
  firstTime: i64;
  lastTime: i64;
  liveBytes: u64;
  /** Chunks, as an array of addresses, and the plain entries behind them. */
  chunks: usize;
  open: usize;
  count: u32;
  /** Entries in chunks: a multiple of CHUNK, unless there are no others. */
  packed: u32;
  chunkCapacity: u32;
  openCapacity: u32;
  live: u32;
  block: u32;
  /** All chunks are in the file. */
  isCold: bool;
}

const SEGMENT_SIZE: usize = 72;
const FEWEST_CHUNKS: u32 = 4;
const FEWEST_OPEN: u32 = 16;
const NUMBER: u32 = CHUNK - 1;

/** A segment without entries. */
export function newSegment(first: u64, block: u32): Segment {
  const segment = changetype<Segment>(alloc(SEGMENT_SIZE));
  memory.fill(changetype<usize>(segment), 0, SEGMENT_SIZE);
  segment.first = first;
  segment.block = block;
  return segment;
}

/** Frees a segment with its entries. */
export function freeSegment(segment: Segment): void {
  const chunks = chunksOf(segment);
  for (let i: u32 = 0; i < chunks; i++) freeSlot(load<u32>(slotOf(segment, i)));
  free(segment.chunks);
  free(segment.open);
  free(changetype<usize>(segment));
}

/** Sequence behind the last entry of a segment. */
// @ts-ignore: decorator
@inline
export function segmentEnd(segment: Segment): u64 {
  return segment.first + segment.count;
}

/** How many chunks a segment has. */
// @ts-ignore: decorator
@inline
function chunksOf(segment: Segment): u32 {
  return (segment.packed + NUMBER) >> CHUNK_SHIFT;
}

// @ts-ignore: decorator
@inline
function slotOf(segment: Segment, chunk: u32): usize {
  return segment.chunks + ((<usize>chunk) << 2);
}

/** The chunk of an entry that is packed, until the next one is asked for. */
// @ts-ignore: decorator
@inline
function chunkOf(segment: Segment, i: u32): Chunk {
  const slot = load<u32>(slotOf(segment, i >> CHUNK_SHIFT));
  return isCold(slot) ? coldChunk(slot) : changetype<Chunk>(<usize>slot);
}

/** The same, to be changed where it lies. */
function chunkToChange(segment: Segment, i: u32): Chunk {
  const chunk = chunkOf(segment, i);
  if (isCold(load<u32>(slotOf(segment, i >> CHUNK_SHIFT)))) noteChanged();
  return chunk;
}

function freeSlot(slot: u32): void {
  if (isCold(slot)) freeCold(slot);
  else freeChunk(changetype<Chunk>(<usize>slot));
}

/** Puts a chunk in the place of that of an entry. */
function replaceChunk(segment: Segment, i: u32, chunk: Chunk): void {
  const slotAt = slotOf(segment, i >> CHUNK_SHIFT);
  freeSlot(load<u32>(slotAt));
  store<u32>(slotAt, <u32>changetype<usize>(chunk));
  segment.isCold = false;
}

/** Has the chunks of a segment that nothing is added to go to the file, as `coolChunk` does. False: they cannot. */
export function coolSegment(segment: Segment, loss: usize): bool {
  const chunks = chunksOf(segment);
  for (let i: u32 = 0; i < chunks; i++) {
    const slotAt = slotOf(segment, i);
    if (!isCold(load<u32>(slotAt)) && !coolChunk(slotAt, loss)) return false;
  }
  return true;
}

/** An entry that is not. */
// @ts-ignore: decorator
@inline
function openAt(segment: Segment, i: u32): usize {
  return segment.open + <usize>(i - segment.packed) * PLAIN;
}

// One entry

/** Whether the message of an entry is there. */
// @ts-ignore: decorator
@inline
export function isLive(segment: Segment, i: u32): bool {
  return i < segment.packed ? rowState(chunkOf(segment, i), i & NUMBER) == LIVE : !(load<u32>(openAt(segment, i)) & GONE);
}

/** Leaf of the subject. */
// @ts-ignore: decorator
@inline
export function entryLeaf(segment: Segment, i: u32): usize {
  return <usize>(i < segment.packed ? rowLeaf(chunkOf(segment, i), i & NUMBER) : load<u32>(openAt(segment, i), 8));
}

/** Offset of the record in the block. */
export function entryOffset(segment: Segment, i: u32): u32 {
  if (i < segment.packed) return rowOffset(chunkOf(segment, i), i & NUMBER);
  return load<u32>(openAt(segment, i)) & ~(GONE | GHOST);
}

/** Length of the record, with the owner's bit. */
// @ts-ignore: decorator
@inline
export function entryLengthWord(segment: Segment, i: u32): u32 {
  return i < segment.packed ? rowLength(chunkOf(segment, i), i & NUMBER) : load<u32>(openAt(segment, i), 4);
}

/** Length of the record, 0 when there is none on disk any more, or never was. */
// @ts-ignore: decorator
@inline
export function entryLength(segment: Segment, i: u32): u32 {
  return entryLengthWord(segment, i) & ~OWNERS;
}

/** Distance to the next message of the subject, see above. */
export function entryNext(segment: Segment, i: u32): u32 {
  return i < segment.packed ? rowNext(chunkOf(segment, i), i & NUMBER) : load<u32>(openAt(segment, i), 12);
}

/** Sets that distance. False: it took a chunk packed anew, with more room for it. */
export function setEntryNext(segment: Segment, i: u32, next: u32): bool {
  if (i >= segment.packed) {
    store<u32>(openAt(segment, i), next, 12);
    return true;
  }
  const chunk = chunkToChange(segment, i);
  if (setRowNext(chunk, i & NUMBER, next)) return true;
  replaceChunk(segment, i, growRowNext(chunk, i & NUMBER, next));
  return false;
}

/** Marks an entry with a record of `length` bytes as gone; by a limit: there is no tombstone that says so. */
export function markGone(segment: Segment, i: u32, length: u32, byLimit: bool): void {
  segment.live--;
  segment.liveBytes -= length & ~OWNERS;
  if (i < segment.packed) setRowState(chunkToChange(segment, i), i & NUMBER, byLimit ? LIMITED : DELETED);
  else store<u32>(openAt(segment, i), load<u32>(openAt(segment, i)) | (byLimit ? GONE | GHOST : GONE));
}

/** Whether an entry went by a limit and no tombstone was written for it; asking clears that. */
export function takeGhost(segment: Segment, i: u32): bool {
  if (i < segment.packed) {
    const isGhost = rowState(chunkOf(segment, i), i & NUMBER) == LIMITED;
    if (isGhost) setRowState(chunkToChange(segment, i), i & NUMBER, DELETED);
    return isGhost;
  }
  const word = load<u32>(openAt(segment, i));
  store<u32>(openAt(segment, i), word & ~GHOST);
  return (word & GHOST) != 0;
}

// Entry to entry

/** The first live entry from `i` on, below `end`; `end` when there is none. */
export function nextLiveIn(segment: Segment, i: u32, end: u32): u32 {
  let at = i;
  while (at < end && at < segment.packed) {
    const behind = min((at | NUMBER) + 1, min(end, segment.packed));
    const found = (at & ~NUMBER) + liveRow(chunkOf(segment, at), at & NUMBER, behind - (at & ~NUMBER));
    if (found < behind) return found;
    at = behind;
  }
  while (at < end && load<u32>(openAt(segment, at)) & GONE) at++;
  return at;
}

/** The same of one subject. */
export function nextOfLeafIn(segment: Segment, i: u32, end: u32, leaf: usize): u32 {
  let at = i;
  while (at < end && at < segment.packed) {
    const behind = min((at | NUMBER) + 1, min(end, segment.packed));
    const found = (at & ~NUMBER) + leafRow(chunkOf(segment, at), at & NUMBER, behind - (at & ~NUMBER), <u32>leaf);
    if (found < behind) return found;
    at = behind;
  }
  while (at < end && !isOpenOf(openAt(segment, at), leaf)) at++;
  return at;
}

/** Whether a plain entry is there and of a leaf. */
// @ts-ignore: decorator
@inline
function isOpenOf(entry: usize, leaf: usize): bool {
  return load<u32>(entry, 8) == <u32>leaf && !(load<u32>(entry) & GONE);
}

/** The last live entry of one subject below `below`, -1 when there is none. */
export function previousOfLeafIn(segment: Segment, below: u32, leaf: usize): i32 {
  let at = below;
  while (at > segment.packed) if (isOpenOf(openAt(segment, --at), leaf)) return <i32>at;
  while (at) {
    const from = (at - 1) & ~NUMBER;
    const chunk = chunkOf(segment, from);
    const end = at - from;
    // From the front, as rows lie: the last one found is the one.
    let last: u32 = end;
    for (let row = leafRow(chunk, 0, end, <u32>leaf); row < end; row = leafRow(chunk, row + 1, end, <u32>leaf)) last = row;
    if (last < end) return <i32>(from + last);
    at = from;
  }
  return -1;
}

/** Live entries from `i` on, below `end`. */
export function countLiveIn(segment: Segment, i: u32, end: u32): u32 {
  let total: u32 = 0;
  for (let at = nextLiveIn(segment, i, end); at < end; at = nextLiveIn(segment, at + 1, end)) total++;
  return total;
}

const leaves: usize = memory.data(512, 16); // CHUNK u32

/** Where `listLeavesIn` leaves them. */
export function listedLeaves(): usize {
  return leaves;
}

/**
 * Lists the leaves of entries from `i` on, below `end`, as u32, 0 where an entry is gone; returns how many: as many as lie
 * together, at least one.
 */
export function listLeavesIn(segment: Segment, i: u32, end: u32): u32 {
  if (i < segment.packed) {
    const behind = min((i | NUMBER) + 1, min(end, segment.packed));
    listLeaves(chunkOf(segment, i), i & NUMBER, behind - (i & ~NUMBER), leaves);
    return behind - i;
  }
  for (let at = i; at < end; at++) {
    const entry = openAt(segment, at);
    store<u32>(leaves + ((<usize>(at - i)) << 2), load<u32>(entry) & GONE ? 0 : load<u32>(entry, 8));
  }
  return end - i;
}

// Making entries

/** Whether the plain entries are to be packed before one is added. */
// @ts-ignore: decorator
@inline
export function isFull(segment: Segment): bool {
  return segment.count - segment.packed == CHUNK;
}

/** Adds one entry. */
export function addTo(segment: Segment, offset: u32, length: u32, leaf: usize): void {
  if (segment.count - segment.packed == segment.openCapacity) growOpen(segment);
  const entry = openAt(segment, segment.count++);
  store<u32>(entry, offset);
  store<u32>(entry, length, 4);
  store<u32>(entry, <u32>leaf, 8);
  store<u32>(entry, 0, 12);
}

function growOpen(segment: Segment): void {
  const capacity = max(FEWEST_OPEN, segment.openCapacity << 1);
  const grown = alloc(<usize>capacity * PLAIN);
  copy(grown, segment.open, <usize>segment.openCapacity * PLAIN);
  free(segment.open);
  segment.open = grown;
  segment.openCapacity = capacity;
}

/** Makes a chunk of the plain entries, with at least so many bits for `next`. */
export function packOpen(segment: Segment, nextBits: u32): void {
  const chunks = chunksOf(segment);
  if (chunks == segment.chunkCapacity) resizeChunks(segment, max(FEWEST_CHUNKS, chunks << 1));
  const chunk = pack(segment.open, segment.count - segment.packed, nextBits);
  store<u32>(slotOf(segment, chunks), <u32>changetype<usize>(chunk));
  segment.packed = segment.count;
}

function resizeChunks(segment: Segment, capacity: u32): void {
  const grown = alloc((<usize>capacity) << 2);
  copy(grown, segment.chunks, (<usize>chunksOf(segment)) << 2);
  free(segment.chunks);
  segment.chunks = grown;
  segment.chunkCapacity = capacity;
}

/** Whether entries can be added to a segment. */
// @ts-ignore: decorator
@inline
export function isGrowing(segment: Segment): bool {
  return !(segment.packed & NUMBER);
}

/** Ends a segment: nothing is added any more. */
export function sealSegment(segment: Segment): void {
  if (segment.packed < segment.count) packOpen(segment, 0);
  free(segment.open);
  segment.open = 0;
  segment.openCapacity = 0;
  const chunks = chunksOf(segment);
  if (chunks && segment.chunkCapacity > chunks) resizeChunks(segment, chunks);
}

/** Bytes that the next entry may take at most: it may complete a chunk, and have another one packed anew. */
export function segmentGrowth(segment: Segment): usize {
  return 4 * <usize>CHUNK * PLAIN + ((<usize>segment.chunkCapacity) << 3);
}

// All entries of a piece

/** The entries from `i` on that lie together, plain, to be looked at and changed; `replain` takes the changes. */
export function plainFrom(segment: Segment, i: u32): usize {
  return i < segment.packed ? unpack(chunkOf(segment, i)) : openAt(segment, i);
}

/** The number behind them. */
export function plainEnd(segment: Segment, i: u32): u32 {
  return i < segment.packed ? min((i | NUMBER) + 1, segment.packed) : segment.count;
}

/** The entries of `plainFrom` were changed. */
export function replain(segment: Segment, i: u32): void {
  if (i >= segment.packed) return;
  replaceChunk(segment, i, repack(chunkOf(segment, i), 0));
}
