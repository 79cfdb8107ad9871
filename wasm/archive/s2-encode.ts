// One S2 block of at most 1 MiB, encoded: literals, copies and repeats of the copy before, found by a table of hashes
// of six bytes. Where nothing repeats the search takes longer and longer steps; a block that does not get smaller is
// given up.

import { copyShort } from './copy-short';

const TABLE_BITS: u32 = 14;
const FACTOR: u64 = 0xcf1bbcdcbf9b;
/** The search ends so many bytes in front of the end: it loads eight, at two places. */
const MARGIN: usize = 16;
/** After so many bytes without a copy, each step is one byte longer. */
const PATIENCE_BITS: usize = 6;

/** Where the bytes of a hash were last, from the beginning of the block. */
const table: usize = memory.data(65536, 16);

// @ts-ignore: decorator
@inline
function slotOf(word: u64): usize {
  return table + ((<usize>(((word << 16) * FACTOR) >> (64 - TABLE_BITS))) << 2);
}

/** Writes a literal at `out`, and gives where it ends. */
function literal(out: usize, from: usize, length: u32): usize {
  if (!length) return out;
  const code = length - 1;
  if (code < 60) {
    store<u8>(out, code << 2);
    out += 1;
  } else if (code < 256) {
    store<u16>(out, (60 << 2) | (code << 8));
    out += 2;
  } else if (code < 65536) {
    store<u32>(out, (61 << 2) | (code << 8));
    out += 3;
  } else {
    store<u32>(out, (62 << 2) | (code << 8));
    out += 4;
  }
  copyShort(out, from, length);
  return out + length;
}

/** Writes the offset of the copy before once more; at least four bytes. */
function repeat(out: usize, length: u32): usize {
  if (length <= 8) {
    store<u16>(out, ((length - 4) << 2) | 1);
    return out + 2;
  }
  if (length < 264) {
    store<u32>(out, (5 << 2) | 1 | ((length - 8) << 16));
    return out + 3;
  }
  if (length < 65796) {
    store<u32>(out, (6 << 2) | 1 | ((length - 260) << 16));
    return out + 4;
  }
  store<u16>(out, (7 << 2) | 1);
  store<u32>(out, length - 65540, 2);
  return out + 5;
}

/** Writes a copy from another offset than the one before; at least four bytes. */
function copyFrom(out: usize, offset: u32, length: u32): usize {
  if (offset < 2048 && length < 12) {
    store<u16>(out, ((offset >> 8) << 5) | ((length - 4) << 2) | 1 | ((offset & 255) << 8));
    return out + 2;
  }
  // What a copy cannot hold is a repeat, which is not shorter than four bytes.
  const first = length > 64 ? min<u32>(64, length - 4) : length;
  if (offset < 65536) {
    store<u32>(out, ((first - 1) << 2) | 2 | (offset << 8));
    out += 3;
  } else {
    store<u8>(out, ((first - 1) << 2) | 3);
    store<u32>(out, offset, 1);
    out += 5;
  }
  return first < length ? repeat(out, length - first) : out;
}

/** How many bytes are the same at two places, the second of which ends at `end`. */
// @ts-ignore: decorator
@inline
function sameBytes(a: usize, b: usize, end: usize): u32 {
  const from = b;
  while (b + 8 <= end) {
    const differing = load<u64>(a) ^ load<u64>(b);
    if (differing) return <u32>(b - from) + ((<u32>ctz(differing)) >> 3);
    a += 8;
    b += 8;
  }
  while (b < end && load<u8>(a) == load<u8>(b)) {
    a++;
    b++;
  }
  return <u32>(b - from);
}

/**
 * Writes the block of up to 1 MiB to `to`, where there is room for as much and SLACK bytes; gives its length, or 0 when
 * it would be no smaller than `most`.
 */
export function encodeBlock(from: usize, length: u32, to: usize, most: u32): u32 {
  let out = to;
  let rest = length;
  for (; rest >= 128; rest >>= 7) store<u8>(out++, (rest & 127) | 128);
  store<u8>(out++, rest);
  out = search(from, length, out, to + most);
  return out ? <u32>(out - to) : 0;
}

/** Writes the elements of a content at `to`, and gives where they end; 0: not before `limit`. */
function search(from: usize, length: u32, to: usize, limit: usize): usize {
  const end = from + length;
  const stop = length > <u32>MARGIN ? end - MARGIN : from;
  let out = to;
  let copied = from;
  let offset: usize = 0;
  let at = from + 1;
  memory.fill(table, 0, 65536);
  while (at < stop) {
    const word = load<u64>(at);
    const next = word >> 8;
    const slot = slotOf(word);
    const nextSlot = slotOf(next);
    let candidate = from + <usize>load<u32>(slot);
    const nextCandidate = from + <usize>load<u32>(nextSlot);
    store<u32>(slot, <u32>(at - from));
    store<u32>(nextSlot, <u32>(at + 1 - from));
    if (offset && load<u32>(at + 1 - offset) == <u32>next) {
      at++;
      candidate = at - offset;
    } else if (load<u32>(candidate) != <u32>word) {
      if (load<u32>(nextCandidate) != <u32>next) {
        at += 2 + ((at - copied) >> PATIENCE_BITS);
        continue;
      }
      at++;
      candidate = nextCandidate;
    }
    while (at > copied && candidate > from && load<u8>(at - 1) == load<u8>(candidate - 1)) {
      at--;
      candidate--;
    }
    const same = 4 + sameBytes(candidate + 4, at + 4, end);
    if (out + (at - copied) + MARGIN >= limit) return 0;
    out = literal(out, copied, <u32>(at - copied));
    if (at - candidate == offset) {
      out = repeat(out, same);
    } else {
      offset = at - candidate;
      out = copyFrom(out, <u32>offset, same);
    }
    at += same;
    copied = at;
    if (at < stop) store<u32>(slotOf(load<u64>(at - 2)), <u32>(at - 2 - from));
  }
  const rest = <u32>(end - copied);
  if (out + rest + MARGIN >= limit) return 0;
  return literal(out, copied, rest);
}
