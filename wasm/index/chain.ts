// The chain of a subject's messages: each entry says how far the next one is.

import { Leaf } from './subjects';
import { Segment, entryLeaf, entryNext, isLive } from './segment';
import { Sequences, findEntry, foundAt, foundSegment, nextOfLeaf } from './sequences';

/** Finds the next message of the same subject behind an entry. False: there is none. */
export function nextOfSubject(index: Sequences, segment: Segment, i: u32): bool {
  const leaf = entryLeaf(segment, i);
  let at = segment.first + i;
  let distance = entryNext(segment, i);
  while (distance) {
    at += distance;
    if (!findEntry(index, at)) return nextOfLeaf(index, at, leaf);
    const found = changetype<Segment>(foundSegment);
    if (entryLeaf(found, foundAt) != leaf) return nextOfLeaf(index, at, leaf);
    if (isLive(found, foundAt)) return true;
    distance = entryNext(found, foundAt);
  }
  return at < changetype<Leaf>(leaf).last && nextOfLeaf(index, at + 1, leaf);
}
