// The content of nats-server's index.db: what it knew of a stream when it stopped. Versions 1 to 4 are read, version 4 is written.
//
//   u8 11, u8 version
//   uvarint messages, uvarint bytes, uvarint first seq, varint first time (0: none), uvarint last seq, varint last time
//   uvarint subjects, each: uvarint length, subject, uvarint messages, uvarint first block, uvarint last block (before version 4 only if
//                           there is more than one message)
//   uvarint blocks, each:   uvarint number, uvarint bytes, uvarint first seq, varint first time - first time of the stream, uvarint last seq,
//                           varint last time - that, uvarint deleted, uvarint ttls (from version 2), uvarint schedules (from version 3), and
//                           if there are deleted ones the set of them
//   uvarint last block, and its last 8 bytes
//
// Subjects are skipped when read: they follow from the blocks. "Deleted" are sequences between a block's first and last.

import { cursorOver, putSigned, putUnsigned, readBytes, readSigned, readUnsigned, type Cursor } from './varint.ts';
import { encodeSequenceSet, readSequenceSet, type Range } from './sequence-set.ts';

export interface IndexedBlock {
  readonly number: number;
  /** Of its messages. */
  readonly bytes: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly deleted: readonly Range[];
}

/** The head of an index. Times are nanoseconds since 1970, 0 for none. */
export interface IndexHead {
  readonly messages: number;
  readonly bytes: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly firstTime: bigint;
  readonly lastTime: bigint;
}

export interface StreamIndex extends IndexHead {
  readonly blocks: readonly IndexedBlock[];
  readonly lastBlock: number;
  /** The last bytes of that block. */
  readonly lastBytes: Uint8Array;
}

const MAGIC = 11;
const NEWEST = 4;
export const lastBytesLength = 8;

/** Messages of a block. */
function live({ firstSeq, lastSeq, deleted }: IndexedBlock): number {
  return deleted.reduce((sum, { from, to }) => sum - (to - from + 1), lastSeq - firstSeq + 1);
}

/** There may be a million of them: no object is made for one. */
function skipSubjects(cursor: Cursor, version: number): void {
  const { bytes } = cursor;
  for (let left = readUnsigned(cursor); left > 0 && !cursor.bad; left--) {
    const length = readUnsigned(cursor);
    cursor.at += length;
    const total = readUnsigned(cursor);
    for (let more = total > 1 || version >= 4 ? 2 : 1; more > 0; more--) {
      while ((bytes[cursor.at++] ?? 0) > 127);
    }
    if (cursor.at > bytes.length) cursor.bad = true;
  }
}

function readBlock(cursor: Cursor, version: number): IndexedBlock {
  const number = readUnsigned(cursor);
  const bytes = readUnsigned(cursor);
  const firstSeq = readUnsigned(cursor);
  readSigned(cursor);
  const lastSeq = readUnsigned(cursor);
  readSigned(cursor);
  const count = readUnsigned(cursor);
  if (version >= 2) readUnsigned(cursor);
  if (version >= 3) readUnsigned(cursor);
  return { number, bytes, firstSeq, lastSeq, deleted: count > 0 ? readSequenceSet(cursor) : [] };
}

/** Whether the blocks sum up to what the head says. */
function sumsFit({ messages, bytes, firstSeq, lastSeq, blocks, lastBlock }: StreamIndex): boolean {
  const counted = blocks.filter((block) => live(block) > 0 || block.number === lastBlock);
  const sum = (of: (block: IndexedBlock) => number): number => counted.reduce((total, block) => total + of(block), 0);
  const first = counted.reduce((least, block) => Math.min(least, block.firstSeq), Infinity);
  if (sum(live) !== messages || sum((block) => block.bytes) !== bytes) return false;
  if (counted.reduce((most, block) => Math.max(most, block.lastSeq), -Infinity) !== lastSeq) return false;
  return first <= 1 || first === firstSeq;
}

