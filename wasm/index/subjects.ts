// The subject tree of one stream: which subjects it has, and for each the first and last sequence and how many messages.
// Look-ups cost the length of the subject, listings by filter cost what matches (filter.ts).
//
//   Leaf   u64 first | u64 last | u32 count | u32 length | u32 mark | u32 memo | subject bytes
//
// `first` is moved on by whoever deletes (stream/remove.ts), who knows which sequences live. A leaf lives as long as its count is
// above 0.

import { alloc, free } from '../lib/arena';
import { copy, equal } from '../lib/bytes';
import {
  ArtNode,
  PREFIX_MOST,
  addChild,
  childSlot,
  freeNode,
  isLeaf,
  newNode,
  nextChild,
  prefixOf,
  removeChild,
  walkChild,
  walkKey,
} from './art';

const DOT: u32 = 0x2e;

/** One subject. */
@unmanaged
export class Leaf {
  first: u64;
  last: u64;
  count: u32;
  length: u32;
  /** Scratch of a run over many subjects (stream/mark.ts). */
  mark: u32;
  /** What a selection found out about it last: its number << 1, and whether it matches. */
  memo: u32;
}

/** Bytes in front of a leaf's subject. */
export const LEAF_SIZE: usize = 32;

/** Address of a leaf's subject. */
// @ts-ignore: decorator
@inline
export function leafSubject(leaf: Leaf): usize {
  return changetype<usize>(leaf) + LEAF_SIZE;
}

/** The leaf behind a child address, whose lowest bit says that it is one. */
// @ts-ignore: decorator
@inline
export function leafOf(child: usize): Leaf {
  return changetype<Leaf>(child & ~1);
}

// @ts-ignore: decorator
@inline
function sameSubject(leaf: Leaf, at: usize, length: u32): bool {
  return leaf.length == length && equal(leafSubject(leaf), at, length);
}

/** The leaf of a subject under `root`, or null. */
export function findSubject(root: usize, at: usize, length: u32): Leaf {
  let child = root;
  let depth: u32 = 0;
  while (child) {
    if (isLeaf(child)) {
      const leaf = leafOf(child);
      return sameSubject(leaf, at, length) ? leaf : changetype<Leaf>(0);
    }
    const node = changetype<ArtNode>(child);
    const prefix: u32 = node.prefixLength;
    if (prefix) {
      if (length - depth < prefix || !equal(prefixOf(node), at + depth, prefix)) return changetype<Leaf>(0);
      depth += prefix;
    }
    if (depth == length) return changetype<Leaf>(node.ends);
    const slot = childSlot(node, load<u8>(at + depth));
    if (!slot) return changetype<Leaf>(0);
    child = <usize>load<u32>(slot);
    depth++;
  }
  return changetype<Leaf>(0);
}

function newLeaf(at: usize, length: u32): Leaf {
  const leaf = changetype<Leaf>(alloc(LEAF_SIZE + length));
  leaf.first = 0;
  leaf.last = 0;
  leaf.count = 0;
  leaf.length = length;
  leaf.mark = 0;
  leaf.memo = 0;
  copy(leafSubject(leaf), at, length);
  return leaf;
}

// @ts-ignore: decorator
@inline
function tagged(leaf: Leaf): usize {
  return changetype<usize>(leaf) | 1;
}

function commonLength(a: usize, b: usize, most: u32): u32 {
  let n: u32 = 0;
  while (n < most && load<u8>(a + n) == load<u8>(b + n)) n++;
  return n;
}

/** Whether there is a dot in bytes. */
function hasDot(at: usize, length: u32): bool {
  for (let i: u32 = 0; i < length; i++) if (<u32>load<u8>(at + i) == DOT) return true;
  return false;
}

/** Notes at a node that a leaf lies below whose subject goes on at `depth`. */
function noteDots(node: ArtNode, leaf: Leaf, depth: u32): void {
  if (!node.dotted) node.dotted = hasDot(leafSubject(leaf) + depth, leaf.length - depth);
}

/** Hangs a leaf whose subject goes on at `depth` below a node. */
function hang(node: ArtNode, leaf: Leaf, depth: u32): ArtNode {
  noteDots(node, leaf, depth);
  if (leaf.length == depth) {
    node.ends = changetype<usize>(leaf);
    return node;
  }
  return addChild(node, load<u8>(leafSubject(leaf) + depth), tagged(leaf));
}

/** The node that takes the place of a leaf when a second subject with the same beginning comes. */
function splitLeaf(old: Leaf, leaf: Leaf, depth: u32): usize {
  const shared = commonLength(leafSubject(old) + depth, leafSubject(leaf) + depth, min(old.length, leaf.length) - depth);
  const prefix = min(shared, PREFIX_MOST);
  let node = newNode(leafSubject(leaf) + depth, prefix);
  if (shared > PREFIX_MOST) {
    noteDots(node, old, depth + prefix);
    noteDots(node, leaf, depth + prefix);
    const key = load<u8>(leafSubject(leaf) + depth + prefix);
    return changetype<usize>(addChild(node, key, splitLeaf(old, leaf, depth + prefix + 1)));
  }
  node = hang(node, old, depth + prefix);
  return changetype<usize>(hang(node, leaf, depth + prefix));
}

