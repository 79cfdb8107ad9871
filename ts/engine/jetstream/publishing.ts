// Publishes that the kernel hands over: those with headers to be judged, members of batches, and those it refused.
// Kept true: they are judged in arrival order, and every answer leaves when the state it was drawn from is synced.

import { apiError, type ApiError } from '../../core/jetstream/errors.ts';
import { setHeader, parseHeaders } from '../../core/jetstream/headers.ts';
import { millis } from '../../core/jetstream/instant.ts';
import { encodeJson } from '../../core/jetstream/json.ts';
import { TRACE_DESTINATION, TRACE_DISABLED } from '../../core/protocol/trace-headers.ts';
import type { Document } from '../../core/jetstream/schema.ts';
import type { StreamConfig } from '../../core/jetstream/stream-config.ts';
import { parseFastReply } from '../../core/stream/fast-batch.ts';
import { judgePublish, type Accepted } from '../../core/stream/judge.ts';
import type { Headers, Publish } from '../../core/stream/judge-checks.ts';
import type { JudgedPublish, NewMessage } from '../store/store.ts';
import type { BatchStorage } from './batch-storage.ts';
import { Batches } from './batches.ts';
import { StreamJudgeView } from './judge-view.ts';
import type { PublishOutcome } from './ports.ts';
import { isFault } from './request.ts';
import type { Stream } from './stream.ts';

/** How far back a restart looks for message ids, so that the first one to be judged does not wait long. */
const mostIdsReadBack = 1_000_000;

const rejections: Readonly<Record<string, () => ApiError>> = {
  sealed: () => apiError('StreamSealedErr'),
  'message-size': () => apiError('StreamMessageExceedsMaximumErr'),
  'max-messages': () => apiError('StreamStoreFailedF', { err: 'maximum messages exceeded' }),
  'max-bytes': () => apiError('StreamStoreFailedF', { err: 'maximum bytes exceeded' }),
  'max-per-subject': () => apiError('StreamStoreFailedF', { err: 'maximum messages per subject exceeded' }),
  fault: () => apiError('InsufficientResourcesErr'),
};

/** A message of another stream, for a mirror (with its sequence and time there) or a stream that sources it; or one that the stream made itself. */
export type SourcedMessage = NewMessage & { readonly headers: Uint8Array };

