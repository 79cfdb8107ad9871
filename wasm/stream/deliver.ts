// Delivery: one batch of stored messages to one consumer's deliver subject, in one call a window. The records are read from a
// window (a piece of a block file that the host has put into memory), checked against their checksum, and routed with the reply
// subject that carries the consumer's numbers. Which messages go is a selection and a range of sequences, or a list of them.

import { free } from '../lib/arena';
import { setData, setOrigin, setReply, setSubject } from '../deliver/message';
import { routeTo, routeVia, soleReceiver } from '../deliver/route';
import { Leaf } from '../index/subjects';
import {
  Segment,
  entryLength,
  entryOffset,
  isLive,
  listLeavesIn,
  listedLeaves,
  nextLiveIn,
  nextOfLeafIn,
} from '../index/segment';
import { findEntry, foundAt, foundSegment, noteFound, numberFrom, segmentAt, segmentFrom } from '../index/sequences';
import {
  RECORD_HEAD,
  recordData,
  recordDataLength,
  recordHeaderLength,
  recordSequence,
  recordSubjectLength,
  recordTime,
  recordValid,
} from '../record/record';
import { keyOf } from './block-keys';
import { composeData, dropRoom } from './compose';
import {
  CALL,
  DELIVER_BYTES,
  DELIVER_DAMAGED,
  DELIVER_END,
  DELIVER_INTEREST,
  DELIVER_LOST,
  DELIVER_MESSAGES,
  DELIVER_WINDOW,
  DeliverCall,
} from './deliver-call';
import { layDirect } from './direct';
import { REPLY, forgetReply, layReply } from './reply';
import { Selection, isOfOne, onlyLeaf, selects } from './selection';
import { Stream, sequencesOf } from './stream';

/** Whether a whole, undamaged record lies at `at`. */
export function checkRecord(stream: Stream, block: u32, at: usize, length: u32): bool {
  return recordValid(keyOf(stream, block), at, length);
}

/** Prepares a batch. False: nothing will be delivered. */
export function beginDeliver(): bool {
  const call = changetype<DeliverCall>(CALL);
  const stream = changetype<Stream>(call.stream);
  call.count = 0;
  forgetReply();
  call.last = 0;
  call.picked = 0;
  call.leaf = 0;
  call.receiver = soleReceiver(stream.account, call.subject, call.subjectLength);
  if (!call.selection || !isOfOne(changetype<Selection>(call.selection))) return true;
  const leaf = onlyLeaf(changetype<Selection>(call.selection));
  if (!changetype<usize>(leaf) || <f64>leaf.last < call.next) return false;
  call.leaf = changetype<usize>(leaf);
  call.next = max(call.next, <f64>leaf.first);
  return true;
}

// Which message is next

/** Finds the first message that is selected. False: there is none up to `call.to`, or enough was looked at. Moves `next` on. */
function nextSelected(call: DeliverCall, stream: Stream): bool {
  const index = sequencesOf(stream);
  const selection = changetype<Selection>(call.selection);
  for (let i = segmentFrom(index, <u64>call.next); i < index.count; i++) {
    const segment = segmentAt(index, i);
    if (<f64>segment.first > call.to) break;
    if (!segment.live) continue;
    const first = numberFrom(segment, <u64>call.next);
    const end = segment.count - first > call.looks ? first + call.looks : segment.count;
    const at = call.leaf ? nextOfLeafIn(segment, first, end, call.leaf) : nextSelectedIn(segment, first, end, selection);
    call.looks -= at - first;
    call.next = <f64>(segment.first + at);
    if (at < end) return call.next <= call.to && noteFound(segment, at);
    if (end < segment.count) return false;
  }
  call.next = max(call.next, call.to + 1);
  return false;
}

/** So many entries are looked at together first; then twice as many each time, as nothing was found. */
const TOGETHER: u32 = 8;
const TOGETHER_MOST: u32 = 128;

function nextSelectedIn(segment: Segment, first: u32, end: u32, selection: Selection): u32 {
  if (!changetype<usize>(selection)) return nextLiveIn(segment, first, end);
  let together = TOGETHER;
  for (let at = first; at < end;) {
    const listed = listLeavesIn(segment, at, min(end, at + together));
    for (let n: u32 = 0; n < listed; n++) {
      const leaf = load<u32>(listedLeaves() + ((<usize>n) << 2));
      if (leaf && selects(selection, changetype<Leaf>(<usize>leaf))) return at + n;
    }
    at += listed;
    together = min(together << 1, TOGETHER_MOST);
  }
  return end;
}

