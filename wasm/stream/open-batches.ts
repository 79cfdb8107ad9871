// Lists of open batches, found by their ids: what fast ones (fast.ts) and atomic ones (members.ts) have in common. A batch of
// either kind begins with these fields and has its id at `ID`.

import { alloc, free } from '../lib/arena';
import { copy, equal, hashToken } from '../lib/bytes';

/** What a batch begins with. */
@unmanaged
export class OpenBatch {
  next: usize;
  tag: u32;
  idLength: u32;
}

/** Where the id is. */
export const ID: usize = 64;

/** The batch of an id in a list; 0: it is not open. */
export function findBatch(list: usize, id: usize, length: u32): usize {
  if (!list) return 0;
  const tag = hashToken(id, length);
  for (let at = list; at; at = changetype<OpenBatch>(at).next) {
    const batch = changetype<OpenBatch>(at);
    if (batch.tag == tag && batch.idLength == length && equal(at + ID, id, length)) return at;
  }
  return 0;
}

/** A batch in front of a list, all its own fields 0. */
export function addBatch(list: usize, id: usize, length: u32): usize {
  const at = alloc(ID + length + 16);
  memory.fill(at, 0, ID);
  const batch = changetype<OpenBatch>(at);
  batch.next = list;
  batch.tag = hashToken(id, length);
  batch.idLength = length;
  copy(at + ID, id, length);
  return at;
}

/** Frees a batch of a list; returns where the list begins then. */
export function dropBatch(list: usize, batch: usize): usize {
  const next = changetype<OpenBatch>(batch).next;
  let first = list;
  if (list == batch) first = next;
  else {
    let before = changetype<OpenBatch>(list);
    while (before.next != batch) before = changetype<OpenBatch>(before.next);
    before.next = next;
  }
  free(batch);
  return first;
}
