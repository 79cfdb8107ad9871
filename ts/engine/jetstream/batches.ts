// The batches of one stream: atomic ones, put aside until they commit, and fast ones, stored as they come and answered now and then.
// Kept true: the members of an atomic batch are judged against the stream as it was before them, and stored one behind the other; answers leave
// when what they speak of is synced.

import { isAboveLevel } from '../../core/jetstream/api-level.ts';
import { apiError } from '../../core/jetstream/errors.ts';
import { encodeJson } from '../../core/jetstream/json.ts';
import type { BatchLimits } from '../../core/stream/atomic-batch.ts';
import { FastBatches, type FastAnswer, type FastReply } from '../../core/stream/fast-batch.ts';
import { checkLastId } from '../../core/stream/judge.ts';
import type { Headers } from '../../core/stream/judge-checks.ts';
import { Stage } from '../../core/stream/staged-judge.ts';
import type { Timer } from '../../ports/clock.ts';
import type { JudgedPublish } from '../store/store.ts';
import { AtomicPublishing } from './atomic-publishing.ts';
import { earlyFault, withoutLevel, type BatchStorage } from './batch-storage.ts';
import type { OpenBatches } from './server-room.ts';
import type { JetStreamAccount } from './account.ts';
import type { Stream } from './stream.ts';

const usualMost = { atomic: { perStream: 50, total: 1_000 }, fast: { perStream: 1_000, total: 50_000 } } as const;

/** The limits of one kind of batch, which all streams of a server share. There may be very many streams, most without batches. */
class ServerBatchLimits implements BatchLimits {
  readonly #kind: keyof OpenBatches;
  readonly #account: JetStreamAccount;

  constructor(kind: keyof OpenBatches, account: JetStreamAccount) {
    this.#kind = kind;
    this.#account = account;
  }

  get #set(): JetStreamAccount['settings']['limits']['batch'] {
    return this.#account.settings.limits.batch;
  }

  get perStream(): number {
    return this.#set.perStream || usualMost[this.#kind].perStream;
  }

  get messages(): number {
    return this.#set.messages;
  }

  hasRoom(): boolean {
    const { openBatches } = this.#account.room;
    const has = openBatches[this.#kind] < (this.#set.total || usualMost[this.#kind].total);
    if (has) openBatches[this.#kind] += 1;
    return has;
  }

  ended(): void {
    this.#account.room.openBatches[this.#kind] -= 1;
  }
}

export class Batches {
  readonly #stream: Stream;
  readonly #storage: BatchStorage;
  readonly #atomic: AtomicPublishing;
  readonly #fast: FastBatches;
  #timer: Timer | undefined;

  constructor(stream: Stream, storage: BatchStorage) {
    this.#stream = stream;
    this.#storage = storage;
    this.#atomic = new AtomicPublishing(stream, storage, new ServerBatchLimits('atomic', stream.account));
    this.#fast = new FastBatches(new ServerBatchLimits('fast', stream.account));
  }

  stop(): void {
    this.#timer?.cancel();
    this.#atomic.clear();
    this.#fast.clear();
  }

  /** The stream has lost messages that fast batches had stored: they cannot go on. */
  revived(): void {
    for (const id of this.#fast.ids) this.#stream.store.fast.close(id);
    this.#fast.clear();
  }

  /** Gives up batches when nobody has continued them for their time. */
  #watch(): void {
    if (this.#timer !== undefined) return;
    const { clock } = this.#stream.ports;
    const { timeoutMs } = this.#stream.account.settings.limits.batch;
    const oldestMs = Math.min(this.#atomic.oldestMs, this.#fast.oldestMs);
    if (oldestMs === Infinity) return;
    this.#timer = clock.after(Math.max(1, oldestMs + timeoutMs - clock.wallMs()), () => {
      this.#timer = undefined;
      this.#atomic.expire(clock.wallMs(), timeoutMs);
      const open = [...this.#fast.ids];
      for (const id of open) this.#catchUp(id);
      this.#fast.expire(clock.wallMs(), timeoutMs);
      for (const id of open) this.#hand(id);
      this.#watch();
    });
  }

  atomic(publish: JudgedPublish, headers: Headers): void {
    this.#atomic.offer(publish, headers);
    this.#watch();
  }

  // Fast

  fast(publish: JudgedPublish, headers: Headers, reply: FastReply | 'invalid'): void {
    const { config } = this.#stream;
    const early =
      earlyFault(config, publish, this.#storage.view) ??
      (!config.allow_batched
        ? apiError('BatchPublishDisabledErr')
        : reply === 'invalid'
          ? apiError('BatchPublishInvalidPatternErr')
          : undefined);
    if (early !== undefined || reply === 'invalid') return early && this.#storage.refuse(publish.reply, early);
    this.#catchUp(reply.id);
    this.#take(publish, headers, reply);
    this.#hand(reply.id);
  }

  /** Learns what the kernel has taken of a batch. */
  #catchUp(id: string): void {
    const went = this.#stream.store.fast.read(id);
    if (went !== undefined) this.#fast.went(id, went);
  }

  /** Lets the kernel take the next messages of a batch, up to the one that is answered. */
  #hand(id: string): void {
    const { fast } = this.#stream.store;
    const progress = this.#fast.progress(id);
    if (progress === undefined) fast.close(id);
    else fast.open(id, progress.sequence, progress.due);
  }

  #take(publish: JudgedPublish, headers: Headers, reply: FastReply): void {
    const { config, ports } = this.#stream;
    const step = this.#fast.offer(reply, isAboveLevel(headers), !config.no_ack, ports.clock.wallMs());
    this.#watch();
    this.#send(publish.reply, step.answers);
    if (step.store === undefined) return;
    const message = withoutLevel(publish, headers);
    const verdict = new Stage().judge(config, this.#storage.publishOf(message, headers), this.#storage.view);
    if (verdict.is === 'accept') {
      const late = checkLastId(this.#storage.publishOf(message, headers), this.#storage.view);
      const seq = late === undefined ? this.#storage.append(message, verdict) : undefined;
      if (seq !== undefined) return this.#send(publish.reply, this.#fast.stored(step.store, seq, reply.operation));
      return this.#send(publish.reply, this.#fast.failed(step.store, late ?? apiError('InsufficientResourcesErr'), reply));
    }
    const { duplicateOf } = verdict;
    if (duplicateOf !== undefined) this.#send(publish.reply, this.#fast.known(step.store, duplicateOf, reply));
    else this.#send(publish.reply, this.#fast.failed(step.store, verdict.error, reply));
  }

  #send(reply: string, answers: readonly FastAnswer[]): void {
    for (const answer of answers) {
      if (answer.is === 'refused') this.#storage.refuse(reply, answer.error);
      else this.#storage.answer(reply, this.#textOf(answer));
    }
  }

  #textOf(answer: Exclude<FastAnswer, { readonly is: 'refused' }>): string {
    switch (answer.is) {
      case 'flow':
        return encodeJson({ type: 'ack', seq: answer.sequence, msgs: answer.messages });
      case 'gap':
        return encodeJson({ type: 'gap', last_seq: answer.expected, seq: answer.sequence });
      case 'error':
        return encodeJson({ type: 'err', seq: answer.sequence, error: answer.error });
      case 'committed':
        return encodeJson(this.#storage.pubAck({ seq: answer.streamSequence, batch: answer.batch, count: answer.count }));
      case 'duplicate': {
        const known = encodeJson(this.#storage.pubAck({ seq: answer.streamSequence })).slice(0, -1);
        return `${known},"duplicate": true,"batch":${encodeJson(answer.batch)},"count":${answer.count}}`;
      }
    }
  }
}
