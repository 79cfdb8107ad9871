// Appending: a publish that matched a stream's subjects becomes a record in the stream's runs, an index entry and a pending
// acknowledgement, in one go. What the kernel cannot decide (headers that ask for something, limits that reject) goes to the
// host, and the parser stops behind it, so that sequences are given in arrival order.

import { free, tryAlloc } from '../lib/arena';
import { copy } from '../lib/bytes';
import { pushEvent, raiseBarrier } from '../lib/ring';
import {
  followed,
  msgData,
  msgDataLength,
  msgHeaderLength,
  msgReply,
  msgReplyLength,
  msgSubject,
  msgSubjectLength,
} from '../deliver/message';
import { Leaf, findSubject, holdSubject } from '../index/subjects';
import { addEntry, findEntry, linkFound } from '../index/sequences';
import { RECORD_LARGEST, frameMessage, recordSize } from '../record/record';
import { queueAck } from './acks';
import { takesFast, tookFast } from './fast';
import { asksForDecision, idAt, idLength } from './headers';
import { addId, findId } from './ids';
import { MEMBER_SUBJECT, Member, firstMember, keepMember, takesMember } from './members';
import { nowNs } from '../lib/time';
import {
  EVENT_STREAM_PUBLISH,
  JUDGE_BYTES,
  JUDGE_FAULT,
  JUDGE_HEADERS,
  JUDGE_MEMORY,
  JUDGE_MESSAGES,
  JUDGE_PER_SUBJECT,
  JUDGE_ROOM,
  JUDGE_SEALED,
  JUDGE_SIZE,
} from './events';
import { enforceLimits, enforceSubjectLimit, enforceSubjectLimitALittle, overLimit } from './remove';
import { lacksMemory } from './room';
import { stage, stagedFull } from './runs';
import { makeRoom, markStreamDirty } from './tail';
import {
  DIRTY,
  DISCARD_NEW,
  DISCARD_NEW_PER_SUBJECT,
  FAULTED,
  IDS_COLD,
  JUDGED,
  NO_ACK,
  SEALED,
  Stream,
  TRIMMED,
  countedBytes,
  indexedLength,
  sequencesOf,
  subjectsSlot,
  tailKey,
} from './stream';

/** Headers of more bytes are refused. */
const HEADERS_MOST: u32 = 65535;
/** `.$FI` as a little-endian word: the end of a reply subject of a fast batch. */
const FAST: u32 = 0x4946242e;

/** Whether headers of the current message need the host: they ask for more than the kernel knows, or its id is known. */
function needsHost(stream: Stream): bool {
  if (msgHeaderLength > HEADERS_MOST || asksForDecision(msgData, msgHeaderLength) || followed) return true;
  if (!idLength || stream.windowSpan <= 0) return false;
  return (stream.flags & IDS_COLD) != 0 || findId(stream, idAt, idLength, nowNs) > 0;
}

/** The current message goes on with a fast batch: no acknowledgement of its own. */
let isFast: bool = false;
/** It is a member of an atomic batch, to be put aside. */
let isMember: bool = false;

/** Why the host must decide about the current message; 0: it is stored. */
function judge(stream: Stream, length: u32): u32 {
  isFast = false;
  isMember = false;
  if (lacksMemory(stream, length)) return JUDGE_MEMORY;
  if (sequencesOf(stream).lost) return JUDGE_FAULT;
  if (stream.flags & (FAULTED | SEALED)) return stream.flags & FAULTED ? JUDGE_FAULT : JUDGE_SEALED;
  if (stream.flags & JUDGED) return JUDGE_HEADERS;
  const counted = countedBytes(stream, indexedLength(stream, length, msgHeaderLength));
  if (msgHeaderLength && needsHost(stream)) {
    if (!takesMember(stream, counted)) return JUDGE_HEADERS;
    isMember = true;
  }
  if (msgReplyLength > 4 && load<u32>(msgReply + msgReplyLength - 4) == FAST) {
    if (!takesFast(stream, msgReply, msgReplyLength)) return JUDGE_HEADERS;
    isFast = true;
  }
  if (stream.maxMessageSize >= 0 && <i64>msgDataLength > stream.maxMessageSize) return JUDGE_SIZE;
  if (length > RECORD_LARGEST || msgSubjectLength > 65535) return JUDGE_SIZE;
  if (stream.granted >= 0 && <i64>counted > stream.granted) return JUDGE_ROOM;
  const limit = overLimit(stream, counted);
  if (limit) return limit == 1 ? JUDGE_MESSAGES : JUDGE_BYTES;
  const perSubject = DISCARD_NEW | DISCARD_NEW_PER_SUBJECT;
  if ((stream.flags & perSubject) == perSubject && stream.maxPerSubject > 0) {
    const leaf = findSubject(stream.subjects, msgSubject, msgSubjectLength);
    if (changetype<usize>(leaf) && <i64>leaf.count >= stream.maxPerSubject) return JUDGE_PER_SUBJECT;
  }
  return 0;
}

