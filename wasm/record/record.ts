// The record: one message, tombstone or skip in a block file, byte for byte as nats-server 2.14 lays it out.
//
//   0   u32  total length; bit 31: has headers
//   4   u64  sequence; bit 63: erased or skipped, bit 62: tombstone
//   12  i64  timestamp, nanoseconds since 1970
//   20  u16  subject length
//   22  subject
//       u32  header length        only with bit 31 of the length
//       headers, payload
//       u64  checksum over bytes 4..19, subject, headers, payload
//
// Everything is little endian and unaligned, as WebAssembly's loads and stores are.

import { copy, copyOver, printNumber } from '../lib/bytes';
import { highwayHash } from './highway';
import { sha256 } from './sha256';

/** Bytes in front of the subject. */
export const RECORD_HEAD: u32 = 22;
/** Bytes of the checksum. */
const RECORD_SUM: u32 = 8;
/** Length of a record without subject and payload: tombstones and skips. */
export const RECORD_EMPTY: u32 = 30;
/** Writers and readers refuse records above this. */
export const RECORD_LARGEST: u32 = 32 << 20;
/** Sequence bit: a deleted sequence is named. */
export const TOMBSTONE: u64 = 1 << 62;
/** Sequence bit: erased or skipped. */
export const ERASED: u64 = 1 << 63;

const HAS_HEADERS: u32 = 1 << 31;

const gather: usize = memory.data(65600, 16);
const keyName: usize = memory.data(320, 16);

/** Length of the record of a message. */
// @ts-ignore: decorator
@inline
export function recordSize(subjectLength: u32, headerLength: u32, dataLength: u32): u32 {
  return RECORD_EMPTY + subjectLength + dataLength + (headerLength ? 4 : 0);
}

/** Total length of the record at `at`, without the headers bit. */
// @ts-ignore: decorator
@inline
export function recordLength(at: usize): u32 {
  return load<u32>(at) & ~HAS_HEADERS;
}

/** Sequence with its bits. */
// @ts-ignore: decorator
@inline
export function recordSequence(at: usize): u64 {
  return load<u64>(at, 4);
}

/** Timestamp. */
// @ts-ignore: decorator
@inline
export function recordTime(at: usize): i64 {
  return load<i64>(at, 12);
}

/** Subject length; the subject is at RECORD_HEAD. */
// @ts-ignore: decorator
@inline
export function recordSubjectLength(at: usize): u32 {
  return load<u16>(at, 20);
}

/** Header length, 0 without headers. */
// @ts-ignore: decorator
@inline
export function recordHeaderLength(at: usize): u32 {
  return load<u32>(at) & HAS_HEADERS ? load<u32>(at + recordSubjectLength(at), RECORD_HEAD) : 0;
}

/** Address of headers and payload. */
// @ts-ignore: decorator
@inline
export function recordData(at: usize): usize {
  return at + RECORD_HEAD + recordSubjectLength(at) + (load<u32>(at) & HAS_HEADERS ? 4 : 0);
}

/** Length of headers and payload together. */
// @ts-ignore: decorator
@inline
export function recordDataLength(at: usize): u32 {
  return recordLength(at) - RECORD_SUM - <u32>(recordData(at) - at);
}

/** The checksum the record should have; the record's lengths must be plausible (see `recordPlausible`). */
function recordHash(key: usize, at: usize): u64 {
  const subjectLength = recordSubjectLength(at);
  const data = recordData(at);
  const dataLength = recordDataLength(at);
  v128.store(gather, v128.load(at, 4));
  copy(gather + 16, at + RECORD_HEAD, subjectLength);
  const have = 16 + subjectLength;
  const missing = (32 - (have & 31)) & 31;
  if (<u32>missing > dataLength) {
    copy(gather + have, data, dataLength);
    return highwayHash(key, gather, 0, gather, have + dataLength);
  }
  copy(gather + have, data, missing);
  return highwayHash(key, gather, have + missing, data + missing, dataLength - missing);
}

