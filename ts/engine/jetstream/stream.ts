// Drives one stream: its store, its publishes, its consumers, its documents.
// Kept true: what is answered from the stream's state leaves when that state is synced.

import { checkConsumerConfig } from '../../core/consumer/check-config.ts';
import type { StreamSettings } from '../../core/consumer/settings.ts';
import type { ConsumerConfig } from '../../core/jetstream/consumer-config.ts';
import { streamInfoDocument, streamMeta, streamStateDocument, type StateDetails } from '../../core/jetstream/documents.ts';
import { millis } from '../../core/jetstream/instant.ts';
import type { Document } from '../../core/jetstream/schema.ts';
import type { StreamConfig } from '../../core/jetstream/stream-config.ts';
import type { Accepted } from '../../core/stream/judge.ts';
import { isSubsetMatch } from '../../core/subject/subject.ts';
import type { Instant } from '../../ports/clock.ts';
import type { ConsumerState, StoreLimits, StreamStore } from '../store/store.ts';
import type { JetStreamAccount } from './account.ts';
import { Consumer } from './consumer.ts';
import { directGet } from './direct-get.ts';
import type { Origin, OriginFollower } from './origin.ts';
import { OwedDeletes } from './owed-deletes.ts';
import type { JetStreamPorts, ServerSubscription } from './ports.ts';
import { Publishing, type SourcedMessage } from './publishing.ts';
import { Republisher } from './republish.ts';
import { isFault } from './request.ts';
import { Sourcing } from './sourcing.ts';
import { startOf } from './start.ts';
import { Times } from './times.ts';

/** What the store itself holds a stream to. */
export function storeLimits(config: StreamConfig): StoreLimits {
  return {
    maxMessages: config.max_msgs,
    maxBytes: config.max_bytes,
    // With TTLs of single messages the stream itself looks who is too old.
    maxAgeMs: config.allow_msg_ttl ? 0 : millis(config.max_age),
    maxMessageSize: config.max_msg_size,
    maxMessagesPerSubject: config.max_msgs_per_subject,
    discard: config.discard,
    discardNewPerSubject: config.discard_new_per_subject,
  };
}

/** Whether every publish is looked at: it may be stored under another subject, as a sum, or go out once more. */
function isJudged({ subject_transform, republish, allow_msg_counter }: StreamConfig): boolean {
  return subject_transform !== undefined || republish !== undefined || allow_msg_counter;
}

/** So many messages are looked at before others have their turn. */
const releasedATurn = 10_000;

/** Letters and digits of a pin. */
const pinLength = 22;

export class Stream implements Origin {
  readonly account: JetStreamAccount;
  readonly ports: JetStreamPorts;
  readonly store: StreamStore;
  readonly created: Instant;
  readonly consumers = new Map<string, Consumer>();
  /** A name nobody can guess, for a pin of one of its consumers. */
  readonly freshPin = (): string => this.account.unique(pinLength);
  /** Consumers that somebody waits on: new messages wake them. */
  readonly hungry = new Set<Consumer>();
  #config: StreamConfig;
  readonly #publishing: Publishing;
  readonly #times: Times;
  readonly republisher: Republisher;
  /** Of a stream that takes from others, or stores messages under other subjects. */
  #sourcing: Sourcing | undefined;
  readonly #followers = new Set<OriginFollower>();
  /** One is on disk that could not be read: what it still wants is kept, whatever that is. */
  hasUnknownConsumer = false;
  /** Of a work queue. */
  #owed: OwedDeletes | undefined;
  #isOpen = false;
  /** Up to here an interest stream has looked who wants its messages. */
  #judgedInterest: number;
  readonly #direct: ServerSubscription[] = [];

