// The typed door to the kernel's streams: appending, questions, deletes, delivery, loading. One StreamKernel a Kernel; a stream is named by
// the handle that `open` gave. Whatever crosses the border is written into blocks of the kernel's arena here and nowhere else.

import { copyBytes } from './copy.ts';
import type { CoreExports } from './exports.ts';
import type { Kernel } from './kernel.ts';
import type { KernelMemory } from './memory.ts';
import type { StreamExports } from './stream-exports.ts';

/** Ring entries of the store; twins of wasm/stream/events.ts. */
export const streamEvent = { dirty: 32, publish: 33, direct: 34 } as const;

/** Reasons of a publish entry; twins of wasm/stream/events.ts. */
export const judgeCode = {
  headers: 1,
  sealed: 2,
  size: 3,
  messages: 4,
  bytes: 5,
  perSubject: 6,
  fault: 7,
  room: 8,
  memory: 9,
} as const;

/** Flags of a stream; twins of wasm/stream/stream.ts. */
export const streamFlag = {
  discardNew: 1,
  discardNewPerSubject: 2,
  sealed: 4,
  noAck: 8,
  faulted: 16,
  dirty: 32,
  judged: 64,
  idsCold: 128,
  memory: 256,
  held: 512,
  trimmed: 1024,
} as const;

/** Results of `deliver`; twins of wasm/stream/deliver.ts. */
export const deliverResult = { end: 0, messages: 1, bytes: 2, interest: 3, window: 4, damaged: 5, lost: 6 } as const;

/** The numbers of a stream; times as seconds since 1970 and nanoseconds beyond, 0 and 0 for none. */
export interface StreamNumbers {
  readonly messages: number;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
  readonly lastSeconds: number;
  readonly lastNanos: number;
  readonly subjects: number;
  /** The block that is appended to and where its next record goes. */
  readonly block: number;
  readonly offset: number;
  /** Bytes to be written. */
  readonly staged: number;
}

/** Records to be written: adjacent bytes of one block. */
export interface Run {
  readonly block: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** Tombstones are among them. */
  readonly tombstones: boolean;
}

/** Where a record lies; `address` is not 0 while it is still in memory. */
export interface Place {
  readonly block: number;
  readonly offset: number;
  readonly length: number;
  readonly address: number;
}

/** A run of sequences of one block. Times are those of its first and last entry, which may be gone. */
export interface SegmentFacts {
  readonly block: number;
  readonly first: number;
  readonly count: number;
  readonly live: number;
  readonly liveBytes: number;
  readonly firstTime: bigint;
  readonly lastTime: bigint;
}

export interface KernelPublish {
  readonly tag: number;
  readonly reason: number;
  readonly subject: string;
  readonly reply: string;
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
}

/** Some of the subjects of a stream. */
export interface SubjectPage {
  /** In the order of their bytes, and how many messages each has. */
  readonly subjects: readonly (readonly [subject: string, count: number])[];
  /** The last one's bytes, where there may be more. */
  readonly next: Uint8Array | undefined;
}

const NOTHING = new Uint8Array(0);
const LEAF_SUBJECT = 32;
const LEAF_COUNT = 16;
const LEAF_LENGTH = 20;
const MOST_RUNS = 1024;
const RUN_WORDS = 5;
const NUMBERS = 10;

export class StreamKernel {
  readonly exports: CoreExports & StreamExports;
  readonly memory: KernelMemory;
  readonly #small: number;
  /** What the kernel says of a stream: the first numbers there. */
  readonly #numbers: Float64Array;
  #block = 0;
  #blockSize = 0;

  constructor(kernel: Kernel) {
    this.exports = kernel.exports as CoreExports & StreamExports;
    this.memory = kernel.memory;
    this.#small = this.exports.alloc(MOST_RUNS * RUN_WORDS * 4) >>> 0;
    this.#numbers = this.memory.numbers(this.#small, NUMBERS);
  }

  /** A block of at least `size` bytes for arguments, valid until the next call of this. */
  #room(size: number): number {
    if (size <= this.#blockSize) return this.#block;
    if (this.#block !== 0) this.exports.free(this.#block);
    this.#blockSize = Math.max(4096, size * 2);
    this.#block = this.exports.alloc(this.#blockSize + 64) >>> 0;
    return this.#block;
  }

  /** Writes a text as argument; returns its length. It lies at `#block`. */
  #text(text: string): number {
    const at = this.#room(text.length * 3);
    return this.memory.all().write(text, at, 'utf8');
  }

