// Streams and a store in memory, so that JetStream's engine is tested without kernel, disk or time.

import { hasWildcard } from '../../../../ts/core/subject/subject.ts';
import { decodeConsumerState } from '../../../../ts/core/consumer/o-dat.ts';
import { PlainIds } from '../../../oracle/duplicates.ts';
import type { BesideFileName } from '../../../../ts/core/stream/times-file.ts';
import { addHeaders } from '../../../../ts/core/jetstream/headers.ts';
import { compareInstants, formatInstant } from '../../../../ts/core/jetstream/instant.ts';
import type { InboundMessage } from '../../../../ts/engine/jetstream/ports.ts';
import type {
  Delivered,
  DeliverRequest,
  FoundConsumer,
  JudgedPublish,
  NewMessage,
  PurgeRequest,
  Store,
  StoredMessage,
  StoreLimits,
  StoreState,
  StreamOptions,
  Selection,
  StreamStore,
  Works,
} from '../../../../ts/engine/store/store.ts';
import type { SubjectPage } from '../../../../ts/kernel/streams.ts';
import type { Instant } from '../../../../ts/ports/clock.ts';
import { matches, type FakeBroker } from './fake-broker.ts';
import type { FakeClock } from './fake-clock.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const none = new Uint8Array(0);

interface Stored extends StoredMessage {
  readonly size: number;
}

function directHeaders(stream: string, message: StoredMessage, pending: number, last: number): Uint8Array {
  return addHeaders(message.headers, [
    ['Nats-Stream', stream],
    ['Nats-Subject', message.subject],
    ['Nats-Sequence', message.seq],
    ['Nats-Time-Stamp', formatInstant(message.ts)],
    ['Nats-Num-Pending', pending],
    ['Nats-Last-Sequence', last],
  ]);
}

/** A stream in memory. Syncs happen when `sync` is called, at once unless `holdSyncs`. */
export class FakeStream implements StreamStore {
  readonly name: string;
  readonly handle = 0;
  readonly statesRideRounds = true;
  readonly ids: PlainIds;
  readonly lacksMemory = (): boolean => false;
  readonly fast = { open: () => {}, close: () => {}, read: () => undefined };
  readonly atomic = { open: () => {}, close: () => {}, read: () => undefined, take: () => [], store: () => {} };
  granted = -1;
  fault: string | undefined;
  refusal: undefined;
  meta: string;
  syncedSeq = 0;
  holdSyncs = false;
  readonly #broker: FakeBroker;
  readonly #clock: FakeClock;
  readonly #options: StreamOptions;
  readonly #messages = new Map<number, Stored>();
  readonly #consumers = new Map<string, { meta: string; state?: Uint8Array }>();
  #limits: StoreLimits;
  #lastSeq: number;
  #firstSeq: number;
  #lastTs: Instant | undefined;
  #subjects: readonly string[] = [];
  #noAck: boolean;
  #sealed = false;
  #judged = false;
  readonly #times = new Map<BesideFileName, Uint8Array>();
  #publish: (publish: JudgedPublish) => void = () => {};
  #synced: (seq: number) => void = () => {};
  #removed: (from: number, to: number) => void = () => {};
  #waiting: (() => void)[] = [];

  constructor(broker: FakeBroker, clock: FakeClock, options: StreamOptions, meta: string) {
    this.#broker = broker;
    this.#clock = clock;
    this.#options = options;
    this.meta = meta;
    this.name = options.name;
    this.ids = new PlainIds(() => clock.wallMs());
    this.#limits = options.limits;
    this.#noAck = options.noAck;
    this.#lastSeq = Math.max(0, options.firstSeq - 1);
    this.#firstSeq = options.firstSeq > 0 ? options.firstSeq : 0;
  }

