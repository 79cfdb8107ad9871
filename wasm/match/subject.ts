// Subjects as bytes: validity, wildcards, tokens.
//
// A token list lives in one growing buffer (subjects are matched one at a time), 12 bytes a token:
//   0 u32 address   4 u32 length   8 u32 hash

import { alloc, free } from '../lib/arena';
import { hash64 } from '../lib/bytes';

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
  if (capacity < (length >> 1) + 2) {
    free(tokens);
    capacity = max((length >> 1) + 2, 64);
    tokens = alloc(<usize>capacity * 12);
  }
  let count: u32 = 0;
  let start = at;
  const end = at + length;
  let i = at;
  while (true) {
    if (i < end && load<u8>(i) != DOT) {
      i++;
      continue;
    }
    const size = <u32>(i - start);
    if (!size) return 0;
    const token = tokenAt(count++);
    store<u32>(token, <u32>start);
    store<u32>(token, size, 4);
    store<u32>(token, <u32>hash64(start, size), 8);
    if (i >= end) return count;
    start = ++i;
  }
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