/** Finds the first message of the list that is still there. False: there is none. */
function nextPicked(call: DeliverCall, stream: Stream): bool {
  for (; call.picked < call.pickCount; call.picked++) {
    const sequence = load<f64>(call.picks + ((<usize>call.picked) << 3));
    if (sequence > call.to) return false;
    call.next = sequence;
    if (findEntry(sequencesOf(stream), <u64>sequence) && isLive(changetype<Segment>(foundSegment), foundAt)) return true;
    call.next = sequence + 1;
  }
  return false;
}

// Sending

/** Routes one record; 0: nobody took it. */
function send(call: DeliverCall, stream: Stream, record: usize, replyLength: u32): u32 {
  setOrigin(0, stream.account);
  setSubject(record + RECORD_HEAD, recordSubjectLength(record));
  setReply(REPLY, replyLength);
  if (call.adds || call.extraLength) composeData(call, record);
  else setData(recordData(record), recordDataLength(record), recordHeaderLength(record));
  return route(call);
}

/** Routes the current message to the subject of the call; 0: nobody took it. */
function route(call: DeliverCall): u32 {
  if (!call.receiver) return routeVia(call.subject, call.subjectLength);
  const taken = routeTo(call.receiver);
  if (taken != 2) return taken;
  call.receiver = 0;
  return 1;
}

/** Sends one record to the inbox of a direct get; 0: nobody took it. */
function answer(call: DeliverCall, stream: Stream, record: usize): u32 {
  const pending = <u64>max(call.pending - 1, 0);
  const block = layDirect(stream, record, call.subject, call.subjectLength, call.direct, pending, <u64>call.last);
  const taken = route(call);
  free(block);
  return taken;
}

function need(call: DeliverCall, block: u32, offset: u32, length: u32): u32 {
  call.needBlock = block;
  call.needOffset = offset;
  call.needLength = length;
  return DELIVER_WINDOW;
}

/** A record, 0 when it is not in the window. */
function recordOf(call: DeliverCall, block: u32, offset: u32, length: u32): usize {
  if (block != call.windowBlock || offset < call.windowFrom || offset + length > call.windowTo) return 0;
  return call.window + (offset - call.windowFrom);
}

/** Counts a message that went. */
function went(call: DeliverCall, sequence: u64, size: u32): void {
  if (!call.direct) store<f64>(call.list + ((<usize>call.count) << 3), <f64>sequence);
  call.count++;
  call.bytes -= min(size, call.bytes);
  call.messages--;
  call.last = <f64>sequence;
  call.next = <f64>sequence + 1;
  call.consumerSeq += 1;
  call.pending = max(call.pending - 1, 0);
  if (call.pickCount) call.picked++;
}

/** Goes on with the batch in CALL until it is done (DELIVER_*), or until another window is needed. */
export function deliver(): u32 {
  const call = changetype<DeliverCall>(CALL);
  const result = deliverMore(call, changetype<Stream>(call.stream));
  dropRoom();
  return result;
}

function deliverMore(call: DeliverCall, stream: Stream): u32 {
  while (true) {
    if (!call.messages) return DELIVER_MESSAGES;
    const isFound = call.pickCount ? nextPicked(call, stream) : nextSelected(call, stream);
    if (sequencesOf(stream).lost) return DELIVER_LOST;
    if (!isFound) return call.looks || call.pickCount ? DELIVER_END : DELIVER_MESSAGES;
    const segment = changetype<Segment>(foundSegment);
    const sequence = segment.first + foundAt;
    const block = segment.block;
    const offset = entryOffset(segment, foundAt);
    const length = entryLength(segment, foundAt);
    const record = recordOf(call, block, offset, length);
    if (!record) return need(call, block, offset, length);
    if (!recordValid(keyOf(stream, block), record, length) || recordSequence(record) != sequence) {
      need(call, block, offset, length);
      return DELIVER_DAMAGED;
    }
    const replyLength = layReply(call, sequence, recordTime(record));
    const size = recordSubjectLength(record) + replyLength + recordDataLength(record);
    if (!call.direct && size > call.bytes) return DELIVER_BYTES;
    if (!(call.direct ? answer(call, stream, record) : send(call, stream, record, replyLength))) return DELIVER_INTEREST;
    went(call, sequence, size);
    if (call.direct && !call.bytes) return DELIVER_BYTES;
  }
}