/**
 * Writes a message's record at `to`; `data` is headers and payload in one piece. Up to 15 bytes behind the record are scribbled
 * on. Returns its length.
 *
 * What the checksum covers is first laid out without the gaps that the record has in it, hashed as one piece, and then written
 * where it belongs; subject (without headers) and data lie there already.
 */
export function frameMessage(
  to: usize,
  key: usize,
  sequence: u64,
  time: i64,
  subject: usize,
  subjectLength: u32,
  headerLength: u32,
  data: usize,
  dataLength: u32,
): u32 {
  const length = recordSize(subjectLength, headerLength, dataLength);
  const at = to + RECORD_HEAD + subjectLength + (headerLength ? 4 : 0);
  const hashed = at - subjectLength - 16;
  copyOver(hashed + 16, subject, subjectLength);
  copyOver(at, data, dataLength);
  store<u64>(hashed, sequence);
  store<i64>(hashed, time, 8);
  const sum = highwayHash(key, hashed, 0, hashed, 16 + subjectLength + dataLength);
  store<u32>(to, headerLength ? length | HAS_HEADERS : length);
  store<u64>(to, sequence, 4);
  store<i64>(to, time, 12);
  store<u16>(to, <u16>subjectLength, 20);
  if (headerLength) {
    copy(to + RECORD_HEAD, subject, subjectLength);
    store<u32>(at - 4, headerLength);
  }
  store<u64>(at + dataLength, sum);
  return length;
}

/** Writes a record of 30 bytes: a tombstone or skip; `sequence` has its bit. */
export function frameEmpty(to: usize, key: usize, sequence: u64, time: i64): u32 {
  store<u32>(to, RECORD_EMPTY);
  store<u64>(to, sequence, 4);
  store<i64>(to, time, 12);
  store<u16>(to, 0, 20);
  store<u64>(to, recordHash(key, to), RECORD_HEAD);
  return RECORD_EMPTY;
}

/**
 * Writes an erased record of `length` bytes (at least RECORD_EMPTY) around what lies there: it stands where bytes were damaged
 * or erased. Sequence 0 says nothing about any message.
 */
export function frameFiller(to: usize, key: usize, sequence: u64, time: i64, length: u32): void {
  store<u32>(to, length);
  store<u64>(to, sequence | ERASED, 4);
  store<i64>(to, time, 12);
  store<u16>(to, 0, 20);
  store<u64>(to + length - RECORD_SUM, recordHash(key, to));
}

/** Whether the lengths of the record at `at` make sense with `left` bytes until the end. */
export function recordPlausible(at: usize, left: u32): bool {
  if (left < RECORD_EMPTY) return false;
  const length = recordLength(at);
  if (length < RECORD_EMPTY || length > left || length > RECORD_LARGEST) return false;
  let inner = RECORD_HEAD + recordSubjectLength(at) + RECORD_SUM;
  if (load<u32>(at) & HAS_HEADERS) {
    inner += 4;
    if (inner > length) return false;
    const headerLength = recordHeaderLength(at);
    return headerLength <= length - inner;
  }
  return inner <= length;
}

/** Whether a whole, undamaged record lies at `at`. */
export function recordValid(key: usize, at: usize, left: u32): bool {
  if (!recordPlausible(at, left)) return false;
  return load<u64>(at + recordLength(at) - RECORD_SUM) == recordHash(key, at);
}

/** Writes the key of block `block` of a stream (32 bytes) to `to`: SHA-256 of `<stream>-<block>`. Names are at most 255 bytes. */
export function blockKey(to: usize, name: usize, nameLength: u32, block: u32): void {
  copy(keyName, name, nameLength);
  store<u8>(keyName + nameLength, 0x2d);
  const end = printNumber(keyName + nameLength + 1, <u64>block);
  sha256(to, keyName, <u32>(end - keyName));
}