/** Undefined: not an index this server knows, or one that contradicts itself. */
export function decodeIndex(body: Uint8Array): StreamIndex | undefined {
  const version = body[1] ?? 0;
  if (body[0] !== MAGIC || version < 1 || version > NEWEST) return undefined;
  const cursor = cursorOver(body, 2);
  const messages = readUnsigned(cursor);
  const bytes = readUnsigned(cursor);
  const firstSeq = readUnsigned(cursor);
  const firstTime = readSigned(cursor);
  const lastSeq = readUnsigned(cursor);
  const lastTime = readSigned(cursor);
  skipSubjects(cursor, version);
  const blocks: IndexedBlock[] = [];
  for (let left = readUnsigned(cursor); left > 0 && !cursor.bad; left--) blocks.push(readBlock(cursor, version));
  const lastBlock = readUnsigned(cursor);
  const lastBytes = readBytes(cursor, lastBytesLength);
  const index = { messages, bytes, firstSeq, firstTime, lastSeq, lastTime, blocks, lastBlock, lastBytes };
  return cursor.bad || !sumsFit(index) ? undefined : index;
}

/** The sequences up to the last one that have no message, as rising ranges. */
export function* withoutMessage({ blocks, lastSeq }: StreamIndex): Generator<Range> {
  let next = 1;
  for (const { firstSeq, lastSeq: last, deleted } of [...blocks].sort((a, b) => a.firstSeq - b.firstSeq)) {
    if (firstSeq > last) continue;
    if (firstSeq > next) yield { from: next, to: firstSeq - 1 };
    yield* deleted;
    next = last + 1;
  }
  if (next <= lastSeq) yield { from: next, to: lastSeq };
}

/** What is written of a block: times as nanoseconds since 1970. */
export interface WrittenBlock extends IndexedBlock {
  readonly firstTime: bigint;
  readonly lastTime: bigint;
}

export interface WrittenIndex extends IndexHead {
  /** The count as uvarint and the entries, as drawn above. */
  readonly subjects: Uint8Array;
  /** Messages may have a time to live or a schedule: readers look into every block for them. */
  readonly timed: boolean;
  readonly blocks: readonly WrittenBlock[];
  readonly lastBlock: number;
  readonly lastBytes: Uint8Array;
}

function putBlock(parts: Uint8Array[], block: WrittenBlock, base: bigint, timed: boolean): void {
  const out: number[] = [];
  const { number, bytes, firstSeq, firstTime, lastSeq, lastTime, deleted } = block;
  putUnsigned(out, number);
  putUnsigned(out, bytes);
  putUnsigned(out, firstSeq);
  putSigned(out, firstTime - base);
  putUnsigned(out, lastSeq);
  putSigned(out, lastTime - base);
  const count = lastSeq - firstSeq + 1 - live(block);
  putUnsigned(out, count);
  const marked = timed ? live(block) : 0;
  putUnsigned(out, marked);
  putUnsigned(out, marked);
  parts.push(Uint8Array.from(out));
  if (count > 0) parts.push(encodeSequenceSet(deleted));
}

/** The content of an index.db of version 4. */
export function encodeIndex(index: WrittenIndex): Uint8Array {
  const head: number[] = [MAGIC, NEWEST];
  putUnsigned(head, index.messages);
  putUnsigned(head, index.bytes);
  putUnsigned(head, index.firstSeq);
  putSigned(head, index.firstTime);
  putUnsigned(head, index.lastSeq);
  putSigned(head, index.lastTime);
  const blocks: number[] = [];
  putUnsigned(blocks, index.blocks.length);
  const parts = [Uint8Array.from(head), index.subjects, Uint8Array.from(blocks)];
  for (const block of index.blocks) putBlock(parts, block, index.firstTime, index.timed);
  const end: number[] = [];
  putUnsigned(end, index.lastBlock);
  parts.push(Uint8Array.from(end), index.lastBytes);
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
