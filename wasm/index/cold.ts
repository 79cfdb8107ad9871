// Cold chunks: when the chunks of the sequence indexes (chunk.ts) take more memory than the mark, the first ones of a stream
// that grows go to a file of the host, and their memory is given back. Where a chunk's address would be, its place in the file
// is then:
//
//   slot   bit 0 set | units - 1, 4 bits | first unit, 27 bits; a unit is 128 bytes
//   area   the units of a chunk: u32 checksum of the rest | nothing, to fill them | rows | head
//
// A cold chunk that somebody asks for is read into a frame; the frames are shared by all streams, four to a set, and of a set
// the one unused for longest is read over, after it has been written back where it was changed. The file is written an extent
// of 512 units at a time, and an extent is used again when none of its chunks is there any more.
//
// Where a chunk does not come back as it was written, or cannot be written back, its index has lost it, which is noted at the
// word that the index gave with it: the host makes that index anew. Until then whoever asks gets a stand-in, in which every
// message is gone: nothing that follows from that may be kept, and nothing may wait for it to change.
//
// What stays true: a chunk is in memory or in the file, never in both (a frame is a copy of the file). A chunk in a frame keeps
// its address until the next cold chunk is asked for. The file is of one run: what it has is of no use to the next. An extent
// that lost a chunk is not used again.

import { alloc, allocZero, free, tryAlloc } from '../lib/arena';
import { copy, hash64 } from '../lib/bytes';
import { limitBytes } from '../lib/pages';
import {
  CHUNK,
  Chunk,
  HEAD,
  LEAF_SHIFT,
  STATE_BITS,
  UNRECORDED,
  chunkBytes,
  forgetOffset,
  freeChunk,
  put,
  rowsOf,
} from './chunk';
import { LEAF_SIZE, Leaf } from './subjects';

// @ts-ignore: decorator
@external('cold', 'read')
declare function readCold(unit: u32, to: usize, length: u32): bool;
// @ts-ignore: decorator
@external('cold', 'write')
declare function writeCold(unit: u32, from: usize, length: u32): bool;
// @ts-ignore: decorator
@external('cold', 'lost')
declare function tellLost(): void;

const COLD: u32 = 1;
const UNITS_AT: u32 = 1;
const UNITS_MOST: u32 = 16;
const UNIT_AT: u32 = 5;
const UNIT_SHIFT: u32 = 7;
const SUM: u32 = 4;

/** Units of an extent, as a power of two. */
const EXTENT_SHIFT: u32 = 9;
const EXTENT_BYTES: u32 = 1 << (EXTENT_SHIFT + UNIT_SHIFT);
const EXTENTS_MOST: u32 = 1 << (32 - UNIT_AT - EXTENT_SHIFT);
/** Of an extent's word: it is free, and the rest says which one is free too, plus 1. */
const FREE: u32 = 1 << 31;
/** It has lost a chunk. */
const LOST: u32 = 1 << 30;

const FRAME: u32 = UNITS_MOST << UNIT_SHIFT;
const WAYS: u32 = 4;
/** Frames take this part of the mark, as a power of two; there is one set at least. */
const FRAMES_PART: u32 = 4;

/** One frame's entry in the table. */
@unmanaged
class Frame {
  /** The slot of the chunk in it, 0: none. */
  slot: u32;
  /** Rises with every use of any frame. */
  used: u32;
  changed: u32;
}

const FRAME_ENTRY: usize = 12;

let mark: usize = 0;
/** The frames, and their table; sets are a power of two. */
let frames: usize = 0;
let table: usize = 0;
let sets: u32 = 0;
let uses: u32 = 0;
/** What was asked for last. */
let lastSlot: u32 = 0;
let lastFrame: u32 = 0;

/** Extents, as u32 chunks in it, LOST or FREE | u32 address of the word that is set when it loses one. */
let extents: usize = 0;
let extentCapacity: u32 = 0;
let extentCount: u32 = 0;
let freeExtent: u32 = 0;

/** Chunks may take so many bytes, or a sixteenth of the memory, before some go to the file; 0: they stay. */
export function openCold(bytes: f64): void {
  mark = <usize>min(bytes, limitBytes() / 16);
}

/** Whether chunks are to go. */
// @ts-ignore: decorator
@inline
export function isOverMark(): bool {
  return mark != 0 && chunkBytes - stagedBytes > mark;
}

/** Whether a slot is that of a cold chunk. */
// @ts-ignore: decorator
@inline
export function isCold(slot: u32): bool {
  return (slot & COLD) != 0;
}

// @ts-ignore: decorator
@inline
function unitOf(slot: u32): u32 {
  return slot >> UNIT_AT;
}

/** Bytes of a chunk's area. */
// @ts-ignore: decorator
@inline
function areaOf(slot: u32): u32 {
  return (((slot >> UNITS_AT) & (UNITS_MOST - 1)) + 1) << UNIT_SHIFT;
}

