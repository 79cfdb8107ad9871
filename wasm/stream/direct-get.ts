// Direct gets that the kernel answers by itself: of the last message of a subject or of a sequence, asked for in the plain form,
// when all there is to it is on disk and its record lies in a window. Every other one becomes an entry for the host.
//
//   <prefix>.DIRECT.GET.<stream>.<subject>   without payload
//   <prefix>.DIRECT.GET.<stream>             {"seq":<sequence>}
//
// The message is found while the request is being routed and goes out behind that: the answer is a message of its own, and
// routing it meanwhile would take the place of the request.

import { parseSequence } from '../lib/bytes';
import { Entry } from '../match/interest';
import {
  bareData,
  msgData,
  msgDataLength,
  msgHeaderLength,
  msgReply,
  msgReplyLength,
  msgSubject,
  msgSubjectLength,
} from '../deliver/message';
import { Sub } from '../deliver/subscription';
import { isLiteral } from '../index/filter';
import { Segment, entryLength, entryOffset, findEntry, foundSegment, isLive } from '../index/sequences';
import { findSubject } from '../index/subjects';
import { recordSequence, recordValid } from '../record/record';
import { keyOf } from './block-keys';
import { DIRECT_ONE, sendDirect } from './direct';
import { FAULTED, HELD, Stream, sequencesOf } from './stream';
import { windowed } from './windows';

/** `{"seq":` as a little-endian word: eight bytes, the last of them a digit or a blank. */
const SEQ: u64 = 0x3a22716573227b;
const SEQ_LENGTH: u32 = 7;
const DIGITS_MOST: u32 = 15;
const SPACE: u8 = 0x20;
const ZERO: u8 = 0x30;
const CLOSE: u8 = 0x7d;

/** The record that answers the request being routed, 0: none; and whose it is. */
let record: usize = 0;
let source: usize = 0;

/** The sequence in `{"seq":<sequence>}`, with or without a space; 0 for everything else. */
function sequenceIn(at: usize, length: u32): u64 {
  if (length < SEQ_LENGTH + 2 || (load<u64>(at) & 0xffffffffffffff) != SEQ) return 0;
  const from: u32 = load<u8>(at, SEQ_LENGTH) == SPACE ? SEQ_LENGTH + 1 : SEQ_LENGTH;
  const end = length - 1;
  if (load<u8>(at + end) != CLOSE || end <= from || end - from > DIGITS_MOST || load<u8>(at + from) == ZERO) return 0;
  return <u64>max(parseSequence(at + from, end - from), 0);
}

/** The last sequence of the subject that the request names, 0: there is none, or it names more than one. */
function lastOfSubject(stream: Stream, prefix: u32): u64 {
  const subject = msgSubject + prefix;
  const length = msgSubjectLength - prefix;
  if (msgDataLength || !isLiteral(subject, length)) return 0;
  const leaf = findSubject(stream.subjects, subject, length);
  return changetype<usize>(leaf) ? leaf.last : 0;
}

/** The undamaged record of a message that may be shown, 0: there is none here. */
function shownRecord(stream: Stream, sequence: u64): usize {
  if (!sequence || sequence > stream.shown || stream.flags & (FAULTED | HELD)) return 0;
  const entry = findEntry(sequencesOf(stream), sequence);
  if (!entry || !isLive(entry)) return 0;
  const block = changetype<Segment>(foundSegment).block;
  const length = entryLength(entry);
  const found = windowed(changetype<usize>(stream), block, entryOffset(entry), length);
  if (!found || !recordValid(keyOf(stream, block), found, length) || recordSequence(found) != sequence) return 0;
  return found;
}

/** Whether the kernel answers the current message, which came on a subscription to direct gets. */
export function takesDirect(sub: Sub): bool {
  if (record || !msgReplyLength || msgHeaderLength || bareData) return false;
  const stream = changetype<Stream>(<usize>sub.tag);
  const entry = changetype<Entry>(sub.entry);
  const sequence = entry.wildcard ? lastOfSubject(stream, entry.length - 1) : sequenceIn(msgData, msgDataLength);
  record = shownRecord(stream, sequence);
  source = changetype<usize>(stream);
  return record != 0;
}

/** Answers the request that was taken, now that it has been routed; it is not the current message afterwards. */
export function answerTaken(): void {
  if (!record) return;
  sendDirect(changetype<Stream>(source), record, msgReply, msgReplyLength, DIRECT_ONE, 0, 0);
  record = 0;
}
