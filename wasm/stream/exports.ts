// What the host may call of the store's kernel. Streams are addresses, sequences f64; filters and subjects are (address, length).
// ts/kernel/streams.ts is the typed door to it.

import { highwayHash } from '../record/highway';
import { sha256 } from '../record/sha256';
import { collectedList, dropCollected } from '../index/collected';
import { collectPage } from '../index/ordered';
import { openCold } from '../index/cold';
import { liveInBlock } from '../index/sequences';
import { dropAcks, queueAck, rejectAcks, releaseAcks } from './acks';
import { appendMembers, appendMessage } from './append';
import { liveBytes, listKept, moveBlock } from './compact';
import { closeFast, dropFast, openFast, readFast } from './fast';
import { closeAtomic, dropAtomic, emptyAtomic, firstMember, openAtomic, readAtomic } from './members';
import { addId, countIds, dropIds, findId, forgetIdsAbove } from './ids';
import { deleteMessage, purge, purgeUnfinished } from './delete';
import { forgetKeys } from './block-keys';
import { checkRecord } from './deliver';
import { CALL } from './deliver-call';
import { sendDirect } from './direct';
import { answerAsked } from './direct-get';
import { countFitting as countNext, deleteFitting as deleteNext, walkReached } from './fitting';
import { NO_TIME, beginLoad, endLoad, loadBlock } from './load';
import { dropEncoded, encodeSubjects, encodedAt, readSegment } from './index-db';
import { lastOfEach } from './last-of-each';
import { ANSWER, countMatching, lastMatching, locate, nextGap, nextMatching, rangeAtTime } from './query';
import { buryRange, removeEntry } from './remove';
import { Selection, countSelected, forgetCounts, freeSelection, newSelection } from './selection';
import { lacksMemory } from './room';
import { writeTombstone } from './tail';
import { dropRuns, listRuns } from './runs';
import {
  DIRTY,
  FAULTED,
  Stream,
  countedBytes,
  emptyStream,
  freeStream,
  indexedLength,
  newStream,
  sequencesOf,
  setTail,
} from './stream';
import { Segment, isLive } from '../index/segment';
import { findEntry, foundAt, foundSegment } from '../index/sequences';
import { RECORD_LARGEST, blockKey, frameFiller, recordSize } from '../record/record';
import { memoryShort, memoryShortFor } from '../lib/pages';
import { nowNs } from '../lib/time';
import { overLimit } from './remove';

const hashKey: usize = memory.data(32, 16);
/** All zeros. */
const journalKey: usize = memory.data(32, 16);

// @ts-ignore: decorator
@inline
function at(stream: usize): Stream {
  return changetype<Stream>(stream);
}

/** Checksum of a file's content under a name, as 8 bytes at `to`. */
export function hashNamed(to: usize, name: usize, nameLength: u32, data: usize, length: u32): void {
  sha256(hashKey, name, nameLength);
  store<u64>(to, highwayHash(hashKey, data, 0, data, length));
}

/** Checksum of an entry of the journal, as 8 bytes at `to`. */
export function hashJournal(to: usize, data: usize, length: u32): void {
  store<u64>(to, highwayHash(journalKey, data, 0, data, length));
}

