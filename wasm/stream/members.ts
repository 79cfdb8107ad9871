// Members of atomic batches that the kernel puts aside by itself: those that are simply the next one of an open batch, whose
// headers say no more than that, and that want no answer. They wait here, as they came, until the host has them stored, takes
// them out or gives them up.
//
// What stays true: the host opens and closes batches; what waits of a batch comes behind all members that the host has, without
// a gap.
//
//   Member  u32 next | u32 length of the subject | of the headers | of headers and payload | subject | headers and payload

import { alloc, free } from '../lib/arena';
import { copy, parseSequence } from '../lib/bytes';
import { nowNs } from '../lib/time';
import { msgData, msgDataLength, msgHeaderLength, msgReplyLength, msgSubject, msgSubjectLength } from '../deliver/message';
import { OpenBatch, addBatch, dropBatch, findBatch } from './open-batches';
import { Stream } from './stream';

/** An open batch. */
@unmanaged
class AtomicBatch extends OpenBatch {
  /** How far it is, and up to where members are taken. */
  sequence: u64;
  most: u64;
  first: usize;
  last: usize;
  count: u32;
  /** What those that wait will count in the stream. */
  bytes: u32;
  time: i64;
}

/** A member's head. */
@unmanaged
export class Member {
  next: usize;
  subjectLength: u32;
  headerLength: u32;
  dataLength: u32;
}

/** Where a member's subject is. */
export const MEMBER_SUBJECT: usize = 16;
/** More of one batch does not wait here. */
const BYTES_MOST: u32 = 1 << 20;
const ID_MOST: u32 = 64;

const LINE_FEED: u32 = 10;
const RETURN: u32 = 13;
const SPACE: u32 = 32;
const LAST_PRINTED: u32 = 126;
/** `Nats`, `Nats-Bat`, `ch-Id: `, `ch-Seque` and `nce: ` as little-endian words. */
const NATS: u32 = 0x7374614e;
const NATS_BAT: u64 = 0x7461422d7374614e;
const CH_ID: u64 = 0x203a64492d6863;
const CH_SEQUE: u64 = 0x65757165532d6863;
const NCE: u64 = 0x203a65636e;
const DASH: u32 = 0x2d;
const ID_NAME: usize = 15;
const SEQUENCE_NAME: usize = 21;

/** What the headers read last say: the batch, and the place in it; 0: they say more than that, or less. */
let idAt: usize = 0;
let idLength: u32 = 0;
let place: i64 = 0;

/** The batch that the current message goes on with, as `takesMember` has found it. */
let current: usize = 0;
let currentBytes: u32 = 0;

/** Where a value of plain characters ends with its line; 0: it is none. */
function valueEnd(at: usize, end: usize): usize {
  let to = at;
  while (to < end && <u32>load<u8>(to) > SPACE && <u32>load<u8>(to) <= LAST_PRINTED) to++;
  if (to == at || to + 1 >= end || <u32>load<u8>(to) != RETURN || <u32>load<u8>(to, 1) != LINE_FEED) return 0;
  return to;
}

/** Reads a header block. False: it is the host's. */
function readPlace(headers: usize, length: u32): bool {
  idLength = 0;
  place = 0;
  const end = headers + length;
  for (let at = headers + 1; at < end - 5; at++) {
    if (<u32>load<u8>(at) != LINE_FEED || load<u32>(at, 1) != NATS || <u32>load<u8>(at, 5) != DASH) continue;
    if (<u32>load<u8>(at - 1) != RETURN || load<u64>(at, 1) != NATS_BAT) return false;
    const rest = load<u64>(at, 9);
    let to: usize = 0;
    if ((rest & 0xffffffffffffff) == CH_ID && !idLength) {
      idAt = at + 1 + ID_NAME;
      to = valueEnd(idAt, end);
      idLength = <u32>(to - idAt);
    } else if (rest == CH_SEQUE && (load<u64>(at, 17) & 0xffffffffff) == NCE && !place) {
      const from = at + 1 + SEQUENCE_NAME;
      to = valueEnd(from, end);
      if (to) place = parseSequence(from, <u32>(to - from));
    }
    if (!to) return false;
    at = to;
  }
  return idLength > 0 && idLength <= ID_MOST && place > 0;
}

