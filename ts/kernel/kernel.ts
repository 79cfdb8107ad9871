// The typed door to the Wasm kernel: connections, accounts, subscriptions, permission sets, messages and the event ring, without a pointer
// for the caller to hold. One Kernel is one memory and one instance; several live side by side and share nothing.

import { instantiateSync } from '@assemblyscript/loader';
import { INBOUND_SIZE, LISTING_RECORD, RING_WORDS, SCRATCH_SIZE, subscriptionKind } from './constants.ts';
import { copyBytes } from './copy.ts';
import { behind, dispatch, ownerOf } from './events.ts';
import type { AckMessage, EventSink, HostMessage } from './events.ts';
import type { CoreExports } from './exports.ts';
import { KernelMemory } from './memory.ts';

export interface KernelOptions {
  /** The compiled build/wasm/server.wasm. */
  readonly module: WebAssembly.Module;
  /** Secret of the hash tables and seed of queue picks; two 32-bit numbers. */
  readonly seed: readonly [number, number];
  /** Whether what matches a subject is remembered; default yes. */
  readonly cachesMatches?: boolean;
  /** 64 KiB pages the memory may grow to; default all of 4 GiB. */
  readonly maximumPages?: number;
  /** Tests only: the page the arena starts at, to see addresses above 2 GiB. */
  readonly arenaPage?: number;
}

/** Where the kernel puts what its memory is not to hold: pages of a file, by their place in bytes. Only asked once `boundIndex` was called. */
export interface ColdPages {
  /** Fills `into` with what was written there. False: it could not be read. */
  read(place: number, into: Uint8Array): boolean;
  /** False: it could not be written. */
  write(place: number, bytes: Uint8Array): boolean;
  /** What was written does not come back as it was, or cannot be written anew: a stream's index has lost it, in the middle of a call. */
  lost(): void;
}

/** The kernel counts places in units of so many bytes (wasm/index/cold.ts). */
const COLD_UNIT = 128;
const noPages: ColdPages = { read: () => false, write: () => false, lost: () => {} };

/** What a connection is bound with. */
export interface Binding {
  readonly account: number;
  /** `flag` values of constants.ts. */
  readonly flags: number;
  readonly maxPayload: number;
  /** 0: unlimited. */
  readonly maxSubs: number;
  readonly maxControlLine: number;
}

export interface ListedSubscription {
  /** Names the subscription for `dropSubscription`, until it ends. */
  readonly handle: number;
  readonly connection: number;
  readonly kind: number;
  readonly subject: string;
  readonly queue: string;
  readonly sid: string;
  readonly delivered: number;
  readonly max: number;
}

export interface MatcherFigures {
  readonly entries: number;
  readonly cached: number;
  readonly inserts: number;
  readonly removes: number;
  readonly matches: number;
  readonly cacheHits: number;
}

/** The kernel adds limits and lengths in 32 bits; no more than this of anything fits into its memory together with the rest. */
const HIGHEST_LIMIT = 2 ** 31 - 1;

/** A limit as the kernel takes it; negative: none. */
function limit(wanted: number): number {
  return wanted < 0 ? HIGHEST_LIMIT : Math.min(wanted, HIGHEST_LIMIT);
}

const INITIAL_PAGES = 256;
const ALL_PAGES = 65536;
const MOST_CHUNKS = 512;
const noBytes = new Uint8Array(0);
/** Bytes a unit of a string takes at most. */
const MOST_UTF8 = 3;
const MOST_LISTED = 512;

export class Kernel<Exports extends CoreExports = CoreExports> {
  readonly memory: KernelMemory;
  readonly exports: Exports;
  /** The region that sockets read into. */
  readonly inbound: Buffer;
  readonly #inboundAt: number;
  readonly #scratchAt: number;
  readonly #scratch: Buffer;
  readonly #ring: Uint32Array;
  readonly #gather: Uint32Array;
  /** Blocks of messages published while entries pointing into them may wait in the ring. */
  readonly #parked: number[] = [];
  /** Told of each subscription of the server's own that may have shadows in other accounts. */
  onOwnSubscription: (handle: number) => void = () => {};
  cold: ColdPages = noPages;
  #draining = false;