/** The node that takes the place of one whose prefix differs from the subject after `shared` bytes. */
function splitNode(node: ArtNode, leaf: Leaf, depth: u32, shared: u32): usize {
  const above = newNode(prefixOf(node), shared);
  const key: u32 = load<u8>(prefixOf(node) + shared);
  const rest = <u32>node.prefixLength - shared - 1;
  above.dotted = node.dotted || hasDot(prefixOf(node) + shared, rest + 1);
  memory.copy(prefixOf(node), prefixOf(node) + shared + 1, rest);
  node.prefixLength = <u8>rest;
  addChild(above, key, changetype<usize>(node));
  return changetype<usize>(hang(above, leaf, depth + shared));
}

/** The leaf of a subject under the root held at `rootSlot`, made when it is new (count 0). */
export function holdSubject(rootSlot: usize, at: usize, length: u32): Leaf {
  const found = findSubject(<usize>load<u32>(rootSlot), at, length);
  if (changetype<usize>(found)) return found;
  const leaf = newLeaf(at, length);
  let slot = rootSlot;
  let depth: u32 = 0;
  let child = <usize>load<u32>(slot);
  while (child) {
    if (isLeaf(child)) {
      store<u32>(slot, <u32>splitLeaf(leafOf(child), leaf, depth));
      return leaf;
    }
    const node = changetype<ArtNode>(child);
    const prefix: u32 = node.prefixLength;
    const shared = commonLength(prefixOf(node), at + depth, min(prefix, length - depth));
    if (shared < prefix) {
      store<u32>(slot, <u32>splitNode(node, leaf, depth, shared));
      return leaf;
    }
    depth += prefix;
    noteDots(node, leaf, depth);
    const next: usize = depth == length ? 0 : childSlot(node, load<u8>(at + depth));
    if (!next) {
      store<u32>(slot, <u32>changetype<usize>(hang(node, leaf, depth)));
      return leaf;
    }
    slot = next;
    child = <usize>load<u32>(slot);
    depth++;
  }
  store<u32>(slot, <u32>tagged(leaf));
  return leaf;
}

/** A node left with one way on: the leaf or child itself where the prefixes fit into one node. */
function shortened(node: ArtNode): usize {
  if (!node.count) {
    const only = node.ends;
    freeNode(node);
    return only ? only | 1 : 0;
  }
  if (node.count > 1 || node.ends) return changetype<usize>(node);
  nextChild(node, 0);
  const child = walkChild;
  const key = walkKey;
  if (isLeaf(child)) {
    freeNode(node);
    return child;
  }
  const below = changetype<ArtNode>(child);
  const prefix: u32 = node.prefixLength;
  const total = prefix + 1 + <u32>below.prefixLength;
  if (total > PREFIX_MOST) return changetype<usize>(node);
  memory.copy(prefixOf(below) + prefix + 1, prefixOf(below), below.prefixLength);
  copy(prefixOf(below), prefixOf(node), prefix);
  store<u8>(prefixOf(below) + prefix, <u8>key);
  below.prefixLength = <u8>total;
  freeNode(node);
  return child;
}

/** Takes a leaf out of the tree under the root held at `rootSlot` and frees it. */
export function removeSubject(rootSlot: usize, leaf: Leaf): void {
  const at = leafSubject(leaf);
  let slot = rootSlot;
  let depth: u32 = 0;
  let child = <usize>load<u32>(slot);
  if (child == tagged(leaf)) {
    store<u32>(slot, 0);
    free(changetype<usize>(leaf));
    return;
  }
  for (;;) {
    let node = changetype<ArtNode>(child);
    depth += node.prefixLength;
    if (depth == leaf.length) {
      node.ends = 0;
      store<u32>(slot, <u32>shortened(node));
      break;
    }
    const key: u32 = load<u8>(at + depth);
    const next = childSlot(node, key);
    child = <usize>load<u32>(next);
    if (child == tagged(leaf)) {
      node = removeChild(node, key);
      store<u32>(slot, <u32>shortened(node));
      break;
    }
    slot = next;
    depth++;
  }
  free(changetype<usize>(leaf));
}

/** Frees everything under a root. */
export function freeSubjects(root: usize): void {
  if (!root) return;
  if (isLeaf(root)) {
    free(root & ~1);
    return;
  }
  const node = changetype<ArtNode>(root);
  if (node.ends) free(node.ends);
  let cursor: u32 = 0;
  while ((cursor = nextChild(node, cursor)) != 0) freeSubjects(walkChild);
  freeNode(node);
}
