// Drives one consumer: feeds its machine with pulls, acknowledgements and time, sends what the machine asks for, keeps its state on disk.
// Kept true: an acknowledgement is confirmed only after the state that knows it was written, however long the disk refuses that; state is written at
// most every 100 ms otherwise, with 100,000 messages pending at most every 200 and so on, and never before the deletes that follow from it.

import type { AdvisoryId } from '../../core/jetstream/advisories.ts';
import { parseAckVerb } from '../../core/consumer/ack.ts';
import type { ConsumerOutput, DeliverWork } from '../../core/consumer/contract.ts';
import { configOf, ownConfig, type CommonConfig, type OwnConfig } from '../../core/consumer/config-pool.ts';
import { ConsumerMachine, type ConsumerStart } from '../../core/consumer/machine.ts';
import { isLevelRefused } from '../../core/jetstream/api-level.ts';
import { consumerInfoDocument, consumerMeta } from '../../core/jetstream/documents.ts';
import type { ConsumerConfig } from '../../core/jetstream/consumer-config.ts';
import { buildHeaders, parseHeaders } from '../../core/jetstream/headers.ts';
import { formatInstant, instantMs, zeroInstant } from '../../core/jetstream/instant.ts';
import { isSubsetMatch, subjectsOverlap } from '../../core/subject/subject.ts';
import type { Document } from '../../core/jetstream/schema.ts';
import type { Instant, Timer } from '../../ports/clock.ts';
import type { ConsumerState } from '../store/store.ts';
import { ConsumerView } from './consumer-view.ts';
import type { ConsumerReceiver, InboundAck, InboundMessage, ServerSubscription } from './ports.ts';
import { isFault } from './request.ts';
import type { Stream } from './stream.ts';

const noBytes = new Uint8Array(0);
const plainAck = { is: 'ack' } as const;
const stateIntervalMs = 100;
const retryMs = 1000;
/** So many states of a stream are synced in `stateIntervalMs`. */
const savesAnInterval = 32;
/** Writing so many pending messages takes the hundredth part of `stateIntervalMs`. */
const pendingAnInterval = 100_000;
const roundsATurn = 16;
/** So many wait for a disk that takes nothing; more came again and again, and wait no longer. */
const mostConfirms = 4096;
/** In place of the revision that was saved: none was, or what was is not safe enough. */
const neverSaved = -1;
const unsafelySaved = -2;

/** Advisories that name the account. */
const accountAdvisories: ReadonlySet<AdvisoryId> = new Set(['consumerPinned', 'consumerUnpinned']);

/** There may be very many of them: what most do not have is not there, and what many share is kept once. */
export class Consumer implements ConsumerReceiver {
  readonly stream: Stream;
  readonly name: string;
  readonly created: Instant;
  readonly machine: ConsumerMachine;
  #common: CommonConfig;
  #deliverSubject: string;
  readonly #view: ConsumerView;
  #subscription: ServerSubscription | undefined;
  /** Of the deliver subject. */
  #watch: ServerSubscription | undefined;
  /** Who waits for the state to be safe. */
  #confirms: string[] | undefined;
  #savedRevision = neverSaved;
  #saveTimer: Timer | undefined;
  /** Its state on disk holds confirmed acknowledgements: what replaces it must be synced. */
  #durable = false;
  #tickTimer: Timer | undefined;
  #tickAtMs = Infinity;
  #queued = false;
  /** What it waits for before it delivers. */
  #heldFor: 'sync' | 'answer' | undefined;
  #closed = false;

