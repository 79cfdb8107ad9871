// The file index.db of a stream, which nats-server reads to start without reading blocks. What it says about messages that are gone holds
// also when the blocks went on behind it: a limit leaves no tombstone, so nothing else tells of what it removed. Everything else is taken
// from the blocks.
//
// What stays true: the file is read before anything is changed, what only it knows is on disk as tombstones before it is removed, and it is
// removed before the first change of a block. A clean stop leaves a new one.
//
//   index (core/stream-index/index-db.ts), sealed in an encrypted stream | 8 bytes: HighwayHash-64 of all before, keyed by the stream's name

import { decodeIndex, encodeIndex, lastBytesLength, withoutMessage } from '../../core/stream-index/index-db.ts';
import type { StreamIndex, WrittenBlock, WrittenIndex } from '../../core/stream-index/index-db.ts';
import type { Range } from '../../core/stream-index/sequence-set.ts';
import type { SegmentFacts, StreamKernel } from '../../kernel/streams.ts';
import type { Instant } from '../../ports/clock.ts';
import type { BlockFiles } from './block-files.ts';

/** nats-server's file, beside the blocks. */
export const indexName = 'index.db';
const SUM = 8;
const NANOS = 1_000_000_000n;
/** With more deletes or subjects than this nats-server does not write one either. */
const MOST_LISTED = 1_000_000;

/** Reads the content of an index.db. Undefined: damaged, or of a version this server does not know. */
export function readIndex(
  kernel: StreamKernel,
  name: string,
  file: Uint8Array,
  unseal: (body: Uint8Array) => Uint8Array | undefined,
): StreamIndex | undefined {
  const stored = file.subarray(0, -SUM);
  if (kernel.sum(name, stored) !== Buffer.from(file.subarray(-SUM)).toString('hex')) return undefined;
  const body = unseal(stored);
  return body === undefined ? undefined : decodeIndex(body);
}

/**
 * Whether the blocks are those that the index describes, or grew behind it: each that it lists is there, no other stands among them, and its
 * last block has the record that was the last one then.
 */
function holds(index: StreamIndex, files: BlockFiles): boolean {
  const { blocks, lastBlock, lastBytes } = index;
  const listed = new Set(blocks.map(({ number }) => number));
  const there = new Set(files.numbers());
  if (![...listed].every((number) => there.has(number))) return false;
  if (![...there].every((number) => number > lastBlock || listed.has(number))) return false;
  const content = Buffer.alloc(files.sizeOf(lastBlock));
  files.read(lastBlock, content, 0);
  return lastBytes.every((byte) => byte === 0) || content.includes(Buffer.from(lastBytes));
}

/** The end of a block's content; zeros when it has less. */
function lastBytesOf(files: BlockFiles, number: number): Uint8Array {
  const bytes = new Uint8Array(lastBytesLength);
  const size = files.sizeOf(number);
  if (size >= lastBytesLength) files.read(number, bytes, size - lastBytesLength);
  return bytes;
}

/** Whether nothing was written behind the index. */
export function isCurrent({ lastBlock, lastBytes }: StreamIndex, files: BlockFiles): boolean {
  return files.numbers().at(-1) === lastBlock && Buffer.from(lastBytesOf(files, lastBlock)).equals(lastBytes);
}

/**
 * Deletes, with tombstones, messages that the index says are gone: of one that does not hold any more only what is below the first sequence,
 * which never falls. Returns how many.
 */
export function buryGhosts(kernel: StreamKernel, stream: number, index: StreamIndex, files: BlockFiles): number {
  const gone = holds(index, files) ? withoutMessage(index) : [{ from: 1, to: index.firstSeq - 1 }];
  let buried = 0;
  for (const { from, to } of gone) buried += kernel.exports.buryMessages(stream, from, to);
  return buried;
}

/** The instant of nanoseconds since 1970; 0 and 0 for none. */
export function instantOfIndex(nanos: bigint): Instant {
  return nanos <= 0n ? { seconds: 0, nanos: 0 } : { seconds: Number(nanos / NANOS), nanos: Number(nanos % NANOS) };
}

function nanosOf({ seconds, nanos }: Instant): bigint {
  return BigInt(seconds) * NANOS + BigInt(nanos);
}

