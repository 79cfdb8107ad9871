// Interest: the set of subjects somebody subscribes to. One per account (with subscriptions on its entries) and two per
// permission set (allow and deny, without subscriptions). Each distinct subject is one Entry, found through a hash table of
// whole subjects; entries with wildcards are found through wildcards.ts as well. A publish looks its literal subject up once
// and searches the wildcards only when there are any; what that finds is cached (cache.ts) until the set of wildcard entries
// changes.
//
//   Interest  entries: Table of Entry    wildcards: Table of Entry, by shape    nodes: Table of trie Node    cache
//   Entry     48 bytes, then the subject's bytes

import { alloc, allocZero, free } from '../lib/arena';
import { copy, equal, hash64 } from '../lib/bytes';
import {
  Table,
  slotPointer,
  slotTag,
  tableAdd,
  tableAt,
  tableClose,
  tableNext,
  tableOpen,
  tableRemove,
  tableStart,
} from '../lib/table';
import { cacheClose } from './cache';
import { SUBJECT_WILDCARD, inspect } from './subject';
import { insertWildcard, removeWildcard } from './wildcards';

/** The head of an interest. */
@unmanaged
export class Interest {
  entrySlots: usize;
  entryMask: u32;
  entryCount: u32;
  entrySpare: u32;
  nodeSlots: usize;
  nodeMask: u32;
  nodeCount: u32;
  nodeSpare: u32;
  wildcardSlots: usize;
  wildcardMask: u32;
  wildcardCount: u32;
  wildcardSpare: u32;
  /** Shapes of the wildcard entries, see shapes.ts. */
  shapes: usize;
  shapeCount: u32;
  /** The trie, 0 while the shapes suffice. */
  root: usize;
  /** Entries with wildcards. */
  wildcards: u32;
  /** Rises whenever a wildcard entry is added or removed. */
  generation: u32;
  cacheSlots: usize;
  cached: u32;
  inserts: f64;
  removes: f64;
  matches: f64;
  cacheHits: f64;
}

/** Bytes of an Interest. */
export const INTEREST_SIZE: usize = 112;

/** One distinct subject. What a match reads comes last, next to the subject's bytes, so that it is mostly one cache line. */
@unmanaged
export class Entry {
  tag: u32;
  /** Who holds the entry: subscriptions, or 1 in a permission set. */
  references: u32;
  /** Trie node of a wildcard entry. */
  node: usize;
  /** Tag of a wildcard entry in the table of wildcard entries. */
  wildTag: u32;
  lastSub: usize;
  plainCount: u32;
  groupCount: u32;
  /** Shape of a wildcard entry. */
  shape: u32;
  /** 1 when the subject has wildcards. */
  wildcard: u32;
  length: u32;
  /** Plain subscriptions, a doubly linked list in order of arrival. */
  firstSub: usize;
  /** First of the queue groups on this subject. */
  groups: usize;
}

/** Bytes of an Entry before its subject. */
export const ENTRY_SIZE: usize = 48;

/** Address of an entry's subject bytes. */
// @ts-ignore: decorator
@inline
export function entrySubject(entry: Entry): usize {
  return changetype<usize>(entry) + ENTRY_SIZE;
}

/** The table of entries inside an interest. */
// @ts-ignore: decorator
@inline
export function entriesOf(interest: Interest): Table {
  return tableAt(changetype<usize>(interest));
}

/** The table of trie nodes inside an interest; open only with the trie. */
// @ts-ignore: decorator
@inline
export function nodesOf(interest: Interest): Table {
  return tableAt(changetype<usize>(interest) + 16);
}

/** The table of wildcard entries by shape and kept tokens inside an interest; open only with entries and without the trie. */
// @ts-ignore: decorator
@inline
export function wildcardsOf(interest: Interest): Table {
  return tableAt(changetype<usize>(interest) + offsetof<Interest>('wildcardSlots'));
}

/** Prepares an interest in zeroed memory. */
export function interestOpen(interest: Interest): void {
  tableOpen(entriesOf(interest));
}

/** Frees everything in an interest whose entries have no subscriptions any more. */
export function interestClose(interest: Interest): void {
  const entries = entriesOf(interest);
  for (let i: i32 = <i32>entries.mask; i >= 0; i--) {
    const entry = changetype<Entry>(slotPointer(entries, <u32>i));
    if (!changetype<usize>(entry)) continue;
    if (entry.wildcard) removeWildcard(interest, entry);
    free(changetype<usize>(entry));
  }
  cacheClose(interest);
  tableClose(entries);
}

/** The 32-bit tag of a subject, never 0. */
// @ts-ignore: decorator
@inline
export function subjectTag(at: usize, length: u32): u32 {
  return <u32>hash64(at, length);
}

let touched: u32 = 0;
let awaited: u32 = 0;

/** Asks memory for the slot that `findEntry` will look at, so that other work can be done until it is there. */
// @ts-ignore: decorator
@inline
export function touchEntry(interest: Interest, tag: u32): void {
  const table = entriesOf(interest);
  touched += slotTag(table, tableStart(table, tag));
  awaited = tag;
}

/** Goes on with the last `touchEntry`: asks for the entry in that slot, whichever it is. */
// @ts-ignore: decorator
@inline
export function touchAwaited(interest: Interest): void {
  const table = entriesOf(interest);
  const entry = slotPointer(table, tableStart(table, awaited));
  touched += load<u32>(entry, ENTRY_SIZE - 4) + load<u32>(entry, ENTRY_SIZE + 16);
}

/** The entry of exactly this subject, or null. */
// @ts-ignore: decorator
@inline
export function findEntry(interest: Interest, tag: u32, at: usize, length: u32): Entry {
  const table = entriesOf(interest);
  let slot = tableStart(table, tag);
  while (true) {
    const pointer = slotPointer(table, slot);
    if (!pointer) return changetype<Entry>(0);
    if (slotTag(table, slot) == tag) {
      const entry = changetype<Entry>(pointer);
      if (entry.length == length && equal(entrySubject(entry), at, length)) return entry;
    }
    slot = tableNext(table, slot);
  }
}

/** Takes a reference on the entry of a valid subject, making it where it is new. */
export function holdEntry(interest: Interest, at: usize, length: u32): Entry {
  const tag = subjectTag(at, length);
  let entry = findEntry(interest, tag, at, length);
  interest.inserts++;
  if (changetype<usize>(entry)) {
    entry.references++;
    return entry;
  }
  const block = alloc(ENTRY_SIZE + length);
  memory.fill(block, 0, ENTRY_SIZE);
  copy(block + ENTRY_SIZE, at, length);
  entry = changetype<Entry>(block);
  entry.tag = tag;
  entry.length = length;
  entry.references = 1;
  tableAdd(entriesOf(interest), tag, block);
  if (inspect(at, length) == SUBJECT_WILDCARD) {
    entry.wildcard = 1;
    insertWildcard(interest, entry);
  }
  return entry;
}

/** Drops a reference; the last one removes the entry. */
export function dropEntry(interest: Interest, entry: Entry): void {
  interest.removes++;
  if (--entry.references) return;
  tableRemove(entriesOf(interest), entry.tag, changetype<usize>(entry));
  if (entry.wildcard) removeWildcard(interest, entry);
  free(changetype<usize>(entry));
}

/** A new interest on its own block (permission sets, tests). */
export function newInterest(): Interest {
  const interest = changetype<Interest>(allocZero(INTEREST_SIZE));
  interestOpen(interest);
  return interest;
}