/** There is a file for what the index has no room for: it may take so many bytes of memory from now on. 0: there is none. */
export function boundIndex(bytes: f64): void {
  openCold(bytes);
}
/** Parts of a stream's index are lost: what it says of messages is not true until it is loaded anew. */
export function indexLost(stream: usize): bool {
  return sequencesOf(at(stream)).lost != 0;
}
/** Opens a stream under the host's number `tag`; `ack` is the PubAck up to the sequence. Returns its address. */
export function openStream(tag: u32, account: usize, name: usize, nameLength: u32, ack: usize, ackLength: u32): usize {
  return changetype<usize>(newStream(tag, account, name, nameLength, ack, ackLength));
}
/** Frees a stream with everything it still holds. */
export function closeStream(stream: usize): void {
  dropAcks(at(stream));
  dropRuns(at(stream), u32.MAX_VALUE);
  dropIds(at(stream));
  dropFast(at(stream));
  dropAtomic(at(stream));
  forgetKeys(at(stream));
  freeStream(at(stream));
}
/** Forgets every message, to be loaded anew. */
export function resetStream(stream: usize): void {
  forgetCounts(at(stream));
  emptyStream(at(stream));
}
/** Sets the limits; -1: none. */
export function limitStream(
  stream: usize,
  maxMessages: f64,
  maxBytes: f64,
  maxPerSubject: f64,
  maxMessageSize: f64,
  blockLimit: u32,
): void {
  const s = at(stream);
  s.maxMessages = <i64>maxMessages;
  s.maxBytes = <i64>maxBytes;
  s.maxPerSubject = <i64>maxPerSubject;
  s.maxMessageSize = <i64>maxMessageSize;
  s.blockLimit = blockLimit;
}
/** Sets and clears flags (stream.ts). */
export function flagStream(stream: usize, set: u32, clear: u32): void {
  at(stream).flags = (at(stream).flags & ~clear) | set;
}
/** Messages up to a sequence may be shown. */
export function showStream(stream: usize, sequence: f64): void {
  at(stream).shown = <u64>sequence;
}
/** Grants bytes that may be appended before the host is asked for room; -1: any number. */
export function grantStream(stream: usize, bytes: f64): void {
  at(stream).granted = <i64>bytes;
}
/** What is left of the bytes granted. */
export function grantedBytes(stream: usize): f64 {
  return <f64>at(stream).granted;
}
/** Sets how long message ids are remembered, in nanoseconds; 0: not at all. */
export function windowStream(stream: usize, span: f64): void {
  at(stream).windowSpan = <i64>span;
}
/** The sequence a message id was stored under within the window, 0: it is not known. */
export function sequenceOfId(stream: usize, id: usize, length: u32): f64 {
  return <f64>findId(at(stream), id, length, nowNs);
}
/** Remembers a message id with its sequence and time. */
export function rememberId(stream: usize, id: usize, length: u32, sequence: f64, seconds: f64, nanos: u32): void {
  addId(at(stream), id, length, <u64>sequence, <i64>seconds * 1000000000 + <i64>nanos);
}
/** Opens a fast batch, or tells how far it is; the host wants to see the message with sequence `due`. */
export function openFastBatch(stream: usize, id: usize, length: u32, sequence: f64, due: f64): void {
  openFast(at(stream), id, length, <u64>sequence, <u64>due);
}
/** What was taken of a fast batch since, as f64 in ANSWER: sequence, sequence in the stream, milliseconds. False: nothing. */
export function readFastBatch(stream: usize, id: usize, length: u32): bool {
  return readFast(at(stream), id, length, ANSWER + 16);
}
/** Forgets a fast batch. */
export function closeFastBatch(stream: usize, id: usize, length: u32): void {
  closeFast(at(stream), id, length);
}
/** Opens an atomic batch, or tells how far it is; members up to `most` are put aside. */
export function openAtomicBatch(stream: usize, id: usize, length: u32, sequence: f64, most: f64): void {
  openAtomic(at(stream), id, length, <u64>sequence, <u64>most);
}
/** What waits of an atomic batch, as f64 in ANSWER: how many, bytes, milliseconds. False: nothing. */
export function readAtomicBatch(stream: usize, id: usize, length: u32): bool {
  return readAtomic(at(stream), id, length, ANSWER + 16);
}
/** The first that waits of an atomic batch (members.ts), 0: none. */
export function firstOfBatch(stream: usize, id: usize, length: u32): usize {
  return firstMember(at(stream), id, length);
}
/** Stores what waits of an atomic batch. */
export function storeMembers(stream: usize, id: usize, length: u32): void {
  appendMembers(at(stream), id, length);
  emptyAtomic(at(stream), id, length);
}
/** Gives up what waits of an atomic batch, which stays open. */
export function dropMembers(stream: usize, id: usize, length: u32): void {
  emptyAtomic(at(stream), id, length);
}
/** Forgets an atomic batch. */
export function closeAtomicBatch(stream: usize, id: usize, length: u32): void {
  closeAtomic(at(stream), id, length);
}
/** How many message ids are remembered. */
export function rememberedIds(stream: usize): u32 {
  return countIds(at(stream));
}
/** Sets the block to append to. */
export function tailStream(stream: usize, block: u32, offset: u32): void {
  setTail(at(stream), block, offset);
}
/** Sets the sequence that comes first in a stream without messages, and writes the tombstone that remembers it. */
export function startStream(stream: usize, first: f64): void {
  const s = at(stream);
  s.first = <u64>first;
  s.last = <u64>first - 1;
  writeTombstone(s, s.last, NO_TIME);
}
/** The last sequence was higher than the blocks say: remembers that, with a tombstone. */
export function raiseStream(stream: usize, last: f64, seconds: f64, nanos: u32): void {
  const s = at(stream);
  s.last = <u64>last;
  s.lastTime = <i64>seconds * 1000000000 + <i64>nanos;
  if (!s.messages) s.first = s.last + 1;
  writeTombstone(s, s.last, s.lastTime);
}
/**
 * The next message is to come behind `last`: the sequences between stay without one. Nothing is written, the jump itself says
 * so.
 */
