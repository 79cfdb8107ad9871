// Wildcard subjects by shape. The shape of `a.*.c` is "three tokens, the second a star", that of `a.b.>` "two tokens and more".
// People use few shapes, however many wildcard subjects they have, so a published subject is looked up once for each shape that
// fits its length: the hash of the tokens that the shape keeps, one probe of a table. The probes do not depend on each other,
// so the processor waits for memory once and not once a level, as it would walking down a trie.
//
//   Shape   u32 stars (bit i: token i is `*`) | u32 tokens in front of `>` or in all | u32 1 with `>` | u32 entries of this shape
//   key     P(n) ^ seed of the shape, where P takes in the hashes of the tokens that are not stars, in order
//
// With more than MOST_SHAPES shapes, or more tokens than the bits of a mask, all wildcard subjects move to the trie
// (wildcards.ts).

import { alloc, free } from '../lib/arena';
import { copy, equal } from '../lib/bytes';
import { slotPointer, slotTag, tableAdd, tableAt, tableNext, tableRemove, tableStart } from '../lib/table';
import { addFound } from './found';
import { Entry, Interest, entrySubject, wildcardsOf } from './interest';
import { isFull, isStar, split, tokenAt } from './subject';


@unmanaged
class Shape {
  stars: u32;
  tokens: u32;
  full: u32;
  entries: u32;
}

const SHAPE_SIZE: usize = 16;
/** Beyond this many shapes the trie is faster, whatever the subjects. */
export const MOST_SHAPES: u32 = 48;
const MOST_TOKENS: u32 = 32;
const STAR: u32 = 0x2a;
const K: u64 = 0x9e3779b97f4a7c15;

/** One probe: u32 tag | u32 shape | u64 its first slot as it was read; when kept: u32 slot | u32 candidate. */
const probes: usize = memory.data(768, 16);
/** P(0)..P(n) of the subject being looked up. */
const prefixes: usize = memory.data(264, 8);

/** Keeps loads alive whose only purpose is to bring memory near. */
let touched: u32 = 0;

// @ts-ignore: decorator
@inline
function takeIn(key: u64, hash: u32): u64 {
  const mixed = (key ^ (<u64>hash)) * K;
  return mixed ^ (mixed >> 29);
}

// @ts-ignore: decorator
@inline
function tagOf(key: u64, shape: Shape): u32 {
  const seed = ((<u64>shape.stars) << 32) | ((<u64>shape.tokens) << 1) | (<u64>shape.full);
  const mixed = (key ^ (seed * K)) * K;
  return <u32>(mixed >> 32);
}

// @ts-ignore: decorator
@inline
function shapeAt(interest: Interest, i: u32): Shape {
  return changetype<Shape>(interest.shapes + <usize>i * SHAPE_SIZE);
}

/** The token hashes that the shape keeps, taken in after the first `from` tokens, of the list that `split` made. */
// @ts-ignore: decorator
@inline
function keyFrom(key: u64, from: u32, tokens: u32, stars: u32): u64 {
  for (let i = from; i < tokens; i++) {
    if (!((stars >> i) & 1)) key = takeIn(key, load<u32>(tokenAt(i), 8));
  }
  return key;
}

function findShape(interest: Interest, stars: u32, tokens: u32, full: u32): i32 {
  let unused: i32 = -1;
  for (let i: u32 = 0; i < interest.shapeCount; i++) {
    const shape = shapeAt(interest, i);
    if (!shape.entries) unused = <i32>i;
    else if (shape.stars == stars && shape.tokens == tokens && shape.full == full) return <i32>i;
  }
  if (unused < 0) {
    if (interest.shapeCount == MOST_SHAPES) return -1;
    unused = <i32>interest.shapeCount;
    if (unused == 0) interest.shapes = alloc(<usize>MOST_SHAPES * SHAPE_SIZE);
    interest.shapeCount++;
  }
  const shape = shapeAt(interest, <u32>unused);
  shape.stars = stars;
  shape.tokens = tokens;
  shape.full = full;
  shape.entries = 0;
  return unused;
}

/** Adds a wildcard entry that is not in the table yet. False: it does not fit in here. */
export function shapeInsert(interest: Interest, entry: Entry): bool {
  let count = split(entrySubject(entry), entry.length);
  const full: u32 = isFull(tokenAt(count - 1)) ? 1 : 0;
  count -= full;
  if (count > MOST_TOKENS) return false;
  let stars: u32 = 0;
  for (let i: u32 = 0; i < count; i++) if (isStar(tokenAt(i))) stars |= 1 << i;
  const index = findShape(interest, stars, count, full);
  if (index < 0) return false;
  const shape = shapeAt(interest, <u32>index);
  shape.entries++;
  entry.shape = <u32>index;
  entry.wildTag = tagOf(keyFrom(0, 0, count, stars), shape);
  tableAdd(wildcardsOf(interest), entry.wildTag, changetype<usize>(entry));
  return true;
}

/** Removes an entry that `shapeInsert` took. */
export function shapeRemove(interest: Interest, entry: Entry): void {
  tableRemove(wildcardsOf(interest), entry.wildTag, changetype<usize>(entry));
  shapeAt(interest, entry.shape).entries--;
}