export class Publishing implements BatchStorage {
  readonly view: StreamJudgeView;
  readonly #stream: Stream;
  /** Made with the first batch: most streams have none. */
  #batches: Batches | undefined;
  #idsReadFrom: number | undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
    const { ids, lastSeq } = stream.store;
    ids.resize(millis(stream.config.duplicate_window));
    ids.setCold(lastSeq > 0);
    this.#idsReadFrom = lastSeq;
    this.view = new StreamJudgeView(stream, (id) => {
      this.#readIdsBack();
      return ids.find(id);
    });
  }

  configure(config: StreamConfig): void {
    this.#stream.store.ids.resize(millis(config.duplicate_window));
  }

  stop(): void {
    this.#batches?.stop();
  }

  /** The stream has lost what was not on disk. */
  revived(): void {
    this.#batches?.revived();
  }

  judge(published: JudgedPublish): void {
    try {
      this.#judge(published);
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown;
      this.refuse(published.reply, apiError('StreamStoreFailedF', { err: thrown.message }));
    }
  }

  #judge(published: JudgedPublish): void {
    const arrived = this.#untraced(published);
    // It came without its headers, and waits for nothing: waiting takes memory too.
    if (arrived.reason === 'memory') return this.#send(arrived.reply, this.#refusal(apiError('InsufficientResourcesErr')));
    const headers = parseHeaders(arrived.headers);
    const fast = parseFastReply(arrived.reply);
    const isBatch = fast !== undefined || headers.has('Nats-Batch-Id');
    const rejection = isBatch ? undefined : rejections[arrived.reason];
    if (rejection !== undefined) {
      const error = rejection();
      this.#trace(arrived.subject, { error: error.description });
      return this.refuse(arrived.reply, error);
    }
    const publish = { ...arrived, subject: this.#stream.storedSubject(arrived.subject) };
    if (isBatch) {
      this.#batches ??= new Batches(this.#stream, this);
      return fast === undefined ? this.#batches.atomic(publish, headers) : this.#batches.fast(publish, headers, fast);
    }
    const verdict = judgePublish(this.#stream.config, this.publishOf(publish, headers), this.view);
    this.#trace(
      arrived.subject,
      verdict.is === 'refuse'
        ? { error: verdict.error.description }
        : { subject: publish.subject, noInterest: !this.#stream.hasInterest(publish.subject) },
    );
    if (verdict.is === 'refuse') this.refuse(publish.reply, verdict.error);
    else if (verdict.is === 'duplicate') this.answer(publish.reply, this.#known(verdict.seq));
    else if (verdict.value === undefined) this.append(publish, verdict, publish.reply);
    else this.#count(publish, verdict, verdict.value);
  }

  /** A message that is followed is stored as one that is not: its deliveries are another way. */
  #untraced(arrived: JudgedPublish): JudgedPublish {
    const { account, ports } = this.#stream;
    if (arrived.reason === 'memory' || !ports.door.isTraced(account.number, arrived.subject)) return arrived;
    return { ...arrived, headers: setHeader(arrived.headers, TRACE_DESTINATION, TRACE_DISABLED) };
  }

  /** Tells whoever follows the message what becomes of it here. */
  #trace(published: string, outcome: Omit<PublishOutcome, 'stream'>): void {
    const { account, name, ports } = this.#stream;
    if (ports.door.isTraced(account.number, published))
      ports.door.traced(account.number, published, { stream: name, ...outcome });
  }

  publishOf(
    { subject, headers: block, payload }: Pick<JudgedPublish, 'subject' | 'headers' | 'payload'>,
    headers: Headers,
  ): Publish {
    return { subject, headers, block, payload, sourced: false };
  }

  #count(publish: JudgedPublish, verdict: Accepted, val: string): void {
    const seq = this.append(publish, verdict);
    if (seq === undefined) return this.refuse(publish.reply, apiError('InsufficientResourcesErr'));
    this.answer(publish.reply, encodeJson({ ...this.pubAck({ seq }), val }));
  }

  /** The acknowledgement of a message that is stored already; its one space is nats-server's. */
  #known(seq: number): string {
    return `${encodeJson(this.pubAck({ seq })).slice(0, -1)},"duplicate": true}`;
  }

  pubAck({ seq, batch, count }: { readonly seq: number; readonly batch?: string; readonly count?: number }): Document {
    const { domain } = this.#stream.account.settings;
    return { stream: this.#stream.name, seq, domain: domain === '' ? undefined : domain, batch, count };
  }

  /** Stores an accepted publish; with `reply` the store acknowledges it. The answer is its sequence, undefined when the store refused. */
  append(
    message: Pick<JudgedPublish, 'subject'> & Pick<NewMessage, 'ts' | 'seq'>,
    verdict: Accepted,
    reply = '',
  ): number | undefined {
    const { store, config, republisher, ports } = this.#stream;
    const { subject, seq: wanted } = message;
    const { block: headers, payload } = verdict;
    const last = republisher.before(subject);
    const before = last !== undefined && this.#stream.hasInterest(subject) ? last : undefined;
    const ts = message.ts ?? (before === undefined ? undefined : ports.clock.wallInstant());
    let seq: number;
    try {
      seq = store.append({
        subject,
        headers,
        payload,
        ...(reply === '' || config.no_ack ? {} : { reply }),
        ...(ts === undefined ? {} : { ts }),
        ...(wanted === undefined ? {} : { seq: wanted }),
      });
    } catch {
      this.refuse(reply, apiError('InsufficientResourcesErr'));
      return undefined;
    }
    if (before !== undefined && ts !== undefined) republisher.stored({ seq, subject, ts, headers, payload, before });
    this.#settle(seq, subject, verdict);
    return seq;
  }

  /** What follows from a message's headers once it is stored. */
  #settle(seq: number, subject: string, verdict: Accepted): void {
    const { store, ports } = this.#stream;
    if (verdict.messageId !== '') store.ids.add(verdict.messageId, seq, ports.clock.wallInstant());
    if (verdict.rollup !== 'none') {
      store.purge(verdict.rollup === 'all' ? { keep: 1 } : { filter: subject, keep: 1 });
      this.#stream.purged(verdict.rollup === 'all' ? undefined : subject);
    }
    if (verdict.cancels !== '') {
      store.purge({ filter: verdict.cancels });
      this.#stream.purged(verdict.cancels);
    }
    this.#stream.stored(seq, subject, verdict);
  }

  /** Stores a message that its own stream has judged already; the error says why it cannot be. */
  storeSourced(message: SourcedMessage): ApiError | undefined {
    const { subject, headers: block, payload } = message;
    const publish = { subject, headers: parseHeaders(block), block, payload, sourced: true };
    const verdict = judgePublish(this.#stream.config, publish, this.view);
    if (verdict.is === 'refuse') return verdict.error;
    if (verdict.is === 'accept' && this.append(message, verdict) === undefined) return apiError('InsufficientResourcesErr');
    return undefined;
  }

  // Answers

  refuse(reply: string, error: ApiError): void {
    const text = this.#refusal(error);
    if (this.#stream.store.refusal === undefined) this.answer(reply, text);
    else this.#send(reply, text);
  }

  #refusal(error: ApiError): string {
    const { name, store } = this.#stream;
    return encodeJson({ error: store.refusal ?? error, stream: name, seq: 0 });
  }

  answer(reply: string, text: string): void {
    if (reply !== '') this.#stream.whenSynced(() => this.#send(reply, text));
  }

  #send(reply: string, text: string): void {
    const { config, ports, account } = this.#stream;
    if (reply !== '' && !config.no_ack) ports.door.publish(account.number, reply, '', undefined, text);
  }

  /** The ids of before the start, read when the first id is asked for. */
  #readIdsBack(): void {
    const last = this.#idsReadFrom;
    if (last === undefined) return;
    const { store, config } = this.#stream;
    if (last > 0 && config.duplicate_window > 0n) this.#readIdsUpTo(last);
    this.#idsReadFrom = undefined;
    store.ids.setCold(false);
  }

  #readIdsUpTo(last: number): void {
    const { store, config, ports } = this.#stream;
    const fromMs = ports.clock.wallMs() - millis(config.duplicate_window);
    const from = store.seqAtTime({ seconds: Math.floor(fromMs / 1000), nanos: 0 });
    for (let seq = Math.max(from, last - mostIdsReadBack); seq <= last; seq++) {
      const message = store.get(seq);
      const id =
        message === undefined || message.headers.length === 0 ? undefined : parseHeaders(message.headers).get('Nats-Msg-Id');
      if (message !== undefined && id !== undefined && id !== '') store.ids.add(id, seq, message.ts);
    }
  }
}
