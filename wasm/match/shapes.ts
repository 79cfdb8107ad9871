// Wildcard subjects by shape. The shape of `a.*.c` is "three tokens, the second a star", that of `a.b.>` "two tokens and more".
// People use few shapes, however many wildcard subjects they have, so a published subject is looked up once for each shape that
// fits its length: the hash of the tokens that the shape keeps, one probe of a table. The probes do not depend on each other,
// so the processor waits for memory once and not once a level, as it would walking down a trie.
//
//   Shape   u32 stars (bit i: token i is `*`) | u32 tokens in front of `>` or in all | u32 1 with `>` | u32 entries | u64 seed
//   key     seed of the shape ^ the mixed hashes of the tokens that it keeps: all in front of its end, but for the stars
//   fits    u64 a length: bit s is set when shape s fits subjects of so many tokens; the last is for all longer ones
//
// With more than MOST_SHAPES shapes, or more tokens than the bits of a mask, all wildcard subjects move to the trie
// (wildcards.ts).

import { allocZero, free } from '../lib/arena';
import { equal } from '../lib/bytes';
import { slotPointer, slotTag, tableAdd, tableNext, tableRemove, tableStart } from '../lib/table';
import { addFound } from './found';
import { ENTRY_SIZE, Entry, Interest, entrySubject, touchAwaited, wildcardsOf } from './interest';
import { isFull, isStar, split, tokenAt } from './subject';


@unmanaged
class Shape {
  stars: u32;
  tokens: u32;
  full: u32;
  entries: u32;
  seed: u64;
}

const SHAPE_SIZE: usize = 24;
/** Beyond this many shapes the trie is faster, whatever the subjects. A set of them fits into 64 bits. */
const MOST_SHAPES: u32 = 48;
const MOST_TOKENS: u32 = 32;
const FITS_SIZE: usize = (<usize>MOST_TOKENS + 2) << 3;
const DOT: u32 = 0x2e;
const K: u64 = 0x9e3779b97f4a7c15;

/** One probe: u32 tag | u32 shape | u64 its first slot as it was read; when kept: u32 slot | u32 candidate. */
const probes: usize = memory.data(768, 16);
/** The mixed hashes of the tokens of the list, and those of the first 0, 1, 2… of them put together. */
const mixed: usize = memory.data(256, 8);
const prefixes: usize = memory.data(264, 8);
/** Keeps loads alive whose only purpose is to bring memory near. */
let touched: u32 = 0;

// @ts-ignore: decorator
@inline
function mix(value: u64): u64 {
  const product = value * K;
  return product ^ (product >> 29);
}

/** Mixes the hashes of the first `count` tokens of the list that `split` made. */
function mixTokens(count: u32): void {
  let key: u64 = 0;
  store<u64>(prefixes, key);
  for (let i: u32 = 0; i < count; i++) {
    const token = mix((<u64>load<u32>(tokenAt(i), 8)) | ((<u64>i) << 32));
    key ^= token;
    store<u64>(mixed + ((<usize>i) << 3), token);
    store<u64>(prefixes + ((<usize>i) << 3), key, 8);
  }
}

/** The tag under which a shape keeps entries with the tokens that `mixTokens` mixed. */
// @ts-ignore: decorator
@inline
function tagOf(shape: Shape): u32 {
  let key = shape.seed ^ load<u64>(prefixes + ((<usize>shape.tokens) << 3));
  for (let stars = shape.stars; stars; stars &= stars - 1) key ^= load<u64>(mixed + ((<usize>ctz(stars)) << 3));
  return <u32>((key * K) >> 32);
}

// @ts-ignore: decorator
@inline
function shapeAt(interest: Interest, i: u32): Shape {
  return changetype<Shape>(interest.shapes + FITS_SIZE + <usize>i * SHAPE_SIZE);
}

