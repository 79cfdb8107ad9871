// Chunks: 128 entries of the sequence index, packed. Messages that follow each other in a block are much alike: a record begins
// where the one before ends (or a tombstone behind it), lengths are near each other, subjects few. So a chunk has a base of each
// field, and a row for each entry has only what it is above that, in as many bits as the largest of the chunk takes.
//
//   rows   state 2 bits | next | leaf / 16 - base | length - base | gap - base; one row behind the other, bit by bit
//   Chunk  the head below, behind the rows: reads and writes of 8 bytes at the last row end within it
//
//   gap    bytes between the record before it that has one and this record; offsets are added up, and not kept
//
// Where entries are made or changed as a whole they are plain, as in segment.ts draws them:
//
//   Plain  16 bytes: u32 offset in the block (bit 31: gone, bit 30: by a limit) | u32 record length | u32 leaf | u32 next
//   length 0 when there is no record on disk any more, or never was
//
// The sums of offsets begin in front of the first row, or at the middle one. The first 8 bytes of the head are written last.
//
// Setting a state never needs memory, so that a delete works when there is none. Setting `next` may.

import { alloc, free } from '../lib/arena';

/** Entries of a chunk, as a power of two. */
export const CHUNK_SHIFT: u32 = 7;
export const CHUNK: u32 = 1 << CHUNK_SHIFT;
/** Bytes of a plain entry. */
export const PLAIN: usize = 16;

/** Of a plain entry: its message is gone. */
export const GONE: u32 = 1 << 31;
/** Gone by a limit: no tombstone says so. */
export const GHOST: u32 = 1 << 30;
/** Bit of a record's length that belongs to whoever enters it. */
export const OWNERS: u32 = 1 << 31;

/** States of an entry. */
export const LIVE: u32 = 0;
export const DELETED: u32 = 1;
export const LIMITED: u32 = 2;
/** Gone, and no record on disk. */
export const UNRECORDED: u32 = 3;
/** Bits of it. */
export const STATE_BITS: u32 = 2;

/** Leaves lie on multiples of 16 bytes. */
export const LEAF_SHIFT: u32 = 4;

/** The head of a chunk. */
@unmanaged
export class Chunk {
  /** Where the first record begins, less the gap that it is given. */
  offset: u32;
  lengthBase: u32;
  leafBase: u32;
  gapBase: u32;
  /** Where the record before row HALF ends. */
  middle: u32;
  /** Bytes of the rows. */
  size: u16;
  /** Entries, and bits of a row and its fields. */
  count: u8;
  row: u8;
  nextBits: u8;
  leafBits: u8;
  lengthBits: u8;
  gapBits: u8;
  leafAt: u8;
  lengthAt: u8;
  /** Lengths have their owner's bit as the lowest. */
  turned: u8;
  /** Some entries have no record. */
  holes: bool;
}

/** Bytes of a head. */
export const HEAD: usize = 32; // the first 8 bytes are written last
/** From here on offsets are added up from the middle. */
export const HALF: u32 = CHUNK >> 1;

/** Bytes of the rows of a chunk. */
// @ts-ignore: decorator
@inline
export function rowsSize(count: u32, row: u32): usize {
  return ((<usize>count * row + 31) >> 5) << 2;
}

/** Where they are. */
// @ts-ignore: decorator
@inline
export function rowsOf(chunk: Chunk): usize {
  return changetype<usize>(chunk) - <usize>chunk.size;
}

/** So many bits. */
// @ts-ignore: decorator
@inline
export function maskOf(bits: u32): u64 {
  return ((<u64>1) << bits) - 1;
}

/** Where in a row the gap is. */
// @ts-ignore: decorator
@inline
export function gapAt(chunk: Chunk): u32 {
  return <u32>chunk.lengthAt + <u32>chunk.lengthBits;
}

/** `bits` bits from bit `place` on. */
// @ts-ignore: decorator
@inline
export function take(rows: usize, place: u32, bits: u32): u32 {
  return <u32>((load<u64>(rows + (place >> 3)) >> (place & 7)) & maskOf(bits));
}

