// Drives one stream: its store, its judge, its consumers, its documents.
// Kept true: what is answered from the stream's state leaves when that state is synced; publishes the kernel hands over are judged in arrival order.

import { checkConsumerConfig, filtersOf } from '../../core/consumer/check-config.ts';
import type { ConsumerConfig } from '../../core/jetstream/consumer-config.ts';
import { streamInfoDocument, streamMeta, streamStateDocument, type StateDetails } from '../../core/jetstream/documents.ts';
import { apiError, type ApiError } from '../../core/jetstream/errors.ts';
import { parseHeaders } from '../../core/jetstream/headers.ts';
import { millis } from '../../core/jetstream/instant.ts';
import { encodeJson } from '../../core/jetstream/json.ts';
import type { Document } from '../../core/jetstream/schema.ts';
import type { StreamConfig } from '../../core/jetstream/stream-config.ts';
import { DuplicateWindow } from '../../core/stream/duplicates.ts';
import { judgePublish, type JudgeView, type Verdict } from '../../core/stream/judge.ts';
import { isSubsetMatch } from '../../core/subject/subject.ts';
import type { Instant } from '../../ports/clock.ts';
import type { ConsumerState, JudgedPublish, StoreLimits, StreamStore } from '../store/store.ts';
import type { JetStreamAccount } from './account.ts';
import { Consumer } from './consumer.ts';
import { directGet } from './direct-get.ts';
import type { JetStreamPorts, ServerSubscription } from './ports.ts';
import { Republisher } from './republish.ts';
import { startOf } from './start.ts';

const encoder = new TextEncoder();
const recordOverhead = 30;
const headerOverhead = 4;
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

export function storeLimits(config: StreamConfig): StoreLimits {
  return {
    maxMessages: config.max_msgs,
    maxBytes: config.max_bytes,
    maxAgeMs: millis(config.max_age),
    maxMessageSize: config.max_msg_size,
    maxMessagesPerSubject: config.max_msgs_per_subject,
    discard: config.discard,
    discardNewPerSubject: config.discard_new_per_subject,
  };
}

export class Stream {
  readonly account: JetStreamAccount;
  readonly ports: JetStreamPorts;
  readonly store: StreamStore;
  readonly created: Instant;
  readonly consumers = new Map<string, Consumer>();
  /** Consumers that somebody waits on: new messages wake them. */
  readonly hungry = new Set<Consumer>();
  #config: StreamConfig;
  readonly #duplicates: DuplicateWindow;
  readonly #republisher: Republisher;
  #idsReadFrom: number | undefined;
  /** Up to here an interest stream has looked who wants its messages. */
  #judgedInterest: number;
  readonly #direct: ServerSubscription[] = [];

  constructor(account: JetStreamAccount, config: StreamConfig, created: Instant, store: StreamStore) {
    this.account = account;
    this.ports = account.ports;
    this.store = store;
    this.created = created;
    this.#config = config;
    this.#republisher = new Republisher(store, account.ports, account.number);
    this.#republisher.configure(config);
    this.#duplicates = new DuplicateWindow(millis(config.duplicate_window));
    this.#idsReadFrom = store.state.lastSeq;
    this.#judgedInterest = store.state.lastSeq;
  }

  get name(): string {
    return this.#config.name;
  }

  get config(): StreamConfig {
    return this.#config;
  }