// @ts-ignore: decorator
@inline
function checksum(area: usize, length: u32): u32 {
  return <u32>hash64(area + SUM, length - SUM);
}

// Reading

// @ts-ignore: decorator
@inline
function frameAt(i: u32): Frame {
  return changetype<Frame>(table + <usize>i * FRAME_ENTRY);
}

// @ts-ignore: decorator
@inline
function bytesOf(i: u32): usize {
  return frames + <usize>i * FRAME;
}

/** The first frame of the set that a slot belongs to. */
// @ts-ignore: decorator
@inline
function setOf(slot: u32): u32 {
  return (((unitOf(slot) * 0x9e3779b1) >> 16) & (sets - 1)) * WAYS;
}

function findFrame(slot: u32): i32 {
  const set = setOf(slot);
  for (let way: u32 = 0; way < WAYS; way++) if (frameAt(set + way).slot == slot) return <i32>(set + way);
  return -1;
}

/** The chunk of a slot that is cold; it stays where it is until the next one is asked for. */
export function coldChunk(slot: u32): Chunk {
  if (slot != lastSlot) {
    const found = findFrame(slot);
    const frame = found >= 0 ? found : fetch(slot);
    if (frame < 0) return standIn();
    lastFrame = <u32>frame;
    lastSlot = slot;
    frameAt(lastFrame).used = ++uses;
  }
  return changetype<Chunk>(bytesOf(lastFrame) + areaOf(slot) - HEAD);
}

/** Reads a chunk into a frame; -1: it is lost. */
function fetch(slot: u32): i32 {
  if (load<u32>(extentAt(unitOf(slot) >> EXTENT_SHIFT)) & LOST) return -1;
  const set = setOf(slot);
  let oldest = set;
  for (let way: u32 = 0; way < WAYS; way++) {
    const frame = frameAt(set + way);
    if (!frame.slot) {
      oldest = set + way;
      break;
    }
    if (uses - frame.used > uses - frameAt(oldest).used) oldest = set + way;
  }
  const frame = frameAt(oldest);
  writeBack(oldest);
  if (lastSlot == frame.slot) lastSlot = 0;
  frame.slot = 0;
  const length = areaOf(slot);
  if (!readCold(unitOf(slot), bytesOf(oldest), length) || load<u32>(bytesOf(oldest)) != checksum(bytesOf(oldest), length)) {
    lose(slot);
    return -1;
  }
  forgetOffset();
  frame.slot = slot;
  frame.changed = 0;
  return <i32>oldest;
}

function writeBack(i: u32): void {
  const frame = frameAt(i);
  if (!frame.slot || !frame.changed) return;
  const length = areaOf(frame.slot);
  store<u32>(bytesOf(i), checksum(bytesOf(i), length));
  if (!writeCold(unitOf(frame.slot), bytesOf(i), length)) lose(frame.slot);
}

function lose(slot: u32): void {
  const extent = extentAt(unitOf(slot) >> EXTENT_SHIFT);
  store<u32>(extent, load<u32>(extent) | LOST);
  store<u32>(<usize>load<u32>(extent, 4), 1);
  tellLost();
}

/** Bits of the stand-in's rows: a state, and room for any distance. */
const STAND_IN_ROW: u32 = STATE_BITS + 32;
const STAND_IN_SIZE: usize = 544; // rowsSize(CHUNK, STAND_IN_ROW)
const standInAt: usize = memory.data(576, 16); // STAND_IN_SIZE + HEAD
/** The subject of its messages, that never has none. */
const nobody: usize = memory.data(32, 16); // LEAF_SIZE

/** What takes the place of a lost chunk. Whatever is done to it is forgotten. */
function standIn(): Chunk {
  memory.fill(standInAt, 0, STAND_IN_SIZE + HEAD);
  memory.fill(nobody, 0, LEAF_SIZE);
  changetype<Leaf>(nobody).count = 1 << 31;
  const chunk = changetype<Chunk>(standInAt + STAND_IN_SIZE);
  for (let i: u32 = 0; i < CHUNK; i++) put(standInAt, i * STAND_IN_ROW, STATE_BITS, UNRECORDED);
  chunk.leafBase = (<u32>nobody) >> LEAF_SHIFT;
  chunk.size = <u16>STAND_IN_SIZE;
  chunk.count = <u8>CHUNK;
  chunk.row = <u8>STAND_IN_ROW;
  chunk.nextBits = 32;
  chunk.leafAt = <u8>STAND_IN_ROW;
  chunk.lengthAt = <u8>STAND_IN_ROW;
  chunk.holes = true;
  forgetOffset();
  return chunk;
}

/** The chunk asked for last is changed where it lies. */
// @ts-ignore: decorator
@inline
export function noteChanged(): void {
  frameAt(lastFrame).changed = 1;
}