/** Sets them. */
// @ts-ignore: decorator
@inline
export function put(rows: usize, place: u32, bits: u32, value: u32): void {
  const at = rows + (place >> 3);
  const shift = place & 7;
  store<u64>(at, (load<u64>(at) & ~(maskOf(bits) << shift)) | ((<u64>value) << shift));
}

/** Bits that `value` takes. */
// @ts-ignore: decorator
@inline
export function bitsOf(value: u32): u32 {
  return 32 - <u32>clz(value);
}

/** State of an entry. */
// @ts-ignore: decorator
@inline
export function rowState(chunk: Chunk, i: u32): u32 {
  return take(rowsOf(chunk), i * chunk.row, STATE_BITS);
}

/** Leaf of an entry. */
// @ts-ignore: decorator
@inline
export function rowLeaf(chunk: Chunk, i: u32): u32 {
  return (chunk.leafBase + take(rowsOf(chunk), i * chunk.row + chunk.leafAt, chunk.leafBits)) << LEAF_SHIFT;
}

/** Distance from an entry to the next of its subject. */
export function rowNext(chunk: Chunk, i: u32): u32 {
  return take(rowsOf(chunk), i * chunk.row + STATE_BITS, chunk.nextBits);
}

/** Length of the record of the row at `place`, with its owner's bit. */
// @ts-ignore: decorator
@inline
export function wordAt(chunk: Chunk, rows: usize, place: u32): u32 {
  return rotr<u32>(chunk.lengthBase + take(rows, place + chunk.lengthAt, chunk.lengthBits), chunk.turned);
}

/** Length of an entry's record, with its owner's bit. */
export function rowLength(chunk: Chunk, i: u32): u32 {
  const rows = rowsOf(chunk);
  const place = i * chunk.row;
  return chunk.holes && take(rows, place, STATE_BITS) == UNRECORDED ? 0 : wordAt(chunk, rows, place);
}

/** The entry whose offset was asked for last, and what that was: most ask for the next one. */
let lastChunk: usize = 0;
let lastRow: u32 = 0;
let lastOffset: u32 = 0;

/** Offset of an entry's record in its block: lengths and gaps in front of it are added up, from the nearest known one. */
export function rowOffset(chunk: Chunk, i: u32): u32 {
  if (!chunk.lengthBits && !chunk.gapBits && !chunk.holes) return chunk.offset + (i + 1) * chunk.gapBase + i * evenLength(chunk);
  let at: u32 = 0;
  let offset = chunk.offset;
  if (i >= HALF) {
    at = HALF;
    offset = chunk.middle;
  }
  if (lastChunk == changetype<usize>(chunk) && lastRow <= i && lastRow >= at) {
    at = lastRow;
    offset = lastOffset;
  }
  offset = chunk.holes || chunk.turned ? passSome(chunk, at, i, offset) : passAll(chunk, at, i, offset);
  lastChunk = changetype<usize>(chunk);
  lastRow = i;
  lastOffset = offset;
  return offset + gapOf(chunk, i);
}

/** The length of records that are all as long. */
// @ts-ignore: decorator
@inline
function evenLength(chunk: Chunk): u32 {
  return rotr<u32>(chunk.lengthBase, chunk.turned) & ~OWNERS;
}

/** The gap in front of an entry. */
// @ts-ignore: decorator
@inline
function gapOf(chunk: Chunk, i: u32): u32 {
  return chunk.gapBase + take(rowsOf(chunk), i * chunk.row + gapAt(chunk), chunk.gapBits);
}