  get state(): StoreState {
    let bytes = 0;
    const subjects = new Set<string>();
    for (const { size, subject } of this.#messages.values()) {
      bytes += size;
      subjects.add(subject);
    }
    const seqs = [...this.#messages.keys()];
    const firstSeq = seqs[0] ?? (this.#lastSeq === 0 ? this.#firstSeq : Math.max(this.#firstSeq, this.#lastSeq + 1));
    return {
      messages: seqs.length,
      bytes,
      firstSeq,
      firstTs: this.#messages.get(firstSeq)?.ts,
      lastSeq: this.#lastSeq,
      lastTs: this.#lastTs,
      numSubjects: subjects.size,
      numDeleted: seqs.length === 0 ? 0 : this.#lastSeq - firstSeq + 1 - seqs.length,
      lost: undefined,
    };
  }

  onSynced(call: (seq: number) => void): void {
    this.#synced = call;
  }

  onRevived(): void {}

  whenSynced(call: (error?: Error) => void): void {
    if (this.holdSyncs) this.#waiting.push(call);
    else call();
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  sync(): void {
    this.syncedSeq = this.#lastSeq;
    this.#synced(this.syncedSeq);
    for (const call of this.#waiting.splice(0)) call();
  }

  onPublish(call: (publish: JudgedPublish) => void): void {
    this.#publish = call;
  }

  onRemoved(call: (from: number, to: number) => void): void {
    this.#removed = call;
  }

  grant(bytes: number): void {
    this.granted = bytes;
  }

  setSubjects(subjects: readonly string[]): void {
    this.#subjects = subjects;
  }

  setLimits(limits: StoreLimits): void {
    this.#limits = limits;
    this.#enforce();
  }

  setSealed(sealed: boolean): void {
    this.#sealed = sealed;
  }

  setJudged(judged: boolean): void {
    this.#judged = judged;
  }

  setNoAck(noAck: boolean): void {
    this.#noAck = noAck;
  }

  setCompression(): void {}

  /** A client's publish; false: not for this stream. */
  offer(message: InboundMessage): boolean {
    if (!this.#subjects.some((subject) => matches(subject, message.subject))) return false;
    const { subject, reply, headers, payload } = message;
    const reason = this.#refusal(message);
    if (reason !== undefined) this.#publish({ reason, subject, reply, headers, payload });
    else this.append({ subject, payload, ...(reply === '' || this.#noAck ? {} : { reply }) });
    return true;
  }

  /** Why a publish goes to the judge, as the kernel would say. */
  #refusal({ subject, reply, headers, payload }: InboundMessage): JudgedPublish['reason'] | undefined {
    const { maxMessageSize, maxMessages, maxBytes, maxMessagesPerSubject, discard, discardNewPerSubject } = this.#limits;
    if (this.#sealed) return 'sealed';
    if (this.#judged || headers.length > 0 || reply.endsWith('.$FI')) return 'headers';
    if (maxMessageSize >= 0 && payload.length > maxMessageSize) return 'message-size';
    if (this.granted >= 0 && 30 + subject.length + payload.length > this.granted) return 'room';
    if (discard === 'old') return undefined;
    const { messages, bytes } = this.state;
    const full = maxMessagesPerSubject > 0 && this.countOn(subject) >= maxMessagesPerSubject;
    if (full) return discardNewPerSubject ? 'max-per-subject' : undefined;
    if (maxMessages > 0 && messages >= maxMessages) return 'max-messages';
    return maxBytes > 0 && bytes + 30 + subject.length + payload.length > maxBytes ? 'max-bytes' : undefined;
  }

  append({ subject, headers = none, payload, reply, ts, seq: wanted = this.#lastSeq + 1 }: NewMessage): number {
    const seq = (this.#lastSeq = wanted);
    const size = 30 + encoder.encode(subject).length + payload.length + (headers.length > 0 ? 4 + headers.length : 0);
    this.#lastTs = ts ?? this.#clock.wallInstant();
    this.#messages.set(seq, { seq, subject, ts: this.#lastTs, headers, payload, size });
    this.#enforce();
    if (reply !== undefined) {
      this.whenSynced(() =>
        this.#broker.publish(0, reply, '', undefined, encoder.encode(`{"stream":"${this.name}","seq":${seq}}`)),
      );
    }
    if (!this.holdSyncs) this.sync();
    return seq;
  }

  skip(toSeq: number): void {
    this.#lastSeq = toSeq;
  }

  nextSeq(filters: readonly string[], fromSeq: number): number {
    return this.#selected(filters, fromSeq)[0]?.seq ?? 0;
  }

  #enforce(): void {
    const { maxMessages, maxMessagesPerSubject } = this.#limits;
    while (maxMessages > 0 && this.#messages.size > maxMessages) this.#drop(this.state.firstSeq);
    if (maxMessagesPerSubject <= 0) return;
    for (const subject of this.#counts('>').keys()) this.purge({ filter: subject, keep: maxMessagesPerSubject });
  }

  #drop(seq: number): boolean {
    const gone = this.#messages.delete(seq);
    if (gone) this.#removed(seq, seq);
    return gone;
  }

  get(seq: number): StoredMessage | undefined {
    return this.#messages.get(seq);
  }

  #on(filter: string): Stored[] {
    return [...this.#messages.values()].filter(({ subject }) => filter === subject || matches(filter, subject));
  }

  lastBySubject(filter: string): StoredMessage | undefined {
    return this.#on(filter).at(-1);
  }

  nextBySubject(filter: string, fromSeq: number): StoredMessage | undefined {
    return this.#on(filter).find(({ seq }) => seq >= fromSeq);
  }

  #counts(filter: string): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { subject } of this.#on(filter)) counts.set(subject, (counts.get(subject) ?? 0) + 1);
    return counts;
  }

  subjects(filter: string, most: number, after?: Uint8Array): SubjectPage {
    const behind = after === undefined ? '' : decoder.decode(after);
    const subjects = [...this.#counts(filter)].filter(([subject]) => subject > behind).sort(([a], [b]) => (a < b ? -1 : 1));
    const last = subjects[most - 1];
    return { subjects: subjects.slice(0, most), next: last === undefined ? undefined : encoder.encode(last[0]) };
  }

  countOn(subject: string): number {
    return this.#counts(subject).get(subject) ?? 0;
  }

  lastSeqs(filters: readonly string[], upToSeq = Infinity): Float64Array {
    const last = new Map<string, number>();
    for (const { subject, seq } of this.#selected(filters, 0)) if (seq <= upToSeq) last.set(subject, seq);
    return Float64Array.from(last.values()).sort();
  }

  seqAtTime(at: Instant): number {
    for (const { seq, ts } of this.#messages.values()) if (compareInstants(ts, at) >= 0) return seq;
    return this.#lastSeq + 1;
  }

  select(filters: readonly string[]): Selection {
    return { handle: 0, filters, count: (fromSeq) => this.countPending(filters, fromSeq), close: () => {} };
  }

  countPending(filters: readonly string[], fromSeq: number): number {
    return this.#selected(filters, fromSeq).length;
  }

  #selected(filters: readonly string[], fromSeq: number): Stored[] {
    const wanted = (subject: string): boolean => filters.length === 0 || filters.some((filter) => matches(filter, subject));
    return [...this.#messages.values()].filter(({ seq, subject }) => seq >= fromSeq && wanted(subject));
  }

  deleted(limit: number): number[] {
    const out: number[] = [];
    for (let seq = this.state.firstSeq; seq <= this.#lastSeq && out.length < limit; seq++)
      if (!this.#messages.has(seq)) out.push(seq);
    return out;
  }

  delete(seq: number): boolean {
    return this.#drop(seq);
  }

  works: Works = { any: false, whenFree: (call) => call() };

  purgeInPieces(request: PurgeRequest, purged: (count: number) => void): void {
    purged(this.purge(request));
  }

  purge({ filter = '>', seq = Infinity, keep = 0 }: PurgeRequest): number {
    if (filter === '>') this.#firstSeq ||= 1;
    const candidates = this.#on(filter).filter((message) => message.seq < seq);
    const going = keep > 0 ? candidates.slice(0, Math.max(0, candidates.length - keep)) : candidates;
    for (const message of going) this.#drop(message.seq);
    if (filter === '>' && seq !== Infinity && seq > this.#lastSeq) this.#lastSeq = seq - 1;
    return going.length;
  }

  answerDirect(): boolean {
    return false;
  }

  shows(seq: number): boolean {
    return seq <= this.syncedSeq;
  }

  deliver(request: DeliverRequest): Delivered {
    const { selection, picks, toSeq = Infinity, maxMessages, maxBytes, deliverSubject } = request;
    const fromSeq = picks?.[0] ?? request.fromSeq;
    const filters = picks === undefined ? (selection?.filters ?? []) : [];
    const seqs: number[] = [];
    let bytes = 0;
    const end = (stopped: Delivered['stopped'], nextSeq: number): Delivered => {
      return { messages: seqs.length, bytes, nextSeq, lastSeq: seqs.at(-1) ?? 0, seqs, picked: seqs.length, stopped };
    };
    if (!this.#broker.hasInterest(0, deliverSubject)) return end('interest', fromSeq);
    for (const { seq, subject, headers, payload, ts } of this.#selected(filters, fromSeq)) {
      if (seq > toSeq || seq > this.syncedSeq) break;
      if (picks !== undefined && !picks.includes(seq)) continue;
      if (seqs.length === maxMessages) return end('messages', seq);
      if (request.direct !== undefined) {
        const pending = Math.max(0, request.pendingBefore - seqs.length - 1);
        const place = directHeaders(this.name, { seq, subject, headers, payload, ts }, pending, seqs.at(-1) ?? 0);
        this.#broker.publish(0, deliverSubject, '', request.direct === 'bare' ? undefined : place, payload);
        bytes += subject.length + headers.length + payload.length;
        seqs.push(seq);
        if (bytes >= maxBytes) return end('bytes', seq + 1);
        continue;
      }
      const numbers = `${request.deliveredCount}.${seq}.${request.firstConsumerSeq + seqs.length}`;
      const time = `${ts.seconds}${String(ts.nanos).padStart(9, '0')}`;
      const pending = Math.max(0, request.pendingBefore - seqs.length - 1);
      const reply = request.ackPrefix === '' ? '' : `${request.ackPrefix}${numbers}.${time}.${pending}`;
      const size = subject.length + reply.length + headers.length + payload.length;
      if (bytes + size > maxBytes) return end('bytes', seq);
      bytes += size;
      seqs.push(seq);
      this.#broker.publish(
        0,
        deliverSubject,
        reply,
        headers.length === 0 ? undefined : headers,
        request.headersOnly ? none : payload,
      );
    }
    return end('end', Math.min(toSeq, this.syncedSeq) + 1);
  }

  writeMeta(meta: string): void {
    this.meta = meta;
  }

  readBeside(name: BesideFileName): Uint8Array | undefined {
    return this.#times.get(name);
  }

  writeBeside(name: BesideFileName, content: Uint8Array): void {
    this.#times.set(name, content);
  }

  /** The disk does not read what is there of this one. */
  unreadConsumer = '';

  consumers(): FoundConsumer[] {
    return [...this.#consumers].map(([name, { meta, state }]) => {
      if (name === this.unreadConsumer) return { name, problem: 'i/o error', isUnread: true };
      const decoded = state === undefined ? undefined : decodeConsumerState(state);
      return { name, meta, ...(decoded === undefined ? {} : { state: decoded }) };
    });
  }

  writeConsumer(name: string, meta: string): void {
    this.#consumers.set(name, { ...this.#consumers.get(name), meta });
  }

  writeConsumerState(name: string, state: Uint8Array): void {
    const known = this.#consumers.get(name);
    if (known !== undefined) known.state = state;
  }

  removeConsumer(name: string): void {
    this.#consumers.delete(name);
  }

  archive(): Promise<never> {
    return Promise.reject(new Error('a stream in memory has no files to archive'));
  }

  async stop(): Promise<void> {}

  async remove(): Promise<void> {
    this.#messages.clear();
  }

  get options(): StreamOptions {
    return this.#options;
  }
}

/** A store of one account that outlives its server. */
export class FakeStore implements Store {
  readonly syncTimes = { bounds: [], counts: [], count: 0, sum: 0 };
  isMemoryShort = false;
  readonly streams = new Map<string, FakeStream>();
  readonly #broker: FakeBroker;
  readonly #clock: FakeClock;

  constructor(broker: FakeBroker, clock: FakeClock) {
    this.#broker = broker;
    this.#clock = clock;
    broker.capture(
      (message) => !hasWildcard(message.subject) && [...this.streams.values()].some((stream) => stream.offer(message)),
    );
  }

  find(): { name: string; meta: string }[] {
    return [...this.streams.values()].map(({ name, meta }) => ({ name, meta }));
  }

  accounts(): string[] {
    return ['$G'];
  }

  create(options: StreamOptions, meta: string): FakeStream {
    const stream = new FakeStream(this.#broker, this.#clock, options, meta);
    this.streams.set(options.name, stream);
    const remove = stream.remove.bind(stream);
    stream.remove = async () => {
      this.streams.delete(options.name);
      await remove();
    };
    return stream;
  }

  async recover(options: StreamOptions): Promise<FakeStream> {
    const stream = this.streams.get(options.name);
    if (stream === undefined) throw new Error(`no stream ${options.name}`);
    return stream;
  }

  stage(): never {
    throw new Error('a store in memory unpacks nothing');
  }

  async stop(): Promise<void> {}
}
