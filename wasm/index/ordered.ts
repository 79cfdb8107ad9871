// Subjects in the order of their bytes, a page at a time: the walk goes down the tree with the last subject of the page before at
// its side, and leaves out whole branches in front of it. What is `bound` is so far the same as that subject.
//
//   after = "a.bc"      node "a."      bound: its children go on at 'b'
//                        |- 'a' ...    in front: left out
//                        |- 'b' ...    bound, as long as the next byte is 'c' or lies behind it
//                        '- 'x' ...    behind: all of it

import { ArtNode, childInOrder, childSlot, isLeaf, prefixOf, walkChild, walkKey } from './art';
import { addLeaf, clearCollected, collectedCount } from './collected';
import { FAILED, accepts, isLiteral, onlyByte, run, setFilter, step } from './filter';
import { Leaf, findSubject, leafOf, leafSubject } from './subjects';

let after: usize = 0;
let afterLength: u32 = 0;
let most: u32 = 0;

/** Compares some bytes with those of `after` at a depth: 0 when it begins with them. */
function compareAt(depth: u32, at: usize, length: u32): i32 {
  const have = min(length, afterLength - depth);
  for (let i: u32 = 0; i < have; i++) {
    const difference = <i32>load<u8>(at + i) - <i32>load<u8>(after + depth + i);
    if (difference) return difference;
  }
  return length > have ? 1 : 0;
}

function walk(child: usize, from: i32, depth: u32, isBound: bool): void {
  let bound = isBound;
  if (isLeaf(child)) {
    const leaf = leafOf(child);
    const rest = leafSubject(leaf) + depth;
    const length = leaf.length - depth;
    if (bound && compareAt(depth, rest, length) <= 0) return;
    const state = run(from, rest, length);
    if (state != FAILED && accepts(state)) addLeaf(leaf);
    return;
  }
  const node = changetype<ArtNode>(child);
  if (bound) {
    const order = compareAt(depth, prefixOf(node), node.prefixLength);
    if (order < 0) return;
    bound = order == 0;
  }
  const state = run(from, prefixOf(node), node.prefixLength);
  if (state == FAILED) return;
  const end = depth + <u32>node.prefixLength;
  if (node.ends && !bound && accepts(state)) addLeaf(changetype<Leaf>(node.ends));
  bound = bound && end < afterLength;
  const first: u32 = bound ? load<u8>(after + end) : 0;
  const only = onlyByte(state);
  if (only >= 0) {
    if (<u32>only < first) return;
    const slot = childSlot(node, only);
    if (slot) walk(<usize>load<u32>(slot), step(state, only), end + 1, bound && <u32>only == first);
    return;
  }
  let cursor = first;
  while (collectedCount() < most && (cursor = childInOrder(node, cursor)) != 0) {
    const next = step(state, walkKey);
    if (next != FAILED) walk(walkChild, next, end + 1, bound && walkKey == first);
  }
}

/**
 * Collects at most `limit` leaves under `root` that match a filter (none: all), in order, behind the subject at `behind`; with a
 * length of 0 from the first one on. Returns how many.
 */
export function collectPage(root: usize, at: usize, length: u32, behind: usize, behindLength: u32, limit: u32): u32 {
  clearCollected();
  if (!root || !limit) return 0;
  after = behind;
  afterLength = behindLength;
  most = limit;
  if (length && isLiteral(at, length)) {
    const leaf = findSubject(root, at, length);
    const isBehind = !behindLength || compareAt(0, at, length) > 0;
    if (changetype<usize>(leaf) && isBehind) addLeaf(leaf);
    return collectedCount();
  }
  setFilter(length ? at : everything, length ? length : 1);
  walk(root, 0, 0, behindLength > 0);
  return collectedCount();
}

const everything: usize = memory.data<u8>([0x3e]);
