// The embeddable matcher: the kernel's subject index without a server around it. A subscription here is a number that the caller
// gives and gets back; everything else (entries, trie, result cache, arena) is the server's own code.
//
//   Item    u32 next | u32 prev | u32 entry | u32 id       one of several subscriptions on a subject, listed on its entry
//   items   by id: u32 address of the Item, or of the entry + 1 where it is the only one (0: no such subscription)
//
// Most subjects have one subscription: then the entry's `firstSub` is twice its id + 1, and there is no Item.
//
// Subjects are read where the caller put them: in the scratch region (`subjectAt`), or in blocks taken with `reserve`. Results
// are u32 ids at `resultsAt`, valid until the next call.

import { alloc, allocZero, arenaLive, free } from '../lib/arena';
import { copy, setSeed } from '../lib/bytes';
import { SCRATCH, SCRATCH_SIZE } from '../lib/layout';
import { limitMemory, pagesUsed, startAtPage } from '../lib/pages';
import { matchWildcards, matchedList } from '../match/cache';
import { Entry, Interest, dropEntry, findEntry, holdEntry, newInterest, subjectTag, touchEntry } from '../match/interest';
import { SUBJECT_INVALID, inspect } from '../match/subject';

export {
  setSeed as seed,
  limitMemory as limitPages,
  startAtPage,
  arenaLive as liveBytes,
  pagesUsed,
  alloc as reserve,
  free as release,
};

/** One subscription. */
@unmanaged
class Item {
  next: usize;
  prev: usize;
  entry: usize;
  id: u32;
}

const ITEM_SIZE: usize = 16;

let interest: usize = 0;
let items: usize = 0;
let itemCapacity: u32 = 0;
let results: usize = 0;
let resultCapacity: u32 = 0;
let resultCount: u32 = 0;

// @ts-ignore: decorator
@inline
function subjects(): Interest {
  if (!interest) interest = changetype<usize>(newInterest());
  return changetype<Interest>(interest);
}

/** A region for one subject at a time. */
export function subjectAt(): usize {
  return SCRATCH;
}

/** The longest subject there is room for in that region. */
export function subjectMost(): u32 {
  return <u32>SCRATCH_SIZE;
}

/** Where the ids of the last match are. */
export function resultsAt(): usize {
  return results;
}

function itemOf(id: u32): usize {
  return id < itemCapacity ? <usize>load<u32>(items + ((<usize>id) << 2)) : 0;
}

function growItems(id: u32): void {
  let capacity: u32 = itemCapacity ? itemCapacity << 1 : 1024;
  while (capacity <= id) capacity <<= 1;
  const grown = allocZero((<usize>capacity) << 2);
  copy(grown, items, (<usize>itemCapacity) << 2);
  free(items);
  items = grown;
  itemCapacity = capacity;
}

function setItem(id: u32, value: usize): void {
  store<u32>(items + ((<usize>id) << 2), <u32>value);
}

function append(entry: Entry, id: u32): void {
  const item = changetype<Item>(alloc(ITEM_SIZE));
  item.next = 0;
  item.prev = entry.lastSub;
  item.entry = changetype<usize>(entry);
  item.id = id;
  if (entry.lastSub) changetype<Item>(entry.lastSub).next = changetype<usize>(item);
  else entry.firstSub = changetype<usize>(item);
  entry.lastSub = changetype<usize>(item);
  setItem(id, changetype<usize>(item));
}

/** Adds subscription `id` (below 2^31) on the subject of `length` bytes at `at`. False: not a subject one can subscribe to. */
export function add(id: u32, at: usize, length: u32): bool {
  if (inspect(at, length) == SUBJECT_INVALID) return false;
  if (id >= itemCapacity) growItems(id);
  const entry = holdEntry(subjects(), at, length);
  const first = <u32>entry.firstSub;
  if (!first) {
    entry.firstSub = ((<usize>id) << 1) | 1;
    setItem(id, changetype<usize>(entry) | 1);
    return true;
  }
  if (first & 1) append(entry, first >> 1);
  append(entry, id);
  return true;
}

/** Removes subscription `id`; false when there is none. */
export function remove(id: u32): bool {
  const address = itemOf(id);
  if (!address) return false;
  setItem(id, 0);
  if (address & 1) {
    const entry = changetype<Entry>(address & ~1);
    entry.firstSub = 0;
    dropEntry(subjects(), entry);
    return true;
  }
  const item = changetype<Item>(address);
  const entry = changetype<Entry>(item.entry);
  if (item.prev) changetype<Item>(item.prev).next = item.next;
  else entry.firstSub = item.next;
  if (item.next) changetype<Item>(item.next).prev = item.prev;
  else entry.lastSub = item.prev;
  dropEntry(subjects(), entry);
  free(address);
  return true;
}

function growResults(): void {
  const capacity: u32 = resultCapacity ? resultCapacity << 1 : 256;
  const grown = alloc((<usize>capacity) << 2);
  copy(grown, results, (<usize>resultCount) << 2);
  free(results);
  results = grown;
  resultCapacity = capacity;
}

// @ts-ignore: decorator
@inline
function addResult(id: u32): void {
  if (resultCount == resultCapacity) growResults();
  store<u32>(results + ((<usize>resultCount) << 2), id);
  resultCount++;
}

function collect(entry: Entry): void {
  let address = entry.firstSub;
  if (address & 1) {
    addResult((<u32>address) >> 1);
    return;
  }
  while (address) {
    const item = changetype<Item>(address);
    addResult(item.id);
    address = item.next;
  }
}

/** Collects the ids of the subscriptions that match the literal subject at `at`; returns how many. */
export function match(at: usize, length: u32): u32 {
  const all = subjects();
  const tag = subjectTag(at, length);
  resultCount = 0;
  all.matches++;
  let found: u32 = 0;
  if (all.wildcards) {
    touchEntry(all, tag);
    found = matchWildcards(all, tag, at, length);
  }
  const entry = findEntry(all, tag, at, length);
  if (changetype<usize>(entry) && !entry.wildcard) collect(entry);
  for (let i: u32 = 0; i < found; i++) collect(changetype<Entry>(<usize>load<u32>(matchedList() + ((<usize>i) << 2))));
  return resultCount;
}

/** Whether any subscription matches the literal subject at `at`. */
export function matchesAny(at: usize, length: u32): bool {
  const all = subjects();
  const tag = subjectTag(at, length);
  const entry = findEntry(all, tag, at, length);
  if (changetype<usize>(entry) && !entry.wildcard) return true;
  return all.wildcards != 0 && matchWildcards(all, tag, at, length) != 0;
}