  /** Writes a text as argument; returns where it lies, until the next call of this, and its length. */
  argument(text: string): readonly [at: number, length: number] {
    const length = this.#text(text);
    return [this.#block, length];
  }

  /** A block of the arena for windows and loads, to be freed by `release`. Throws when the memory has none. */
  take(size: number): number {
    const block = this.exports.tryAlloc(size) >>> 0;
    if (block === 0) throw new Error(`the memory has no room for ${size} bytes`);
    return block;
  }

  release(block: number): void {
    this.exports.free(block);
  }

  open(tag: number, account: number, name: string, ack: string): number {
    const at = this.#room((name.length + ack.length) * 3);
    const nameLength = this.memory.all().write(name, at, 'utf8');
    const ackLength = this.memory.all().write(ack, at + nameLength, 'utf8');
    return this.exports.openStream(tag, account, at, nameLength, at + nameLength, ackLength) >>> 0;
  }

  numbers(stream: number): StreamNumbers {
    this.exports.readStream(stream, this.#small);
    const values = this.#numbers;
    return {
      messages: values[0] ?? 0,
      bytes: values[1] ?? 0,
      first: values[2] ?? 0,
      last: values[3] ?? 0,
      lastSeconds: values[4] ?? 0,
      lastNanos: values[5] ?? 0,
      subjects: values[6] ?? 0,
      block: values[7] ?? 0,
      offset: values[8] ?? 0,
      staged: values[9] ?? 0,
    };
  }

  /** The range of sequences that limits removed since the last call; undefined: none. */
  takeRemoved(stream: number): readonly [number, number] | undefined {
    if (this.exports.takeRemoved(stream) === 0) return undefined;
    const memory = this.memory.all();
    const at = this.exports.answerAt() >>> 0;
    return [memory.readDoubleLE(at + 16), memory.readDoubleLE(at + 24)];
  }

  /** What is to be written now, oldest first; valid until `runsWritten`. */
  takeRuns(stream: number): Run[] {
    const count = this.exports.takeRuns(stream, this.#small, MOST_RUNS) >>> 0;
    const words = this.memory.words(this.#small, count * RUN_WORDS);
    const runs: Run[] = [];
    for (let i = 0; i < count; i++) {
      const word = (k: number): number => words[RUN_WORDS * i + k] ?? 0;
      runs.push({ block: word(0), offset: word(1), bytes: this.memory.bytes(word(2), word(3)), tombstones: word(4) > 0 });
    }
    return runs;
  }

  append(
    stream: number,
    subject: string,
    reply: string,
    headers: Uint8Array,
    payload: Uint8Array,
    seconds: number,
    nanos: number,
  ): number {
    const at = this.#room((subject.length + reply.length) * 3 + headers.length + payload.length);
    const memory = this.memory.all();
    const subjectLength = memory.write(subject, at, 'utf8');
    const replyLength = reply === '' ? 0 : memory.write(reply, at + subjectLength, 'utf8');
    const data = at + subjectLength + replyLength;
    memory.set(headers, data);
    memory.set(payload, data + headers.length);
    const total = headers.length + payload.length;
    return this.exports.appendHost(
      stream,
      at,
      subjectLength,
      at + subjectLength,
      replyLength,
      headers.length,
      data,
      total,
      seconds,
      nanos,
    );
  }

  /** Whether the limits let a message pass: 0, or a judge code. */
  appendLimit(stream: number, subject: string, headers: Uint8Array, payload: Uint8Array): number {
    const length = this.#text(subject);
    return this.exports.appendLimit(stream, length, headers.length, headers.length + payload.length);
  }

  fail(stream: number, synced: number, answer: string): void {
    const length = this.#text(answer);
    this.exports.failStream(stream, synced, this.#block, length);
  }

  /** The content of a publish entry; frees the kernel's copy. */
  publish(words: Uint32Array, at: number): KernelPublish {
    const word = (k: number): number => words[at + k] ?? 0;
    const address = word(2);
    const subjectEnd = address + word(3);
    const replyEnd = subjectEnd + word(4);
    const data = this.memory.copy(replyEnd, word(6));
    const publish = {
      tag: word(0),
      reason: word(1),
      subject: this.memory.text(address, word(3)),
      reply: this.memory.text(subjectEnd, word(4)),
      headers: data.subarray(0, word(5)),
      payload: data.subarray(word(5)),
    };
    this.release(address);
    return publish;
  }

  locate(stream: number, sequence: number): Place | undefined {
    if (this.exports.locateMessage(stream, sequence) === 0) return undefined;
    const words = this.memory.words(this.exports.answerAt(), 4);
    return { block: words[0] ?? 0, offset: words[1] ?? 0, length: words[2] ?? 0, address: words[3] ?? 0 };
  }

  lastOn(stream: number, filter: string): number {
    const length = this.#text(filter);
    return this.exports.lastOnSubjects(stream, this.#block, length);
  }

  /** Sends a record to the inbox of a direct get. */
  answer(stream: number, record: number, inbox: string): void {
    const length = this.#text(inbox);
    this.exports.answerDirect(stream, record, this.#block, length);
  }

  /** Answers the direct get of an entry once its record is in a window; what cannot be becomes a message for the host. */
  answerRequest(stream: number, words: Uint32Array, at: number): void {
    this.exports.answerRequest(stream, words.byteOffset + 4 * at);
  }

  nextOn(stream: number, filter: string, from: number): number {
    const length = filter === '>' ? 0 : this.#text(filter);
    return this.exports.nextOnSubjects(stream, this.#block, length, from);
  }

  /** The handle of a selection, to be closed before its stream; 0 when the filters let everything pass. */
  select(stream: number, filters: readonly string[]): number {
    const { at, count, bytes } = this.layFilters(filters);
    return count === 0 ? 0 : this.exports.openSelection(stream, at, count, bytes) >>> 0;
  }

  countOn(stream: number, filters: readonly string[], from: number): number {
    const { at, count } = this.layFilters(filters);
    return this.exports.countOnSubjects(stream, at, count, from);
  }

  /** Lays filters out as (u32 length, bytes); none when they let everything pass. Valid until the next call of this door. */
  layFilters(filters: readonly string[]): { readonly at: number; readonly count: number; readonly bytes: number } {
    if (filters.length === 0 || filters.includes('>')) return { at: 0, count: 0, bytes: 0 };
    const at = this.#room(filters.reduce((sum, filter) => sum + 4 + filter.length * 3, 0));
    const memory = this.memory.all();
    let to = at;
    for (const filter of filters) {
      const length = memory.write(filter, to + 4, 'utf8');
      memory.writeUInt32LE(length, to);
      to += 4 + length;
    }
    return { at, count: filters.length, bytes: to - at };
  }

  /** The last sequences up to `upTo` of the subjects that match any filter (none: of all), in order, each once. */
  lastSeqs(stream: number, filters: readonly string[], upTo: number): Float64Array {
    const { at, count } = this.layFilters(filters);
    const list = this.exports.lastOfSubjects(stream, at, count, upTo) >>> 0;
    const [found = 0, isOrdered = 0] = this.memory.words(this.exports.answerAt(), 2);
    const seqs = new Float64Array(found);
    copyBytes(new Uint8Array(seqs.buffer), this.memory.view(list, found * 8));
    this.release(list);
    return isOrdered === 1 || found < 2 ? seqs : Float64Array.from(new Set(seqs.sort()));
  }

  /** The sequence a message id was stored under within the window, 0 for none. */
  seqOfId(stream: number, id: string): number {
    const length = this.#text(id);
    return this.exports.sequenceOfId(stream, this.#block, length);
  }

  rememberId(stream: number, id: string, seq: number, seconds: number, nanos: number): void {
    const length = this.#text(id);
    this.exports.rememberId(stream, this.#block, length, seq, seconds, nanos);
  }

  /** At most `most` subjects that match, in order, behind the one that `after` is the bytes of (none: from the first on). */
  subjects(stream: number, filter: string, most: number, after: Uint8Array = NOTHING): SubjectPage {
    const at = this.#room(filter.length * 3 + after.length);
    const memory = this.memory.all();
    const length = memory.write(filter, at, 'utf8');
    copyBytes(memory, after, at + length);
    const count = this.exports.collectSubjects(stream, at, length, at + length, after.length, most) >>> 0;
    const leaves = this.memory.words(this.exports.collectedAt(), count);
    const subjects: (readonly [subject: string, count: number])[] = [];
    let next: Uint8Array | undefined;
    for (const leaf of leaves) {
      const from = leaf + LEAF_SUBJECT;
      const to = from + memory.readUInt32LE(leaf + LEAF_LENGTH);
      subjects.push([memory.toString('utf8', from, to), memory.readUInt32LE(leaf + LEAF_COUNT)]);
      if (subjects.length === most) next = this.memory.copy(from, to - from);
    }
    this.exports.dropSubjects();
    return { subjects, next };
  }

  /** First and last sequence between which the first message at or after a time lies; undefined: all are older. */
  rangeAt(stream: number, seconds: number, nanos: number): readonly [number, number] | undefined {
    this.exports.findTime(stream, seconds, nanos);
    const memory = this.memory.all();
    const at = this.exports.answerAt() >>> 0;
    const low = memory.readDoubleLE(at + 16);
    return low === 0 ? undefined : [low, memory.readDoubleLE(at + 24)];
  }

  /** Purges; `write` is called when much waits to be written meanwhile, and says whether to go on. */
  purge(stream: number, filter: string, below: number, keep: number, write: () => boolean): number {
    let purged = 0;
    do {
      const length = filter === '' || filter === '>' ? 0 : this.#text(filter);
      purged += this.exports.purgeStream(stream, this.#block, length, below, keep, 0xffff_ffff);
    } while (this.exports.purgeStopped() !== 0 && write());
    return purged;
  }

  /** Deletes the messages below a sequence, at most so many; `more`: there are others. */
  purgeFront(stream: number, below: number, most: number): { readonly purged: number; readonly more: boolean } {
    const purged = this.exports.purgeStream(stream, 0, 0, below, 0, most);
    return { purged, more: this.exports.purgeStopped() !== 0 };
  }

  /** Applies a stream's limits, in the same way. */
  limitNow(stream: number, write: () => boolean): void {
    while (this.exports.limitNow(stream) === 0 && write());
  }

  /** The subjects as nats-server's index.db has them: a copy. */
  subjectTable(stream: number): Uint8Array {
    const length = this.exports.writeSubjects(stream) >>> 0;
    const table = this.memory.copy(this.exports.writtenSubjects() >>> 0, length);
    this.exports.dropSubjectsWritten();
    return table;
  }

  /** Every run of sequences of one block, in order. */
  segments(stream: number): SegmentFacts[] {
    const found: SegmentFacts[] = [];
    for (let i = 0; this.exports.segmentFacts(stream, i, this.#small) !== 0; i++) {
      const memory = this.memory.all();
      const value = (k: number): number => memory.readDoubleLE(this.#small + 8 * k);
      found.push({
        block: value(0),
        first: value(1),
        count: value(2),
        live: value(3),
        liveBytes: value(4),
        firstTime: memory.readBigInt64LE(this.#small + 40),
        lastTime: memory.readBigInt64LE(this.#small + 48),
      });
    }
    return found;
  }

  /** HighwayHash-64 of a file's content, keyed by a name: the 16 hex digits of a meta.sum. */
  sum(name: string, content: Uint8Array): string {
    const size = name.length * 3 + content.length;
    const hasRoom = size <= this.#blockSize;
    const at = hasRoom ? this.#block : this.take(size + 64);
    const memory = this.memory.all();
    const length = memory.write(name, at, 'utf8');
    copyBytes(memory, content, at + length);
    this.exports.hashNamed(this.#small, at, length, at + length, content.length);
    if (!hasRoom) this.release(at);
    return memory.toString('hex', this.#small, this.#small + 8);
  }

  /** The checksum of an entry of the journal. */
  journalSum(entry: Uint8Array): bigint {
    const at = this.take(entry.length + 8);
    copyBytes(this.memory.bytes(at, entry.length), entry);
    this.exports.hashJournal(this.#small, at, entry.length);
    this.release(at);
    return this.memory.bytes(this.#small, 8).readBigUInt64LE();
  }
}
