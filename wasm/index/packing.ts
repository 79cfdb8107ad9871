// Packing: plain entries become the rows of a chunk (chunk.ts), and rows plain entries. A chunk whose rows have to be of other
// widths is packed anew, and is another one then.

import {
  CHUNK,
  Chunk,
  DELETED,
  GHOST,
  GONE,
  HALF,
  LEAF_SHIFT,
  LIMITED,
  LIVE,
  OWNERS,
  PLAIN,
  STATE_BITS,
  UNRECORDED,
  bitsOf,
  gapAt,
  maskOf,
  newChunk,
  put,
  rowsOf,
  rowsSize,
  take,
  wordAt,
} from './chunk';

/** Room for `next` grows by so many bits, so that it does not grow often. */
const NEXT_STEP: u32 = 4;

// Plain entries

/** The plain entries of the chunk that was unpacked last. */
const plains: usize = memory.data(2048, 16); // CHUNK * PLAIN

// @ts-ignore: decorator
@inline
function stateOfPlain(entry: usize): u32 {
  const word = load<u32>(entry);
  if (!(word & GONE)) return LIVE;
  if (!load<u32>(entry, 4)) return UNRECORDED;
  return word & GHOST ? LIMITED : DELETED;
}

/** Offset of a plain entry's record. */
// @ts-ignore: decorator
@inline
export function plainOffset(entry: usize): u32 {
  return load<u32>(entry) & ~(GONE | GHOST);
}

/** Length of it. */
// @ts-ignore: decorator
@inline
export function plainLength(entry: usize): u32 {
  return load<u32>(entry, 4) & ~OWNERS;
}

/** Sets the offset. */
export function moveRecord(entry: usize, offset: u32): void {
  store<u32>(entry, (load<u32>(entry) & (GONE | GHOST)) | offset);
}

/** The record of a plain entry that is gone is no longer on disk. */
export function forgetRecord(entry: usize): void {
  store<u32>(entry, GONE);
  store<u32>(entry, 0, 4);
}

/** Makes the entries of a chunk plain; they stay until the next chunk is. */
export function unpack(chunk: Chunk): usize {
  const count: u32 = chunk.count;
  const rows = rowsOf(chunk);
  const row: u32 = chunk.row;
  let entry = plains;
  let place: u32 = 0;
  let end = chunk.offset;
  for (let i: u32 = 0; i < count; i++) {
    const state = take(rows, place, STATE_BITS);
    let word: u32 = 0;
    let offset: u32 = 0;
    if (state != UNRECORDED) {
      word = wordAt(chunk, rows, place);
      offset = end + chunk.gapBase + take(rows, place + gapAt(chunk), chunk.gapBits);
      end = offset + (word & ~OWNERS);
    }
    store<u32>(entry, state == LIVE ? offset : state == LIMITED ? offset | GONE | GHOST : offset | GONE);
    store<u32>(entry, word, 4);
    store<u32>(entry, (chunk.leafBase + take(rows, place + chunk.leafAt, chunk.leafBits)) << LEAF_SHIFT, 8);
    store<u32>(entry, take(rows, place + STATE_BITS, chunk.nextBits), 12);
    entry += PLAIN;
    place += row;
  }
  return plains;
}

/** The bits that `next` gets where it has no room for a distance. */
export function nextBitsFor(distance: u32): u32 {
  return min<u32>((bitsOf(distance) + NEXT_STEP - 1) & ~(NEXT_STEP - 1), 32);
}

/** The chunk with the distance from an entry to the next of its subject, and room for it, to take the place of this one. */
export function growRowNext(chunk: Chunk, i: u32, distance: u32): Chunk {
  store<u32>(unpack(chunk) + <usize>i * PLAIN, distance, 12);
  return repack(chunk, nextBitsFor(distance));
}

/** The entries of a chunk as they were unpacked and changed, packed again, to take its place. */
export function repack(chunk: Chunk, nextBits: u32): Chunk {
  return pack(plains, chunk.count, max<u32>(nextBits, chunk.nextBits));
}

/** The smallest and largest of each field. */
let leafLow: u32 = 0;
let leafHigh: u32 = 0;
let lengthLow: u32 = 0;
let lengthHigh: u32 = 0;
let gapLow: u32 = 0;
let gapHigh: u32 = 0;
let nextHigh: u32 = 0;
let turned: u32 = 0;
let anyHoles: bool = false;
let firstOffset: u32 = 0;

function measure(plain: usize, count: u32): void {
  leafLow = gapLow = u32.MAX_VALUE;
  leafHigh = gapHigh = nextHigh = firstOffset = 0;
  anyHoles = false;
  let lengths: u32 = 0;
  let end: u32 = 0;
  const behind = plain + <usize>count * PLAIN;
  for (let at = plain; at < behind; at += PLAIN) {
    const leaf = load<u32>(at, 8);
    leafLow = min(leafLow, (leaf >> LEAF_SHIFT) - 1);
    leafHigh = max(leafHigh, leaf >> LEAF_SHIFT);
    nextHigh = max(nextHigh, load<u32>(at, 12));
    const word = load<u32>(at, 4);
    if (!word) {
      anyHoles = true;
      continue;
    }
    const offset = plainOffset(at);
    if (end) {
      gapLow = min(gapLow, offset - end);
      gapHigh = max(gapHigh, offset - end);
    } else firstOffset = offset;
    lengths |= word;
    end = offset + (word & ~OWNERS);
  }
  leafLow = min(leafLow + 1, leafHigh);
  gapLow = min(gapLow, gapHigh);
  measureLengths(plain, behind, lengths >> 31);
}

