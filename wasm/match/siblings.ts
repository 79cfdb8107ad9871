// Siblings: subjects that differ in their last token only, as the replies of one client do. Which wildcard entries match is the
// same for all of them unless some shape of that length keeps its last token, so that the second of a row need not be searched
// for. The memory is one row deep: it serves acknowledgements and answers that leave in bursts to one inbox.
//
//   row   the subject up to and with its last dot; the entries found for it, of one interest in one generation

import { copy, equal } from '../lib/bytes';
import { foundList } from './found';
import { Interest } from './interest';

const DOT: u8 = 0x2e;
const PREFIX_MOST: u32 = 256;
const ENTRIES_MOST: u32 = 64;

const prefix: usize = memory.data(256, 16);
const entries: usize = memory.data(256, 4);
let prefixLength: u32 = 0;
let count: u32 = 0;
let owner: usize = 0;
let generation: u32 = 0;

/** How many entries match as they did for a sibling, at `siblingsList`; -1: it is not known. */
export function knownSiblings(interest: Interest, at: usize, length: u32): i32 {
  if (owner != changetype<usize>(interest) || length <= prefixLength || generation != interest.generation) return -1;
  if (!equal(prefix, at, prefixLength)) return -1;
  for (let i = prefixLength; i < length; i++) if (load<u8>(at + i) == DOT) return -1;
  return <i32>count;
}

/** Address of the entries of the row. */
// @ts-ignore: decorator
@inline
export function siblingsList(): usize {
  return entries;
}

/** Remembers what was just found (found.ts) for a subject whose last token no shape looks at. */
export function rememberSiblings(interest: Interest, at: usize, length: u32, found: u32): void {
  let end = length;
  while (end && load<u8>(at + end - 1) != DOT) end--;
  if (!end || end > PREFIX_MOST || found > ENTRIES_MOST) return;
  copy(prefix, at, end);
  copy(entries, foundList(), (<usize>found) << 2);
  prefixLength = end;
  count = found;
  owner = changetype<usize>(interest);
  generation = interest.generation;
}

/** An interest is gone. */
export function forgetSiblings(interest: Interest): void {
  if (owner == changetype<usize>(interest)) owner = 0;
}
