// The list of wildcard entries that a search found: one growing buffer, filled by shapes.ts or trie.ts, read by the cache and
// the router before the next search.

import { alloc, free } from '../lib/arena';
import { copy } from '../lib/bytes';

let list: usize = 0;
let capacity: u32 = 0;
let count: u32 = 0;

/** Starts a new list. */
// @ts-ignore: decorator
@inline
export function clearFound(): void {
  count = 0;
}

/** Adds an entry's address. */
export function addFound(entry: usize): void {
  if (count == capacity) {
    const larger: u32 = capacity ? capacity << 1 : 64;
    const grown = alloc((<usize>larger) << 2);
    copy(grown, list, (<usize>count) << 2);
    free(list);
    list = grown;
    capacity = larger;
  }
  store<u32>(list + ((<usize>count) << 2), <u32>entry);
  count++;
}

/** How many were found. */
// @ts-ignore: decorator
@inline
export function foundCount(): u32 {
  return count;
}

/** Address of the entries' addresses. */
// @ts-ignore: decorator
@inline
export function foundList(): usize {
  return list;
}
