// A mapping: how an import changes a subject. The host compiles the pattern; here a mapping is a list of pieces that are put
// together:
//
//   u32 pieces | pieces: u32 what | u32 offset | u32 length | bytes of the literals
//   what  0: the `length` bytes at `offset` from the mapping's start    n: token n of the subject, from 1
//         REST | n: token n and everything behind it
//
// Dots stand in the literals.

import { copy } from '../lib/bytes';

/** The piece takes everything from its token on. */
const REST: u32 = 0x80000000;
const PIECE: usize = 12;
const DOT: u32 = 0x2e;

/** Bytes that a mapped subject takes at the most. */
export function mappedMost(mapping: usize, length: u32): usize {
  let most: usize = 0;
  const pieces = load<u32>(mapping);
  for (let i: u32 = 0; i < pieces; i++) {
    const piece = mapping + 4 + <usize>i * PIECE;
    most += load<u32>(piece) ? length : load<u32>(piece, 8);
  }
  return most;
}

/** Where token `wanted` (from 1) begins; the end of the subject where it has fewer. */
function tokenStart(at: usize, end: usize, wanted: u32): usize {
  for (let token: u32 = 1; token < wanted && at < end; at++) if (<u32>load<u8>(at) == DOT) token++;
  return at;
}

function tokenEnd(at: usize, end: usize): usize {
  while (at < end && <u32>load<u8>(at) != DOT) at++;
  return at;
}

/** Writes what the mapping makes of a literal subject at `to`, where `mappedMost` bytes fit; returns its length. */
export function mapSubject(mapping: usize, at: usize, length: u32, to: usize): u32 {
  const start = to;
  const end = at + length;
  const pieces = load<u32>(mapping);
  for (let i: u32 = 0; i < pieces; i++) {
    const piece = mapping + 4 + <usize>i * PIECE;
    const what = load<u32>(piece);
    let from = mapping + <usize>load<u32>(piece, 4);
    let size = load<u32>(piece, 8);
    if (what) {
      from = tokenStart(at, end, what & ~REST);
      size = <u32>((what & REST ? end : tokenEnd(from, end)) - from);
    }
    copy(to, from, size);
    to += size;
  }
  return <u32>(to - start);
}
