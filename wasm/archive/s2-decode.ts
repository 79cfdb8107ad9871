// One S2 block, decoded; the elements are drawn in ts/core/archive/s2-block-decode.ts, which is its twin.
//
// Kept true: whatever the input says, nothing is read outside of it but SLACK bytes, nothing written outside of the
// room but SLACK bytes, and each element moves on, so decoding ends.

import { copy } from '../lib/bytes';
import { copyShort } from './copy-short';

/** Bytes of the number that was read last. */
let numberBytes: u32 = 0;

/** The first number of a block, the length of its content; more than any may be when there is none. */
export function contentLength(from: usize, length: u32): u32 {
  const most = min<u32>(length, 5);
  let value: u64 = 0;
  numberBytes = 0;
  while (numberBytes < most) {
    const byte = <u64>load<u8>(from + numberBytes);
    value |= (byte & 127) << (7 * <u64>numberBytes);
    numberBytes++;
    if (byte < 128) return <u32>min<u64>(value, <u64>(<u32>-1));
  }
  return -1;
}

/** Copies within the output; overlapping means repetition. May write SLACK bytes more. */
function copyBack(to: usize, offset: usize, length: usize): void {
  if (offset >= length && length > 256) {
    copy(to, to - offset, length);
    return;
  }
  const end = to + length;
  // What lies between is a whole number of patterns, so that it may be taken from farther back as it grows.
  let back = offset;
  while (back < 16 && to < end) {
    for (const stop = to + back; to < stop; to++) store<u8>(to, load<u8>(to - back));
    back <<= 1;
  }
  for (; to < end; to += 16) v128.store(to, v128.load(to - back));
}

/** Decodes a block into `to`, which has room for the content's `size` and for SLACK bytes. False: it is damaged. */
export function decodeBlock(from: usize, length: u32, to: usize, size: u32): bool {
  if (contentLength(from, length) != size) return false;
  let at = from + numberBytes;
  const end = from + length;
  const stop = to + size;
  let out = to;
  let offset: usize = 0;
  while (at < end) {
    const tag = <u32>load<u8>(at++);
    const code = tag >> 2;
    let run: usize;
    if ((tag & 3) == 0) {
      run = code;
      if (code >= 60) {
        run = <usize>(load<u32>(at) & ((<u32>-1) >> ((63 - code) << 3)));
        at += code - 59;
      }
      if (run == <usize>-1) return false;
      run++;
      if (at > end || run > end - at || run > stop - out) return false;
      copyShort(out, at, run);
      at += run;
      out += run;
      continue;
    }
    if ((tag & 3) == 1) {
      const given = ((tag & 0xe0) << 3) | (<u32>load<u8>(at++));
      run = (code & 7) + 4;
      if (given) {
        offset = given;
      } else if ((code & 7) == 5) {
        run = <usize>load<u8>(at++) + 8;
      } else if ((code & 7) == 6) {
        run = <usize>load<u16>(at) + 260;
        at += 2;
      } else if ((code & 7) == 7) {
        run = <usize>(load<u32>(at) & 0xffffff) + 65540;
        at += 3;
      }
    } else {
      run = code + 1;
      const isShort = (tag & 3) == 2;
      offset = isShort ? <usize>load<u16>(at) : <usize>load<u32>(at);
      at += isShort ? 2 : 4;
    }
    if (at > end || !offset || offset > out - to || run > stop - out) return false;
    if (offset >= 16 && run <= 32) {
      v128.store(out, v128.load(out - offset));
      v128.store(out, v128.load(out - offset, 16), 16);
    } else {
      copyBack(out, offset, run);
    }
    out += run;
  }
  return out == stop;
}
