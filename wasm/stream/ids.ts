// The duplicate window: message ids that were stored in the last `duplicate_window`, each with its sequence. A table finds an id,
// a list of chunks keeps all of them in order of time, so that old ones go from its front.
//
//   Chunk  u32 next | u32 used | u32 read | u32 capacity | entries
//   entry  u64 sequence | i64 time | u32 tag | u16 length | id
//
// What stays true: every entry between `read` and `used` of a chunk is in the table, nothing else is.

import { alloc, allocZero, free } from '../lib/arena';
import { copy, equal, hashToken } from '../lib/bytes';
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


@unmanaged
class Chunk {
  next: usize;
  used: u32;
  read: u32;
  capacity: u32;
}

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

const HEAD: usize = 16;
const ENTRY_HEAD: u32 = 22;
const SLACK: u32 = 16;
const FIRST_SIZE: u32 = 512;
const SIZE: u32 = 32768;

// @ts-ignore: decorator
@inline
function tableOf(window: Window): Table {
  return changetype<Table>(changetype<usize>(window));
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
  while (window.first) {
    const chunk = changetype<Chunk>(window.first);
    while (chunk.read < chunk.used) {
      const entry = changetype<usize>(chunk) + HEAD + chunk.read;
      if (load<i64>(entry, 8) > oldest) return;
      tableRemove(tableOf(window), load<u32>(entry, 16), entry);
      chunk.read += ENTRY_HEAD + <u32>load<u16>(entry, 20);
    }
    window.first = chunk.next;
    if (!chunk.next) window.last = 0;
    free(changetype<usize>(chunk));
  }
}

/** The sequence an id was stored under within the window, 0 for none. */
export function findId(stream: Stream, id: usize, length: u32, now: i64): u64 {
  if (!stream.ids) return 0;
  const window = changetype<Window>(stream.ids);
  expire(window, now - stream.windowSpan);
  const entry = entryOf(window, hashToken(id, length), id, length);
  return entry ? load<u64>(entry) : 0;
}

function room(window: Window, entry: u32): Chunk {
  const last = changetype<Chunk>(window.last);
  if (window.last && last.used + entry <= last.capacity) return last;
  const size = max(entry + <u32>HEAD + SLACK, window.last ? SIZE : FIRST_SIZE);
  const chunk = changetype<Chunk>(alloc(size));
  chunk.next = 0;
  chunk.used = 0;
  chunk.read = 0;
  chunk.capacity = size - <u32>HEAD - SLACK;
  if (window.last) last.next = changetype<usize>(chunk);
  else window.first = changetype<usize>(chunk);
  window.last = changetype<usize>(chunk);
  return chunk;
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
  const chunk = room(window, ENTRY_HEAD + length);
  const entry = changetype<usize>(chunk) + HEAD + chunk.used;
  store<u64>(entry, sequence);
  store<i64>(entry, time, 8);
  store<u32>(entry, tag, 16);
  store<u16>(entry, <u16>length, 20);
  copy(entry + ENTRY_HEAD, id, length);
  chunk.used += ENTRY_HEAD + length;
  tableAdd(tableOf(window), tag, entry);
}

/** What was stored above a sequence is not stored any more: its ids mean no sequence. */
export function forgetIdsAbove(stream: Stream, sequence: u64): void {
  if (!stream.ids) return;
  let chunk = changetype<Chunk>(changetype<Window>(stream.ids).first);
  while (changetype<usize>(chunk)) {
    let at = chunk.read;
    while (at < chunk.used) {
      const entry = changetype<usize>(chunk) + HEAD + at;
      if (load<u64>(entry) > sequence) store<u64>(entry, 0);
      at += ENTRY_HEAD + <u32>load<u16>(entry, 20);
    }
    chunk = changetype<Chunk>(chunk.next);
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
