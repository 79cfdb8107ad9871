// Subject filters over the tree: `*` stands for one token, `>` at the end for one or more. Matching goes byte by byte through a
// state of one number, so that the walk down the tree and the check of a single subject are the same steps:
//
//   state = position in the filter << 1 | bytes of this wildcard token already taken
//
// `collect` leaves the matching leaves in one growing list (collected.ts); it visits only branches that can still match, and does
// not look at what is below a node where everything does: behind `>`, and at a last `*` where no dot follows.

import { ArtNode, childSlot, isLeaf, nextChild, prefixOf, touchChildren, walkChild, walkKey } from './art';
import { addAll, addLeaf, clearCollected, collectedCount } from './collected';
import { Leaf, findSubject, leafOf, leafSubject } from './subjects';

const DOT: u32 = 0x2e;
const STAR: u32 = 0x2a;
const FULL: u32 = 0x3e;
/** The state of what cannot match any more. */
export const FAILED: i32 = -1;

let filter: usize = 0;
let filterLength: u32 = 0;

/** Sets the filter for what follows. */
export function setFilter(at: usize, length: u32): void {
  filter = at;
  filterLength = length;
}

/** Whether a filter has no wildcard token. */
export function isLiteral(at: usize, length: u32): bool {
  for (let i: u32 = 0; i < length; i++) {
    const c: u32 = load<u8>(at + i);
    if (c != STAR && c != FULL) continue;
    const starts = i == 0 || load<u8>(at + i - 1) == DOT;
    const ends = i + 1 == length || load<u8>(at + i + 1) == DOT;
    if (starts && ends) return false;
  }
  return true;
}

/** Where the token that begins at `at` ends. */
function tokenEnd(at: usize, end: usize): usize {
  while (at < end && <u32>load<u8>(at) != DOT) at++;
  return at;
}

/** Whether one subject matches a filter, token by token. */
export function subjectFits(filterAt: usize, length: u32, subject: usize, subjectLength: u32): bool {
  const filterEnd = filterAt + length;
  const end = subject + subjectLength;
  let f = filterAt;
  let s = subject;
  while (true) {
    const first: u32 = load<u8>(f);
    if (first == FULL && f + 1 == filterEnd) return s < end;
    if (first == STAR && (f + 1 == filterEnd || <u32>load<u8>(f, 1) == DOT)) {
      const next = tokenEnd(s, end);
      if (next == s) return false;
      s = next;
      f++;
    } else {
      while (f < filterEnd && <u32>load<u8>(f) != DOT) {
        if (s == end || load<u8>(s) != load<u8>(f)) return false;
        s++;
        f++;
      }
    }
    if (f == filterEnd) return s == end;
    if (s == end || <u32>load<u8>(s) != DOT) return false;
    s++;
    f++;
  }
}

/** Whether the byte at `i` of the filter is a whole token. */
// @ts-ignore: decorator
@inline
function isToken(i: u32): bool {
  return (i == 0 || load<u8>(filter + i - 1) == DOT) && (i + 1 == filterLength || load<u8>(filter + i + 1) == DOT);
}

/** The state after one byte of the subject, FAILED when it cannot match. */
export function step(state: i32, byte: u32): i32 {
  const at = (<u32>state) >> 1;
  if (at >= filterLength) return FAILED;
  const c: u32 = load<u8>(filter + at);
  if (c == STAR && isToken(at)) {
    if (byte != DOT) return state | 1;
    return state & 1 && at + 1 < filterLength ? <i32>((at + 2) << 1) : FAILED;
  }
  if (c == FULL && at + 1 == filterLength && isToken(at)) return state | 1;
  return c == byte ? <i32>((at + 1) << 1) : FAILED;
}

/** Whether a subject that ends in this state matches. */
export function accepts(state: i32): bool {
  const at = (<u32>state) >> 1;
  return at == filterLength || ((state & 1) != 0 && at + 1 == filterLength);
}

