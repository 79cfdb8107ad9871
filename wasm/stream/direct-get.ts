// Direct gets that the kernel answers by itself: of the last message of a subject or of a sequence, asked for in the plain form,
// when all there is to it is on disk and its record lies in a window. For one that does not the host is asked to bring it into
// one. Every other request becomes a message for the host.
//
//   <prefix>.DIRECT.GET.<stream>.<subject>   without payload
//   <prefix>.DIRECT.GET.<stream>             {"seq":<sequence>}
//
// The message is found while the request is being routed and goes out behind that: the answer is a message of its own, and
// routing it meanwhile would take the place of the request.

import { copy, parseSequence } from '../lib/bytes';
import { EVENT_MESSAGE } from '../lib/events';
import { pushEvent, raiseBarrier } from '../lib/ring';
import { Entry } from '../match/interest';
import { MESSAGE_WORDS, hostMessage, layMessage } from '../deliver/host';
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
import { Segment, entryLength, entryOffset, isLive } from '../index/segment';
import { findEntry, foundAt, foundSegment } from '../index/sequences';
import { findSubject } from '../index/subjects';
import { recordSequence, recordValid } from '../record/record';
import { keyOf } from './block-keys';
import { sendDirect } from './direct';
import { EVENT_STREAM_DIRECT } from './events';
import { FAULTED, HELD, Stream, sequencesOf } from './stream';
import { windowed } from './windows';

/** `{"seq":` as a little-endian word: eight bytes, the last of them a digit or a blank. */
const SEQ: u64 = 0x3a22716573227b;
const SEQ_LENGTH: u32 = 7;
const DIGITS_MOST: u32 = 15;
const SPACE: u8 = 0x20;
const ZERO: u8 = 0x30;
const CLOSE: u8 = 0x7d;

/** Words of an entry for the host in front of the message: which stream, and where the record lies. */
const PLACE_WORDS: u32 = 6;

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

/** Where the message lies that was looked for last. */
let block: u32 = 0;
let offset: u32 = 0;
let length: u32 = 0;

/** Looks where a message lies that may be shown. False: there is none. */
function findShown(stream: Stream, sequence: u64): bool {
  if (!sequence || sequence > stream.shown || stream.flags & (FAULTED | HELD)) return false;
  if (!findEntry(sequencesOf(stream), sequence)) return false;
  const segment = changetype<Segment>(foundSegment);
  if (!isLive(segment, foundAt)) return false;
  block = segment.block;
  offset = entryOffset(segment, foundAt);
  length = entryLength(segment, foundAt);
  return true;
}

/** Whether the record at `at` is that of the message that was looked for. */
function isWhole(stream: Stream, at: usize, sequence: u64): bool {
  return recordValid(keyOf(stream, block), at, length) && recordSequence(at) == sequence;
}

/** Asks the host for the record of the message that was looked for, with the request. */
function askForRecord(sub: Sub, stream: Stream, sequence: u64): bool {
  const words = pushEvent(EVENT_STREAM_DIRECT, PLACE_WORDS + MESSAGE_WORDS);
  if (!words) return false;
  store<u32>(words, stream.tag);
  store<u32>(words, block, 4);
  store<u32>(words, offset, 8);
  store<u32>(words, length, 12);
  store<f64>(words, <f64>sequence, 16);
  layMessage(words + ((<usize>PLACE_WORDS) << 2), sub);
  raiseBarrier();
  return true;
}

/** A client's message came on a subscription to direct gets: the kernel takes it, or the host. */
export function askStream(sub: Sub): bool {
  if (record || !msgReplyLength || msgHeaderLength || bareData) return hostMessage(sub);
  const stream = changetype<Stream>(<usize>sub.tag);
  const subject = changetype<Entry>(sub.entry);
  const sequence = subject.wildcard ? lastOfSubject(stream, subject.length - 1) : sequenceIn(msgData, msgDataLength);
  if (!findShown(stream, sequence)) return hostMessage(sub);
  const at = windowed(changetype<usize>(stream), block, offset, length);
  if (!at) return askForRecord(sub, stream, sequence);
  if (!isWhole(stream, at, sequence)) return hostMessage(sub);
  record = at;
  source = changetype<usize>(stream);
  return true;
}

/** Answers the request that was taken, now that it has been routed; it is not the current message afterwards. */
export function answerTaken(): void {
  if (!record) return;
  sendDirect(changetype<Stream>(source), record, msgReply, msgReplyLength);
  record = 0;
}

/** The whole record of a message that may be shown and lies in a window, else 0. */
function shownRecord(stream: Stream, sequence: u64): usize {
  if (!findShown(stream, sequence)) return 0;
  const at = windowed(changetype<usize>(stream), block, offset, length);
  return at && isWhole(stream, at, sequence) ? at : 0;
}

/** The host has done what the entry at `words` asks for: answers the request, or hands it over after all. */
export function answerAsked(stream: Stream, words: usize): void {
  const at = shownRecord(stream, <u64>load<f64>(words, 16));
  const message = words + ((<usize>PLACE_WORDS) << 2);
  if (at) {
    sendDirect(stream, at, load<u32>(message, 20), load<u32>(message, 24));
    return;
  }
  const again = pushEvent(EVENT_MESSAGE, MESSAGE_WORDS);
  if (again) copy(again, message, (<usize>MESSAGE_WORDS) << 2);
}
