// The result cache of an interest: subject -> the wildcard entries that match it. Since it holds entries and not subscriptions,
// only a new or vanished wildcard subject makes it stale (a generation number), not the coming and going of subscribers or
// inboxes. Direct mapped; a subject is admitted when its slot saw it the time before, so that a flood of distinct subjects costs
// no copies.
//
//   slot    u32 tag of the subject seen last | u32 address of its Result, 0 when only seen
//   Result  u32 generation | u32 subject length | u32 entries | u32 spare | entry addresses | subject

import { alloc, allocZero, free } from '../lib/arena';
import { copy, equal } from '../lib/bytes';
import { foundList } from './found';
import { Interest } from './interest';
import { forgetSiblings, knownSiblings, rememberSiblings, siblingsList } from './siblings';
import { findWildcards, isLastTokenFree } from './wildcards';

const SLOTS: u32 = 4096;
const RESULT_SIZE: usize = 16;

/** Frees all results. */
export function cacheClose(interest: Interest): void {
  forgetSiblings(interest);
  if (!interest.cacheSlots) return;
  for (let i: u32 = 0; i < SLOTS; i++) free(load<u32>(interest.cacheSlots + ((<usize>i) << 3), 4));
  free(interest.cacheSlots);
  interest.cacheSlots = 0;
  interest.cached = 0;
}

let listAt: usize = 0;

/** False: every match searches. */
let remembers = true;

/** Called before anything is matched. */
export function rememberMatches(on: bool): void {
  remembers = on;
}

/** Address of the entry addresses that the last `matchWildcards` returned the number of; valid until the next call. */
// @ts-ignore: decorator
@inline
export function matchedList(): usize {
  return listAt;
}

/** The wildcard entries that match a literal subject: how many; their addresses are at `matchedList`. */
export function matchWildcards(interest: Interest, tag: u32, at: usize, length: u32): u32 {
  if (!remembers) {
    const all = findWildcards(interest, at, length);
    listAt = foundList();
    return all;
  }
  const known = knownSiblings(interest, at, length);
  if (known >= 0) {
    listAt = siblingsList();
    return <u32>known;
  }
  if (!interest.cacheSlots) interest.cacheSlots = allocZero((<usize>SLOTS) << 3);
  const slot = interest.cacheSlots + ((<usize>(tag & (SLOTS - 1))) << 3);
  const result = <usize>load<u32>(slot, 4);
  const seen = load<u32>(slot) == tag;
  if (seen && result && load<u32>(result) == interest.generation && load<u32>(result, 4) == length) {
    const count = load<u32>(result, 8);
    if (equal(result + RESULT_SIZE + ((<usize>count) << 2), at, length)) {
      interest.cacheHits++;
      listAt = result + RESULT_SIZE;
      return count;
    }
  }
  const count = findWildcards(interest, at, length);
  listAt = foundList();
  if (isLastTokenFree(interest)) rememberSiblings(interest, at, length, count);
  if (seen) admit(interest, slot, result, at, length, count);
  else store<u32>(slot, tag);
  return count;
}

function admit(interest: Interest, slot: usize, old: usize, at: usize, length: u32, count: u32): void {
  if (old) free(old);
  else interest.cached++;
  const result = alloc(RESULT_SIZE + ((<usize>count) << 2) + length);
  store<u32>(result, interest.generation);
  store<u32>(result, length, 4);
  store<u32>(result, count, 8);
  copy(result + RESULT_SIZE, foundList(), (<usize>count) << 2);
  copy(result + RESULT_SIZE + ((<usize>count) << 2), at, length);
  store<u32>(slot, <u32>result, 4);
}
