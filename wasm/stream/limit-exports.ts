// What the host asks of limits: ages, and bringing a stream within those that were lowered. What removes messages is remove.ts.

import { applyLimits } from './load';
import { buryGhosts, enforceLimitsInPieces, enforceSubjectLimits, expireFirst, expireSegments } from './remove';
import { Stream } from './stream';

// @ts-ignore: decorator
@inline
function at(stream: usize): Stream {
  return changetype<Stream>(stream);
}

/** Removes the first message because of its age. */
export function dropFirst(stream: usize): void {
  expireFirst(at(stream));
}
/** Removes whole leading segments that are not younger than a time; false: it stopped after `most` messages. */
export function dropOlder(stream: usize, seconds: f64, nanos: u32, most: u32): bool {
  return expireSegments(at(stream), <i64>seconds * 1000000000 + <i64>nanos, most);
}
/** The limits are about to be changed: what they removed stays removed. */
export function limitChange(stream: usize): void {
  buryGhosts(at(stream));
}
/** Applies the limits; false: it stopped to let tombstones be written. */
export function limitNow(stream: usize): bool {
  return applyLimits(at(stream));
}
/** Applies the limit a subject to `most` messages from a sequence on; the sequence to go on from, 0: it holds everywhere. */
export function trimSubjects(stream: usize, from: f64, most: u32): f64 {
  return <f64>enforceSubjectLimits(at(stream), <u64>from, most);
}
/** Removes at most so many first messages that are over the limits; true: none is any more. */
export function trimFront(stream: usize, most: u32): bool {
  return enforceLimitsInPieces(at(stream), most);
}
