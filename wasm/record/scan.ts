// Scanning a block: every record is verified, and what the index needs comes out as two arrays. A bad record ends the scan unless
// a good one lies behind it: then the bytes between are reported as damage and the scan goes on.
//
//   entry    32 bytes: u32 kind | u32 subject number | u32 offset | u32 length | u64 sequence | i64 time
//   subject  u32 length | bytes, in order of their numbers
//   damage   24 bytes: u32 offset | u32 length | u64 highest sequence before | u64 sequence of the record behind

import { alloc, free } from '../lib/arena';
import { copy } from '../lib/bytes';
import { freeSubjects, holdSubject } from '../index/subjects';
import {
  ERASED,
  RECORD_EMPTY,
  RECORD_HEAD,
  TOMBSTONE,
  blockKey,
  recordLength,
  recordPlausible,
  recordSequence,
  recordSubjectLength,
  recordTime,
  recordValid,
} from './record';

/** Bytes of an entry. */
export const SCAN_ENTRY: usize = 32;
/** Bytes of a damage. */
export const SCAN_DAMAGE: usize = 24;
/** Kinds of entries. */
export const SCAN_MESSAGE: u32 = 0;
export const SCAN_TOMBSTONE: u32 = 1;
export const SCAN_ERASED: u32 = 2;

const BITS: u64 = TOMBSTONE | ERASED;
/** A sequence this far above the last one is taken for garbage when looking for records behind damage. */
const FARTHEST: u64 = 1 << 40;

const key: usize = memory.data(32, 16);
const rootSlot: usize = memory.data(8, 8);

/** A growing byte buffer. */
@unmanaged
class Growing {
  at: usize;
  used: u32;
  capacity: u32;
}
const entriesBuffer: usize = memory.data(16, 8);
const subjectsBuffer: usize = memory.data(16, 8);
const damageBuffer: usize = memory.data(16, 8);

let subjectCount: u32 = 0;
let goodEnd: u32 = 0;
let highest: u64 = 0;
let tombstones: u32 = 0;

function room(buffer: Growing, more: u32): usize {
  if (buffer.used + more > buffer.capacity) {
    const capacity = max(buffer.capacity << 1, max<u32>(65536, buffer.used + more));
    const grown = alloc(capacity);
    copy(grown, buffer.at, buffer.used);
    free(buffer.at);
    buffer.at = grown;
    buffer.capacity = capacity;
  }
  const at = buffer.at + buffer.used;
  buffer.used += more;
  return at;
}

/** The number of a subject, given in order of first appearance. */
function subjectNumber(at: usize, length: u32): u32 {
  const leaf = holdSubject(rootSlot, at, length);
  if (leaf.count) return leaf.mark;
  leaf.count = 1;
  leaf.mark = subjectCount;
  const to = room(changetype<Growing>(subjectsBuffer), 4 + length);
  store<u32>(to, length);
  copy(to + 4, at, length);
  return subjectCount++;
}

function enter(record: usize, offset: u32): void {
  const length = recordLength(record);
  const bits = recordSequence(record);
  const sequence = bits & ~BITS;
  let kind = SCAN_MESSAGE;
  if (bits & TOMBSTONE) kind = SCAN_TOMBSTONE;
  else if (bits & ERASED || !sequence) kind = SCAN_ERASED;
  const number = kind == SCAN_MESSAGE ? subjectNumber(record + RECORD_HEAD, recordSubjectLength(record)) : 0;
  const entry = room(changetype<Growing>(entriesBuffer), <u32>SCAN_ENTRY);
  store<u32>(entry, kind);
  store<u32>(entry, number, 4);
  store<u32>(entry, offset, 8);
  store<u32>(entry, length, 12);
  store<u64>(entry, sequence, 16);
  store<i64>(entry, recordTime(record), 24);
  if (kind == SCAN_TOMBSTONE) tombstones++;
  else highest = max(highest, sequence);
}

/** The next offset at or behind `from` where a good record with a higher sequence lies; `size` when there is none. */
function nextGood(data: usize, size: u32, from: u32): u32 {
  for (let offset = from; offset + RECORD_EMPTY <= size; offset++) {
    const record = data + offset;
    if (!recordPlausible(record, size - offset)) continue;
    const sequence = recordSequence(record) & ~BITS;
    if (sequence > highest + FARTHEST || (sequence <= highest && !(recordSequence(record) & TOMBSTONE))) continue;
    if (recordValid(key, record, size - offset)) return offset;
  }
  return size;
}

function noteDamage(offset: u32, length: u32, behind: u64): void {
  const at = room(changetype<Growing>(damageBuffer), <u32>SCAN_DAMAGE);
  store<u32>(at, offset);
  store<u32>(at, length, 4);
  store<u64>(at, highest, 8);
  store<u64>(at, behind, 16);
}

/** Scans a block of `size` bytes at `data`. Results: the functions below, until the next scan. */
export function scanBlock(name: usize, nameLength: u32, block: u32, data: usize, size: u32): void {
  blockKey(key, name, nameLength, block);
  changetype<Growing>(entriesBuffer).used = 0;
  changetype<Growing>(subjectsBuffer).used = 0;
  subjectCount = 0;
  goodEnd = 0;
  changetype<Growing>(damageBuffer).used = 0;
  highest = 0;
  tombstones = 0;
  let offset: u32 = 0;
  while (offset < size) {
    if (recordValid(key, data + offset, size - offset)) {
      enter(data + offset, offset);
      offset += recordLength(data + offset);
      goodEnd = offset;
      continue;
    }
    const next = nextGood(data, size, offset + 1);
    if (next < size) noteDamage(offset, next - offset, recordSequence(data + next) & ~BITS);
    offset = next;
  }
  freeSubjects(<usize>load<u32>(rootSlot));
  store<u32>(rootSlot, 0);
}

/** Address of the entries. */
export function scanEntries(): usize {
  return changetype<Growing>(entriesBuffer).at;
}
/** Bytes of the entries. */
export function scanEntriesLength(): u32 {
  return changetype<Growing>(entriesBuffer).used;
}
/** Address of the subjects. */
export function scanSubjects(): usize {
  return changetype<Growing>(subjectsBuffer).at;
}
/** Bytes of the subjects. */
export function scanSubjectsLength(): u32 {
  return changetype<Growing>(subjectsBuffer).used;
}
/** Offset behind the last good record. */
export function scanGoodEnd(): u32 {
  return goodEnd;
}
/** How many tombstones there are. */
export function scanTombstones(): u32 {
  return tombstones;
}
/** How many subjects there are. */
export function scanSubjectCount(): u32 {
  return subjectCount;
}
/** Address of the damages. */
export function scanDamages(): usize {
  return changetype<Growing>(damageBuffer).at;
}
/** Bytes of the damages. */
export function scanDamagesLength(): u32 {
  return changetype<Growing>(damageBuffer).used;
}
