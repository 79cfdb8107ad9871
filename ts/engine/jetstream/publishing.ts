// Publishes that the kernel hands over: those with headers to be judged, members of batches, and those it refused.
// Kept true: they are judged in arrival order, and every answer leaves when the state it was drawn from is synced.

import { apiError, type ApiError } from '../../core/jetstream/errors.ts';
import { addHeaders, parseHeaders } from '../../core/jetstream/headers.ts';
import { millis } from '../../core/jetstream/instant.ts';
import { encodeJson } from '../../core/jetstream/json.ts';
import type { Document } from '../../core/jetstream/schema.ts';
import type { StreamConfig } from '../../core/jetstream/stream-config.ts';
import { AtomicBatches, type BatchMember } from '../../core/stream/atomic-batch.ts';
import { DuplicateWindow } from '../../core/stream/duplicates.ts';
import { checkRoom, judgePublish, type JudgeView, type Room, type Verdict } from '../../core/stream/judge.ts';
import type { Timer } from '../../ports/clock.ts';
import type { JudgedPublish, NewMessage } from '../store/store.ts';
import type { Stream } from './stream.ts';

type Headers = ReadonlyMap<string, string>;
type Accepted = Verdict & { is: 'accept' };

const encoder = new TextEncoder();
const noBytes = new Uint8Array(0);
const recordOverhead = 30;
const headerOverhead = 4;
const batchCheckMs = 10_000;
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

/** A message of another stream, for a mirror (with its sequence and time there) or a stream that sources it. */
export type SourcedMessage = NewMessage & { readonly headers: Uint8Array };

function roomFor({ subject, headers, payload }: Pick<SourcedMessage, 'subject' | 'headers' | 'payload'>): Room {
  const size = headers.length + payload.length;
  const recordBytes = recordOverhead + headerOverhead + encoder.encode(subject).length + size;
  return { subject, size, headerSize: headers.length, recordBytes };
}

/** A batch ended by a message that is not stored: its last stored one gets the mark. */
function sealed(members: readonly BatchMember<JudgedPublish>[]): readonly BatchMember<JudgedPublish>[] {
  return members.map((member, index) => {
    if (index < members.length - 1) return member;
    const headers = addHeaders(member.message.headers, [['Nats-Batch-Commit', 1]]);
    return { ...member, message: { ...member.message, headers } };
  });
}

export class Publishing {
  readonly #stream: Stream;
  readonly #duplicates: DuplicateWindow;
  readonly #batches = new AtomicBatches<JudgedPublish>();
  #batchTimer: Timer | undefined;
  #idsReadFrom: number | undefined;

  constructor(stream: Stream) {
    this.#stream = stream;
    this.#duplicates = new DuplicateWindow(millis(stream.config.duplicate_window));
    this.#idsReadFrom = stream.store.state.lastSeq;
  }

  configure(config: StreamConfig): void {
    this.#duplicates.resize(millis(config.duplicate_window));
  }

  stop(): void {
    this.#batchTimer?.cancel();
  }

  judge(arrived: JudgedPublish): void {
    const rejection = rejections[arrived.reason];
    if (rejection !== undefined) return this.#refuse(arrived.reply, rejection());
    const publish = { ...arrived, subject: this.#stream.storedSubject(arrived.subject) };
    const headers = parseHeaders(publish.headers);
    if (headers.has('Nats-Batch-Id')) return this.#batch(publish, headers);
    const verdict = this.#verdict(publish, headers);
    if (verdict.is === 'refuse') this.#refuse(publish.reply, verdict.error);
    else if (verdict.is === 'duplicate') this.#answer(publish.reply, this.#known(verdict.seq));
    else this.#append(publish, verdict, publish.reply);
  }

  #verdict(publish: JudgedPublish, headers: Headers): Verdict {
    return judgePublish(this.#stream.config, { ...roomFor(publish), headers }, this.#view());
  }

  /** The acknowledgement of a message that is stored already; its one space is nats-server's. */
  #known(seq: number): string {
    return `${encodeJson(this.#pubAck({ seq })).slice(0, -1)},"duplicate": true}`;
  }

  #pubAck({ seq, batch, count }: { seq: number; batch?: string; count?: number }): Document {
    const { domain } = this.#stream.account.settings;
    return { stream: this.#stream.name, seq, domain: domain === '' ? undefined : domain, batch, count };
  }