  constructor(account: JetStreamAccount, config: StreamConfig, created: Instant, store: StreamStore) {
    this.account = account;
    this.ports = account.ports;
    this.store = store;
    this.created = created;
    this.#config = config;
    this.republisher = new Republisher(store, account.ports, account.number);
    this.republisher.configure(config);
    this.#publishing = new Publishing(this);
    this.#times = new Times(this);
    this.#judgedInterest = store.lastSeq;
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
    this.store.onPublish((publish) => this.#publishing.judge(publish));
    this.store.onSynced((syncedSeq) => {
      this.republisher.synced(syncedSeq);
      this.#owed?.synced();
      this.#dropUnwanted(syncedSeq);
      for (const consumer of this.hungry) consumer.wake();
      for (const follower of this.#followers) follower.synced();
      this.#times.synced();
    });
    this.store.onRevived(() => this.#revived());
    this.store.onRemoved((fromSeq, toSeq) => this.removed(fromSeq, toSeq));
    this.store.grant(0);
    this.store.setJudged(isJudged(this.#config));
    this.store.setSubjects(this.#config.subjects);
    this.#isOpen = true;
    this.#times.configure(this.#config);
    this.#times.recover();
    this.#configureSourcing(this.#config);
    this.account.originOpened();
  }

  #configureSourcing(config: StreamConfig): void {
    const { mirror, sources, subject_transform } = config;
    if (mirror !== undefined || sources.length > 0 || subject_transform !== undefined)
      this.#sourcing ??= new Sourcing(this, this.#publishing, this.account);
    this.#sourcing?.configure(config);
  }

  /** The store goes on after a fault: nobody remembers what it has lost, and whoever waited for it waits no longer. */
  #revived(): void {
    this.#judgedInterest = Math.min(this.#judgedInterest, this.store.lastSeq);
    this.#publishing.revived();
    this.#times.revived();
    this.#sourcing?.revived(this.#config);
    this.#owed?.revived();
    this.releaseUnwanted();
    for (const consumer of this.consumers.values()) consumer.letGo();
  }

  /** A message the host has judged is stored. */
  stored(seq: number, subject: string, accepted: Accepted): void {
    this.#times.stored(seq, subject, accepted);
  }

  /** Stores a message of the stream's own: a marker, or what a schedule publishes. */
  storeOwn(message: SourcedMessage): void {
    const error = this.#publishing.storeSourced(message);
    if (error !== undefined)
      this.ports.log.warn(`stream '${this.name}': no message on '${message.subject}': ${error.description}`);
  }

  /** At a start, as at its creation, a mirror takes over whether its origin is asked directly. */
  followMirrorDirect(): void {
    const { mirror } = this.#config;
    const origin = mirror === undefined || mirror.external !== undefined ? undefined : this.account.streams.get(mirror.name);
    if (origin !== undefined) this.#config = { ...this.#config, mirror_direct: origin.config.allow_direct };
  }

  /** Whether mirrors and sources may read it. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The subject a publish is stored under. */
  storedSubject(subject: string): string {
    return this.#sourcing?.ownSubject(subject) ?? subject;
  }

  /** A stream has appeared that mirrors and sources may wait for. */
  originOpened(): void {
    this.#sourcing?.originOpened();
  }

  /** Mirrors and sources that take from it. */
  get followerCount(): number {
    return this.#followers.size;
  }

  follow(follower: OriginFollower): void {
    this.#followers.add(follower);
  }

  unfollow(follower: OriginFollower): void {
    this.#followers.delete(follower);
  }

  release(seqs: readonly number[]): void {
    if (this.#config.retention === 'limits') return;
    for (const seq of seqs) if (!this.#isWanted(seq)) this.#letGo(seq);
    this.#sourcing?.roomMade();
  }

  /** Nobody needs a message any more. While nothing is written it stays: a work queue remembers that, others look anew afterwards. */
  #letGo(seq: number): void {
    if (this.#config.retention === 'workqueue') (this.#owed ??= new OwedDeletes(this.store)).delete(seq);
    else if (this.store.fault === undefined) this.store.delete(seq);
  }

  update(config: StreamConfig): void {
    const before = this.#config;
    this.#config = config;
    this.account.changed(this, before);
    this.#openDirect();
    this.republisher.configure(config);
    this.#publishing.configure(config);
    this.store.writeMeta(streamMeta(config, this.created));
    this.store.setLimits(storeLimits(config));
    this.store.setNoAck(config.no_ack);
    this.store.setCompression(config.compression);
    this.store.setJudged(isJudged(config));
    this.store.setSealed(config.sealed);
    this.store.setSubjects(config.subjects);
    this.#times.configure(config);
    this.#configureSourcing(config);
  }

  /** Listens for direct gets as long as the configuration allows them. */
  #openDirect(): void {
    const { allow_direct } = this.#config;
    if (allow_direct === this.#direct.length > 0) return;
    if (!allow_direct) return this.#closeDirect();
    const { door } = this.ports;
    const { number, apiPrefixes } = this.account;
    for (const prefix of apiPrefixes) {
      const subject = `${prefix}.DIRECT.GET.${this.name}`;
      this.#direct.push(
        door.subscribeDirect(number, [subject, `${subject}.>`], this.store.handle, (message) =>
          directGet(this, message, message.subject.slice(subject.length + 1)),
        ),
      );
    }
  }

  #closeDirect(): void {
    for (const subscription of this.#direct.splice(0)) subscription.cancel();
  }

  info(details: StateDetails, versions: boolean, leader?: string): Document {
    this.#dropUnwanted(this.store.lastSeq);
    return streamInfoDocument({
      config: this.#config,
      created: this.created,
      state: streamStateDocument(this.store.state, this.consumers.size, details),
      domain: this.account.settings.domain,
      leader,
      upstreams: this.#sourcing?.info(),
      now: this.ports.clock.wallInstant(),
      versions,
    });
  }

  /** Messages of a range went, by limits or one by one. */
  removed(fromSeq: number, toSeq: number): void {
    for (const consumer of this.consumers.values()) consumer.removed(fromSeq, toSeq);
    this.#firstMoved();
  }

  /** Consumers look at the stream again after a purge, of a filter or of everything. */
  purged(filter?: string): void {
    for (const consumer of this.consumers.values()) consumer.purged(filter);
    this.#sourcing?.roomMade();
  }

  #firstMoved(): void {
    const { firstSeq } = this.store.state;
    for (const consumer of this.consumers.values()) consumer.firstMoved(firstSeq);
    this.#sourcing?.roomMade();
  }

  /** Calls when everything so far is on disk; `failed` when it cannot be any more. */
  whenSynced(call: () => void, failed?: (fault: Error) => void): void {
    this.store.whenSynced((error) => {
      if (error === undefined) return call();
      this.ports.log.error(`stream '${this.name}': not synced: ${error.message}`);
      failed?.(error);
    });
  }

  // Consumers

  /** What consumers' settings take from the stream. */
  consumerSettings(): StreamSettings {
    const { retention, max_msg_size } = this.#config;
    const maxMessageBytes = max_msg_size > 0 ? max_msg_size : this.account.settings.maxPayloadBytes;
    return { tellsSettled: retention !== 'limits', maxMessageBytes };
  }

  /** Adds a checked consumer. Nobody waits for an ephemeral one: what a power failure takes is gone for its client as if it had been inactive. */
  addConsumer(name: string, config: ConsumerConfig, created: Instant): Consumer {
    this.#dropUnwanted(this.store.lastSeq);
    const consumer = new Consumer(this, name, config, created, startOf(config, this.store));
    this.consumers.set(name, consumer);
    consumer.writeMeta();
    consumer.open();
    if (consumer.isDurable || !this.#isAllSynced) consumer.holdUntilSynced();
    else consumer.holdUntilTold();
    this.account.advise('consumerCreated', { stream: this.name, consumer: name, action: 'create' }, this.name, name);
    return consumer;
  }

  /** Every message is on disk. */
  get #isAllSynced(): boolean {
    return this.store.syncedSeq >= this.store.lastSeq;
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
    this.releaseUnwanted();
    this.#adviseDeleted(consumer);
  }

  #adviseDeleted({ name }: Consumer): void {
    this.account.advise('consumerDeleted', { stream: this.name, consumer: name, action: 'delete' }, this.name, name);
  }

  /** A consumer is done with messages: streams that keep messages only for consumers may let them go. */
  settled(fromSeq: number, toSeq: number): void {
    const { retention } = this.#config;
    if (retention === 'limits') return;
    for (let seq = fromSeq; seq <= toSeq; seq++) if (retention === 'workqueue' || !this.#isWanted(seq)) this.#letGo(seq);
    this.#sourcing?.roomMade();
  }

  /** What nobody wants any more, after consumers went or changed, leaves a stream that keeps messages for interest. */
  releaseUnwanted(fromSeq = this.store.state.firstSeq): void {
    if (this.#config.retention !== 'interest' || !this.#isOpen || this.store.fault !== undefined) return;
    if (this.consumers.size === 0 && this.#followers.size === 0 && !this.hasUnknownConsumer) {
      this.store.purge({});
      return this.#firstMoved();
    }
    let seq = this.store.nextSeq([], fromSeq);
    for (let count = 0; seq > 0 && seq <= this.#judgedInterest && count < releasedATurn; count++) {
      if (!this.#isWanted(seq)) this.store.delete(seq);
      seq = this.store.nextSeq([], seq + 1);
    }
    if (seq > 0 && seq <= this.#judgedInterest) this.ports.clock.after(0, () => this.releaseUnwanted(seq));
    else this.#sourcing?.roomMade();
  }

  /** Whether anybody wants messages of a subject: a stream that keeps them for interest keeps no others, and publishes no others again. */
  hasInterest(subject: string): boolean {
    if (this.#config.retention !== 'interest') return true;
    for (const follower of this.#followers) if (follower.needs(Number.MAX_SAFE_INTEGER, subject)) return true;
    for (const { filters } of this.consumers.values())
      if (filters.length === 0 || filters.some((filter) => isSubsetMatch(subject, filter))) return true;
    return false;
  }

  /**
   * Whether a consumer still has to get or acknowledge a message, or a mirror or source has to take it. One that cannot be read is wanted by whoever
   * might want it.
   */
  #isWanted(seq: number): boolean {
    if (this.hasUnknownConsumer) return true;
    let read: string | undefined;
    const subject = (): string | undefined => (read ??= this.#subjectOf(seq));
    for (const follower of this.#followers) {
      const on = subject();
      if (on === undefined || follower.needs(seq, on)) return true;
    }
    for (const { machine, filters } of this.consumers.values()) {
      if (!machine.needs(seq)) continue;
      if (filters.length === 0) return true;
      const on = subject();
      if (on === undefined || filters.some((filter) => isSubsetMatch(on, filter))) return true;
    }
    return false;
  }

  /** Undefined: the message cannot be read. */
  #subjectOf(seq: number): string | undefined {
    try {
      return this.store.get(seq)?.subject;
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown;
      return undefined;
    }
  }

  /** Messages nobody asked for leave an interest stream as soon as they are stored. */
  #dropUnwanted(upToSeq: number): void {
    if (this.#config.retention === 'interest') {
      const after = (seq: number): number => this.store.nextSeq([], seq + 1);
      for (let seq = after(this.#judgedInterest); seq > 0 && seq <= upToSeq; seq = after(seq))
        if (!this.#isWanted(seq)) this.#letGo(seq);
    }
    this.#judgedInterest = Math.max(this.#judgedInterest, upToSeq);
  }

  /** Nothing is taken from other streams any more, and nothing from this one. */
  #closeSourcing(): void {
    this.#isOpen = false;
    this.#sourcing?.close();
    for (const follower of this.#followers) follower.gone();
    this.#followers.clear();
  }

  /** Stops; the directory stays. */
  /** `told`: what requests that wait are told; undefined: nothing, they run out. */
  async stop(told?: string): Promise<void> {
    this.#closeSourcing();
    this.#closeDirect();
    this.#publishing.stop();
    this.#times.stop();
    for (const consumer of this.consumers.values()) {
      consumer.save();
      consumer.close(told);
    }
    await this.store.stop();
    this.#sourcing?.stopped();
  }

  async remove(): Promise<void> {
    this.#closeSourcing();
    this.#closeDirect();
    this.#publishing.stop();
    this.#times.close();
    this.store.setSubjects([]);
    for (const consumer of this.consumers.values()) {
      consumer.close('409 Consumer Deleted');
      this.#adviseDeleted(consumer);
    }
    this.consumers.clear();
    await this.store.remove();
  }
}