/** The state after some bytes. Tokens that a wildcard takes are passed over at once. */
export function run(from: i32, at: usize, length: u32): i32 {
  let state = from;
  const end = at + length;
  let i = at;
  while (i < end && state != FAILED) {
    if (onlyByte(state) < 0) {
      if (isRest(state)) return state | 1;
      const next = tokenEnd(i, end);
      if (next > i) state |= 1;
      if (next == end) return state;
      i = next;
    }
    state = step(state, load<u8>(i));
    i++;
  }
  return state;
}

/** Whether the state is at the filter's `>`: every byte is taken from here on. */
// @ts-ignore: decorator
@inline
function isRest(state: i32): bool {
  const at = (<u32>state) >> 1;
  return at + 1 == filterLength && <u32>load<u8>(filter + at) == FULL && isToken(at);
}

/** Whether the state is at a `*` that ends the filter: bytes without a dot are taken from here on. */
// @ts-ignore: decorator
@inline
function isLastToken(state: i32): bool {
  const at = (<u32>state) >> 1;
  return at + 1 == filterLength && <u32>load<u8>(filter + at) == STAR && isToken(at);
}

/** The byte that must come next in this state, or -1 where a wildcard leaves it open. */
export function onlyByte(state: i32): i32 {
  const at = (<u32>state) >> 1;
  if (at >= filterLength) return 0;
  const c: u32 = load<u8>(filter + at);
  return (c == STAR || c == FULL) && isToken(at) ? -1 : <i32>c;
}

function walk(child: usize, from: i32, depth: u32): void {
  let state = from;
  if (state & 1 && isRest(state)) {
    addAll(child);
    return;
  }
  if (isLeaf(child)) {
    const leaf = leafOf(child);
    state = run(state, leafSubject(leaf) + depth, leaf.length - depth);
    if (state != FAILED && accepts(state)) addLeaf(leaf);
    return;
  }
  const node = changetype<ArtNode>(child);
  state = run(state, prefixOf(node), node.prefixLength);
  if (state == FAILED) return;
  const below = depth + <u32>node.prefixLength + 1;
  const endFits = accepts(state);
  if (!node.dotted && isLastToken(state) && (endFits || !node.ends)) {
    addAll(child);
    return;
  }
  if (node.ends && endFits) addLeaf(changetype<Leaf>(node.ends));
  const only = onlyByte(state);
  if (only >= 0) {
    const slot = childSlot(node, only);
    if (slot) walk(<usize>load<u32>(slot), step(state, only), below);
    return;
  }
  touchChildren(node);
  let cursor: u32 = 0;
  while ((cursor = nextChild(node, cursor)) != 0) {
    const next = step(state, walkKey);
    if (next != FAILED) walk(walkChild, next, below);
  }
}

/** Collects the leaves under `root` that match a filter; an empty filter matches all. Returns how many. */
export function collect(root: usize, at: usize, length: u32): u32 {
  clearCollected();
  return collectMore(root, at, length);
}

/**
 * As `collect`, for `count` filters at `filters` (u32 length, bytes); without any, everything. What several match comes several
 * times.
 */
export function collectFilters(root: usize, filters: usize, count: u32): u32 {
  clearCollected();
  if (!count) return collectMore(root, 0, 0);
  let at = filters;
  for (let i: u32 = 0; i < count; i++) {
    const length = load<u32>(at);
    collectMore(root, at + 4, length);
    at += 4 + length;
  }
  return collectedCount();
}

/** As `collect`, added to what is collected already. Returns how many there are now. */
function collectMore(root: usize, at: usize, length: u32): u32 {
  if (!root) return collectedCount();
  if (length && isLiteral(at, length)) {
    const leaf = findSubject(root, at, length);
    if (changetype<usize>(leaf)) addLeaf(leaf);
    return collectedCount();
  }
  setFilter(length ? at : everything, length ? length : 1);
  walk(root, 0, 0);
  return collectedCount();
}

const everything: usize = memory.data<u8>([0x3e]);