  /** Stores an accepted publish; with `reply` the store acknowledges it. The answer is its sequence, undefined when the store refused. */
  #append({ subject, headers, payload }: JudgedPublish, verdict: Accepted, reply: string): number | undefined {
    const { store, config, ports } = this.#stream;
    let seq: number;
    try {
      seq = store.append({ subject, headers, payload, ...(reply === '' || config.no_ack ? {} : { reply }) });
    } catch {
      this.#refuse(reply, apiError('InsufficientResourcesErr'));
      return undefined;
    }
    if (verdict.messageId !== '') this.#duplicates.add(verdict.messageId, seq, ports.clock.wallMs());
    if (verdict.rollup === 'none') return seq;
    store.purge(verdict.rollup === 'all' ? { keep: 1 } : { filter: subject, keep: 1 });
    this.#stream.purged();
    return seq;
  }

  /** Stores a message that its own stream has judged already; the error says why there is no room for it. */
  storeSourced(message: SourcedMessage): ApiError | undefined {
    const { store, config, ports } = this.#stream;
    if (config.sealed) return apiError('StreamSealedErr');
    const headers = parseHeaders(message.headers);
    const view = this.#view();
    const id = message.seq === undefined && this.#duplicates.windowMs > 0 ? (headers.get('Nats-Msg-Id') ?? '') : '';
    if (id !== '' && view.duplicateOf(id) !== undefined) return undefined;
    const full = checkRoom(config, roomFor(message), view);
    if (full !== undefined) return full;
    const seq = store.append(message);
    if (id !== '') this.#duplicates.add(id, seq, ports.clock.wallMs());
    const rollup = config.allow_rollup_hdrs && !config.deny_purge ? (headers.get('Nats-Rollup') ?? '').toLowerCase() : '';
    if (rollup === 'all') store.purge({ keep: 1 });
    else if (rollup === 'sub') store.purge({ filter: message.subject, keep: 1 });
    return undefined;
  }

  // Batches

  #batch(publish: JudgedPublish, headers: Headers): void {
    const { config, ports, account, name } = this.#stream;
    if (!config.allow_atomic) return this.#refuse(publish.reply, apiError('AtomicPublishDisabledErr'));
    const verdict = this.#batches.offer(publish, headers, ports.clock.wallMs());
    this.#batchTimer ??= ports.clock.after(batchCheckMs, () => this.#expireBatches());
    if (verdict.is === 'commit')
      return this.#commit(verdict.id, verdict.sealed ? verdict.members : sealed(verdict.members), publish.reply);
    if (verdict.is === 'staged') {
      if (publish.reply !== '') ports.door.publish(account.number, publish.reply, '', undefined, noBytes);
      return;
    }
    this.#refuse(publish.reply, verdict.error);
    if (verdict.abandoned !== undefined) this.#adviseAbandoned(verdict.abandoned.id, verdict.abandoned.reason, name);
  }

  #commit(id: string, members: readonly BatchMember<JudgedPublish>[], reply: string): void {
    const accepted: [JudgedPublish, Accepted][] = [];
    for (const { message, headers } of members) {
      const verdict = this.#verdict(message, headers);
      if (verdict.is === 'refuse') return this.#refuse(reply, verdict.error);
      if (verdict.is === 'duplicate') return this.#refuse(reply, apiError('AtomicPublishContainsDuplicateMessageErr'));
      accepted.push([message, verdict]);
    }
    let last = 0;
    for (const [message, verdict] of accepted) {
      const seq = this.#append(message, verdict, '');
      if (seq === undefined) return this.#refuse(reply, apiError('InsufficientResourcesErr'));
      last = seq;
    }
    this.#answer(reply, encodeJson(this.#pubAck({ seq: last, batch: id, count: members.length })));
  }

  #expireBatches(): void {
    const { clock } = this.#stream.ports;
    this.#batchTimer = undefined;
    for (const id of this.#batches.expire(clock.wallMs())) this.#adviseAbandoned(id, 'timeout', this.#stream.name);
    if (!this.#batches.isEmpty) this.#batchTimer = clock.after(batchCheckMs, () => this.#expireBatches());
  }

  #adviseAbandoned(batch: string, reason: string, stream: string): void {
    const { account } = this.#stream;
    account.advise('batchAbandoned', { account: account.name, stream, batch, reason }, stream);
  }

  // Answers

  #refuse(reply: string, error: ApiError): void {
    this.#answer(reply, encodeJson({ error, stream: this.#stream.name, seq: 0 }));
  }

  #answer(reply: string, text: string): void {
    const { config, ports, account } = this.#stream;
    if (reply === '' || config.no_ack) return;
    this.#stream.whenSynced(() => ports.door.publish(account.number, reply, '', undefined, encoder.encode(text)));
  }

  #view(): JudgeView {
    const { store } = this.#stream;
    const { messages, bytes, lastSeq } = store.state;
    return {
      messages,
      bytes,
      lastSeq,
      lastSeqOf: (filter) => store.lastBySubject(filter)?.seq ?? 0,
      messagesOn: (subject) => store.subjects(subject).get(subject) ?? 0,
      lastMessageId: () => parseHeaders(store.get(lastSeq)?.headers ?? new Uint8Array(0)).get('Nats-Msg-Id') ?? '',
      duplicateOf: (id) => {
        this.#readIdsBack();
        return this.#duplicates.find(id, this.#stream.ports.clock.wallMs());
      },
    };
  }

  /** The ids of before the start, read when the first id is asked for. */
  #readIdsBack(): void {
    const last = this.#idsReadFrom;
    this.#idsReadFrom = undefined;
    if (last === undefined || last === 0 || this.#duplicates.windowMs === 0) return;
    const fromMs = this.#stream.ports.clock.wallMs() - this.#duplicates.windowMs;
    const from = this.#stream.store.seqAtTime({ seconds: Math.floor(fromMs / 1000), nanos: 0 });
    for (let seq = Math.max(from, last - mostIdsReadBack); seq <= last; seq++) {
      const message = this.#stream.store.get(seq);
      const id =
        message === undefined || message.headers.length === 0 ? undefined : parseHeaders(message.headers).get('Nats-Msg-Id');
      if (message !== undefined && id !== undefined)
        this.#duplicates.add(id, seq, message.ts.seconds * 1000 + message.ts.nanos / 1e6);
    }
  }
}