/** Sequences between the first and the last without a message; undefined: too many to list. */
function gapsOf(kernel: StreamKernel, stream: number, last: number): Range[] | undefined {
  const gaps: Range[] = [];
  let count = 0;
  for (let from = kernel.exports.nextDeleted(stream, 0); from !== 0;) {
    const next = kernel.nextOn(stream, '>', from);
    const to = next === 0 ? last : next - 1;
    gaps.push({ from, to });
    count += to - from + 1;
    if (count > MOST_LISTED) return undefined;
    from = next === 0 ? 0 : kernel.exports.nextDeleted(stream, next);
  }
  return gaps;
}

/** The parts of rising ranges between two sequences. */
function within(ranges: readonly Range[], from: number, to: number): Range[] {
  const found: Range[] = [];
  for (const range of ranges) {
    if (range.to >= from && range.from <= to) found.push({ from: Math.max(from, range.from), to: Math.min(to, range.to) });
  }
  return found;
}

/** What the index is made from. */
export interface IndexedStream {
  readonly kernel: StreamKernel;
  readonly handle: number;
  readonly files: BlockFiles;
  /** When a message was stored. */
  readonly timeOf: (seq: number) => Instant | undefined;
  /** Messages may have a time to live or a schedule. */
  readonly timed: boolean;
}

function blockOf(
  { kernel, handle, timeOf }: IndexedStream,
  segments: readonly SegmentFacts[],
  gaps: readonly Range[],
): WrittenBlock {
  const first = segments.find(({ live }) => live > 0);
  const last = segments.at(-1);
  if (first === undefined || last === undefined) throw new Error('a block without messages is not indexed');
  const firstSeq = kernel.nextOn(handle, '>', first.first);
  const at = firstSeq === first.first ? undefined : timeOf(firstSeq);
  const lastSeq = last.first + last.count - 1;
  return {
    number: first.block,
    bytes: segments.reduce((sum, { liveBytes }) => sum + liveBytes, 0),
    firstSeq,
    lastSeq,
    firstTime: at === undefined ? first.firstTime : nanosOf(at),
    lastTime: last.lastTime,
    deleted: within(gaps, firstSeq, lastSeq),
  };
}

/** Entries of all blocks: those with messages, and the last one. */
function blocksOf(stream: IndexedStream, lastBlock: number, lastTime: bigint, gaps: readonly Range[]): WrittenBlock[] {
  const { kernel, handle } = stream;
  const { last } = kernel.numbers(handle);
  const byBlock = new Map<number, SegmentFacts[]>();
  for (const segment of kernel.segments(handle)) byBlock.set(segment.block, [...(byBlock.get(segment.block) ?? []), segment]);
  const blocks: WrittenBlock[] = [];
  for (const segments of byBlock.values())
    if (segments.some(({ live }) => live > 0)) blocks.push(blockOf(stream, segments, gaps));
  const tail = blocks.at(-1);
  if (tail?.number === lastBlock) {
    blocks[blocks.length - 1] = { ...tail, lastSeq: last, deleted: within(gaps, tail.firstSeq, last) };
  } else {
    blocks.push({ number: lastBlock, bytes: 0, firstSeq: last + 1, lastSeq: last, firstTime: 0n, lastTime, deleted: [] });
  }
  return blocks;
}

function describe(stream: IndexedStream): WrittenIndex | undefined {
  const { kernel, handle, files, timeOf, timed } = stream;
  const { messages, bytes, first, last, lastSeconds, lastNanos, subjects } = kernel.numbers(handle);
  const lastBlock = files.numbers().at(-1);
  const gaps = gapsOf(kernel, handle, last);
  if (lastBlock === undefined || gaps === undefined || subjects > MOST_LISTED) return undefined;
  const lastTime = nanosOf({ seconds: lastSeconds, nanos: lastNanos });
  const firstTime = messages > 0 ? timeOf(first) : undefined;
  return {
    messages,
    bytes,
    firstSeq: last === 0 ? 0 : first,
    lastSeq: last,
    firstTime: firstTime === undefined ? 0n : nanosOf(firstTime),
    lastTime,
    subjects: kernel.subjectTable(handle),
    timed,
    blocks: blocksOf(stream, lastBlock, lastTime, gaps),
    lastBlock,
    lastBytes: lastBytesOf(files, lastBlock),
  };
}

/** An index of the stream as it is now; undefined: it would be too large. */
export function makeIndex(stream: IndexedStream): Uint8Array | undefined {
  const index = describe(stream);
  return index === undefined ? undefined : encodeIndex(index);
}

/** The content of the file: what is stored of an index, and its checksum. */
export function indexFile(kernel: StreamKernel, name: string, stored: Uint8Array): Uint8Array {
  return Buffer.concat([stored, Buffer.from(kernel.sum(name, stored), 'hex')]);
}