/** A cold chunk goes. */
export function freeCold(slot: u32): void {
  const found = findFrame(slot);
  if (found >= 0) frameAt(found).slot = 0;
  if (lastSlot == slot) lastSlot = 0;
  leaveExtent(unitOf(slot) >> EXTENT_SHIFT);
}

// Extents

// @ts-ignore: decorator
@inline
function extentAt(i: u32): usize {
  return extents + ((<usize>i) << 3);
}

function leaveExtent(i: u32): void {
  const left = load<u32>(extentAt(i)) - 1;
  store<u32>(extentAt(i), left ? left : FREE | freeExtent);
  if (!left) freeExtent = i + 1;
}

/** Takes an extent, without chunks; -1: there is none. */
function takeExtent(): i32 {
  if (freeExtent) {
    const i = freeExtent - 1;
    freeExtent = load<u32>(extentAt(i)) & ~FREE;
    store<u32>(extentAt(i), 0);
    return <i32>i;
  }
  if (extentCount == EXTENTS_MOST) return -1;
  if (extentCount == extentCapacity) {
    const capacity: u32 = max<u32>(extentCapacity << 1, 64);
    const grown = alloc((<usize>capacity) << 3);
    copy(grown, extents, (<usize>extentCount) << 3);
    free(extents);
    extents = grown;
    extentCapacity = capacity;
  }
  store<u32>(extentAt(extentCount), 0);
  extentCount++;
  return <i32>(extentCount - 1);
}

// Going

/** Chunks of the extent that is being filled: u32 address of the slot | u32 slot to be; and bytes that they will give back. */
const moving: usize = memory.data(4096, 4); // 512 units, 8 bytes each
let movingCount: u32 = 0;
let stagedBytes: usize = 0;
let stage: usize = 0;
let stageUnits: u32 = 0;
let stageExtent: i32 = -1;

/** Makes the frames, once they are needed. */
function makeFrames(): bool {
  if (frames) return true;
  sets = 1;
  while (sets * WAYS * FRAME < (<u32>mark) >> FRAMES_PART) sets <<= 1;
  frames = tryAlloc(<usize>(sets * WAYS) * FRAME);
  stage = tryAlloc(EXTENT_BYTES);
  if (frames && stage) {
    table = allocZero(<usize>(sets * WAYS) * FRAME_ENTRY);
    return true;
  }
  free(frames);
  free(stage);
  frames = 0;
  return false;
}

function beginStage(loss: usize): bool {
  if (!makeFrames()) return false;
  stageExtent = takeExtent();
  if (stageExtent >= 0) store<u32>(extentAt(stageExtent), <u32>loss, 4);
  stageUnits = 0;
  movingCount = 0;
  stagedBytes = 0;
  return stageExtent >= 0;
}

/**
 * A chunk, whose slot is at `slotAt`, is to go to the file, at the latest with `endStage`. The word at `loss` is set when it is
 * lost there. False: it cannot go.
 */
export function coolChunk(slotAt: usize, loss: usize): bool {
  const chunk = changetype<Chunk>(<usize>load<u32>(slotAt));
  const size = <u32>chunk.size + <u32>HEAD;
  const units = (size + SUM + (1 << UNIT_SHIFT) - 1) >> UNIT_SHIFT;
  if (stageExtent >= 0 && stageUnits + units > 1 << EXTENT_SHIFT && !endStage()) return false;
  if (stageExtent < 0 && !beginStage(loss)) return false;
  const area = stage + ((<usize>stageUnits) << UNIT_SHIFT);
  const length = units << UNIT_SHIFT;
  copy(area + length - size, rowsOf(chunk), size);
  store<u32>(area, checksum(area, length));
  const unit = ((<u32>stageExtent) << EXTENT_SHIFT) + stageUnits;
  const entry = moving + ((<usize>movingCount) << 3);
  store<u32>(entry, <u32>slotAt);
  store<u32>(entry, COLD | ((units - 1) << UNITS_AT) | (unit << UNIT_AT), 4);
  movingCount++;
  stageUnits += units;
  stagedBytes += size;
  return true;
}

/** Writes what is staged; the chunks are cold now. False: the host could not write, and they stay as they are. */
export function endStage(): bool {
  if (stageExtent < 0) return true;
  const extent = <u32>stageExtent;
  const isWritten = writeCold(extent << EXTENT_SHIFT, stage, stageUnits << UNIT_SHIFT);
  stageExtent = -1;
  stagedBytes = 0;
  store<u32>(extentAt(extent), isWritten ? movingCount : 1);
  if (!isWritten) {
    leaveExtent(extent);
    return false;
  }
  for (let i: u32 = 0; i < movingCount; i++) {
    const entry = moving + ((<usize>i) << 3);
    const slotAt = <usize>load<u32>(entry);
    freeChunk(changetype<Chunk>(<usize>load<u32>(slotAt)));
    store<u32>(slotAt, load<u32>(entry, 4));
  }
  return true;
}
