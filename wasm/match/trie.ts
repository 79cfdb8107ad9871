// The token trie of wildcard subjects, for interests with many shapes of them (wildcards.ts). Children are not kept in their
// parent but in one hash table of the interest, keyed by the parent's address and the token, so that a node is small and a step
// down is one probe; `*` and `>` have fields of their own. Each node carries a 64-bit filter over its children's token hashes:
// most steps that lead nowhere end without touching the table.
//
//   Node  40 bytes, then the token's bytes
//         parent   address of the node above
//         tag      hash of (parent, token): the table's tag
//         star     child for `*`
//         entry    Entry of the subject that ends here
//         full     Entry of the subject that ends with `>` below here
//         children how many nodes have this parent, `*` included
//         length   bytes of the token
//         filter   one bit a child token (never cleared before the node goes)

import { alloc, allocZero, free } from '../lib/arena';
import { copy, equal } from '../lib/bytes';
import { slotPointer, slotTag, tableAdd, tableClose, tableNext, tableOpen, tableRemove, tableStart } from '../lib/table';
import { addFound } from './found';
import { Entry, Interest, entrySubject, nodesOf } from './interest';
import { isFull, isStar, split, tokenAt } from './subject';

/** One token of one or more wildcard subjects. */
@unmanaged
class Node {
  parent: usize;
  tag: u32;
  star: usize;
  entry: usize;
  full: usize;
  children: u32;
  length: u32;
  spare: u32;
  filter: u64;
}

const NODE_SIZE: usize = 40;
const STAR_LENGTH: u32 = 0xffffffff;

// @ts-ignore: decorator
@inline
function childTag(parent: usize, hash: u32): u32 {
  return (hash ^ ((<u32>parent) >> 4)) * 0x9e3779b1;
}

// @ts-ignore: decorator
@inline
function filterBit(hash: u32): u64 {
  const one: u64 = 1;
  return one << (hash >> 26);
}

/** Makes an empty trie. */
export function trieOpen(interest: Interest): void {
  tableOpen(nodesOf(interest));
  interest.root = allocZero(NODE_SIZE);
}

/** Frees a trie without entries. */
export function trieClose(interest: Interest): void {
  tableClose(nodesOf(interest));
  free(interest.root);
  interest.root = 0;
}

/** The child of `parent` for a token of the list, or null. */
// @ts-ignore: decorator
@inline
function findChild(interest: Interest, parent: Node, token: usize): Node {
  const hash = load<u32>(token, 8);
  if (!(parent.filter & filterBit(hash))) return changetype<Node>(0);
  const table = nodesOf(interest);
  const tag = childTag(changetype<usize>(parent), hash);
  const length = load<u32>(token, 4);
  let slot = tableStart(table, tag);
  while (true) {
    const pointer = slotPointer(table, slot);
    if (!pointer) return changetype<Node>(0);
    if (slotTag(table, slot) == tag) {
      const node = changetype<Node>(pointer);
      if (
        node.parent == changetype<usize>(parent) &&
        node.length == length &&
        equal(pointer + NODE_SIZE, <usize>load<u32>(token), length)
      )
        return node;
    }
    slot = tableNext(table, slot);
  }
}

function newNode(parent: Node, length: u32): Node {
  const block = alloc(NODE_SIZE + (length == STAR_LENGTH ? 0 : length));
  memory.fill(block, 0, NODE_SIZE);
  const node = changetype<Node>(block);
  node.parent = changetype<usize>(parent);
  node.length = length;
  parent.children++;
  return node;
}

function addChild(interest: Interest, parent: Node, token: usize): Node {
  if (isStar(token)) {
    if (!parent.star) parent.star = changetype<usize>(newNode(parent, STAR_LENGTH));
    return changetype<Node>(parent.star);
  }
  let node = findChild(interest, parent, token);
  if (changetype<usize>(node)) return node;
  const length = load<u32>(token, 4);
  const hash = load<u32>(token, 8);
  node = newNode(parent, length);
  copy(changetype<usize>(node) + NODE_SIZE, <usize>load<u32>(token), length);
  node.tag = childTag(changetype<usize>(parent), hash);
  parent.filter |= filterBit(hash);
  tableAdd(nodesOf(interest), node.tag, changetype<usize>(node));
  return node;
}

/** Adds a wildcard entry that is not in the trie yet. */
export function trieInsert(interest: Interest, entry: Entry): void {
  const count = split(entrySubject(entry), entry.length);
  let node = changetype<Node>(interest.root);
  for (let i: u32 = 0; i < count; i++) {
    const token = tokenAt(i);
    if (isFull(token)) {
      node.full = changetype<usize>(entry);
      entry.node = changetype<usize>(node);
      return;
    }
    node = addChild(interest, node, token);
  }
  node.entry = changetype<usize>(entry);
  entry.node = changetype<usize>(node);
}

/** Removes a wildcard entry and the nodes that only it needed. */
export function trieRemove(interest: Interest, entry: Entry): void {
  let node = changetype<Node>(entry.node);
  if (node.entry == changetype<usize>(entry)) node.entry = 0;
  else node.full = 0;
  while (!node.entry && !node.full && !node.children && node.parent) {
    const parent = changetype<Node>(node.parent);
    if (node.length == STAR_LENGTH) parent.star = 0;
    else tableRemove(nodesOf(interest), node.tag, changetype<usize>(node));
    if (--parent.children == 0) parent.filter = 0;
    free(changetype<usize>(node));
    node = parent;
  }
}

function walk(interest: Interest, node: Node, i: u32, count: u32): void {
  while (true) {
    if (i == count) {
      if (node.entry) addFound(node.entry);
      return;
    }
    if (node.full) addFound(node.full);
    if (!node.children) return;
    const child = findChild(interest, node, tokenAt(i));
    i++;
    const star = node.star;
    if (star) {
      if (changetype<usize>(child)) walk(interest, child, i, count);
      node = changetype<Node>(star);
    } else {
      if (!changetype<usize>(child)) return;
      node = child;
    }
  }
}

/** Adds the entries that match the `count` tokens of the list to the found ones. */
export function trieFind(interest: Interest, count: u32): void {
  walk(interest, changetype<Node>(interest.root), 0, count);
}

function reaches(interest: Interest, node: Node, i: u32, count: u32): bool {
  if (i == count) return node.entry != 0;
  if (node.full) return true;
  if (!node.children) return false;
  const child = findChild(interest, node, tokenAt(i));
  if (changetype<usize>(child) && reaches(interest, child, i + 1, count)) return true;
  return node.star != 0 && reaches(interest, changetype<Node>(node.star), i + 1, count);
}

/** Whether any entry matches the `count` tokens of the list. */
export function trieReaches(interest: Interest, count: u32): bool {
  return reaches(interest, changetype<Node>(interest.root), 0, count);
}