  constructor(options: KernelOptions) {
    const maximum = options.maximumPages ?? ALL_PAGES;
    this.memory = new KernelMemory(INITIAL_PAGES, ALL_PAGES);
    const abort = (): never => {
      throw new Error('the Wasm kernel stopped at an assertion');
    };
    // The loader's own exports are wrapped for functions with optional parameters, which the kernel has none of: these are the bare ones.
    const cold = {
      read: (unit: number, to: number, length: number) =>
        this.cold.read(unit * COLD_UNIT, this.memory.view(to, length)) ? 1 : 0,
      write: (unit: number, from: number, length: number) =>
        this.cold.write(unit * COLD_UNIT, this.memory.view(from, length)) ? 1 : 0,
      lost: () => this.cold.lost(),
    };
    const { instance } = instantiateSync(options.module, { env: { memory: this.memory.memory, abort }, cold });
    this.exports = instance.exports as unknown as Exports;
    this.memory.askPages(this.exports.memoryPages);
    this.exports.setSeed(options.seed[0], options.seed[1]);
    this.exports.setMatchCache(options.cachesMatches === false ? 0 : 1);
    this.exports.limitPages(maximum);
    if (options.arenaPage !== undefined) this.exports.startArena(options.arenaPage);
    this.#inboundAt = this.exports.inboundAt() >>> 0;
    this.#scratchAt = this.exports.scratchAt() >>> 0;
    this.inbound = this.memory.bytes(this.#inboundAt, INBOUND_SIZE);
    this.#scratch = this.memory.bytes(this.#scratchAt, SCRATCH_SIZE);
    this.#ring = this.memory.words(this.exports.ringAt(), RING_WORDS);
    this.#gather = this.memory.words(this.#scratchAt, SCRATCH_SIZE / 4);
  }

  // Connections

  open(maxPayload: number, maxControlLine: number, maxPending: number): number {
    return this.exports.openConnection(limit(maxPayload), limit(maxControlLine), limit(maxPending));
  }

  bind(connection: number, binding: Binding): void {
    const { account, flags, maxPayload, maxSubs, maxControlLine } = binding;
    this.exports.bindConnection(connection, account, flags, limit(maxPayload), maxSubs, limit(maxControlLine));
  }

  /** Takes bytes that lie in the inbound region; returns how many, fewer than `length` only when `stopped`. */
  ingest(connection: number, from: number, length: number): number {
    return this.exports.ingest(connection, this.#inboundAt + from, length) >>> 0;
  }

  get stopped(): boolean {
    return this.exports.stopped() !== 0;
  }

  /** Bytes queued for connections since the last `ingest` began. */
  get produced(): number {
    return this.exports.produced() >>> 0;
  }

  /** Keeps bytes of the inbound region for a later `ingest`. */
  stash(connection: number, from: number, length: number): void {
    this.exports.stash(connection, this.#inboundAt + from, length);
  }

  /** Queues text for a connection. */
  send(connection: number, text: string): void {
    if (text.length > SCRATCH_SIZE / MOST_UTF8) return this.#sendLong(connection, Buffer.from(text));
    this.exports.send(connection, this.#scratchAt, this.#scratch.write(text, 'utf8'));
  }

  #sendLong(connection: number, bytes: Uint8Array): void {
    for (let sent = 0; sent < bytes.length; sent += SCRATCH_SIZE) {
      const part = bytes.subarray(sent, sent + SCRATCH_SIZE);
      this.#scratch.set(part);
      this.exports.send(connection, this.#scratchAt, part.length);
    }
  }

  /** The chunks waiting for a connection, for one gathered write; `outDone` when it has left. Empty: nothing waits. */
  takeOut(connection: number): Uint8Array[] {
    const count = this.exports.takeOut(connection, this.#scratchAt, MOST_CHUNKS);
    const views: Uint8Array[] = [];
    for (let i = 0; i < count; i++) views.push(this.memory.view(this.#gather[2 * i] ?? 0, this.#gather[2 * i + 1] ?? 0));
    return views;
  }

  /** True: more waits. */
  outDone(connection: number): boolean {
    return this.exports.outDone(connection) !== 0;
  }

  pendingBytes(connection: number): number {
    return this.exports.pendingBytes(connection) >>> 0;
  }

  /** Admits a SUB that the host judged; the addresses are those of the subscribe event. */
  admit(connection: number, words: readonly [number, number, number, number, number, number], filtered: boolean): void {
    this.exports.subscribe(connection, ...words, filtered ? 1 : 0);
  }

  subscriptionsOf(connection: number): ListedSubscription[] {
    const listed: ListedSubscription[] = [];
    for (let after = 0; ;) {
      const count = this.exports.listSubscriptions(connection, after, this.#scratchAt, MOST_LISTED);
      for (let i = 0; i < count; i++) listed.push(this.#listed(i));
      after = listed[listed.length - 1]?.handle ?? 0;
      if (count < MOST_LISTED) return listed;
    }
  }

  subscriptionsIn(account: number): ListedSubscription[] {
    const listed: ListedSubscription[] = [];
    let slot = 0;
    do {
      const count = this.exports.listAccount(account, slot, this.#scratchAt, MOST_LISTED);
      for (let i = 0; i < count; i++) listed.push(this.#listed(i));
      slot = this.exports.listedSlot.value >>> 0;
    } while (slot !== 0);
    return listed;
  }

  dropSubscription(handle: number): void {
    this.exports.dropSubscription(handle);
  }

  #listed(i: number): ListedSubscription {
    const at = i * LISTING_RECORD;
    const word = (offset: number) => this.#scratch.readUInt32LE(at + offset);
    return {
      delivered: this.#scratch.readDoubleLE(at),
      max: this.#scratch.readDoubleLE(at + 8),
      handle: word(16),
      connection: word(20),
      subject: this.memory.text(word(24), word(28)),
      queue: this.memory.text(word(32), word(36)),
      sid: this.memory.text(word(40), word(44)),
      kind: word(48),
    };
  }

  // Accounts and messages of the server itself

  openAccount(id: number): number {
    return this.exports.openAccount(id) >>> 0;
  }

  closeAccount(account: number): void {
    this.exports.closeAccount(account);
  }

  /** Routes a message of the server in an account (a text as UTF-8); returns how many subscriptions took it. */
  publish(
    account: number,
    subject: string,
    reply: string,
    headers: Uint8Array | undefined,
    payload: Uint8Array | string,
  ): number {
    const headerLength = headers?.length ?? 0;
    const isText = typeof payload === 'string';
    const room = 3 * (subject.length + reply.length) + headerLength + (isText ? 3 * payload.length : payload.length);
    const block = this.exports.alloc(room) >>> 0;
    const memory = this.memory.all();
    const subjectLength = memory.write(subject, block, 'utf8');
    const replyLength = reply === '' ? 0 : memory.write(reply, block + subjectLength, 'utf8');
    const data = block + subjectLength + replyLength;
    if (headers !== undefined) memory.set(headers, data);
    const payloadAt = data + headerLength;
    const payloadLength = isText ? memory.write(payload, payloadAt, 'utf8') : payload.length;
    if (!isText) copyBytes(memory, payload, payloadAt);
    const before = this.exports.eventWords();
    const taken = this.exports.publish(
      account,
      block,
      subjectLength,
      block + subjectLength,
      replyLength,
      headerLength,
      data,
      headerLength + payloadLength,
    );
    if (this.exports.eventWords() === before) this.exports.free(block);
    else this.#parked.push(block);
    return taken >>> 0;
  }

  /** Routes the publish of a map event (its words from `at` on) under another subject. */
  publishMapped(words: Uint32Array, at: number, subject: string): void {
    const word = (k: number) => words[at + k] ?? 0;
    const length = this.#scratch.write(subject, 'utf8');
    this.exports.publishMapped(word(0), this.#scratchAt, length, word(3), word(4), word(5), word(6), word(7));
  }

  /** As `publishMapped`, with other headers than the message came with. */
  publishMappedWith(words: Uint32Array, at: number, subject: string, headers: Uint8Array): void {
    const word = (k: number) => words[at + k] ?? 0;
    const payload = word(7) - word(5);
    const block = this.exports.alloc(headers.length + payload) >>> 0;
    const memory = this.memory.all();
    memory.set(headers, block);
    memory.copyWithin(block + headers.length, word(6) + word(5), word(6) + word(7));
    const length = this.#scratch.write(subject, 'utf8');
    this.exports.publishMapped(
      word(0),
      this.#scratchAt,
      length,
      word(3),
      word(4),
      headers.length,
      block,
      headers.length + payload,
    );
    this.#parked.push(block);
  }

  hasInterest(account: number, subject: string): boolean {
    return this.exports.interested(account, this.#scratchAt, this.#scratch.write(subject, 'utf8')) !== 0;
  }

  /** Whether a subscription has exactly this subject; wildcards do not count. */
  hasLiteralInterest(account: number, subject: string): boolean {
    return this.exports.interestedLiterally(account, this.#scratchAt, this.#scratch.write(subject, 'utf8')) !== 0;
  }

  /** Whether a plain subscription has exactly this subject; with a queue name, one of that group. */
  hasReceiver(account: number, subject: string, queue: string): boolean {
    const length = this.#scratch.write(subject, 'utf8');
    const queueLength = queue === '' ? 0 : this.#scratch.write(queue, length, 'utf8');
    const at = this.#scratchAt;
    return this.exports.receives(account, at, length, at + length, queueLength) !== 0;
  }

  /** Subscribes the server itself: messages come as `message` events with the tag. Returns the handle for `unsubscribeServer`. */
  subscribeHost(account: number, subject: string, queue: string, tag: number): number {
    return this.subscribeServer(account, subject, queue, subscriptionKind.host, tag);
  }

  /** Subscribes the store or a consumer (`subscriptionKind`) under its own handle. */
  subscribeServer(account: number, subject: string, queue: string, kind: number, target: number): number {
    const length = this.#scratch.write(subject, 'utf8');
    const queueLength = queue === '' ? 0 : this.#scratch.write(queue, length, 'utf8');
    const at = this.#scratchAt;
    const handle = this.exports.subscribeServer(account, at, length, at + length, queueLength, kind, target) >>> 0;
    if (kind !== subscriptionKind.ack) this.onOwnSubscription(handle);
    return handle;
  }

  /** Watches a subject: `exports.nextWatched` gives the target whenever its subscriptions change. Returns the handle for `unwatchInterest`. */
  watchInterest(account: number, subject: string, target: number): number {
    return this.exports.watchInterest(account, this.#scratchAt, this.#scratch.write(subject, 'utf8'), target) >>> 0;
  }

  unsubscribeServer(handle: number): void {
    this.exports.unsubscribeServer(handle);
  }

  matcher(account: number): MatcherFigures {
    const figure = (which: number) => this.exports.matcherFigure(account, which);
    return {
      entries: figure(0),
      cached: figure(1),
      inserts: figure(2),
      removes: figure(3),
      matches: figure(4),
      cacheHits: figure(5),
    };
  }

  // Permission sets

  /** A new set; `allow` undefined allows everything that is not denied. */
  openSet(allow: readonly string[] | undefined, deny: readonly string[]): number {
    const set = this.exports.openSet() >>> 0;
    if (allow?.length === 0) this.exports.denyByDefault(set);
    for (const subject of allow ?? []) this.exports.addSubject(set, this.#scratchAt, this.#scratch.write(subject, 'utf8'), 0);
    for (const subject of deny) this.exports.addSubject(set, this.#scratchAt, this.#scratch.write(subject, 'utf8'), 1);
    return set;
  }

  setPermits(set: number, subject: string): boolean {
    return this.exports.setPermits(set, this.#scratchAt, this.#scratch.write(subject, 'utf8')) !== 0;
  }

  // Events

  /** Whether entries wait in the ring. */
  get hasEvents(): boolean {
    return this.exports.eventWords() !== 0;
  }

  /** Hands every entry to the sink, those made meanwhile too. Inside a sink this does nothing: the outer drain goes on. */
  drain(sink: EventSink): void {
    if (this.#draining || !this.hasEvents) return;
    this.#draining = true;
    try {
      for (let i = 0; i < this.exports.eventWords(); i = behind(this.#ring, i)) this.#dispatch(i, sink);
    } finally {
      this.exports.clearEvents();
      while (this.#parked.length > 0) this.exports.free(this.#parked.pop() ?? 0);
      this.#draining = false;
    }
  }

  #dispatch(i: number, sink: EventSink): void {
    try {
      dispatch(this.#ring, i, sink);
    } catch (error) {
      sink.broken(error, ownerOf(this.#ring, i));
    }
  }

  /** A message event's content, copied. */
  hostMessage(words: Uint32Array, at: number): HostMessage {
    const word = (k: number) => words[at + k] ?? 0;
    const headerLength = word(7);
    const data = this.memory.copy(word(8), word(9));
    return {
      tag: word(0),
      connection: word(1),
      account: word(2),
      subject: this.memory.text(word(3), word(4)),
      reply: this.memory.text(word(5), word(6)),
      headers: data.subarray(0, headerLength),
      payload: data.subarray(headerLength),
    };
  }

  /** An ack event's content, copied; of a plain ack the payload says nothing more. */
  ackMessage(words: Uint32Array, at: number): AckMessage {
    const word = (k: number) => words[at + k] ?? 0;
    const kind = word(1);
    return {
      target: word(0),
      kind,
      streamSeq: word(2) + word(3) * 2 ** 32,
      consumerSeq: word(4) + word(5) * 2 ** 32,
      deliveries: word(6),
      reply: this.memory.text(word(7), word(8)),
      payload: kind === 0 ? noBytes : this.memory.copy(word(9), word(10)),
    };
  }
}
