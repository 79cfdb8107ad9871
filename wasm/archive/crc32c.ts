// CRC-32C without an instruction for it, at the speed of loads: x^210 + x^185 + x^66 + x^41 + x^12 + 1 is a multiple of
// the polynomial, and so it is with x^128 in the place of x. So 16 bytes count as much as themselves added to what
// stands 25, 144, 169, 198 and 210 times 16 bytes behind them, and can be left out: all of a content but its last 3,360
// bytes goes into those, with five xors a step. Tables do the rest.
//
//   carry   210 vectors in front of the segment under way | that segment; each vector is content plus what was moved to it
//
// Kept true: what is read of `carry` behind the last vector that was moved on is zero.

import { copy } from '../lib/bytes';

const POLYNOMIAL: u32 = 0x82f63b78;
const MASK_DELTA: u32 = 0xa282ead8;

/** How far behind the vectors are that one is moved to, the farthest last. */
const FIRST: usize = 25 << 4;
const SECOND: usize = 144 << 4;
const THIRD: usize = 169 << 4;
const FOURTH: usize = 198 << 4;
const SPAN: usize = 210 << 4;
/** Bytes of a segment; at least SPAN. */
const SEGMENT: usize = 12288;
/** From here on moving is worth it. */
const LEAST: usize = 4 * SPAN;

const carry: usize = memory.data(3360 + 12288, 16);
const last: usize = memory.data(3360, 16);
/** Eight tables of 256: table k advances a byte by k more bytes of zeros. */
const tables: usize = memory.data(8192, 16);
let isMade: bool = false;

// @ts-ignore: decorator
@inline
function entry(table: u32, byte: u32): u32 {
  return load<u32>(tables + ((((<usize>table) << 8) + <usize>byte) << 2));
}

function makeTables(): void {
  isMade = true;
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    store<u32>(tables + ((<usize>byte) << 2), crc);
  }
  for (let at: u32 = 256; at < 2048; at++) {
    const before = entry((at >> 8) - 1, at & 255);
    store<u32>(tables + ((<usize>at) << 2), (before >>> 8) ^ entry(0, before & 255));
  }
}

/** The register behind `length` more bytes. */
function byTables(register: u32, from: usize, length: usize): u32 {
  let crc = register;
  let at = from;
  const end = from + length;
  for (; at + 8 <= end; at += 8) {
    const low = load<u32>(at) ^ crc;
    const high = load<u32>(at, 4);
    crc =
      entry(7, low & 255) ^
      entry(6, (low >> 8) & 255) ^
      entry(5, (low >> 16) & 255) ^
      entry(4, low >> 24) ^
      entry(3, high & 255) ^
      entry(2, (high >> 8) & 255) ^
      entry(1, (high >> 16) & 255) ^
      entry(0, high >> 24);
  }
  for (; at < end; at++) crc = entry(0, (crc ^ load<u8>(at)) & 255) ^ (crc >>> 8);
  return crc;
}

/** Content at `from` plus what is moved to it. */
// @ts-ignore: decorator
@inline
function gathered(from: usize, to: usize): v128 {
  const near = v128.xor(v128.load(from), v128.load(to - FIRST));
  const middle = v128.xor(v128.load(to - SECOND), v128.load(to - THIRD));
  return v128.xor(v128.xor(near, middle), v128.xor(v128.load(to - FOURTH), v128.load(to - SPAN)));
}

/** The masked CRC-32C of a content, as S2 and Snappy streams store it. */
export function maskedCrc32c(from: usize, length: usize): u32 {
  if (!isMade) makeTables();
  let crc: u32 = -1;
  let at = from;
  const end = from + length;
  if (length >= LEAST) {
    at += moveOn(from, length);
    crc = byTables(0, last, SPAN);
  }
  crc = ~byTables(crc, at, end - at);
  return ((crc >>> 15) | (crc << 17)) + MASK_DELTA;
}

/** Moves all whole vectors of a content into `last`, and gives how many bytes they are. */
function moveOn(from: usize, length: usize): usize {
  const whole = length & ~15;
  const moved = from + whole - SPAN;
  memory.fill(carry, 0, SPAN);
  let at = from;
  let to = carry + SPAN;
  // The register begins as ones: they are added to the first four bytes.
  v128.store(to, v128.xor(v128.load(at), v128(-1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)));
  at += 16;
  to += 16;
  while (at < moved) {
    const stop = to + min<usize>(carry + SPAN + SEGMENT - to, moved - at);
    for (; to < stop; to += 16, at += 16) v128.store(to, gathered(at, to));
    if (to < carry + SPAN + SEGMENT) break;
    copy(carry, to - SPAN, SPAN);
    to = carry + SPAN;
  }
  if (to > carry + SPAN) memory.copy(carry, to - SPAN, SPAN);
  memory.fill(carry + SPAN, 0, SPAN);
  to = carry + SPAN;
  for (let into: usize = 0; into < SPAN; into += 16) v128.store(last + into, gathered(moved + into, to + into));
  return whole;
}
