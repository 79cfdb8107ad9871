// Fast batches: one publisher streams messages into a stream without waiting for an acknowledgement of each. What each message is to its batch
// stands in its reply subject,
//
//   <prefix>.<batch id>.<flow>.<ok|fail>.<sequence>.<operation>.$FI      operation: 0 begin, 1 append, 2 commit, 3 end without storing, 4 ping
//
// and the stream answers on it now and then: how far it is and how many messages may go until the next answer, which gaps it has seen, and at
// last the acknowledgement of the whole. A pure machine; time is handed in.
// Kept true: sequences of a batch are stored in rising order; a gap ends the batch unless it said that gaps are all right.

import { apiError, type ApiError } from '../jetstream/errors.ts';
import type { BatchLimits } from './atomic-batch.ts';

export interface FastReply {
  readonly id: string;
  /** Most messages between two answers. */
  readonly flow: number;
  readonly gapsAllowed: boolean;
  readonly sequence: number;
  readonly operation: 'begin' | 'append' | 'commit' | 'end' | 'ping';
}

const suffix = '.$FI';
const operations = ['begin', 'append', 'commit', 'end', 'ping'] as const;
const largestFlow = 65_535;
const usualFlow = 10;
/** What all publishers of a stream share. */
const sharedFlow = 500;
const mostIdCharacters = 64;

/** What a reply subject says; undefined: nothing of a fast batch. */
export function parseFastReply(reply: string): FastReply | 'invalid' | undefined {
  if (!reply.endsWith(suffix) || reply.length <= suffix.length) return undefined;
  const parts = reply.slice(0, -suffix.length).split('.');
  const [id = '', flowText = '', gaps = '', sequenceText = '', operationText = ''] = parts.slice(-5);
  const operation = /^0*[0-4]$/.test(operationText) ? operations[Number(operationText)] : undefined;
  const sequence = /^\d{1,16}$/.test(sequenceText) ? Number(sequenceText) : 0;
  if (parts.length < 6 || operation === undefined || sequence === 0 || (gaps !== 'ok' && gaps !== 'fail')) return 'invalid';
  if (sequence === 1 ? operation === 'append' || operation === 'end' : operation === 'begin') return 'invalid';
  const asked = /^\d{1,15}$/.test(flowText) ? Number(flowText) : 0;
  const flow = asked <= 0 ? usualFlow : Math.min(asked, largestFlow);
  return { id, flow, gapsAllowed: gaps === 'ok', sequence, operation };
}

export interface FastBatch {
  readonly id: string;
  readonly gapsAllowed: boolean;
  readonly mostFlow: number;
  /** Messages between two answers, now. */
  flow: number;
  /** Highest sequence of the batch, and the sequence in the stream of the last one that was stored. */
  sequence: number;
  streamSequence: number;
  /** Up to here the batch is settled: stored, known before or let go. */
  settled: number;
  /** Where the last answer about the flow was. */
  answered: number;
  lastAtMs: number;
}

/** What is sent to the reply subject. */
export type FastAnswer =
  | { readonly is: 'flow'; readonly sequence: number; readonly messages: number }
  | { readonly is: 'gap'; readonly expected: number; readonly sequence: number }
  | { readonly is: 'error'; readonly sequence: number; readonly error: ApiError }
  | { readonly is: 'refused'; readonly error: ApiError }
  | { readonly is: 'duplicate'; readonly streamSequence: number; readonly batch: string; readonly count: number }
  | { readonly is: 'committed'; readonly streamSequence: number; readonly batch: string; readonly count: number };

/** What became of a message; with `store` it is to be judged, and `stored`, `known` or `failed` is to be called. */
export interface FastStep {
  readonly answers: readonly FastAnswer[];
  readonly store?: FastBatch;
}

export class FastBatches {
  readonly #open = new Map<string, FastBatch>();
  readonly #limits: Omit<BatchLimits, 'messages'>;

  constructor(limits: Omit<BatchLimits, 'messages'>) {
    this.#limits = limits;
  }

