// What a stream on disk can be asked: its state, single messages, subjects and counts. Nothing here changes anything. Where the answer is not known,
// because parts of the index are lost, a StoreFault is thrown instead.

import { AtomicBatchKernel } from '../../kernel/atomic-batches.ts';
import { FastBatchKernel } from '../../kernel/fast-batches.ts';
import type { StreamKernel, StreamNumbers, SubjectPage } from '../../kernel/streams.ts';
import type { Instant } from '../../ports/clock.ts';
import { KernelIds } from './message-ids.ts';
import type { IndexFile } from './cold-index.ts';
import type { StreamReader } from './reader.ts';
import type { Lost } from './recover.ts';
import { KernelSelection } from './selection.ts';
import type { AtomicDoor, FastDoor, MessageIds, Selection, StoreState, StoredMessage } from './store.ts';

export interface ViewParts {
  /** The kernel's handle. */
  readonly handle: number;
  readonly streams: StreamKernel;
  readonly reader: StreamReader;
  readonly index: IndexFile;
}

export abstract class StreamView {
  /** The kernel's handle. */
  readonly handle: number;
  protected readonly streams: StreamKernel;
  protected readonly reader: StreamReader;
  readonly ids: MessageIds;
  readonly fast: FastDoor;
  readonly atomic: AtomicDoor;
  readonly #index: IndexFile;
  readonly #lost: Lost;
  #firstTime: { seq: number; at: Instant | undefined } = { seq: 0, at: undefined };

  /** Its first sequence was set, by its configuration or a purge, though nothing was stored yet. */
  protected begun = false;

  constructor({ handle, streams, reader, index }: ViewParts, lost: Lost) {
    this.handle = handle;
    this.streams = streams;
    this.reader = reader;
    this.#index = index;
    this.#lost = lost;
    this.ids = new KernelIds(handle, streams);
    this.atomic = new AtomicBatchKernel(handle, streams);
    this.fast = new FastBatchKernel(handle, streams);
  }

  /** The first sequence of an empty stream. */
  startAt(seq: number): void {
    this.begun = true;
    if (seq > 1) this.streams.exports.startStream(this.handle, seq);
  }

  protected get numbers(): StreamNumbers {
    return this.streams.numbers(this.handle);
  }

  get lastSeq(): number {
    return this.streams.exports.lastSequence(this.handle);
  }

  get state(): StoreState {
    const { messages, bytes, first, last, lastSeconds, lastNanos, subjects } = this.numbers;
    return {
      messages,
      bytes,
      firstSeq: last === 0 && !this.begun ? 0 : first,
      firstTs: messages > 0 ? this.timeOfFirst(first) : undefined,
      lastSeq: last,
      lastTs: lastSeconds === 0 && lastNanos === 0 ? undefined : { seconds: lastSeconds, nanos: lastNanos },
      numSubjects: subjects,
      numDeleted: messages > 0 ? last - first + 1 - messages : 0,
      lost: this.#lost.bytes > 0 || this.#lost.messages.length > 0 ? this.#lost : undefined,
    };
  }

  /** Parts of the index are lost. */
  protected get isLost(): boolean {
    return this.streams.exports.indexLost(this.handle) !== 0;
  }

  /** An answer drawn from the index. */
  protected known<T>(answer: T): T {
    if (this.isLost) throw this.#index.fault();
    return answer;
  }

  /** When the first message was stored. */
  protected timeOfFirst(seq: number): Instant | undefined {
    if (this.#firstTime.seq !== seq || this.#firstTime.at === undefined) this.#firstTime = { seq, at: this.reader.time(seq) };
    return this.#firstTime.at;
  }

  get granted(): number {
    return this.streams.exports.grantedBytes(this.handle);
  }

  grant(bytes: number): void {
    this.streams.exports.grantStream(this.handle, bytes);
  }

  get(seq: number): StoredMessage | undefined {
    return this.reader.get(seq) ?? this.known(undefined);
  }

  /** Whether a message may be shown. */
  abstract shows(seq: number): boolean;

  answerDirect(asked: number | string, inbox: string): boolean {
    const seq = typeof asked === 'number' ? asked : this.streams.lastOn(this.handle, asked);
    return this.shows(seq) && this.reader.answer(seq, inbox);
  }

  /** A direct get needs a record in memory: five words from `at` on, tag, block, offset, length and its sequence. */
  asked(words: Uint32Array, at: number): void {
    this.reader.bring(words[at + 1] ?? 0, words[at + 2] ?? 0, words[at + 3] ?? 0);
    this.streams.answerRequest(this.handle, words, at);
  }

  lastBySubject(filter: string): StoredMessage | undefined {
    const seq = this.streams.lastOn(this.handle, filter);
    return seq === 0 ? undefined : this.get(seq);
  }

  nextBySubject(filter: string, fromSeq: number): StoredMessage | undefined {
    const seq = this.known(this.streams.nextOn(this.handle, filter, fromSeq));
    return seq === 0 ? undefined : this.get(seq);
  }

  nextSeq(filters: readonly string[], fromSeq: number): number {
    if (filters.length === 0) return this.known(this.streams.nextOn(this.handle, '>', fromSeq));
    const found = filters.map((filter) => this.streams.nextOn(this.handle, filter, fromSeq)).filter((seq) => seq > 0);
    return this.known(found.length === 0 ? 0 : Math.min(...found));
  }

  subjects(filter: string, most: number, after?: Uint8Array): SubjectPage {
    return this.streams.subjects(this.handle, filter, most, after);
  }

  countOn(subject: string): number {
    return this.streams.subjects(this.handle, subject, 1).subjects[0]?.[1] ?? 0;
  }

  lastSeqs(filters: readonly string[], upToSeq = Number.MAX_SAFE_INTEGER): Float64Array {
    return this.known(this.streams.lastSeqs(this.handle, filters, upToSeq));
  }

  seqAtTime(at: Instant): number {
    return this.known(this.reader.seqAtTime(at, this.streams.exports.lastSequence(this.handle) + 1));
  }

  select(filters: readonly string[]): Selection {
    return new KernelSelection(this.handle, this.streams, filters);
  }

  countPending(filters: readonly string[], fromSeq: number): number {
    return this.streams.countOn(this.handle, filters, fromSeq);
  }

  deleted(limit: number): number[] {
    const { exports } = this.streams;
    const found: number[] = [];
    for (let seq = exports.nextDeleted(this.handle, 0); seq !== 0 && found.length < limit;) {
      found.push(seq);
      seq = exports.nextDeleted(this.handle, seq + 1);
    }
    return this.known(found);
  }
}
