// Watches: the host wants to know when somebody subscribes to exactly a subject, or nobody does any more, as push consumers do of
// the subject they deliver to. Watches that have something new are linked up, each once, until the host asks: however many
// subscriptions a connection takes with it, nothing is lost and nothing is told twice.
//
//   Watch  36 bytes, then the subject's bytes

import { alloc, free } from '../lib/arena';
import { copy, equal } from '../lib/bytes';
import { slotPointer, slotTag, tableAdd, tableAt, tableNext, tableOpen, tableRemove, tableStart, Table } from '../lib/table';
import { Entry, entrySubject, subjectTag } from '../match/interest';
import { accountAt } from './account';

/** One watched subject; several may be of the same. */
@unmanaged
export class Watch {
  account: usize;
  tag: u32;
  length: u32;
  /** What the host knows it by; 0: it does not any more. */
  target: u32;
  /** The next of those with something new. */
  next: usize;
  isNew: bool;
}

const WATCH_SIZE: usize = 36;

const watchTable: usize = memory.data(16, 8);
let first: usize = 0;
let last: usize = 0;

// @ts-ignore: decorator
@inline
function watches(): Table {
  return tableAt(watchTable);
}

// @ts-ignore: decorator
@inline
function subjectOf(watch: Watch): usize {
  return changetype<usize>(watch) + WATCH_SIZE;
}

/** Watches a subject of an account; `target` is not 0. */
export function openWatch(account: usize, subject: usize, length: u32, target: u32): usize {
  if (!watches().slots) tableOpen(watches());
  const watch = changetype<Watch>(alloc(WATCH_SIZE + length));
  watch.account = account;
  watch.tag = subjectTag(subject, length);
  watch.length = length;
  watch.target = target;
  watch.next = 0;
  watch.isNew = false;
  copy(subjectOf(watch), subject, length);
  tableAdd(watches(), watch.tag, changetype<usize>(watch));
  accountAt(account).watches++;
  return changetype<usize>(watch);
}

/** Ends a watch. One that has something new is freed when its turn comes. */
export function closeWatch(watch: Watch): void {
  tableRemove(watches(), watch.tag, changetype<usize>(watch));
  accountAt(watch.account).watches--;
  watch.target = 0;
  if (!watch.isNew) free(changetype<usize>(watch));
}

/** Subscriptions of an entry came or go, in an account with watches. */
export function noteInterest(account: usize, entry: Entry): void {
  const table = watches();
  let slot = tableStart(table, entry.tag);
  for (let at = slotPointer(table, slot); at; at = slotPointer(table, slot)) {
    const watch = changetype<Watch>(at);
    if (
      slotTag(table, slot) == entry.tag &&
      !watch.isNew &&
      watch.account == account &&
      watch.length == entry.length &&
      equal(subjectOf(watch), entrySubject(entry), entry.length)
    ) {
      watch.isNew = true;
      watch.next = 0;
      if (last) changetype<Watch>(last).next = at;
      else first = at;
      last = at;
    }
    slot = tableNext(table, slot);
  }
}

/** The target of a watch with something new, each once; 0: there is none. */
export function nextNews(): u32 {
  while (first) {
    const watch = changetype<Watch>(first);
    first = watch.next;
    if (!first) last = 0;
    watch.isNew = false;
    if (watch.target) return watch.target;
    free(changetype<usize>(watch));
  }
  return 0;
}