/** From `offset` behind the record before row `from` to behind the one before row `to`, where each entry has one. */
function passAll(chunk: Chunk, from: u32, to: u32, offset: u32): u32 {
  const rows = rowsOf(chunk);
  const row: u32 = chunk.row;
  const bits: u32 = chunk.lengthBits;
  const end = to * row + chunk.lengthAt;
  let sum = offset + (to - from) * (chunk.gapBase + chunk.lengthBase);
  for (let place = from * row + chunk.lengthAt; place < end; place += row) sum += take(rows, place, bits);
  if (!chunk.gapBits) return sum;
  const gapBits: u32 = chunk.gapBits;
  const gapEnd = to * row + gapAt(chunk);
  for (let place = from * row + gapAt(chunk); place < gapEnd; place += row) sum += take(rows, place, gapBits);
  return sum;
}

/** The same where some have none, or lengths have their owner's bit. */
function passSome(chunk: Chunk, from: u32, to: u32, offset: u32): u32 {
  let sum = offset;
  for (let i = from; i < to; i++) {
    if (chunk.holes && rowState(chunk, i) == UNRECORDED) continue;
    sum += gapOf(chunk, i) + (rowLength(chunk, i) & ~OWNERS);
  }
  return sum;
}

/** Sets the state of an entry: of one that is there, or has one that says it had a record. */
export function setRowState(chunk: Chunk, i: u32, state: u32): void {
  put(rowsOf(chunk), i * chunk.row, STATE_BITS, state);
}

/** Sets the distance to the next message of an entry's subject. False: the chunk has no room for it. */
export function setRowNext(chunk: Chunk, i: u32, distance: u32): bool {
  if (bitsOf(distance) > <u32>chunk.nextBits) return false;
  put(rowsOf(chunk), i * chunk.row + STATE_BITS, chunk.nextBits, distance);
  return true;
}

// Rows from entry to entry

/** The first live entry from `i` on, below `end`; `end` when there is none. */
export function liveRow(chunk: Chunk, i: u32, end: u32): u32 {
  const rows = rowsOf(chunk);
  const row: u32 = chunk.row;
  let at = i;
  for (let place = i * row; at < end && take(rows, place, STATE_BITS) != LIVE; place += row) at++;
  return at;
}

/** The same of one leaf. */
export function leafRow(chunk: Chunk, i: u32, end: u32, leaf: u32): u32 {
  const wanted = (leaf >> LEAF_SHIFT) - chunk.leafBase;
  const bits: u32 = chunk.leafBits;
  if (<u64>wanted > maskOf(bits)) return end;
  const rows = rowsOf(chunk);
  const row: u32 = chunk.row;
  let at = i;
  let place = i * row + chunk.leafAt;
  while (at < end && (take(rows, place, bits) != wanted || rowState(chunk, at) != LIVE)) {
    at++;
    place += row;
  }
  return at;
}

/** Puts the leaves of entries from `i` on, below `end`, one behind the other at `to`; 0 where an entry is gone. */
export function listLeaves(chunk: Chunk, i: u32, end: u32, to: usize): void {
  const rows = rowsOf(chunk);
  const row: u32 = chunk.row;
  const leafAt: u32 = chunk.leafAt;
  const bits: u32 = chunk.leafBits;
  const base: u32 = chunk.leafBase;
  let into = to;
  const last = end * row;
  for (let place = i * row; place < last; place += row) {
    const leaf = (base + take(rows, place + leafAt, bits)) << LEAF_SHIFT;
    store<u32>(into, take(rows, place, STATE_BITS) == LIVE ? leaf : 0);
    into += 4;
  }
}

// Memory

/** Bytes that chunks take, all together. */
export let chunkBytes: usize = 0;

/** Memory for a chunk with so many bytes of rows, at `rowsOf`. */
export function newChunk(size: usize): Chunk {
  const chunk = changetype<Chunk>(alloc(size + HEAD) + size);
  chunk.size = <u16>size;
  chunkBytes += size + HEAD;
  return chunk;
}

/** Frees a chunk. */
export function freeChunk(chunk: Chunk): void {
  if (lastChunk == changetype<usize>(chunk)) lastChunk = 0;
  chunkBytes -= <usize>chunk.size + HEAD;
  free(rowsOf(chunk));
}

/** Another chunk lies where one was. */
export function forgetOffset(): void {
  lastChunk = 0;
}