/** Forgets all shapes. */
export function shapesClose(interest: Interest): void {
  free(interest.shapes);
  interest.shapes = 0;
  interest.shapeCount = 0;
}

/** Whether the entry, known to have this shape, covers the tokens of the list. */
function covers(entry: Entry, shape: Shape): bool {
  let at = entrySubject(entry);
  for (let i: u32 = 0; i < shape.tokens; i++) {
    const token = tokenAt(i);
    if ((shape.stars >> i) & 1) {
      at += 2;
      continue;
    }
    const length = load<u32>(token, 4);
    // A shorter token of the entry ends in a dot, which no token holds; at its very end the lengths must agree.
    if (at + length > entrySubject(entry) + entry.length || !equal(at, <usize>load<u32>(token), length)) return false;
    at += length;
    if (at < entrySubject(entry) + entry.length && load<u8>(at) != 0x2e) return false;
    at++;
  }
  return true;
}

/** Reads the first slot of every shape that fits `count` tokens: all are on their way at once; returns how many. */
function startProbes(interest: Interest, count: u32): u32 {
  const table = wildcardsOf(interest);
  const most = min(count, MOST_TOKENS);
  let key: u64 = 0;
  for (let i: u32 = 0; i < most; i++) {
    store<u64>(prefixes + ((<usize>i) << 3), key);
    key = takeIn(key, load<u32>(tokenAt(i), 8));
  }
  store<u64>(prefixes + ((<usize>most) << 3), key);
  let started: u32 = 0;
  for (let i: u32 = 0; i < interest.shapeCount; i++) {
    const shape = shapeAt(interest, i);
    const tokens = shape.tokens;
    if (!shape.entries || (shape.full ? tokens >= count : tokens != count)) continue;
    const first = shape.stars ? <u32>ctz(shape.stars) : tokens;
    const tag = tagOf(keyFrom(load<u64>(prefixes + ((<usize>first) << 3)), first, tokens, shape.stars), shape);
    const probe = probes + ((<usize>started) << 4);
    started++;
    store<u32>(probe, tag);
    store<u32>(probe, i, 4);
    store<u64>(probe, load<u64>(table.slots + ((<usize>(tag & table.mask)) << 3)), 8);
  }
  return started;
}

/** The first entry with the probe's tag and shape from a slot on, not yet compared; null when there is none. */
function candidate(interest: Interest, probe: usize, slot: u32): Entry {
  const table = wildcardsOf(interest);
  const tag = load<u32>(probe);
  while (true) {
    const pointer = slotPointer(table, slot);
    if (!pointer) return changetype<Entry>(0);
    if (slotTag(table, slot) == tag) {
      store<u32>(probe, slot, 8);
      return changetype<Entry>(pointer);
    }
    slot = tableNext(table, slot);
  }
}

/** Keeps the probes whose tag is in the table, with their candidates, whose bytes are asked for here and looked at later. */
function keepCandidates(interest: Interest, started: u32): u32 {
  let kept: u32 = 0;
  for (let i: u32 = 0; i < started; i++) {
    const probe = probes + ((<usize>i) << 4);
    if (!load<u32>(probe, 12)) continue;
    const entry = candidate(interest, probe, tableStart(wildcardsOf(interest), load<u32>(probe)));
    if (!changetype<usize>(entry)) continue;
    touched += load<u32>(changetype<usize>(entry)) + load<u32>(changetype<usize>(entry), 60);
    const place = probes + ((<usize>kept) << 4);
    store<u64>(place, load<u64>(probe));
    store<u32>(place, load<u32>(probe, 8), 8);
    store<u32>(place, <u32>changetype<usize>(entry), 12);
    kept++;
  }
  return kept;
}

/** The entry of a kept probe that covers the tokens, or null. */
function finishProbe(interest: Interest, probe: usize): Entry {
  let entry = changetype<Entry>(<usize>load<u32>(probe, 12));
  const shape = shapeAt(interest, load<u32>(probe, 4));
  while (changetype<usize>(entry)) {
    if (entry.shape == load<u32>(probe, 4) && covers(entry, shape)) return entry;
    entry = candidate(interest, probe, tableNext(wildcardsOf(interest), load<u32>(probe, 8)));
  }
  return entry;
}

/** Adds the entries that match the `count` tokens of the list to the found ones. */
export function shapesFind(interest: Interest, count: u32): void {
  const kept = keepCandidates(interest, startProbes(interest, count));
  for (let i: u32 = 0; i < kept; i++) {
    const entry = finishProbe(interest, probes + ((<usize>i) << 4));
    if (changetype<usize>(entry)) addFound(changetype<usize>(entry));
  }
}

/** Whether any entry matches the `count` tokens of the list. */
export function shapesReach(interest: Interest, count: u32): bool {
  const kept = keepCandidates(interest, startProbes(interest, count));
  for (let i: u32 = 0; i < kept; i++) {
    if (changetype<usize>(finishProbe(interest, probes + ((<usize>i) << 4)))) return true;
  }
  return false;
}