  /** Begins to take publishes, to feed consumers and to answer direct gets. */
  open(): void {
    this.#openDirect();
    this.store.onPublish((publish) => this.#judge(publish));
    this.store.onSynced((syncedSeq) => {
      this.#republisher.synced(syncedSeq);
      this.#dropUnwanted(syncedSeq);
      for (const consumer of this.hungry) consumer.wake();
    });
    this.store.onRemoved(() => this.#firstMoved());
    this.store.setNoAck(this.#config.no_ack);
    this.store.setSealed(this.#config.sealed);
    this.store.setSubjects(this.#config.subjects);
  }

  update(config: StreamConfig): void {
    this.#config = config;
    this.#openDirect();
    this.#republisher.configure(config);
    this.#duplicates.resize(millis(config.duplicate_window));
    this.store.writeMeta(encodeJson(streamMeta(config, this.created)));
    this.store.setLimits(storeLimits(config));
    this.store.setNoAck(config.no_ack);
    this.store.setSealed(config.sealed);
    this.store.setSubjects(config.subjects);
  }

  /** Listens for direct gets as long as the configuration allows them. */
  #openDirect(): void {
    const { allow_direct } = this.#config;
    if (allow_direct === this.#direct.length > 0) return;
    if (!allow_direct) return this.#closeDirect();
    const { door } = this.ports;
    for (const prefix of this.account.apiPrefixes) {
      const subject = `${prefix}.DIRECT.GET.${this.name}`;
      this.#direct.push(
        door.subscribe(this.account.number, subject, (message) => directGet(this, message, '')),
        door.subscribe(this.account.number, `${subject}.>`, (message) =>
          directGet(this, message, message.subject.slice(subject.length + 1)),
        ),
      );
    }
  }

  #closeDirect(): void {
    for (const subscription of this.#direct.splice(0)) subscription.cancel();
  }

  info(details: StateDetails, versions: boolean, leader?: string): Document {
    return streamInfoDocument({
      config: this.#config,
      created: this.created,
      state: streamStateDocument(this.store.state, this.consumers.size, details),
      domain: this.account.settings.domain,
      ...(leader === undefined ? {} : { leader }),
      now: this.ports.clock.wallInstant(),
      versions,
    });
  }

  /** Consumers look at the stream again after messages went at its front. */
  purged(): void {
    this.#firstMoved();
  }

  #firstMoved(): void {
    const { firstSeq } = this.store.state;
    for (const consumer of this.consumers.values()) consumer.firstMoved(firstSeq);
  }

  // Publishes

  #judge(publish: JudgedPublish): void {
    const rejection = rejections[publish.reason];
    if (rejection !== undefined) return this.#answer(publish.reply, { error: rejection(), stream: this.name, seq: 0 });
    const { headers, payload, subject } = publish;
    const verdict = judgePublish(
      this.#config,
      {
        subject,
        headers: parseHeaders(headers),
        size: headers.length + payload.length,
        headerSize: headers.length,
        recordBytes: recordOverhead + headerOverhead + encoder.encode(subject).length + headers.length + payload.length,
      },
      this.#view(),
    );
    if (verdict.is === 'refuse') this.#answer(publish.reply, { error: verdict.error, stream: this.name, seq: 0 });
    else if (verdict.is === 'duplicate') this.#answer(publish.reply, this.#pubAck(verdict.seq, true));
    else this.#accept(publish, verdict);
  }

  #pubAck(seq: number, duplicate: boolean): Document {
    const { domain } = this.account.settings;
    return { stream: this.name, seq, domain: domain === '' ? undefined : domain, duplicate: duplicate ? true : undefined };
  }

  #accept(publish: JudgedPublish, verdict: Verdict & { is: 'accept' }): void {
    const { subject, headers, payload, reply } = publish;
    let seq: number;
    try {
      seq = this.store.append({ subject, headers, payload, ...(reply === '' || this.#config.no_ack ? {} : { reply }) });
    } catch {
      return this.#answer(reply, { error: apiError('InsufficientResourcesErr'), stream: this.name, seq: 0 });
    }
    if (verdict.messageId !== '') this.#duplicates.add(verdict.messageId, seq, this.ports.clock.wallMs());
    if (verdict.rollup === 'none') return;
    this.store.purge(verdict.rollup === 'all' ? { keep: 1 } : { filter: subject, keep: 1 });
    this.#firstMoved();
  }

  #answer(reply: string, document: Document): void {
    if (reply === '' || this.#config.no_ack) return;
    this.whenSynced(() =>
      this.ports.door.publish(this.account.number, reply, '', undefined, encoder.encode(encodeJson(document))),
    );
  }

  /** Calls when everything so far is on disk; never when it cannot be any more. */
  whenSynced(call: () => void): void {
    this.store.whenSynced((error) => {
      if (error === undefined) call();
      else this.ports.log.error(`stream '${this.name}': not synced: ${error.message}`);
    });
  }

  #view(): JudgeView {
    const { store } = this;
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
        return this.#duplicates.find(id, this.ports.clock.wallMs());
      },
    };
  }

