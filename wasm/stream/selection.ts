// Selections: the messages of a stream on subjects that match a consumer's filters. What a filter says about a subject is found
// out when a message of it is come across, and remembered at the subject, so that a batch costs what it passes over and not what
// the stream has.
//
// A selection also keeps its last count, "so many messages from A to B", which the next count goes on from. Messages that go
// between A and B are taken off: at once in the selections that counted lately (`counted`, a ring of a stream), by counting anew
// in the others.
//
//   Selection  head | filters: u32 length, bytes; one after the other

import { alloc, allocZero, free } from '../lib/arena';
import { copy } from '../lib/bytes';
import { nextOfSubject } from '../index/chain';
import { closeChosen, isChosen, openChosen } from '../index/chosen';
import { collectedList, dropCollected } from '../index/collected';
import { collectFilters, isLiteral, subjectFits } from '../index/filter';
import { Leaf, findSubject, leafSubject } from '../index/subjects';
import { Segment, listLeavesIn, listedLeaves } from '../index/segment';
import {
  Sequences,
  countFrom,
  findEntry,
  foundAt,
  foundSegment,
  foundSequence,
  numberBelow,
  numberFrom,
  segmentAt,
  segmentFrom,
} from '../index/sequences';
import { freshMark } from './mark';
import { Stream, sequencesOf } from './stream';

/** One selection's head. */
@unmanaged
export class Selection {
  from: u64;
  upTo: u64;
  count: u64;
  stream: usize;
  /** What subjects remember it by; 0: they do not. */
  memo: u32;
  filterCount: u32;
  /** The stream's removals when it was counted last. */
  removals: u32;
  isCounted: bool;
  isListed: bool;
}

const HEAD: usize = 48;
/** Selections of a stream that take removals off their counts. */
const LISTED: u32 = 32;
/** A step along the chain of a subject costs as much as looking at so many entries. */
const CHAIN_STEP: u64 = 16;
const MOST_MEMOS: u32 = 0x7fffffff;

let memos: u32 = 0;

// @ts-ignore: decorator
@inline
function firstFilter(selection: Selection): usize {
  return changetype<usize>(selection) + HEAD;
}

/** A selection by `count` filters that take `bytes` at `filters`. */
export function newSelection(stream: Stream, filters: usize, count: u32, bytes: u32): Selection {
  const selection = changetype<Selection>(alloc(HEAD + bytes));
  memory.fill(changetype<usize>(selection), 0, HEAD);
  selection.stream = changetype<usize>(stream);
  selection.filterCount = count;
  selection.memo = memos < MOST_MEMOS ? ++memos : 0;
  copy(firstFilter(selection), filters, bytes);
  return selection;
}

/** Frees a selection; before its stream. */
export function freeSelection(selection: Selection): void {
  unlist(selection);
  free(changetype<usize>(selection));
}

/** Whether the messages of a subject belong to it. */
export function selects(selection: Selection, leaf: Leaf): bool {
  const memo = selection.memo;
  const known = leaf.memo;
  if (memo && known >> 1 == memo) return (known & 1) != 0;
  let fits = false;
  let at = firstFilter(selection);
  for (let i: u32 = 0; i < selection.filterCount && !fits; i++) {
    const length = load<u32>(at);
    fits = subjectFits(at + 4, length, leafSubject(leaf), leaf.length);
    at += 4 + length;
  }
  if (memo) leaf.memo = (memo << 1) | (<u32>fits);
  return fits;
}

/** The leaf of the only subject there can be, where the only filter has no wildcards; `wanted` says whether there is one. */
export function onlyLeaf(selection: Selection): Leaf {
  const at = firstFilter(selection);
  return findSubject(changetype<Stream>(selection.stream).subjects, at + 4, load<u32>(at));
}

/** Whether it is of one subject. */
export function isOfOne(selection: Selection): bool {
  const at = firstFilter(selection);
  return selection.filterCount == 1 && isLiteral(at + 4, load<u32>(at));
}

// Counting

/** How many messages at or behind `from` belong to it. */
export function countSelected(selection: Selection, from: u64): u64 {
  const stream = changetype<Stream>(selection.stream);
  const index = sequencesOf(stream);
  const isValid = selection.isCounted && (selection.isListed || selection.removals == stream.removals);
  if (isValid && from >= selection.from && from <= selection.upTo + 1) {
    selection.count -= countBetween(index, selection, selection.from, from);
    if (stream.last > selection.upTo) selection.count += countBetween(index, selection, selection.upTo + 1, stream.last + 1);
  } else selection.count = countAnew(stream, selection, from);
  selection.from = from;
  selection.upTo = stream.last;
  selection.removals = stream.removals;
  selection.isCounted = true;
  if (!selection.isListed) enlist(stream, selection);
  return selection.count;
}

/** Messages from `from` on, below `end`. */
function countBetween(index: Sequences, selection: Selection, from: u64, end: u64): u64 {
  let total: u64 = 0;
  for (let i = segmentFrom(index, from); i < index.count; i++) {
    const segment = segmentAt(index, i);
    if (segment.first >= end) break;
    if (!segment.live) continue;
    const behind = numberBelow(segment, end);
    for (let at = numberFrom(segment, from); at < behind;) {
      const listed = listLeavesIn(segment, at, behind);
      for (let n: u32 = 0; n < listed; n++) {
        const leaf = load<u32>(listedLeaves() + ((<usize>n) << 2));
        if (leaf && selects(selection, changetype<Leaf>(<usize>leaf))) total++;
      }
      at += listed;
    }
  }
  return total;
}