export function jumpStream(stream: usize, last: f64): void {
  const s = at(stream);
  s.last = max(s.last, <u64>last);
  if (!s.messages) s.first = s.last + 1;
}
/**
 * Writes the numbers of the stream as f64 at `to`: messages, bytes, first, last, lastTime seconds, nanos, subjects, block,
 * offset, staged.
 */
export function readStream(stream: usize, to: usize): void {
  const s = at(stream);
  store<f64>(to, <f64>s.messages);
  store<f64>(to, <f64>s.bytes, 8);
  store<f64>(to, <f64>s.first, 16);
  store<f64>(to, <f64>s.last, 24);
  store<f64>(to, <f64>(s.lastTime / 1000000000), 32);
  store<f64>(to, <f64>(s.lastTime % 1000000000), 40);
  store<f64>(to, <f64>s.numSubjects, 48);
  store<f64>(to, <f64>s.block, 56);
  store<f64>(to, <f64>s.offset, 64);
  store<f64>(to, <f64>s.staged, 72);
}
/** The range of sequences that limits removed since the last call, in ANSWER. False: none. */
export function takeRemoved(stream: usize): bool {
  const s = at(stream);
  if (!s.removedLow) return false;
  store<f64>(ANSWER, <f64>s.removedLow, 16);
  store<f64>(ANSWER, <f64>s.removedHigh, 24);
  s.removedLow = 0;
  s.removedHigh = 0;
  return true;
}
/** Bytes to be written. */
export function stagedBytes(stream: usize): u32 {
  return at(stream).staged;
}
/** The last sequence given out. */
export function lastSequence(stream: usize): f64 {
  return <f64>at(stream).last;
}

/** Takes the stream off the dirty list and lists its runs as (block, offset, address, length). */
export function takeRuns(stream: usize, list: usize, most: u32): u32 {
  at(stream).flags &= ~DIRTY;
  return listRuns(at(stream), list, most);
}
/** The first `count` runs are written. */
export function runsWritten(stream: usize, count: u32): void {
  dropRuns(at(stream), count);
}
/** Sends PubAcks up to a sequence, at most `most`; returns how many. */
export function streamRelease(stream: usize, sequence: f64, most: u32): u32 {
  return releaseAcks(at(stream), <u64>sequence, most);
}
/** The disk failed: answers what waits with an error, forgets everything above `synced` and takes nothing any more. */
export function failStream(stream: usize, synced: f64, answer: usize, length: u32): void {
  const s = at(stream);
  s.flags |= FAULTED;
  forgetCounts(s);
  rejectAcks(s, answer, length);
  dropRuns(s, u32.MAX_VALUE);
  forgetIdsAbove(s, <u64>synced);
  for (let sequence = s.last; sequence > <u64>synced; sequence--) {
    if (!findEntry(sequencesOf(s), sequence)) continue;
    const segment = changetype<Segment>(foundSegment);
    if (isLive(segment, foundAt)) removeEntry(s, segment, foundAt, false);
  }
  s.last = <u64>synced;
  if (!s.messages) s.first = s.last + 1;
}

/** Why a message of this size may not be appended (JUDGE_MESSAGES - 3 and on), 0: it may. */
export function appendLimit(stream: usize, subjectLength: u32, headerLength: u32, dataLength: u32): u32 {
  const length = recordSize(subjectLength, headerLength, dataLength);
  if (length > RECORD_LARGEST) return 3;
  return overLimit(at(stream), countedBytes(at(stream), indexedLength(at(stream), length, headerLength)));
}
/** Appends a message of the host; a reply gets its PubAck. `seconds` negative: the kernel's time. Returns the sequence. */
export function appendHost(
  stream: usize,
  subject: usize,
  subjectLength: u32,
  reply: usize,
  replyLength: u32,
  headerLength: u32,
  data: usize,
  dataLength: u32,
  seconds: f64,
  nanos: u32,
): f64 {
  const time = seconds < 0 ? nowNs : <i64>seconds * 1000000000 + <i64>nanos;
  const sequence = appendMessage(at(stream), time, subject, subjectLength, headerLength, data, dataLength);
  if (replyLength) queueAck(at(stream), sequence, reply, replyLength);
  return <f64>sequence;
}