  constructor(stream: Stream, name: string, config: ConsumerConfig, created: Instant, start: ConsumerStart) {
    this.stream = stream;
    this.name = name;
    this.created = created;
    const { filters, deliverSubject } = ownConfig(config, name);
    this.#common = stream.account.consumerConfigs.hold(config, name, stream.consumerSettings());
    this.#deliverSubject = deliverSubject;
    this.#view = new ConsumerView(stream, filters);
    const identity = { stream: stream.name, name, deliverSubject };
    this.machine = new ConsumerMachine(identity, this.#common.settings, this.#view, start, stream.ports.clock.wallMs());
  }

  /** Its whole configuration, put together anew. */
  get config(): ConsumerConfig {
    return configOf(this.#common, this.#own);
  }

  get #own(): OwnConfig {
    return { name: this.name, filters: this.filters, deliverSubject: this.#deliverSubject };
  }

  get filters(): readonly string[] {
    return this.#view.selection.filters;
  }

  get isPush(): boolean {
    return this.#deliverSubject !== '';
  }

  get isDirect(): boolean {
    return this.#common.config.direct;
  }

  /** Whether its messages are acknowledged one by one or up to one. */
  get acknowledges(): boolean {
    const { ack_policy } = this.#common.config;
    return ack_policy === 'explicit' || ack_policy === 'all';
  }

  get isDurable(): boolean {
    return this.#common.config.durable_name !== '';
  }

  /** Listens and begins to deliver; with what an earlier run left, goes on from there. */
  open(state?: ConsumerState): void {
    const { account, name: stream } = this.stream;
    const { door } = this.stream.ports;
    const { firstSeq } = this.stream.store.state;
    if (state !== undefined) this.machine.restore(state, firstSeq);
    this.#durable = state !== undefined;
    this.machine.step({ is: 'first', firstSeq }, this.#now());
    this.#savedRevision = state === undefined && !this.#isTold ? neverSaved : this.machine.revision;
    const scope = `${stream}.${this.name}`;
    const subjects = {
      requests: account.apiPrefixes.map((prefix) => `${prefix}.CONSUMER.MSG.NEXT.${scope}`),
      acks: this.acknowledges ? `$JS.ACK.${scope}.*.*.*.*.*` : '',
      flow: this.#common.config.flow_control ? `$JS.FC.${scope}.*` : '',
    };
    this.#subscription = door.subscribeConsumer(account.number, subjects, this);
    this.#watchInterest();
    this.checkInterest();
    this.save();
    this.#arm();
    this.wake();
  }

  /** Whoever asked for it is told of it when it is on disk. */
  get waitsForSync(): boolean {
    return this.#heldFor === 'sync';
  }

  /** Delivers nothing before it is on disk: that is when whoever asked for it is told of it. */
  holdUntilSynced(): void {
    this.#heldFor = 'sync';
    this.stream.whenSynced(() => this.letGo());
  }

  /** Delivers nothing before whoever asked for it is told of it, in this turn. */
  holdUntilTold(): void {
    this.#heldFor = 'answer';
    this.stream.ports.door.soon(() => this.letGo());
  }

  /** Delivers from now on; also when the stream goes on after a fault, which leaves nobody waiting for a sync. */
  letGo(): void {
    this.#heldFor = undefined;
    this.wake();
  }

  /** Takes a changed configuration over. */
  update(config: ConsumerConfig): void {
    const { consumerConfigs } = this.stream.account;
    const before = { common: this.#common, filters: this.filters };
    const { filters, deliverSubject } = ownConfig(config, this.name);
    this.#common = consumerConfigs.hold(config, this.name, this.stream.consumerSettings());
    consumerConfigs.release(before.common);
    if (deliverSubject !== this.#deliverSubject) {
      this.#deliverSubject = deliverSubject;
      this.#watchInterest();
    }
    this.#view.select(filters);
    this.machine.configure(this.#common.settings, deliverSubject, this.#now());
    this.writeMeta();
    this.checkInterest();
    if (before.filters.join(' ') !== filters.join(' ')) this.stream.releaseUnwanted();
    this.#arm();
    this.wake();
  }

  info(versions: boolean): Document {
    const { clock } = this.stream.ports;
    if (!this.isPush) this.machine.step({ is: 'deaf' }, this.#now());
    return consumerInfoDocument({
      stream: this.stream.name,
      name: this.name,
      created: this.created,
      config: this.config,
      state: this.machine.info(),
      now: clock.wallInstant(),
      versions,
    });
  }

  /** Messages in this range went, by limits or one by one. */
  removed(fromSeq: number, toSeq: number): void {
    this.machine.step({ is: 'removed', fromSeq, toSeq }, this.#now());
    this.#flushOutputs();
    this.#saveSoon();
  }

  /** Messages were purged, those of a filter or all. */
  purged(filter?: string): void {
    const { filters } = this.#view.selection;
    if (filter !== undefined && filters.length > 0 && !filters.some((own) => subjectsOverlap(own, filter))) return;
    const { store } = this.stream;
    const { firstSeq: streamFirst, lastSeq } = store.state;
    const isWithin = filter !== undefined && filters.length > 0 && filters.every((own) => isSubsetMatch(own, filter));
    const firstSeq = isWithin ? store.nextSeq([filter], 1) || lastSeq + 1 : streamFirst;
    this.machine.step({ is: 'purged', firstSeq }, this.#now());
    this.#flushOutputs();
    this.#saveSoon();
  }

  /** Messages below this sequence are gone. */
  firstMoved(firstSeq: number): void {
    this.machine.step({ is: 'first', firstSeq }, this.#now());
    this.#flushOutputs();
    this.#saveSoon();
  }

  #watchInterest(): void {
    const { account, ports } = this.stream;
    this.#watch?.cancel();
    this.#watch = this.isPush ? ports.door.watch(account.number, this.#deliverSubject, () => this.checkInterest()) : undefined;
  }

  /** Whether somebody listens on the deliver subject: looked at whenever its subscriptions change. */
  checkInterest(): void {
    if (!this.isPush || this.#closed) return;
    const { deliver_group } = this.#common.config;
    const { account, ports } = this.stream;
    const active = ports.door.hasReceiver(account.number, this.#deliverSubject, deliver_group);
    if (active === this.machine.pushActive) return;
    this.machine.step({ is: 'interest', active }, this.#now());
    this.#arm();
    if (active) this.wake();
  }

  /** Delivers what can be delivered, before this turn's output leaves. */
  wake(): void {
    if (this.#queued || this.#closed) return;
    this.#queued = true;
    this.stream.ports.door.soon(() => this.#pump());
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Stops listening and delivering. `status` is what waiting requests are told; undefined: nothing. */
  close(status?: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.stream.hungry.delete(this);
    this.#watch?.cancel();
    this.#subscription?.cancel();
    this.#saveTimer?.cancel();
    this.#tickTimer?.cancel();
    if (status !== undefined) this.machine.end(status);
    this.#flushOutputs();
    this.#view.close();
    this.stream.account.consumerConfigs.release(this.#common);
  }

  /** Writes the state when it changed since the last time. False: the disk refused; it is tried again. */
  save(): boolean {
    this.#saveTimer?.cancel();
    this.#saveTimer = undefined;
    const { revision } = this.machine;
    if (this.isVolatile || this.#savedRevision === revision) return true;
    const state = this.machine.encodeState(this.#now());
    // A message whose delete a crash may take must not be one that this is done with.
    const isOrdered = this.#savedRevision === neverSaved || !this.#common.settings.tellsSettled;
    if (isOrdered || (this.#durable && this.stream.store.statesRideRounds)) return this.#write(state, revision);
    this.stream.store.whenSynced((error) => {
      if (error === undefined && this.stream.consumers.get(this.name) === this) this.#write(state, revision);
    });
    return true;
  }

  #write(state: Uint8Array, revision: number): boolean {
    const { ports, store, name } = this.stream;
    try {
      store.writeConsumerState(this.name, state, this.#durable);
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown;
      ports.log.error(`consumer '${name} > ${this.name}': state not written: ${thrown.message}`);
      if (!this.#closed) this.#saveTimer ??= ports.clock.after(retryMs, () => this.#saveAgain());
      return false;
    }
    this.#savedRevision = revision;
    return true;
  }

  #saveAgain(): void {
    if (this.#confirms === undefined) this.save();
    else this.#confirm(this.#confirms);
  }

  /** A start would begin where it is now without being told. */
  get #isTold(): boolean {
    return this.#common.config.deliver_policy === 'all' && this.machine.info().delivered.stream === 0;
  }

  /** Keeps nothing on disk. */
  get isVolatile(): boolean {
    const { mem_storage, direct } = this.#common.config;
    return mem_storage || direct || this.stream.config.storage === 'memory';
  }

  /** Its configuration goes to disk. */
  writeMeta(): void {
    if (this.isVolatile) return;
    this.stream.store.writeConsumer(this.name, consumerMeta(this.config, this.name, this.created));
  }

  #now(): number {
    return this.stream.ports.clock.wallMs();
  }

  /** A request for messages. */
  pull({ reply, payload, headers }: InboundMessage): void {
    if (reply === '') return;
    if (!isLevelRefused(headers) || this.isPush) return this.#request(reply, payload);
    this.#send({ is: 'status', to: reply, status: '412 Required Api Level', headers: [], reply: '' });
  }

  #request(reply: string, payload: Uint8Array): void {
    this.machine.step({ is: 'pull', reply, request: this.#common.requests.read(payload) }, this.#now());
    this.#arm();
    this.wake();
  }

  /** Begins anew at a sequence. */
  reset(nextSeq: number): void {
    this.machine.step({ is: 'reset', nextSeq }, this.#now());
    this.stream.releaseUnwanted();
    this.save();
    this.wake();
  }

  /** Takes the pin of a priority group away. */
  unpin(group: string): void {
    this.machine.step({ is: 'unpin', group }, this.#now());
    this.#flushOutputs();
    this.wake();
  }

  /** An acknowledgement of one of its messages. */
  acknowledge({ kind, streamSeq, consumerSeq, deliveries, reply, payload }: InboundAck): void {
    const verb = kind === 0 ? plainAck : parseAckVerb(payload);
    this.machine.step({ is: 'ack', streamSeq, consumerSeq, deliveries, verb, reply }, this.#now());
    if (verb.is === 'next' && reply !== '') this.#request(reply, verb.request);
    else if (verb.is === 'nak') this.#arm();
    this.wake();
  }

  /** An answer to a flow control request. */
  flow({ subject, headers }: InboundMessage): void {
    const given = parseHeaders(headers);
    const received = {
      consumer: Number(given.get('Nats-Last-Consumer') ?? 0),
      stream: Number(given.get('Nats-Last-Stream') ?? 0),
    };
    this.machine.step({ is: 'flow', subject, received }, this.#now());
    this.wake();
  }

  #pump(): void {
    this.#queued = false;
    if (this.#closed || this.#heldFor !== undefined) return;
    const nowMs = this.#now();
    let rounds = 0;
    for (let work = this.machine.ready(nowMs); work !== undefined; work = this.machine.ready(nowMs)) {
      if (rounds++ === roundsATurn) {
        this.stream.ports.clock.after(0, () => this.wake());
        break;
      }
      this.#flushOutputs();
      if (!this.#deliver(work, nowMs)) break;
    }
    this.#flushOutputs();
    if (this.machine.isHungry) this.stream.hungry.add(this);
    else this.stream.hungry.delete(this);
    if (this.#confirms === undefined) this.#saveSoon();
    else this.#confirm(this.#confirms);
    this.#arm();
  }

  /** False: the stream could not be read. */
  #deliver(work: DeliverWork, nowMs: number): boolean {
    try {
      this.machine.delivered(work, this.stream.store.deliver(this.#deliverRequest(work)), nowMs);
      return true;
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown;
      this.stream.ports.log.error(`consumer '${this.stream.name} > ${this.name}': ${thrown.message}`);
      return false;
    }
  }

  #deliverRequest(work: DeliverWork): Parameters<Stream['store']['deliver']>[0] {
    return {
      selection: this.#view.selection,
      fromSeq: work.fromSeq,
      toSeq: work.toSeq === 0 ? undefined : work.toSeq,
      picks: work.picks,
      maxMessages: work.maxMessages,
      maxBytes: work.maxBytes,
      deliverSubject: work.deliverSubject,
      ackPrefix: `$JS.ACK.${this.stream.name}.${this.name}.`,
      firstConsumerSeq: work.firstConsumerSeq,
      deliveredCount: work.deliveries,
      pendingBefore: this.machine.pendingCount() + (work.again ? 1 : 0),
      headersOnly: this.#common.config.headers_only,
      pinId: work.pinId,
    };
  }

  #flushOutputs(): void {
    for (const output of this.machine.takeOutputs()) this.#send(output);
  }

  #send(output: ConsumerOutput): void {
    const { account, ports } = this.stream;
    switch (output.is) {
      case 'status':
        ports.door.publish(account.number, output.to, output.reply, buildHeaders(output.status, output.headers), noBytes);
        return;
      case 'confirm':
        (this.#confirms ??= []).push(output.to);
        return;
      case 'advisory':
        return this.#advise(output.id, output.fields);
      case 'resumed':
        return this.advisePaused();
      case 'settled':
        this.stream.settled(output.fromSeq, output.toSeq);
        return;
      case 'inactive':
        ports.door.soon(() => this.stream.removeConsumer(this));
    }
  }

  #advise(id: AdvisoryId, fields: Document): void {
    const { account, name: stream } = this.stream;
    const named = accountAdvisories.has(id) ? { account: account.name } : {};
    account.advise(id, { ...named, stream, consumer: this.name, ...fields }, stream, this.name);
  }

  /** Tells that the consumer pauses, or goes on. */
  advisePaused(): void {
    const { pause_until } = this.#common.config;
    const paused = pause_until !== undefined && instantMs(pause_until) > this.#now();
    this.#advise('consumerPaused', { paused, pause_until: formatInstant(pause_until ?? zeroInstant) });
  }

  #confirm(replies: readonly string[]): void {
    this.#confirms = undefined;
    const { revision } = this.machine;
    if (!this.#durable) this.#savedRevision = unsafelySaved;
    this.#durable = true;
    if (!this.save()) return this.#confirmLater(replies);
    this.stream.store.whenSynced((error) => {
      if (error !== undefined || (this.#savedRevision < revision && !this.isVolatile)) return this.#confirmLater(replies);
      for (const reply of replies) this.stream.ports.door.publish(this.stream.account.number, reply, '', undefined, noBytes);
    });
  }

  /** Tried again when the disk takes the state, or the stream writes again. */
  #confirmLater(replies: readonly string[]): void {
    if (!this.#closed) this.#confirms = [...replies, ...(this.#confirms ?? [])].slice(-mostConfirms);
  }

  #saveSoon(): void {
    if (this.#saveTimer !== undefined || this.#closed || this.#savedRevision === this.machine.revision || this.isVolatile) return;
    this.#saveTimer = this.stream.ports.clock.after(this.#saveIntervalMs, () => this.save());
  }

  /** States are written less often where they are long, and those that have to be synced where there are many. */
  get #saveIntervalMs(): number {
    const many = this.#durable ? Math.ceil(this.stream.consumers.size / savesAnInterval) : 1;
    return stateIntervalMs * many * (1 + Math.floor(this.machine.ackPending / pendingAnInterval));
  }

  /** Sees that `tick` comes in time; a timer that is early enough stays. */
  #arm(): void {
    const atMs = this.machine.nextTickMs();
    if (this.#closed || atMs >= this.#tickAtMs) return;
    this.#tickTimer?.cancel();
    this.#tickAtMs = atMs;
    this.#tickTimer = this.stream.ports.clock.after(Math.max(1, Math.ceil(atMs - this.#now())), () => {
      this.#tickAtMs = Infinity;
      this.machine.tick(this.#now());
      this.#flushOutputs();
      this.#arm();
      this.wake();
    });
  }
}
