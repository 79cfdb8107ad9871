// The wildcard entries of an interest: by shape (shapes.ts) as long as there are few shapes, in a trie (trie.ts) from the entry
// on that does not fit, until the last wildcard entry is gone. An interest without wildcard entries has neither.

import { slotPointer, tableClose, tableOpen } from '../lib/table';
import { clearFound, foundCount } from './found';
import { Entry, Interest, wildcardsOf } from './interest';
import { keepsToken, shapeInsert, shapeRemove, shapesClose, shapesFind, shapesReach } from './shapes';
import { split } from './subject';
import { trieClose, trieFind, trieInsert, trieOpen, trieReaches, trieRemove } from './trie';

function moveToTrie(interest: Interest): void {
  const table = wildcardsOf(interest);
  trieOpen(interest);
  for (let i: u32 = 0; i <= table.mask; i++) {
    const entry = slotPointer(table, i);
    if (entry) trieInsert(interest, changetype<Entry>(entry));
  }
  tableClose(table);
  shapesClose(interest);
}

/** Adds a wildcard entry that is new. */
export function insertWildcard(interest: Interest, entry: Entry): void {
  if (!interest.wildcards) tableOpen(wildcardsOf(interest));
  interest.wildcards++;
  interest.generation++;
  if (!interest.root) {
    if (shapeInsert(interest, entry)) return;
    moveToTrie(interest);
  }
  trieInsert(interest, entry);
}

/** Removes a wildcard entry. */
export function removeWildcard(interest: Interest, entry: Entry): void {
  interest.generation++;
  if (interest.root) trieRemove(interest, entry);
  else shapeRemove(interest, entry);
  if (--interest.wildcards) return;
  if (interest.root) trieClose(interest);
  else {
    tableClose(wildcardsOf(interest));
    shapesClose(interest);
  }
}

/** Tokens of the subject that `findWildcards` searched last. */
let searched: u32 = 0;

/** Whether any other last token would have given the last `findWildcards` the same result. */
export function isLastTokenFree(interest: Interest): bool {
  return searched > 1 && !interest.root && !keepsToken(interest, searched, searched - 1);
}

/** Collects the wildcard entries that match a literal subject (found.ts); returns how many. */
export function findWildcards(interest: Interest, at: usize, length: u32): u32 {
  clearFound();
  const count = split(at, length);
  searched = count;
  if (!count) return 0;
  if (interest.root) trieFind(interest, count);
  else shapesFind(interest, count);
  return foundCount();
}

/** Whether any wildcard entry matches a literal subject; leaves what was found before alone. */
export function reachesWildcard(interest: Interest, at: usize, length: u32): bool {
  const count = split(at, length);
  if (!count) return false;
  return interest.root ? trieReaches(interest, count) : shapesReach(interest, count);
}
