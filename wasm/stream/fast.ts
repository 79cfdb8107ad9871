// Fast batches as far as the kernel takes them by itself: messages that append to an open batch, one behind the other, until the
// host has to say how far the batch is. What each message is stands at the end of its reply subject:
//
//   <prefix>.<batch id>.<flow>.<ok|fail>.<sequence>.<operation>.$FI
//
// What stays true: the host opens and closes batches; whatever is not the next message of one that is open, and not yet due for
// an answer, is the host's.

import { parseSequence } from '../lib/bytes';
import { nowNs } from '../lib/time';
import { OpenBatch, addBatch, dropBatch, findBatch } from './open-batches';
import { Stream } from './stream';


@unmanaged
class FastBatch extends OpenBatch {
  /** The highest sequence of the batch, and the one whose message the host wants to see. */
  sequence: u64;
  due: u64;
  /** The sequence in the stream of the last message taken here, 0: none was. */
  streamSequence: u64;
  time: i64;
}

/** `.$FI` and a digit for the operation with its dot. */
const TAIL: u32 = 6;
const APPEND: u32 = 0x31;
const DOT: u32 = 0x2e;

/** The batch that the current message goes on with, as `takesFast` has found it. */
let current: usize = 0;
let currentSequence: u64 = 0;

/** Where the token that ends in front of `end` begins; 0: there is none. */
function tokenBefore(from: usize, end: usize): usize {
  for (let at = end; at > from; at--) if (<u32>load<u8>(at - 1) == DOT) return at;
  return 0;
}

function find(stream: Stream, id: usize, length: u32): FastBatch {
  return changetype<FastBatch>(findBatch(stream.fast, id, length));
}

/** Whether the message with this reply subject is the next one of an open batch, and needs no answer. */
export function takesFast(stream: Stream, reply: usize, length: u32): bool {
  current = 0;
  if (!stream.fast || length < TAIL + 8) return false;
  const operation = reply + length - TAIL + 1;
  if (<u32>load<u8>(operation - 1) != DOT || <u32>load<u8>(operation) != APPEND) return false;
  const sequenceAt = tokenBefore(reply, operation - 1);
  if (!sequenceAt) return false;
  const sequence = parseSequence(sequenceAt, <u32>(operation - 1 - sequenceAt));
  const gaps = tokenBefore(reply, sequenceAt - 1);
  const flow = gaps ? tokenBefore(reply, gaps - 1) : 0;
  const id = flow ? tokenBefore(reply, flow - 1) : 0;
  if (sequence <= 0 || !id || flow - 1 <= id) return false;
  const batch = find(stream, id, <u32>(flow - 1 - id));
  if (!changetype<usize>(batch) || <u64>sequence != batch.sequence + 1 || <u64>sequence >= batch.due) return false;
  current = changetype<usize>(batch);
  currentSequence = <u64>sequence;
  return true;
}

/** The message that `takesFast` has found is stored. */
export function tookFast(streamSequence: u64): void {
  const batch = changetype<FastBatch>(current);
  batch.sequence = currentSequence;
  batch.streamSequence = streamSequence;
  batch.time = nowNs;
}

/** Opens a batch, or tells how far one is. */
export function openFast(stream: Stream, id: usize, length: u32, sequence: u64, due: u64): void {
  let batch = find(stream, id, length);
  if (!changetype<usize>(batch)) {
    batch = changetype<FastBatch>(addBatch(stream.fast, id, length));
    stream.fast = changetype<usize>(batch);
  }
  batch.sequence = sequence;
  batch.due = due;
  batch.streamSequence = 0;
  batch.time = nowNs;
}

/** Leaves at `to` what was taken since the batch was opened: sequence, sequence in the stream, milliseconds. False: nothing. */
export function readFast(stream: Stream, id: usize, length: u32, to: usize): bool {
  const batch = find(stream, id, length);
  if (!changetype<usize>(batch) || !batch.streamSequence) return false;
  store<f64>(to, <f64>batch.sequence);
  store<f64>(to, <f64>batch.streamSequence, 8);
  store<f64>(to, <f64>(batch.time / 1000000), 16);
  return true;
}

/** Forgets a batch. */
export function closeFast(stream: Stream, id: usize, length: u32): void {
  const batch = findBatch(stream.fast, id, length);
  if (batch) stream.fast = dropBatch(stream.fast, batch);
}

/** Forgets all of them. */
export function dropFast(stream: Stream): void {
  while (stream.fast) stream.fast = dropBatch(stream.fast, stream.fast);
}
