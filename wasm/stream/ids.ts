// The duplicate window: message ids that were stored in the last `duplicate_window`, each with its sequence. A table finds an id,
// a queue keeps all of them in order of time, so that old ones go from its front.
//
//   entry  u64 sequence | i64 time | u32 tag | u16 length | id
//
// What stays true: every entry of the queue is in the table, nothing else is.

import { allocZero, free } from '../lib/arena';
import { copy, equal, hashToken } from '../lib/bytes';
import { Queue, queueAdd, queueAt, queueFront, queueSkip, queueWalk, queueWalkOn } from '../lib/queue';
import {
  Table,
  slotPointer,
  slotTag,
  tableAdd,
  tableClose,
  tableGrowth,
  tableNext,
  tableOpen,
  tableRemove,
  tableStart,
} from '../lib/table';
import { Stream } from './stream';

/** The window of one stream. */
@unmanaged
class Window {
  slots: usize;
  mask: u32;
  count: u32;
  spare: u32;
  first: usize;
  last: usize;
}

const ENTRY_HEAD: u32 = 22;

// @ts-ignore: decorator
@inline
function tableOf(window: Window): Table {
  return changetype<Table>(changetype<usize>(window));
}

// @ts-ignore: decorator
@inline
function queueOf(window: Window): Queue {
  return queueAt(changetype<usize>(window) + offsetof<Window>('first'));
}

// @ts-ignore: decorator
@inline
function sizeOf(entry: usize): u32 {
  return ENTRY_HEAD + <u32>load<u16>(entry, 20);
}

function windowOf(stream: Stream): Window {
  if (!stream.ids) {
    stream.ids = allocZero(offsetof<Window>());
    tableOpen(changetype<Table>(stream.ids));
  }
  return changetype<Window>(stream.ids);
}

/** The entry of an id, 0 when it is not known. */
function entryOf(window: Window, tag: u32, id: usize, length: u32): usize {
  const table = tableOf(window);
  let slot = tableStart(table, tag);
  for (let entry = slotPointer(table, slot); entry; entry = slotPointer(table, slot)) {
    const same = slotTag(table, slot) == tag && <u32>load<u16>(entry, 20) == length;
    if (same && equal(entry + ENTRY_HEAD, id, length)) return entry;
    slot = tableNext(table, slot);
  }
  return 0;
}

/** Forgets the ids that are older than the window. */
function expire(window: Window, oldest: i64): void {
  const queue = queueOf(window);
  for (let entry = queueFront(queue); entry && load<i64>(entry, 8) <= oldest; entry = queueFront(queue)) {
    tableRemove(tableOf(window), load<u32>(entry, 16), entry);
    queueSkip(queue, sizeOf(entry));
  }
}

/** Forgets what is older than the window of a stream. */
export function forgetOldIds(stream: Stream, now: i64): void {
  if (stream.ids) expire(changetype<Window>(stream.ids), now - stream.windowSpan);
}

/** The sequence an id was stored under within the window, 0 for none. */
export function findId(stream: Stream, id: usize, length: u32, now: i64): u64 {
  if (!stream.ids) return 0;
  const window = changetype<Window>(stream.ids);
  expire(window, now - stream.windowSpan);
  const entry = entryOf(window, hashToken(id, length), id, length);
  return entry ? load<u64>(entry) : 0;
}

/** Bytes that the next id takes when the table has to grow for it. */
export function idsGrowth(stream: Stream): usize {
  return stream.ids ? tableGrowth(tableOf(changetype<Window>(stream.ids))) : 0;
}

/** Remembers an id; one that is known gets its new sequence. */
export function addId(stream: Stream, id: usize, length: u32, sequence: u64, time: i64): void {
  if (stream.windowSpan <= 0 || length > 65535) return;
  const window = windowOf(stream);
  expire(window, time - stream.windowSpan);
  const tag = hashToken(id, length);
  const known = entryOf(window, tag, id, length);
  if (known) {
    store<u64>(known, sequence);
    return;
  }
  const entry = queueAdd(queueOf(window), ENTRY_HEAD + length);
  store<u64>(entry, sequence);
  store<i64>(entry, time, 8);
  store<u32>(entry, tag, 16);
  store<u16>(entry, <u16>length, 20);
  copy(entry + ENTRY_HEAD, id, length);
  tableAdd(tableOf(window), tag, entry);
}

/** What was stored above a sequence is not stored any more: its ids mean no sequence. */
export function forgetIdsAbove(stream: Stream, sequence: u64): void {
  if (!stream.ids) return;
  let entry = queueWalk(queueOf(changetype<Window>(stream.ids)));
  while (entry) {
    if (load<u64>(entry) > sequence) store<u64>(entry, 0);
    entry = queueWalkOn(sizeOf(entry));
  }
}

/** How many ids are known. */
export function countIds(stream: Stream): u32 {
  return stream.ids ? changetype<Window>(stream.ids).count : 0;
}

/** Frees the window. */
export function dropIds(stream: Stream): void {
  if (!stream.ids) return;
  const window = changetype<Window>(stream.ids);
  expire(window, i64.MAX_VALUE);
  tableClose(tableOf(window));
  free(stream.ids);
  stream.ids = 0;
}
