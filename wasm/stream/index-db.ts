// What nats-server's index.db needs of the indexes: each subject with its count and its first and last block, and the segments.
// The subjects are written here because there may be millions; the host puts the rest around them.
//
//   uvarint subjects, each: uvarint length, subject, uvarint messages, uvarint first block, uvarint last block

import { alloc, free } from '../lib/arena';
import { copy } from '../lib/bytes';
import { collectedList, dropCollected } from '../index/collected';
import { collect } from '../index/filter';
import { Leaf, leafSubject } from '../index/subjects';
import { Segment } from '../index/segment';
import { findEntry, foundSegment, segmentAt } from '../index/sequences';
import { Stream, sequencesOf } from './stream';

/** Most bytes of one uvarint of 32 bits. */
const LONGEST: usize = 5;

let written: usize = 0;
let writtenLength: u32 = 0;

function putUnsigned(at: usize, value: u32): usize {
  let to = at;
  let rest = value;
  while (rest > 127) {
    store<u8>(to++, <u8>(rest | 128));
    rest >>= 7;
  }
  store<u8>(to, <u8>rest);
  return to + 1;
}

function blockOf(stream: Stream, sequence: u64): u32 {
  return findEntry(sequencesOf(stream), sequence) ? changetype<Segment>(foundSegment).block : stream.block;
}

// @ts-ignore: decorator
@inline
function leafAt(list: usize, i: u32): Leaf {
  return changetype<Leaf>(<usize>load<u32>(list + ((<usize>i) << 2)));
}

/** Writes the subjects; they lie at `encodedAt` until `dropEncoded`. Returns how many bytes there are. */
export function encodeSubjects(stream: Stream): u32 {
  const count = collect(stream.subjects, 0, 0);
  const list = collectedList();
  let size: usize = LONGEST;
  for (let i: u32 = 0; i < count; i++) size += <usize>leafAt(list, i).length + 4 * LONGEST;
  written = alloc(size);
  let to = putUnsigned(written, count);
  for (let i: u32 = 0; i < count; i++) {
    const leaf = leafAt(list, i);
    to = putUnsigned(to, leaf.length);
    copy(to, leafSubject(leaf), leaf.length);
    to = putUnsigned(to + leaf.length, leaf.count);
    to = putUnsigned(to, blockOf(stream, leaf.first));
    to = putUnsigned(to, blockOf(stream, leaf.last));
  }
  dropCollected();
  writtenLength = <u32>(to - written);
  return writtenLength;
}

/** Where the subjects are. */
export function encodedAt(): usize {
  return written;
}

/** Gives them back. */
export function dropEncoded(): void {
  free(written);
  written = 0;
}

/** The facts of the i-th segment at `to`, as f64: block, first sequence, entries, messages, their bytes, first and last time. */
export function readSegment(stream: Stream, i: u32, to: usize): bool {
  const index = sequencesOf(stream);
  if (i >= index.count) return false;
  const segment = segmentAt(index, i);
  store<f64>(to, <f64>segment.block);
  store<f64>(to, <f64>segment.first, 8);
  store<f64>(to, <f64>segment.count, 16);
  store<f64>(to, <f64>segment.live, 24);
  store<f64>(to, <f64>segment.liveBytes, 32);
  store<i64>(to, segment.firstTime, 40);
  store<i64>(to, segment.lastTime, 48);
  return true;
}