/** Where multiple results are left (query.ts). */
export function answerAt(): usize {
  return ANSWER;
}
/** Where a delivery's call lies (deliver.ts). */
export function callAt(): usize {
  return CALL;
}
export { beginDeliver, deliver } from './deliver';
export { findWindow, goesOn, smallRow, windowsAt } from './windows';
/** Finds a message: the answer is in ANSWER. */
export function locateMessage(stream: usize, sequence: f64): bool {
  return locate(at(stream), <u64>sequence);
}
/** Sends the record at `record`, found undamaged, to the inbox of a direct get. */
export function answerDirect(stream: usize, record: usize, inbox: usize, length: u32): void {
  sendDirect(at(stream), record, inbox, length);
}
/** The record that the entry at `words` asks for is in a window, or cannot be: answers, or makes it a message for the host. */
export function answerRequest(stream: usize, words: usize): void {
  answerAsked(at(stream), words);
}
/** Whether the record of `length` bytes at `record` is undamaged. */
export function verifyRecord(stream: usize, block: u32, record: usize, length: u32): bool {
  return checkRecord(at(stream), block, record, length);
}
/** Last sequence on matching subjects, 0: none. */
export function lastOnSubjects(stream: usize, filter: usize, length: u32): f64 {
  return <f64>lastMatching(at(stream), filter, length);
}
/** First sequence at or behind `from` on matching subjects, 0: none. */
export function nextOnSubjects(stream: usize, filter: usize, length: u32, from: f64): f64 {
  return <f64>nextMatching(at(stream), filter, length, <u64>from);
}
/** Messages at or behind `from` that match any filter. */
export function countOnSubjects(stream: usize, filters: usize, count: u32, from: f64): f64 {
  return <f64>countMatching(at(stream), filters, count, <u64>from);
}
/** A selection by `count` filters (u32 length, bytes) that take `bytes`. */
export function openSelection(stream: usize, filters: usize, count: u32, bytes: u32): usize {
  return changetype<usize>(newSelection(at(stream), filters, count, bytes));
}
/** Frees a selection; before its stream. */
export function closeSelection(selection: usize): void {
  freeSelection(changetype<Selection>(selection));
}
/** Messages of a selection at or behind `from`. */
export function countSelection(selection: usize, from: f64): f64 {
  return <f64>countSelected(changetype<Selection>(selection), <u64>from);
}
/**
 * Collects at most `most` subjects that match, in order, behind another; `collectedAt` has their leaves (index/subjects.ts) until
 * `dropSubjects`.
 */
export function collectSubjects(stream: usize, filter: usize, length: u32, after: usize, afterLength: u32, most: u32): u32 {
  return collectPage(at(stream).subjects, filter, length, after, afterLength, most);
}
/** Address of the collected leaves. */
export function collectedAt(): usize {
  return collectedList();
}
/** Ends the use of the collected leaves. */
export function dropSubjects(): void {
  dropCollected();
}
/** Last sequences up to `upTo` of the subjects that match any filter, or all, as f64 in a block to be freed: last-of-each.ts. */
export function lastOfSubjects(stream: usize, filters: usize, count: u32, upTo: f64): usize {
  return lastOfEach(at(stream), filters, count, <u64>upTo);
}
/** Range of sequences that has the first message at or after a time: in ANSWER. */
export function findTime(stream: usize, seconds: f64, nanos: u32): void {
  rangeAtTime(at(stream), <i64>seconds * 1000000000 + <i64>nanos);
}
/** First sequence at or behind `from` without a message, 0: none before the last. */
export function nextDeleted(stream: usize, from: f64): f64 {
  return <f64>nextGap(at(stream), <u64>from);
}

