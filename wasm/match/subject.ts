// Subjects as bytes: validity, wildcards, tokens.
//
// A token list lives in one growing buffer (subjects are matched one at a time), 12 bytes a token:
//   0 u32 address   4 u32 length   8 u32 hash

import { alloc, free } from '../lib/arena';
import { hashToken } from '../lib/bytes';

const DOT: u32 = 0x2e;
const STAR: u32 = 0x2a;
const FULL: u32 = 0x3e;

/** What `inspect` finds. */
export const SUBJECT_INVALID: u32 = 0;
/** A valid subject without wildcards. */
export const SUBJECT_LITERAL: u32 = 1;
/** A valid subject with `*` or `>` as whole tokens. */
export const SUBJECT_WILDCARD: u32 = 2;

/** Judges a subscription subject: no empty token, no white space, `>` only as the last token. */
export function inspect(at: usize, length: u32): u32 {
  if (!length) return SUBJECT_INVALID;
  const end = at + length;
  let start = at;
  let wildcard = false;
  for (let i = at; ; i++) {
    const c: u32 = i < end ? load<u8>(i) : DOT;
    if (c == DOT) {
      const size = i - start;
      if (!size) return SUBJECT_INVALID;
      if (size == 1) {
        const only: u32 = load<u8>(start);
        if (only == FULL) {
          if (i < end) return SUBJECT_INVALID;
          wildcard = true;
        } else if (only == STAR) wildcard = true;
      }
      if (i >= end) break;
      start = i + 1;
    } else if (c <= 0x20 && (c == 0x20 || (c >= 9 && c <= 13 && c != 11))) return SUBJECT_INVALID;
  }
  return wildcard ? SUBJECT_WILDCARD : SUBJECT_LITERAL;
}

let tokens: usize = 0;
let capacity: u32 = 0;

/** Address of token `i` of the list that `split` made last. */
// @ts-ignore: decorator
@inline
export function tokenAt(i: u32): usize {
  return tokens + <usize>i * 12;
}

/**
 * Splits a subject at its dots and hashes each token. Returns how many tokens there are, or 0 when one of them is empty:
 * such a subject matches nothing.
 */
export function split(at: usize, length: u32): u32 {
  if (capacity < length + 1) reserveTokens(length + 1);
  let count: u32 = 0;
  let start = at;
  const end = at + length;
  for (let block = at; block < end; block += 16) {
    let dots = <u32>i8x16.bitmask(i8x16.eq(v128.load(block), i8x16.splat(<i8>DOT)));
    while (dots) {
      const dot = block + <usize>ctz(dots);
      if (dot >= end) break;
      if (dot == start) return 0;
      addToken(count++, start, <u32>(dot - start));
      start = dot + 1;
      dots &= dots - 1;
    }
  }
  if (start >= end) return 0;
  addToken(count++, start, <u32>(end - start));
  return count;
}

function reserveTokens(most: u32): void {
  free(tokens);
  capacity = max<u32>(most, 256);
  tokens = alloc(<usize>capacity * 12);
}

// @ts-ignore: decorator
@inline
function addToken(i: u32, at: usize, length: u32): void {
  const token = tokenAt(i);
  store<u32>(token, <u32>at);
  store<u32>(token, length, 4);
  store<u32>(token, hashToken(at, length), 8);
}

/** Whether the token is the one character `*`. */
// @ts-ignore: decorator
@inline
export function isStar(token: usize): bool {
  return load<u32>(token, 4) == 1 && load<u8>(<usize>load<u32>(token)) == STAR;
}

/** Whether the token is the one character `>`. */
// @ts-ignore: decorator
@inline
export function isFull(token: usize): bool {
  return load<u32>(token, 4) == 1 && load<u8>(<usize>load<u32>(token)) == FULL;
}
