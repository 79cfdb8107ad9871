// The nodes of the subject tree: an adaptive radix tree keyed by subject bytes. A child is a node or, with bit 0 set, a leaf that
// holds the whole subject; a subject that ends at a node hangs on the node's `ends`. Nodes grow and shrink with their children:
//
//   Node   32 bytes: u8 kind | u8 prefixLength | u16 count | u32 ends (Leaf) | u8 dotted | prefix, at most 23 bytes
//   KIND4    then 4 key bytes,  4 children
//   KIND16   then 16 key bytes, 16 children
//   KIND48   then 256 bytes child number + 1, 48 children
//   KIND256  then 256 children
//
// `dotted` is set where a subject below has a dot behind the node's prefix, and stays when that subject goes.
// A prefix longer than 23 bytes is a chain of nodes with one child each.

import { allocZero, free } from '../lib/arena';
import { copy } from '../lib/bytes';

/** Longest prefix of a node. */
export const PREFIX_MOST: u32 = 23;

const KIND4: u8 = 0;
const KIND16: u8 = 1;
const KIND48: u8 = 2;
const KIND256: u8 = 3;
const HEAD: usize = 32;
const PREFIX: usize = 9;
/** How far into a leaf or node the bytes lie that are looked at first. */
const LINE: usize = 31;

/** The last bytes of the two smallest kinds of node, and one between for the second. */
const NODE4_LAST: usize = 51;
const NODE_MIDDLE: usize = 47;
const NODE16_LAST: usize = 111;

/** A node's head. */
@unmanaged
export class ArtNode {
  kind: u8;
  prefixLength: u8;
  count: u16;
  ends: usize;
  dotted: bool;
}

/** Whether a child pointer is a leaf. */
// @ts-ignore: decorator
@inline
export function isLeaf(child: usize): bool {
  return (child & 1) != 0;
}

/** Address of a node's prefix. */
// @ts-ignore: decorator
@inline
export function prefixOf(node: ArtNode): usize {
  return changetype<usize>(node) + PREFIX;
}

// @ts-ignore: decorator
@inline
function keysOf(node: ArtNode): usize {
  return changetype<usize>(node) + HEAD;
}

function sizeOf(kind: u8): usize {
  if (kind == KIND4) return HEAD + 4 + 16;
  if (kind == KIND16) return HEAD + 16 + 64;
  if (kind == KIND48) return HEAD + 256 + 192;
  return HEAD + 1024;
}

/** Where the children of a node are, as an array of u32. */
// @ts-ignore: decorator
@inline
function childrenOf(node: ArtNode): usize {
  const kind = node.kind;
  return keysOf(node) + (kind == KIND4 ? 4 : kind == KIND16 ? 16 : kind == KIND48 ? 256 : 0);
}

function capacityOf(kind: u8): u32 {
  return kind == KIND4 ? 4 : kind == KIND16 ? 16 : kind == KIND48 ? 48 : 256;
}

/** A node without children. */
export function newNode(prefix: usize, prefixLength: u32): ArtNode {
  const node = changetype<ArtNode>(allocZero(sizeOf(KIND4)));
  node.prefixLength = <u8>prefixLength;
  copy(prefixOf(node), prefix, prefixLength);
  return node;
}

/** Frees one node, not what is below it. */
export function freeNode(node: ArtNode): void {
  free(changetype<usize>(node));
}

/** Address of the word that holds the child for `key`, 0 when there is none. */
export function childSlot(node: ArtNode, key: u32): usize {
  const keys = keysOf(node);
  const kind = node.kind;
  if (kind == KIND4) {
    const count: u32 = node.count;
    for (let i: u32 = 0; i < count; i++) if (<u32>load<u8>(keys + i) == key) return keys + 4 + ((<usize>i) << 2);
    return 0;
  }
  if (kind == KIND16) {
    const mask = (<u32>i8x16.bitmask(i8x16.eq(v128.load(keys), i8x16.splat(<i8>key)))) & ((1 << (<u32>node.count)) - 1);
    return mask ? keys + 16 + ((<usize>ctz(mask)) << 2) : 0;
  }
  if (kind == KIND48) {
    const number: u32 = load<u8>(keys + key);
    return number ? keys + 256 + ((<usize>(number - 1)) << 2) : 0;
  }
  const slot = keys + ((<usize>key) << 2);
  return load<u32>(slot) ? slot : 0;
}

/** How many places of a node may have a child. */
export function placesOf(node: ArtNode): u32 {
  return node.kind == KIND256 ? 256 : node.count;
}

/** The i-th place of a node that may have a child, for walking: 0 where there is none. Places go up to `placesOf`. */
// @ts-ignore: decorator
@inline
export function childAtPlace(node: ArtNode, place: u32): usize {
  return <usize>load<u32>(childrenOf(node) + ((<usize>place) << 2));
}

