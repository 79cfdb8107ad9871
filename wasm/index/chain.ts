// The chain of a subject's messages: each entry says how far the next one is.

import { Leaf } from './subjects';
import { Sequences, entryLeaf, entryNext, findEntry, isLive, nextOfLeaf } from './sequences';

/** The next message of the same subject behind an entry, 0 when there is none. Leaves its segment in `foundSegment`. */
export function nextOfSubject(index: Sequences, entry: usize, sequence: u64): usize {
  const leaf = entryLeaf(entry);
  let at = sequence;
  let from = entry;
  while (entryNext(from)) {
    at += entryNext(from);
    const next = findEntry(index, at);
    if (!next || entryLeaf(next) != leaf) return nextOfLeaf(index, at, leaf);
    if (isLive(next)) return next;
    from = next;
  }
  return at < changetype<Leaf>(leaf).last ? nextOfLeaf(index, at + 1, leaf) : 0;
}