function find(stream: Stream, id: usize, length: u32): AtomicBatch {
  return changetype<AtomicBatch>(findBatch(stream.atomic, id, length));
}

/** Whether the current message, which will count so many bytes, is one to be put aside. */
export function takesMember(stream: Stream, counted: u32): bool {
  if (!stream.atomic || msgReplyLength || !readPlace(msgData, msgHeaderLength)) return false;
  const batch = find(stream, idAt, idLength);
  if (!changetype<usize>(batch) || <u64>place != batch.sequence + 1 || <u64>place > batch.most) return false;
  const bytes: u64 = <u64>batch.bytes + <u64>counted;
  if (bytes > BYTES_MOST || (stream.granted >= 0 && <i64>bytes > stream.granted)) return false;
  current = changetype<usize>(batch);
  currentBytes = counted;
  return true;
}

/** Puts the message aside that `takesMember` has found. */
export function keepMember(): void {
  const batch = changetype<AtomicBatch>(current);
  const member = changetype<Member>(alloc(MEMBER_SUBJECT + msgSubjectLength + msgDataLength + 16));
  member.next = 0;
  member.subjectLength = msgSubjectLength;
  member.headerLength = msgHeaderLength;
  member.dataLength = msgDataLength;
  const subject = changetype<usize>(member) + MEMBER_SUBJECT;
  copy(subject, msgSubject, msgSubjectLength);
  copy(subject + msgSubjectLength, msgData, msgDataLength);
  if (batch.last) changetype<Member>(batch.last).next = changetype<usize>(member);
  else batch.first = changetype<usize>(member);
  batch.last = changetype<usize>(member);
  batch.sequence++;
  batch.count++;
  batch.bytes += currentBytes;
  batch.time = nowNs;
}

/** Opens a batch, or tells how far it is with nothing of it waiting, and up to where members are taken. */
export function openAtomic(stream: Stream, id: usize, length: u32, sequence: u64, most: u64): void {
  let batch = find(stream, id, length);
  if (!changetype<usize>(batch)) {
    batch = changetype<AtomicBatch>(addBatch(stream.atomic, id, length));
    stream.atomic = changetype<usize>(batch);
  }
  batch.sequence = sequence;
  batch.most = most;
}

/** Leaves at `to` what waits of a batch: how many, bytes, milliseconds of the last. False: nothing. */
export function readAtomic(stream: Stream, id: usize, length: u32, to: usize): bool {
  const batch = find(stream, id, length);
  if (!changetype<usize>(batch) || !batch.count) return false;
  store<f64>(to, <f64>batch.count);
  store<f64>(to, <f64>batch.bytes, 8);
  store<f64>(to, <f64>(batch.time / 1000000), 16);
  return true;
}

/** The first that waits of a batch; 0: none. */
export function firstMember(stream: Stream, id: usize, length: u32): usize {
  const batch = find(stream, id, length);
  return changetype<usize>(batch) ? batch.first : 0;
}

/** Frees all that waits of a batch, which stays open. */
function dropMembers(batch: AtomicBatch): void {
  while (batch.first) {
    const member = batch.first;
    batch.first = changetype<Member>(member).next;
    free(member);
  }
  batch.last = 0;
  batch.count = 0;
  batch.bytes = 0;
}

/** Frees all that waits of the batch of an id. */
export function emptyAtomic(stream: Stream, id: usize, length: u32): void {
  const batch = find(stream, id, length);
  if (changetype<usize>(batch)) dropMembers(batch);
}

/** Forgets a batch. */
export function closeAtomic(stream: Stream, id: usize, length: u32): void {
  const batch = find(stream, id, length);
  if (!changetype<usize>(batch)) return;
  dropMembers(batch);
  stream.atomic = dropBatch(stream.atomic, changetype<usize>(batch));
}

/** Forgets all of them. */
export function dropAtomic(stream: Stream): void {
  while (stream.atomic) {
    dropMembers(changetype<AtomicBatch>(stream.atomic));
    stream.atomic = dropBatch(stream.atomic, stream.atomic);
  }
}