/** The key byte of a place; only for kinds that keep it there. */
function keyAtPlace(node: ArtNode, place: u32): u32 {
  const keys = keysOf(node);
  if (node.kind == KIND256) return place;
  if (node.kind != KIND48) return load<u8>(keys + place);
  let key: u32 = 0;
  while (<u32>load<u8>(keys + key) != place + 1) key++;
  return key;
}

/**
 * Goes over the children: the byte and child behind cursor `from` are left in `walkKey` and `walkChild`; returns the next cursor,
 * 0 at the end. Start with 0.
 */
export function nextChild(node: ArtNode, from: u32): u32 {
  const keys = keysOf(node);
  const kind = node.kind;
  if (kind <= KIND16) {
    if (from >= <u32>node.count) return 0;
    walkKey = load<u8>(keys + from);
    walkChild = childAtPlace(node, from);
    return from + 1;
  }
  for (let key = from; key < 256; key++) {
    const slot = childSlot(node, key);
    if (slot) {
      walkKey = key;
      walkChild = <usize>load<u32>(slot);
      return key + 1;
    }
  }
  return 0;
}

/** As `nextChild`, in the order of the bytes: a cursor is the byte to go on at. */
export function childInOrder(node: ArtNode, from: u32): u32 {
  if (node.kind > KIND16) return nextChild(node, from);
  const keys = keysOf(node);
  const count: u32 = node.count;
  let least: u32 = 256;
  for (let place: u32 = 0; place < count; place++) {
    const key: u32 = load<u8>(keys + place);
    if (key < from || key >= least) continue;
    least = key;
    walkChild = childAtPlace(node, place);
  }
  if (least == 256) return 0;
  walkKey = least;
  return least + 1;
}

/** Keeps loads alive whose only purpose is to bring memory near. */
let touched: u32 = 0;

/** Asks memory for all children of a node at once, before they are walked one by one. */
export function touchChildren(node: ArtNode): void {
  if (node.kind == KIND256) return;
  const children = childrenOf(node);
  const count: u32 = node.count;
  let sum: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const child = <usize>load<u32>(children + ((<usize>i) << 2));
    sum += <u32>load<u8>(child) + <u32>load<u8>(child, LINE);
  }
  touched += sum;
}

/** Asks memory for a node, head and children's addresses. */
// @ts-ignore: decorator
@inline
export function touchNode(node: ArtNode): void {
  const at = changetype<usize>(node);
  touched +=
    <u32>node.kind + <u32>load<u8>(at, NODE_MIDDLE) + <u32>load<u8>(at + (node.kind == KIND4 ? NODE4_LAST : NODE16_LAST));
}

/** Where the walk stands: the key of the child that `nextChild` found, and the child itself. */
export let walkKey: u32 = 0;
export let walkChild: usize = 0;

function resized(node: ArtNode, kind: u8): ArtNode {
  const next = changetype<ArtNode>(allocZero(sizeOf(kind)));
  copy(changetype<usize>(next), changetype<usize>(node), HEAD);
  next.kind = kind;
  next.count = 0;
  let cursor: u32 = 0;
  while ((cursor = nextChild(node, cursor)) != 0) put(next, walkKey, walkChild);
  freeNode(node);
  return next;
}

function put(node: ArtNode, key: u32, child: usize): void {
  const keys = keysOf(node);
  const kind = node.kind;
  if (kind == KIND256) {
    store<u32>(keys + ((<usize>key) << 2), <u32>child);
  } else {
    const place: u32 = node.count;
    if (kind == KIND48) store<u8>(keys + key, <u8>(place + 1));
    else store<u8>(keys + place, <u8>key);
    store<u32>(childrenOf(node) + ((<usize>place) << 2), <u32>child);
  }
  node.count++;
}

/** Adds a child for a byte that has none; returns the node, which may have moved. */
export function addChild(node: ArtNode, key: u32, child: usize): ArtNode {
  let into = node;
  if (<u32>node.count == capacityOf(node.kind)) into = resized(node, node.kind + 1);
  put(into, key, child);
  return into;
}

/** Removes the child for `key`; returns the node, which may have moved. */
export function removeChild(node: ArtNode, key: u32): ArtNode {
  const keys = keysOf(node);
  const kind = node.kind;
  if (kind == KIND256) {
    store<u32>(keys + ((<usize>key) << 2), 0);
  } else {
    const children = childrenOf(node);
    const place = <u32>((childSlot(node, key) - children) >> 2);
    const last: u32 = <u32>node.count - 1;
    const lastKey = keyAtPlace(node, last);
    store<u32>(children + ((<usize>place) << 2), load<u32>(children + ((<usize>last) << 2)));
    store<u32>(children + ((<usize>last) << 2), 0);
    if (kind == KIND48) {
      store<u8>(keys + lastKey, <u8>(place + 1));
      store<u8>(keys + key, 0);
    } else {
      store<u8>(keys + place, <u8>lastKey);
    }
  }
  node.count--;
  const count: u32 = node.count;
  if ((kind == KIND16 && count <= 3) || (kind == KIND48 && count <= 12) || (kind == KIND256 && count <= 36))
    return resized(node, kind - 1);
  return node;
}
