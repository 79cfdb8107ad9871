// The list of leaves that a walk over the subject tree leaves behind (filter.ts), and the part of the walk where everything
// matches: whole branches, taken without looking at the leaves. Whoever goes over the list has many of them on their way from
// memory at once; the nodes are fetched so many at a time here, because a walk from node to node waits for each.

import { alloc, free } from '../lib/arena';
import { copy } from '../lib/bytes';
import { ArtNode, childAtPlace, isLeaf, placesOf, touchNode } from './art';
import { Leaf, leafOf } from './subjects';

/** Nodes that memory is asked for together. */
const TOGETHER: u32 = 32;
const FEWEST: u32 = 1024;
/** A list of more is given back after use. */
const KEPT_MOST: u32 = 65536;

/** An array of u32 that grows. */
@unmanaged
class Growing {
  at: usize;
  count: u32;
  capacity: u32;
}

const leaves = changetype<Growing>(memory.data(12, 4));
/** Nodes that the walk has still to go through. */
const ahead = changetype<Growing>(memory.data(12, 4));
const together: usize = memory.data(128, 4);

/** Where the collected leaves are, as u32 pointers. */
export function collectedList(): usize {
  return leaves.at;
}

/** How many there are. */
export function collectedCount(): u32 {
  return leaves.count;
}

/** Begins a new list. */
export function clearCollected(): void {
  leaves.count = 0;
}

/** Gives the list's memory back when it has grown large. */
export function dropCollected(): void {
  leaves.count = 0;
  if (leaves.capacity <= KEPT_MOST) return;
  free(leaves.at);
  leaves.at = 0;
  leaves.capacity = 0;
}

function makeRoom(array: Growing, more: u32): void {
  let capacity = max(array.capacity, FEWEST);
  while (capacity < array.count + more) capacity <<= 1;
  const grown = alloc((<usize>capacity) << 2);
  copy(grown, array.at, (<usize>array.count) << 2);
  free(array.at);
  array.at = grown;
  array.capacity = capacity;
}

/** Adds one leaf. */
export function addLeaf(leaf: Leaf): void {
  if (leaves.count == leaves.capacity) makeRoom(leaves, 1);
  store<u32>(leaves.at + ((<usize>leaves.count) << 2), <u32>changetype<usize>(leaf));
  leaves.count++;
}

/** Adds everything below a child of a node. */
export function addAll(child: usize): void {
  if (isLeaf(child)) {
    addLeaf(leafOf(child));
    return;
  }
  addNode(changetype<ArtNode>(child));
  while (ahead.count) {
    const some = min(ahead.count, TOGETHER);
    ahead.count -= some;
    copy(together, ahead.at + ((<usize>ahead.count) << 2), some << 2);
    for (let i: u32 = 0; i < some; i++) touchNode(nodeAt(i));
    for (let i: u32 = 0; i < some; i++) addNode(nodeAt(i));
  }
}

// @ts-ignore: decorator
@inline
function nodeAt(i: u32): ArtNode {
  return changetype<ArtNode>(<usize>load<u32>(together + ((<usize>i) << 2)));
}

/** Adds the leaves at a node, and to what is ahead the nodes below it. */
function addNode(node: ArtNode): void {
  const places = placesOf(node);
  if (leaves.count + places >= leaves.capacity) makeRoom(leaves, places + 1);
  if (ahead.count + places > ahead.capacity) makeRoom(ahead, places);
  let leafAt = leaves.at + ((<usize>leaves.count) << 2);
  let nodeTo = ahead.at + ((<usize>ahead.count) << 2);
  if (node.ends) {
    store<u32>(leafAt, <u32>node.ends);
    leafAt += 4;
  }
  for (let place: u32 = 0; place < places; place++) {
    const child = childAtPlace(node, place);
    if (isLeaf(child)) {
      store<u32>(leafAt, <u32>changetype<usize>(leafOf(child)));
      leafAt += 4;
    } else if (child) {
      store<u32>(nodeTo, <u32>child);
      nodeTo += 4;
    }
  }
  leaves.count = <u32>((leafAt - leaves.at) >> 2);
  ahead.count = <u32>((nodeTo - ahead.at) >> 2);
}