  /** When the one that was left longest was continued last; Infinity: none is open. */
  get oldestMs(): number {
    return [...this.#open.values()].reduce((oldest, { lastAtMs }) => Math.min(oldest, lastAtMs), Infinity);
  }

  /** Takes a message of a batch. `isAboveLevel`: it asks for a higher API level than the server has; `acks`: the stream acknowledges. */
  offer(reply: FastReply, isAboveLevel: boolean, acks: boolean, nowMs: number): FastStep {
    if (reply.id.length > mostIdCharacters) return refused('BatchPublishInvalidBatchIDErr');
    const batch = this.#open.get(reply.id) ?? this.#begin(reply);
    if ('answers' in batch) return batch;
    if (isAboveLevel) {
      this.#end(batch);
      return refused('RequiredApiLevelErr');
    }
    batch.lastAtMs = nowMs;
    if (reply.operation === 'ping') return { answers: this.#ping(batch, reply.sequence) };
    const gap = reply.sequence - batch.sequence - 1;
    const answers: FastAnswer[] = [];
    if (gap > 0) answers.push({ is: 'gap', expected: batch.sequence + 1, sequence: reply.sequence });
    if (gap !== 0 && (gap < 0 || !batch.gapsAllowed)) return { answers: [...answers, this.#commit(batch)] };
    if (reply.operation === 'end') {
      batch.sequence = reply.sequence - 1;
      batch.settled = batch.sequence;
      return { answers: [...answers, this.#commit(batch)] };
    }
    batch.sequence = reply.sequence;
    if (reply.sequence === 1 && reply.operation !== 'commit' && acks)
      answers.push({ is: 'flow', sequence: 0, messages: batch.flow });
    return { answers, store: batch };
  }

  #begin(reply: FastReply): FastBatch | FastStep {
    if (reply.sequence !== 1) return refused('BatchPublishUnknownBatchIDErr');
    if (this.#open.size >= this.#limits.perStream || !this.#limits.hasRoom()) return refused('BatchPublishTooManyInflight');
    const { id, gapsAllowed, flow } = reply;
    const batch: FastBatch = {
      id,
      gapsAllowed,
      mostFlow: flow,
      flow: this.#open.size > 0 ? 1 : Math.min(sharedFlow, flow),
      sequence: 0,
      streamSequence: 0,
      settled: 0,
      answered: 0,
      lastAtMs: 0,
    };
    this.#open.set(id, batch);
    return batch;
  }

  #ping(batch: FastBatch, sequence: number): FastAnswer[] {
    const now = (): FastAnswer => ({ is: 'flow', sequence: batch.answered, messages: batch.flow });
    if (sequence <= batch.sequence) return [now()];
    const gap: FastAnswer = { is: 'gap', expected: batch.sequence + 1, sequence: sequence + 1 };
    if (!batch.gapsAllowed) return [gap, this.#commit(batch)];
    batch.sequence = sequence;
    batch.settled = sequence;
    const flow = this.#flow(batch);
    return [gap, ...(flow.length > 0 ? flow : [now()])];
  }

  get ids(): Iterable<string> {
    return this.#open.keys();
  }

  /** Messages were stored without being offered. */
  went(id: string, { sequence, streamSequence, atMs }: { sequence: number; streamSequence: number; atMs: number }): void {
    const batch = this.#open.get(id);
    if (batch === undefined || sequence <= batch.sequence) return;
    batch.sequence = sequence;
    batch.settled = sequence;
    batch.streamSequence = streamSequence;
    batch.lastAtMs = Math.max(batch.lastAtMs, atMs);
  }

  /** How far a batch is, and at which sequence it is time for an answer; undefined: it is not open. */
  progress(id: string): { readonly sequence: number; readonly due: number } | undefined {
    const batch = this.#open.get(id);
    return batch === undefined ? undefined : { sequence: batch.sequence, due: batch.answered + batch.flow };
  }

  /** The message of the last `offer` is stored. */
  stored(batch: FastBatch, streamSequence: number, operation: FastReply['operation']): readonly FastAnswer[] {
    batch.streamSequence = streamSequence;
    batch.settled = batch.sequence;
    return operation === 'commit' ? [this.#commit(batch)] : this.#flow(batch);
  }

  /** Its message id is known: it is not stored again. */
  known(batch: FastBatch, streamSequence: number, reply: FastReply): readonly FastAnswer[] {
    batch.settled = reply.sequence;
    const flow = this.#flow(batch);
    if (reply.operation !== 'commit') return flow;
    if (reply.gapsAllowed || batch.sequence > 1) return [...flow, this.#commit(batch)];
    this.#end(batch);
    return [...flow, { is: 'duplicate', streamSequence, batch: batch.id, count: reply.sequence }];
  }

  /** It was refused. */
  failed(batch: FastBatch, error: ApiError, reply: FastReply): readonly FastAnswer[] {
    if (!reply.gapsAllowed && batch.sequence === 1) {
      this.#end(batch);
      return [{ is: 'refused', error }];
    }
    const answer: FastAnswer = { is: 'error', sequence: reply.sequence, error };
    if (reply.gapsAllowed && reply.operation !== 'commit') return [answer];
    batch.sequence -= 1;
    batch.settled = batch.sequence;
    return [answer, this.#commit(batch)];
  }

  #commit(batch: FastBatch): FastAnswer {
    this.#end(batch);
    return { is: 'committed', streamSequence: batch.streamSequence, batch: batch.id, count: batch.sequence };
  }

  #end(batch: FastBatch): void {
    if (this.#open.delete(batch.id)) this.#limits.ended();
  }

  /** Says how far the batch is when it is time to, and lets the publisher go faster or slower. */
  #flow(batch: FastBatch): readonly FastAnswer[] {
    const steps = Math.floor((batch.settled - batch.answered) / batch.flow);
    if (steps < 1) return [];
    batch.answered += steps * batch.flow;
    const share = Math.min(Math.max(1, Math.floor(sharedFlow / this.#open.size)), batch.mostFlow);
    if (batch.flow < share) batch.flow = Math.min(share, batch.flow * 2);
    else if (batch.flow > share) batch.flow = Math.max(share, Math.floor(batch.flow / 2));
    return [{ is: 'flow', sequence: batch.answered, messages: batch.flow }];
  }

  /** Ends batches that nobody continued for so long. */
  expire(nowMs: number, idleMs: number): void {
    for (const batch of [...this.#open.values()]) if (nowMs - batch.lastAtMs >= idleMs) this.#end(batch);
  }

  /** Ends all of them. */
  clear(): void {
    for (const batch of [...this.#open.values()]) this.#end(batch);
  }
}

function refused(id: Parameters<typeof apiError>[0]): FastStep {
  return { answers: [{ is: 'refused', error: apiError(id) }] };
}