/** Hands the current message to the host; where there is no memory for it, without its data. */
function hand(stream: Stream, reason: u32): bool {
  const dataLength: u32 = reason == JUDGE_MEMORY ? 0 : msgDataLength;
  const kept = tryAlloc(msgSubjectLength + msgReplyLength + dataLength + 1);
  if (!kept) return false;
  const words = pushEvent(EVENT_STREAM_PUBLISH, 7);
  if (!words) {
    free(kept);
    return false;
  }
  copy(kept, msgSubject, msgSubjectLength);
  copy(kept + msgSubjectLength, msgReply, msgReplyLength);
  copy(kept + msgSubjectLength + msgReplyLength, msgData, dataLength);
  store<u32>(words, stream.tag);
  store<u32>(words, reason, 4);
  store<u32>(words, <u32>kept, 8);
  store<u32>(words, msgSubjectLength, 12);
  store<u32>(words, msgReplyLength, 16);
  store<u32>(words, min(msgHeaderLength, dataLength), 20);
  store<u32>(words, dataLength, 24);
  raiseBarrier();
  return true;
}

/** Enters a message with the highest sequence into the indexes. */
function indexMessage(
  stream: Stream,
  sequence: u64,
  block: u32,
  offset: u32,
  length: u32,
  time: i64,
  subject: usize,
  subjectLength: u32,
): Leaf {
  const leaf = holdSubject(subjectsSlot(stream), subject, subjectLength);
  linkMessage(stream, sequence, block, offset, length, time, leaf);
  return leaf;
}

/** As `indexMessage`, with the subject's leaf at hand. */
export function linkMessage(stream: Stream, sequence: u64, block: u32, offset: u32, length: u32, time: i64, leaf: Leaf): void {
  const index = sequencesOf(stream);
  addEntry(index, sequence, block, offset, length, changetype<usize>(leaf), time);
  if (leaf.count++) {
    // With one message a subject nobody asks for the next one.
    if (stream.maxPerSubject != 1 && findEntry(index, leaf.last)) linkFound(index, sequence - leaf.last);
  } else {
    leaf.first = sequence;
    stream.numSubjects++;
  }
  leaf.last = sequence;
  if (!stream.messages) stream.first = sequence;
  stream.messages++;
  stream.bytes += countedBytes(stream, length);
  stream.last = sequence;
  stream.lastBlock = block;
  stream.lastTime = time;
}

/** Stores a message without asking whether it may be; returns its sequence. */
export function appendMessage(
  stream: Stream,
  time: i64,
  subject: usize,
  subjectLength: u32,
  headerLength: u32,
  data: usize,
  dataLength: u32,
): u64 {
  const length = recordSize(subjectLength, headerLength, dataLength);
  makeRoom(stream, length);
  const sequence = stream.last + 1;
  const offset = stream.offset;
  const to = stage(stream, length);
  frameMessage(to, tailKey(stream), sequence, time, subject, subjectLength, headerLength, data, dataLength);
  const indexed = indexedLength(stream, length, headerLength);
  if (stream.granted > 0) stream.granted = max(stream.granted - <i64>countedBytes(stream, indexed), 0);
  const leaf = indexMessage(stream, sequence, stream.block, offset, indexed, time, subject, subjectLength);
  if (stream.flags & TRIMMED) {
    enforceSubjectLimitALittle(stream, leaf);
  } else {
    enforceSubjectLimit(stream, leaf);
    enforceLimits(stream);
  }
  markStreamDirty(stream);
  return sequence;
}

/** Stores what waits of an atomic batch, one behind the other, without asking whether it may be. */
export function appendMembers(stream: Stream, id: usize, idLength: u32): void {
  let at = firstMember(stream, id, idLength);
  while (at) {
    const member = changetype<Member>(at);
    const subject = at + MEMBER_SUBJECT;
    const length = member.subjectLength;
    appendMessage(stream, nowNs, subject, length, member.headerLength, subject + length, member.dataLength);
    at = member.next;
  }
}

/** Called by the router for each publish on one of a stream's subjects: the message is in the globals of deliver/message. */
export function streamAppend(target: u32): bool {
  const stream = changetype<Stream>(<usize>target);
  const length = recordSize(msgSubjectLength, msgHeaderLength, msgDataLength);
  const reason = judge(stream, length);
  if (reason) return hand(stream, reason);
  if (isMember) {
    keepMember();
    return true;
  }
  const sequence = appendMessage(stream, nowNs, msgSubject, msgSubjectLength, msgHeaderLength, msgData, msgDataLength);
  if (msgHeaderLength && idLength) addId(stream, idAt, idLength, sequence, nowNs);
  if (isFast) tookFast(sequence);
  else if (msgReplyLength && !(stream.flags & NO_ACK)) queueAck(stream, sequence, msgReply, msgReplyLength);
  if (stagedFull(stream)) {
    stream.flags &= ~DIRTY;
    markStreamDirty(stream);
    raiseBarrier();
  }
  return true;
}