function measureLengths(plain: usize, behind: usize, turn: u32): void {
  turned = turn;
  lengthLow = u32.MAX_VALUE;
  lengthHigh = 0;
  for (let at = plain; at < behind; at += PLAIN) {
    const word = rotl<u32>(load<u32>(at, 4), turn);
    lengthLow = min(lengthLow, word - 1);
    lengthHigh = max(lengthHigh, word);
  }
  lengthLow = min(lengthLow + 1, lengthHigh);
}

/** Packs `count` plain entries, with at least so many bits for `next`. */
export function pack(plain: usize, count: u32, nextBits: u32): Chunk {
  measure(plain, count);
  const forNext = max(nextBits, bitsOf(nextHigh));
  const forLeaf = bitsOf(leafHigh - leafLow);
  const forLength = bitsOf(lengthHigh - lengthLow);
  const forGap = bitsOf(gapHigh - gapLow);
  const leafAt = STATE_BITS + forNext;
  const lengthAt = leafAt + forLeaf;
  const row = lengthAt + forLength + forGap;
  const size = rowsSize(count, row);
  const chunk = newChunk(size);
  const rows = rowsOf(chunk);
  chunk.count = <u8>count;
  chunk.row = <u8>row;
  chunk.nextBits = <u8>forNext;
  chunk.leafBits = <u8>forLeaf;
  chunk.lengthBits = <u8>forLength;
  chunk.gapBits = <u8>forGap;
  chunk.leafAt = <u8>leafAt;
  chunk.lengthAt = <u8>lengthAt;
  chunk.turned = <u8>turned;
  chunk.holes = anyHoles;
  if (row <= NARROW) fillNarrow(chunk, rows, plain);
  else fillWide(chunk, rows, plain);
  chunk.offset = firstOffset - gapLow;
  chunk.lengthBase = lengthLow;
  chunk.leafBase = leafLow;
  chunk.gapBase = gapLow;
  return chunk;
}

/** Rows of no more bits are written at once, whichever bit of a byte they begin at. */
const NARROW: u32 = 57;

/** Writes the rows one behind the other; what is behind the last one, up to 8 bytes, is written over. */
function fillNarrow(chunk: Chunk, rows: usize, plain: usize): void {
  const row: u32 = chunk.row;
  const leafAt: u32 = chunk.leafAt;
  const lengthAt: u32 = chunk.lengthAt;
  const forGap = gapAt(chunk);
  const half = plain + <usize>HALF * PLAIN;
  const behind = plain + <usize>chunk.count * PLAIN;
  let end = firstOffset - gapLow;
  let middle: u32 = 0;
  let place: u32 = 0;
  /** Bits of the byte that the row begins in. */
  let begun: u64 = 0;
  for (let entry = plain; entry < behind; entry += PLAIN) {
    if (entry == half) middle = end;
    const word = load<u32>(entry, 4);
    const leaf = load<u32>(entry, 8);
    let bits = (<u64>stateOfPlain(entry)) | ((<u64>load<u32>(entry, 12)) << STATE_BITS);
    if (leaf) bits |= (<u64>((leaf >> LEAF_SHIFT) - leafLow)) << leafAt;
    if (word) {
      const offset = plainOffset(entry);
      bits |= ((<u64>(rotl<u32>(word, turned) - lengthLow)) << lengthAt) | ((<u64>(offset - end - gapLow)) << forGap);
      end = offset + (word & ~OWNERS);
    }
    bits = begun | (bits << (place & 7));
    store<u64>(rows + (place >> 3), bits);
    const next = place + row;
    begun = (bits >> (((next >> 3) - (place >> 3)) << 3)) & maskOf(next & 7);
    place = next;
  }
  chunk.middle = middle;
}

/** Writes the rows field by field. */
function fillWide(chunk: Chunk, rows: usize, plain: usize): void {
  const count: u32 = chunk.count;
  memory.fill(rows, 0, chunk.size);
  let end = firstOffset - gapLow;
  let place: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    if (i == HALF) chunk.middle = end;
    const entry = plain + <usize>i * PLAIN;
    const word = load<u32>(entry, 4);
    const leaf = load<u32>(entry, 8);
    put(rows, place, STATE_BITS, stateOfPlain(entry));
    put(rows, place + STATE_BITS, chunk.nextBits, load<u32>(entry, 12));
    if (leaf) put(rows, place + chunk.leafAt, chunk.leafBits, (leaf >> LEAF_SHIFT) - leafLow);
    if (word) {
      const offset = plainOffset(entry);
      put(rows, place + chunk.lengthAt, chunk.lengthBits, rotl<u32>(word, turned) - lengthLow);
      put(rows, place + gapAt(chunk), chunk.gapBits, offset - end - gapLow);
      end = offset + (word & ~OWNERS);
    }
    place += chunk.row;
  }
}
