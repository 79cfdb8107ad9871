// The arguments and results of a delivery in kernel memory: one block of fields at a fixed address, the twin of DeliverCall in
// wasm/stream/deliver-call.ts, used by one delivery at a time.

import type { StreamKernel } from '../../kernel/streams.ts';
import type { DeliverRequest, Delivered } from './store.ts';
import type { Window } from './windows.ts';

/** Offsets of the fields. */
const field = {
  next: 0,
  consumerSeq: 8,
  pending: 16,
  to: 24,
  deliveries: 32,
  last: 40,
  stream: 48,
  window: 52,
  windowBlock: 56,
  windowFrom: 60,
  windowTo: 64,
  messages: 68,
  bytes: 72,
  subject: 76,
  subjectLength: 80,
  prefix: 84,
  prefixLength: 88,
  selection: 92,
  adds: 100,
  list: 104,
  count: 108,
  needBlock: 112,
  needOffset: 116,
  needLength: 120,
  looks: 124,
  extra: 128,
  extraLength: 132,
  direct: 136,
  picks: 140,
  pickCount: 144,
  picked: 148,
} as const;

/** Bytes of the fields. */
const SIZE = 160;
/** Bytes for deliver subject, prefix and the extra header. */
const TEXTS = 8192;
const MOST_MESSAGES = 4096;
const MOST_DIRECT = 0x7fff_ffff;
/** Twins of DIRECT_* in wasm/stream/direct.ts. */
const directCode = { batch: 1, bare: 2 } as const;
const MOST_BYTES = 0x7fff_ffff;
/** Entries a call looks at before it lets others have their turn. */
const MOST_LOOKS = 1 << 18;
/** ADD_SIZE of wasm/stream/compose.ts. */
const addsSize = 1;

export class DeliverCall {
  readonly #kernel: StreamKernel;
  /** The fields, as words and as numbers. */
  readonly #words: Uint32Array;
  readonly #numbers: Float64Array;
  readonly #texts: number;
  readonly #list: Float64Array;
  readonly #picks: Float64Array;
  #bytesAtStart = 0;

  constructor(kernel: StreamKernel) {
    this.#kernel = kernel;
    const at = kernel.exports.callAt() >>> 0;
    this.#words = kernel.memory.words(at, SIZE / 4);
    this.#numbers = kernel.memory.numbers(at, SIZE / 8);
    this.#texts = kernel.take(TEXTS + 64);
    this.#list = kernel.memory.numbers(kernel.take(MOST_MESSAGES * 8), MOST_MESSAGES);
    this.#picks = kernel.memory.numbers(kernel.take(MOST_MESSAGES * 8), MOST_MESSAGES);
  }

  #word(offset: number): number {
    return this.#words[offset >> 2] ?? 0;
  }

  #put(offset: number, value: number): void {
    this.#words[offset >> 2] = value;
  }

  #putNumber(offset: number, value: number): void {
    this.#numbers[offset >> 3] = value;
  }

  /** Lays the call out. False: no subject of the stream matches. */
  begin(stream: number, request: DeliverRequest, to: number): boolean {
    const memory = this.#kernel.memory.all();
    const subjectLength = memory.write(request.deliverSubject, this.#texts, TEXTS / 2, 'utf8');
    const prefixLength = memory.write(request.ackPrefix, this.#texts + subjectLength, TEXTS / 4, 'utf8');
    const extra = this.#texts + subjectLength + prefixLength;
    const extraLength =
      request.pinId === undefined ? 0 : memory.write(`Nats-Pin-Id: ${request.pinId}\r\n`, extra, TEXTS / 4, 'utf8');
    this.#bytesAtStart = Math.min(request.maxBytes, MOST_BYTES);
    this.#putNumber(field.next, request.fromSeq);
    this.#putNumber(field.consumerSeq, request.firstConsumerSeq);
    this.#putNumber(field.pending, request.pendingBefore);
    this.#putNumber(field.to, to);
    this.#putNumber(field.deliveries, request.deliveredCount);
    this.#putNumber(field.last, 0);
    this.#put(field.stream, stream);
    this.#put(field.windowTo, 0);
    this.#put(field.windowBlock, 0);
    this.#put(field.messages, Math.min(request.maxMessages, request.direct === undefined ? MOST_MESSAGES : MOST_DIRECT));
    this.#put(field.direct, request.direct === undefined ? 0 : directCode[request.direct]);
    this.#put(field.bytes, this.#bytesAtStart);
    this.#put(field.subject, this.#texts);
    this.#put(field.subjectLength, subjectLength);
    this.#put(field.prefix, this.#texts + subjectLength);
    this.#put(field.prefixLength, prefixLength);
    this.#put(field.selection, request.selection?.handle ?? 0);
    this.#put(field.adds, request.headersOnly ? addsSize : 0);
    this.#put(field.looks, request.direct === undefined ? MOST_LOOKS : MOST_DIRECT);
    this.#put(field.list, this.#list.byteOffset);
    this.#put(field.extra, extra);
    this.#put(field.extraLength, extraLength);
    this.#layPicks(request.picks);
    return this.#kernel.exports.beginDeliver() !== 0;
  }

  #layPicks(picks: Float64Array | undefined): void {
    this.#put(field.pickCount, 0);
    if (picks === undefined) return;
    const some = picks.subarray(0, MOST_MESSAGES);
    this.#picks.set(some);
    this.#put(field.picks, this.#picks.byteOffset);
    this.#put(field.pickCount, some.length);
  }

  setWindow({ address, block, from, to }: Window): void {
    this.#put(field.window, address);
    this.#put(field.windowBlock, block);
    this.#put(field.windowFrom, from);
    this.#put(field.windowTo, to);
  }

  /** The record that is needed, or that is damaged. */
  needed(): { readonly block: number; readonly offset: number; readonly length: number } {
    return { block: this.#word(field.needBlock), offset: this.#word(field.needOffset), length: this.#word(field.needLength) };
  }

  next(): number {
    return this.#numbers[field.next >> 3] ?? 0;
  }

  /** The sequence behind the message delivered last; 0: none was. */
  behindLast(): number {
    const last = this.#numbers[field.last >> 3] ?? 0;
    return last === 0 ? 0 : last + 1;
  }

  messagesLeft(): number {
    return this.#word(field.messages);
  }

  bytesLeft(): number {
    return this.#word(field.bytes);
  }

  /** Goes on behind a record that cannot be delivered. */
  skip(): void {
    this.#putNumber(field.next, this.next() + 1);
    if (this.#word(field.pickCount) > 0) this.#put(field.picked, this.#word(field.picked) + 1);
  }

  result(nextSeq: number, stopped: Delivered['stopped']): Delivered {
    const count = this.#word(field.count);
    if (this.#word(field.direct) !== 0) return this.#answered(count, nextSeq, stopped);
    const seqs = this.#list.subarray(0, count);
    const bytes = this.#bytesAtStart - this.bytesLeft();
    const picked = this.#word(field.picked);
    return { messages: count, bytes, nextSeq, lastSeq: seqs[count - 1] ?? 0, seqs, picked, stopped };
  }

  /** What a direct get has sent: only the last sequence is known. */
  #answered(count: number, nextSeq: number, stopped: Delivered['stopped']): Delivered {
    const lastSeq = this.#numbers[field.last >> 3] ?? 0;
    return { messages: count, bytes: this.#bytesAtStart - this.bytesLeft(), nextSeq, lastSeq, seqs: [], picked: 0, stopped };
  }
}
