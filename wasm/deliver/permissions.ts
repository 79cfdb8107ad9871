// Permission sets: which subjects a user may publish to, or be sent. A set has two interests, allow and deny, and is shared by
// all connections of a user. Empty allow means everything; deny wins. Whether somebody may *subscribe* is the host's decision,
// since that compares wildcards with wildcards.
//
//   PermissionSet   u32 allow interest | u32 deny interest | u32 allow count | u32 deny count

import { alloc, free } from '../lib/arena';
import { Interest, findEntry, holdEntry, interestClose, newInterest, subjectTag } from '../match/interest';
import { reachesWildcard } from '../match/wildcards';

const SET_SIZE: usize = 16;

/** A new set that allows everything; returns its address. */
export function newSet(): usize {
  const set = alloc(SET_SIZE);
  store<u32>(set, <u32>changetype<usize>(newInterest()));
  store<u32>(set, <u32>changetype<usize>(newInterest()), 4);
  store<u64>(set, 0, 8);
  return set;
}

/** Adds a valid subject to allow (`deny` 0) or deny (1). */
export function addToSet(set: usize, at: usize, length: u32, deny: u32): void {
  const offset: usize = deny ? 4 : 0;
  holdEntry(changetype<Interest>(<usize>load<u32>(set + offset)), at, length);
  store<u32>(set + offset, load<u32>(set + offset, 8) + 1, 8);
}

/** Makes a set whose allow list is empty allow nothing instead of everything. */
export function allowNothing(set: usize): void {
  store<u32>(set, load<u32>(set, 8) + 1, 8);
}

/** Frees a set that no connection is bound to any more. */
export function freeSet(set: usize): void {
  for (let offset: usize = 0; offset < 8; offset += 4) {
    const interest = changetype<Interest>(<usize>load<u32>(set + offset));
    interestClose(interest);
    free(changetype<usize>(interest));
  }
  free(set);
}

function covers(interest: Interest, tag: u32, at: usize, length: u32): bool {
  const entry = findEntry(interest, tag, at, length);
  if (changetype<usize>(entry)) return true;
  return interest.wildcards != 0 && reachesWildcard(interest, at, length);
}

/** Whether the set lets a literal subject pass. */
export function permits(set: usize, at: usize, length: u32): bool {
  const tag = subjectTag(at, length);
  if (load<u32>(set, 8) && !covers(changetype<Interest>(<usize>load<u32>(set)), tag, at, length)) return false;
  return !load<u32>(set, 12) || !covers(changetype<Interest>(<usize>load<u32>(set, 4)), tag, at, length);
}