/** Notes which lengths of subjects a shape fits, or that it fits none any more. */
function setFits(interest: Interest, i: u32, shape: Shape, used: bool): void {
  const bit = (<u64>1) << (<u64>i);
  for (let length: u32 = 0; length <= MOST_TOKENS + 1; length++) {
    const at = interest.shapes + ((<usize>length) << 3);
    const fits = used && (shape.full ? length > shape.tokens : length == shape.tokens);
    store<u64>(at, fits ? load<u64>(at) | bit : load<u64>(at) & ~bit);
  }
}

/** The number of the shape, made where it is new; -1 when there are too many. */
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
    if (unused == 0) interest.shapes = allocZero(FITS_SIZE + <usize>MOST_SHAPES * SHAPE_SIZE);
    interest.shapeCount++;
  }
  const shape = shapeAt(interest, <u32>unused);
  shape.stars = stars;
  shape.tokens = tokens;
  shape.full = full;
  shape.entries = 0;
  shape.seed = mix(((<u64>stars) << 32) | ((<u64>tokens) << 1) | (<u64>full));
  setFits(interest, <u32>unused, shape, true);
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
  mixTokens(count);
  entry.shape = <u32>index;
  entry.wildTag = tagOf(shape);
  tableAdd(wildcardsOf(interest), entry.wildTag, changetype<usize>(entry));
  return true;
}

/** Removes an entry that `shapeInsert` took. */
export function shapeRemove(interest: Interest, entry: Entry): void {
  tableRemove(wildcardsOf(interest), entry.wildTag, changetype<usize>(entry));
  const shape = shapeAt(interest, entry.shape);
  if (--shape.entries == 0) setFits(interest, entry.shape, shape, false);
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
    if (at < entrySubject(entry) + entry.length && load<u8>(at) != DOT) return false;
    at++;
  }
  return true;
}

/** Reads the first slot of every shape that fits `count` tokens: all are on their way at once; returns how many. */
function startProbes(interest: Interest, count: u32): u32 {
  const table = wildcardsOf(interest);
  let fits = load<u64>(interest.shapes + ((<usize>min(count, MOST_TOKENS + 1)) << 3));
  let probe = probes;
  mixTokens(min(count, MOST_TOKENS));
  for (; fits; fits &= fits - 1) {
    const i = <u32>ctz(fits);
    const tag = tagOf(shapeAt(interest, i));
    store<u32>(probe, tag);
    store<u32>(probe, i, 4);
    store<u64>(probe, load<u64>(table.slots + ((<usize>(tag & table.mask)) << 3)), 8);
    probe += 16;
  }
  return <u32>((probe - probes) >> 4);
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
    touched += load<u32>(changetype<usize>(entry), ENTRY_SIZE - 4) + load<u32>(changetype<usize>(entry), ENTRY_SIZE + 16);
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
  touchAwaited(interest);
  for (let i: u32 = 0; i < kept; i++) {
    const entry = finishProbe(interest, probes + ((<usize>i) << 4));
    if (!changetype<usize>(entry)) continue;
    // Asks for the first subscription; the embeddable matcher keeps a small number here, which is an address as good as any.
    touched += load<u32>(entry.firstSub);
    addFound(changetype<usize>(entry));
  }
}

/** Whether a shape that fits subjects of `count` tokens keeps their token `i`. */
export function keepsToken(interest: Interest, count: u32, i: u32): bool {
  let fits = load<u64>(interest.shapes + ((<usize>min(count, MOST_TOKENS + 1)) << 3));
  for (; fits; fits &= fits - 1) {
    const shape = shapeAt(interest, <u32>ctz(fits));
    if (i < shape.tokens && !((shape.stars >> i) & 1)) return true;
  }
  return false;
}

/** Whether any entry matches the `count` tokens of the list. */
export function shapesReach(interest: Interest, count: u32): bool {
  const kept = keepCandidates(interest, startProbes(interest, count));
  for (let i: u32 = 0; i < kept; i++) {
    if (changetype<usize>(finishProbe(interest, probes + ((<usize>i) << 4)))) return true;
  }
  return false;
}