  /** The ids of before the start, read when the first id is asked for. */
  #readIdsBack(): void {
    const last = this.#idsReadFrom;
    this.#idsReadFrom = undefined;
    if (last === undefined || last === 0 || this.#duplicates.windowMs === 0) return;
    const fromMs = this.ports.clock.wallMs() - this.#duplicates.windowMs;
    const from = this.store.seqAtTime({ seconds: Math.floor(fromMs / 1000), nanos: 0 });
    for (let seq = Math.max(from, last - mostIdsReadBack); seq <= last; seq++) {
      const message = this.store.get(seq);
      const id =
        message === undefined || message.headers.length === 0 ? undefined : parseHeaders(message.headers).get('Nats-Msg-Id');
      if (message !== undefined && id !== undefined)
        this.#duplicates.add(id, seq, message.ts.seconds * 1000 + message.ts.nanos / 1e6);
    }
  }

  // Consumers

  /** Adds a checked consumer. */
  addConsumer(name: string, config: ConsumerConfig, created: Instant): Consumer {
    const consumer = new Consumer(this, name, config, created, startOf(config, this.store));
    this.consumers.set(name, consumer);
    consumer.writeNew();
    consumer.open();
    this.account.advise('consumerCreated', { stream: this.name, consumer: name, action: 'create' }, this.name, name);
    return consumer;
  }

  /** Brings a consumer of an earlier run back. */
  recoverConsumer(name: string, config: ConsumerConfig, created: Instant, state: ConsumerState | undefined): void {
    const checked = checkConsumerConfig(config, this.#config, this.account.consumerLimits(), false);
    const consumer = new Consumer(
      this,
      name,
      'config' in checked ? checked.config : config,
      created,
      startOf(config, this.store),
    );
    this.consumers.set(name, consumer);
    consumer.open(state === undefined ? undefined : this.#within(state));
  }

  /** A state that is ahead of the stream is lowered to it. */
  #within(state: ConsumerState): ConsumerState {
    const { lastSeq } = this.store.state;
    if (state.delivered.stream <= lastSeq) return state;
    return {
      delivered: { ...state.delivered, stream: lastSeq },
      ackFloor: { ...state.ackFloor, stream: Math.min(state.ackFloor.stream, lastSeq) },
      pending: state.pending.filter(({ stream }) => stream <= lastSeq),
      redelivered: state.redelivered.filter(({ stream }) => stream <= lastSeq),
    };
  }

  removeConsumer(consumer: Consumer): void {
    if (this.consumers.get(consumer.name) !== consumer) return;
    this.consumers.delete(consumer.name);
    consumer.close('409 Consumer Deleted');
    if (!consumer.isVolatile) this.store.removeConsumer(consumer.name);
    this.account.advise(
      'consumerDeleted',
      { stream: this.name, consumer: consumer.name, action: 'delete' },
      this.name,
      consumer.name,
    );
  }

  /** A consumer is done with messages: streams that keep messages only for consumers may let them go. */
  settled(fromSeq: number, toSeq: number): void {
    const { retention } = this.#config;
    if (retention === 'limits') return;
    for (let seq = fromSeq; seq <= toSeq; seq++) if (retention === 'workqueue' || !this.#isWanted(seq)) this.store.delete(seq);
  }

  /** Whether a consumer still has to get or acknowledge a message. */
  #isWanted(seq: number): boolean {
    let subject: string | undefined;
    for (const { machine, config } of this.consumers.values()) {
      if (!machine.needs(seq)) continue;
      const filters = filtersOf(config);
      if (filters.length === 0) return true;
      subject ??= this.store.get(seq)?.subject ?? '';
      if (filters.some((filter) => isSubsetMatch(subject ?? '', filter))) return true;
    }
    return false;
  }

  /** Messages nobody asked for leave an interest stream as soon as they are stored. */
  #dropUnwanted(upToSeq: number): void {
    if (this.#config.retention === 'interest') {
      for (let seq = this.#judgedInterest + 1; seq <= upToSeq; seq++) if (!this.#isWanted(seq)) this.store.delete(seq);
    }
    this.#judgedInterest = upToSeq;
  }

  /** Stops; the directory stays. */
  async stop(): Promise<void> {
    this.#closeDirect();
    for (const consumer of this.consumers.values()) {
      consumer.save();
      consumer.close('409 Server Shutdown');
    }
    await this.store.stop();
  }

  async remove(): Promise<void> {
    this.#closeDirect();
    this.store.setSubjects([]);
    for (const consumer of this.consumers.values()) consumer.close('409 Consumer Deleted');
    this.consumers.clear();
    await this.store.remove();
  }
}
