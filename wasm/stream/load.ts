// Loading: the entries of scanned blocks (record/scan.ts) become the stream's indexes, block after block in order. Tombstones are
// kept until all blocks are in, because they may name sequences of any earlier block; then the limits are applied, as every
// opener must.

import { alloc, free } from '../lib/arena';
import { copy } from '../lib/bytes';
import { collectedList, dropCollected } from '../index/collected';
import { collect } from '../index/filter';
import { Leaf, holdSubject } from '../index/subjects';
import { Segment, isLive } from '../index/segment';
import { addSegment, findEntry, foundAt, foundSegment } from '../index/sequences';
import { SCAN_ENTRY, SCAN_ERASED, SCAN_TOMBSTONE } from '../record/scan';
import { linkMessage } from './append';
import { enforceLimits, enforceSubjectLimitInPieces, removeEntry } from './remove';
import { Stream, sequencesOf, subjectsSlot } from './stream';

/** nats-server's timestamp of a tombstone in a stream that never had a message: the year 1 in wrapped nanoseconds. */
export const NO_TIME: i64 = -6795364578871345152;

/** Tombstones seen so far of one load: u32 count | u32 capacity | u64 sequences. The host holds its address during a load. */
const TOMBS_HEAD: usize = 8;

/** Begins a load; returns the handle for the other calls. */
export function beginLoad(): usize {
  const tombs = alloc(TOMBS_HEAD + 64 * 8);
  store<u32>(tombs, 0);
  store<u32>(tombs, 64, 4);
  return tombs;
}

function addTombstone(tombs: usize, sequence: u64): usize {
  const count = load<u32>(tombs);
  const capacity = load<u32>(tombs, 4);
  let at = tombs;
  if (count == capacity) {
    at = alloc(TOMBS_HEAD + ((<usize>capacity) << 4));
    copy(at, tombs, TOMBS_HEAD + ((<usize>capacity) << 3));
    store<u32>(at, capacity << 1, 4);
    free(tombs);
  }
  store<u64>(at + TOMBS_HEAD + ((<usize>count) << 3), sequence);
  store<u32>(at, count + 1);
  return at;
}

function raiseLast(stream: Stream, sequence: u64, time: i64, block: u32): void {
  if (sequence >= stream.last) stream.lastBlock = block;
  // nats-server erases a message's time too; its tombstone still has it.
  if (sequence == stream.last && !stream.lastTime && time != NO_TIME) stream.lastTime = time;
  if (sequence <= stream.last) return;
  stream.last = sequence;
  stream.lastTime = time == NO_TIME ? 0 : time;
  if (!stream.messages) stream.first = sequence + 1;
}

/** Enters one block's entries and subjects; returns the load's handle, which may have moved. */
export function loadBlock(
  stream: Stream,
  load_: usize,
  block: u32,
  entries: usize,
  count: u32,
  subjects: usize,
  subjectCount: u32,
): usize {
  let tombs = load_;
  const known = alloc((<usize>max(subjectCount, 1)) << 3);
  let at = subjects;
  for (let i: u32 = 0; i < subjectCount; i++) {
    store<u32>(known + ((<usize>i) << 3), <u32>at);
    store<u32>(known + ((<usize>i) << 3), 0, 4);
    at += 4 + load<u32>(at);
  }
  let begun = false;
  for (let i: u32 = 0; i < count; i++) {
    const entry = entries + <usize>i * SCAN_ENTRY;
    const kind = load<u32>(entry);
    const sequence = load<u64>(entry, 16);
    const time = load<i64>(entry, 24);
    if (kind == SCAN_TOMBSTONE) {
      tombs = addTombstone(tombs, sequence);
      raiseLast(stream, sequence, time, block);
      continue;
    }
    if (sequence <= stream.last) continue;
    if (kind == SCAN_ERASED) {
      raiseLast(stream, sequence, time, block);
      continue;
    }
    if (!begun) addSegment(sequencesOf(stream), sequence, block);
    begun = true;
    const slot = known + ((<usize>load<u32>(entry, 4)) << 3);
    if (!load<u32>(slot, 4)) {
      const subject = <usize>load<u32>(slot);
      store<u32>(slot, <u32>changetype<usize>(holdSubject(subjectsSlot(stream), subject + 4, load<u32>(subject))), 4);
    }
    linkMessage(
      stream,
      sequence,
      block,
      load<u32>(entry, 8),
      load<u32>(entry, 12),
      time,
      changetype<Leaf>(<usize>load<u32>(slot, 4)),
    );
  }
  free(known);
  return tombs;
}

/** Applies the tombstones and ends the load. */
export function endLoad(stream: Stream, tombs: usize): void {
  const count = load<u32>(tombs);
  for (let i: u32 = 0; i < count; i++) {
    if (!findEntry(sequencesOf(stream), load<u64>(tombs + TOMBS_HEAD + ((<usize>i) << 3)))) continue;
    const segment = changetype<Segment>(foundSegment);
    if (isLive(segment, foundAt)) removeEntry(stream, segment, foundAt, false);
  }
  free(tombs);
  if (!stream.messages) stream.first = stream.last + 1;
}

/**
 * Removes what the limits do not allow any more (after a load, or when they were lowered). False: so many tombstones wait to be
 * written that it stopped on the way, to be called again.
 */
export function applyLimits(stream: Stream): bool {
  let done = true;
  if (stream.maxPerSubject > 0) {
    const count = collect(stream.subjects, 0, 0);
    const list = collectedList();
    for (let i: u32 = 0; i < count && done; i++)
      done = enforceSubjectLimitInPieces(stream, changetype<Leaf>(<usize>load<u32>(list + ((<usize>i) << 2))));
    dropCollected();
  }
  if (done) enforceLimits(stream);
  return done;
}