function countAnew(stream: Stream, selection: Selection, from: u64): u64 {
  if (from > stream.last) return 0;
  const found = collectFilters(stream.subjects, firstFilter(selection), selection.filterCount);
  // One filter that takes every subject.
  if (selection.filterCount == 1 && found == stream.numSubjects) {
    dropCollected();
    return countFrom(sequencesOf(stream), from);
  }
  const mark = selection.filterCount > 1 ? freshMark() : 0;
  const list = collectedList();
  let total: u64 = 0;
  let different: u32 = 0;
  let begun: u32 = 0;
  let steps: u64 = 0;
  for (let i: u32 = 0; i < found; i++) {
    const leaf = changetype<Leaf>(<usize>load<u32>(list + ((<usize>i) << 2)));
    // Leaves of one filter come once.
    if (mark) {
      if (leaf.mark == mark) continue;
      leaf.mark = mark;
    }
    different++;
    if (leaf.first >= from) total += leaf.count;
    else if (leaf.last >= from) {
      store<u32>(list + ((<usize>begun) << 2), <u32>changetype<usize>(leaf));
      begun++;
      steps += leaf.count;
    }
  }
  if (begun) {
    if (different == stream.numSubjects) total = countFrom(sequencesOf(stream), from);
    else total += countBegun(stream, list, begun, steps, from);
  }
  dropCollected();
  return total;
}

/**
 * Messages at or behind `from` of `begun` subjects whose leaves are at `list`. Each has messages before it too; `all` is how many
 * they have together.
 */
function countBegun(stream: Stream, list: usize, begun: u32, all: u64, from: u64): u64 {
  const before = from - stream.first;
  const behind = stream.last - from + 1;
  if (all * CHAIN_STEP >= min(before, behind) && openChosen(list, begun)) {
    const index = sequencesOf(stream);
    const total = before < behind ? all - countChosen(index, stream.first, from) : countChosen(index, from, stream.last + 1);
    closeChosen();
    return total;
  }
  let total: u64 = 0;
  for (let i: u32 = 0; i < begun; i++)
    total += countChain(stream, changetype<Leaf>(<usize>load<u32>(list + ((<usize>i) << 2))), from);
  return total;
}

/** Messages from `from` on, below `end`, whose subjects are in the set of chosen ones. */
function countChosen(index: Sequences, from: u64, end: u64): u64 {
  let total: u64 = 0;
  for (let i = segmentFrom(index, from); i < index.count; i++) {
    const segment = segmentAt(index, i);
    if (segment.first >= end) break;
    if (!segment.live) continue;
    const behind = numberBelow(segment, end);
    for (let at = numberFrom(segment, from); at < behind;) {
      const listed = listLeavesIn(segment, at, behind);
      const last = listedLeaves() + ((<usize>listed) << 2);
      for (let leaf = listedLeaves(); leaf < last; leaf += 4) if (isChosen(load<u32>(leaf))) total++;
      at += listed;
    }
  }
  return total;
}

/** Messages of one subject at or behind `from`, its first one being before. */
function countChain(stream: Stream, leaf: Leaf, from: u64): u64 {
  const index = sequencesOf(stream);
  let left: u64 = leaf.count;
  let sequence = leaf.first;
  let isThere = findEntry(index, sequence);
  while (isThere && sequence < from && left) {
    left--;
    isThere = nextOfSubject(index, changetype<Segment>(foundSegment), foundAt);
    if (isThere) sequence = foundSequence();
  }
  return left;
}

// Removals

function enlist(stream: Stream, selection: Selection): void {
  if (!stream.counted) stream.counted = allocZero((<usize>LISTED) << 2);
  const slot = stream.counted + ((<usize>(stream.countedAt % LISTED)) << 2);
  stream.countedAt++;
  const before = changetype<Selection>(<usize>load<u32>(slot));
  if (changetype<usize>(before)) {
    before.isListed = false;
    before.removals = stream.removals;
  }
  store<u32>(slot, <u32>changetype<usize>(selection));
  selection.isListed = true;
}

function unlist(selection: Selection): void {
  if (!selection.isListed) return;
  const list = changetype<Stream>(selection.stream).counted;
  for (let i: u32 = 0; i < LISTED; i++) {
    const slot = list + ((<usize>i) << 2);
    if (<usize>load<u32>(slot) == changetype<usize>(selection)) store<u32>(slot, 0);
  }
  selection.isListed = false;
}

/** A message goes; its leaf is still there. */
export function noteRemoval(stream: Stream, sequence: u64, leaf: Leaf): void {
  stream.removals++;
  if (!stream.counted) return;
  for (let i: u32 = 0; i < LISTED; i++) {
    const selection = changetype<Selection>(<usize>load<u32>(stream.counted + ((<usize>i) << 2)));
    if (!changetype<usize>(selection) || selection.from > sequence || sequence > selection.upTo) continue;
    if (selects(selection, leaf)) selection.count--;
  }
}

/** Everything is different: nothing counted holds any more. */
export function forgetCounts(stream: Stream): void {
  stream.removals++;
  if (!stream.counted) return;
  for (let i: u32 = 0; i < LISTED; i++) {
    const selection = changetype<Selection>(<usize>load<u32>(stream.counted + ((<usize>i) << 2)));
    if (!changetype<usize>(selection)) continue;
    selection.isListed = false;
    selection.isCounted = false;
  }
  free(stream.counted);
  stream.counted = 0;
}