/** Deletes a message. */
export function deleteOne(stream: usize, sequence: f64): bool {
  return deleteMessage(at(stream), <u64>sequence);
}
/** Purges (delete.ts); returns how many went. */
export function purgeStream(stream: usize, filter: usize, length: u32, below: f64, keep: f64, allowed: u32): f64 {
  return <f64>purge(at(stream), filter, length, <u64>below, <u64>keep, allowed);
}
/** Whether the purge stopped on the way. */
export function purgeStopped(): bool {
  return purgeUnfinished();
}
/** Counts what matches a filter among the next `looked` messages from a sequence on, below another, up to `most` (fitting.ts). */
export function countFitting(stream: usize, filter: usize, length: u32, from: f64, below: f64, looked: u32, most: f64): f64 {
  return <f64>countNext(at(stream), filter, length, <u64>from, <u64>below, looked, <u64>most);
}
/** Deletes what matches a filter among them; returns how many. */
export function purgeFitting(stream: usize, filter: usize, length: u32, from: f64, below: f64, looked: u32): f64 {
  return <f64>deleteNext(at(stream), filter, length, <u64>from, <u64>below, looked);
}
/** Where to go on from behind either, 0: there is nothing left. */
export function fittingReached(): f64 {
  return <f64>walkReached();
}
/** Whether the kernel's memory has no room for records of so many bytes. */
export function streamLacksMemory(stream: usize, bytes: f64): bool {
  return lacksMemory(at(stream), <usize>bytes);
}
/** Whether the kernel's memory is short: what can be refused is to be refused. */
export function isMemoryShort(): bool {
  return memoryShort();
}
/** Whether `bytes` more would make it short. */
export function isMemoryShortFor(bytes: f64): bool {
  return memoryShortFor(<usize>bytes);
}
/** The newest block with a record that says what the last sequence is. */
export function lastBlock(stream: usize): u32 {
  return at(stream).lastBlock;
}
/** Messages in a block. */
export function blockMessages(stream: usize, block: u32): u32 {
  return liveInBlock(sequencesOf(at(stream)), block);
}

/** Makes the `length` bytes at `to` an erased record; its time in two halves, as no 64-bit integer crosses the border. */
export function frameErased(stream: usize, block: u32, to: usize, length: u32, sequence: f64, timeLow: u32, timeHigh: u32): void {
  blockKey(hashKey, at(stream).name, at(stream).nameLength, block);
  frameFiller(to, hashKey, <u64>sequence, ((<i64>timeHigh) << 32) | (<i64>timeLow), length);
}
/** Bytes of the messages in a block. */
export function blockBytes(stream: usize, block: u32): f64 {
  return <f64>liveBytes(at(stream), block);
}
/** Lists what is needed of a scanned block (compact.ts); returns how many stretches. */
export function keptOfBlock(stream: usize, block: u32, oldest: u32, entries: usize, count: u32, list: usize): u32 {
  return listKept(at(stream), block, oldest, entries, count, list);
}
/** A block was written anew with the stretches listed. */
export function blockMoved(stream: usize, block: u32, list: usize, count: u32): void {
  moveBlock(at(stream), block, list, count);
}

/** Begins loading scanned blocks. */
export function loadBegin(): usize {
  return beginLoad();
}
/** Loads one block; returns the load's handle. */
export function loadScan(
  stream: usize,
  handle: usize,
  block: u32,
  entries: usize,
  count: u32,
  subjects: usize,
  subjectCount: u32,
): usize {
  return loadBlock(at(stream), handle, block, entries, count, subjects, subjectCount);
}
/** Ends loading. */
export function loadEnd(stream: usize, handle: usize): void {
  endLoad(at(stream), handle);
}
/** Deletes every message from one sequence to another, with a tombstone each; returns how many. */
export function buryMessages(stream: usize, from: f64, to: f64): f64 {
  return <f64>buryRange(at(stream), <u64>from, <u64>to);
}
/** Writes the subjects as index.db has them (index-db.ts); returns how many bytes. */
export function writeSubjects(stream: usize): u32 {
  return encodeSubjects(at(stream));
}
/** Where they are. */
export function writtenSubjects(): usize {
  return encodedAt();
}
/** Gives them back. */
export function dropSubjectsWritten(): void {
  dropEncoded();
}
/** The facts of the i-th segment (index-db.ts); false: there are not as many. */
export function segmentFacts(stream: usize, i: u32, to: usize): bool {
  return readSegment(at(stream), i, to);
}
