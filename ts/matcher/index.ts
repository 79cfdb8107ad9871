/**
 * The embeddable matcher: which of these subscriptions does this subject reach?
 *
 * It is the subject index of the server (same Wasm code: a hash table of literal subjects, a token trie for wildcards, a
 * result cache) for programs that route things themselves: event buses, gateways, permission checks, rule engines. Values
 * stay in JavaScript; the index holds numbers. A matcher is used from one thread.
 *
 * What stays true: `match` gives each subscription at most once, in no promised order; an id is not given out again while
 * its subscription exists; memory of removed subscriptions is used again.
 */
import { instantiate } from './memory.ts';
import type { MatcherInstance } from './memory.ts';

export interface MatcherOptions {
  /**
   * Most bytes the index may take, at least 16 MiB. Default 4 GiB, which is also the most there can be. Adding beyond it
   * throws, and the matcher must not be used any more.
   */
  readonly maximumBytes?: number;
  /** Secret that hashing starts from. Default random, so that nobody can prepare subjects that collide. */
  readonly seed?: readonly [low: number, high: number];
}

export interface MatcherMemory {
  /** Bytes of the index in use. */
  readonly liveBytes: number;
  /** Bytes taken from the system; they are kept for reuse. */
  readonly reservedBytes: number;
}

export class Matcher<Value = number> {
  private readonly values: (Value | undefined)[] = [];
  private readonly unused: number[] = [];
  private readonly instance: MatcherInstance;
  private readonly encoder = new TextEncoder();
  private readonly subjectAt: number;
  private readonly subjectMost: number;
  private buffer: ArrayBufferLike;
  private bytes: Uint8Array;
  private words: Uint32Array;
  private results = 0;
  private count = 0;

  constructor(options: MatcherOptions = {}) {
    this.instance = instantiate(options.maximumBytes ?? 2 ** 32);
    const [low, high] = options.seed ?? crypto.getRandomValues(new Uint32Array(2));
    this.instance.exports.seed(low ?? 0, high ?? 0);
    this.subjectAt = this.instance.exports.subjectAt() >>> 0;
    this.subjectMost = this.instance.exports.subjectMost();
    this.buffer = this.instance.memory.buffer;
    this.bytes = new Uint8Array(this.buffer);
    this.words = new Uint32Array(this.buffer);
  }

  /** How many subscriptions there are. */
  get size(): number {
    return this.count;
  }

  /**
   * Adds a subscription and returns its id. Wildcards: `*` stands for one token, a last `>` for one or more. The same
   * subject may be added any number of times. Throws a RangeError when the subject is not one that can be subscribed to.
   */
  add(subject: string, value: Value): number {
    const id = this.unused.pop() ?? this.values.length;
    const length = this.write(subject);
    if (length < 0 || !this.instance.exports.add(id, this.subjectAt, length)) {
      this.release(id);
      throw new RangeError(`not a subject to subscribe to: ${JSON.stringify(subject)}`);
    }
    this.values[id] = value;
    this.count++;
    return id;
  }

  /** Removes a subscription by its id; false when there is none. */
  remove(id: number): boolean {
    if (!this.instance.exports.remove(id)) return false;
    this.release(id);
    this.count--;
    return true;
  }

  /** The value that was added under this id. */
  value(id: number): Value | undefined {
    return this.values[id];
  }

  /** The values of all subscriptions that the subject reaches. */
  match(subject: string): Value[] {
    const found: Value[] = [];
    const count = this.search(subject);
    for (let i = 0; i < count; i++) found.push(this.values[this.resultAt(i)] as Value);
    return found;
  }

  /** The ids of all subscriptions that the subject reaches. */
  matchIds(subject: string): number[] {
    const found: number[] = [];
    const count = this.search(subject);
    for (let i = 0; i < count; i++) found.push(this.resultAt(i));
    return found;
  }

  /** Whether the subject reaches any subscription. */
  matches(subject: string): boolean {
    const length = this.write(subject);
    return length >= 0 && this.instance.exports.matchesAny(this.subjectAt, length) !== 0;
  }

  get memory(): MatcherMemory {
    return { liveBytes: this.instance.exports.liveBytes(), reservedBytes: this.instance.memory.buffer.byteLength };
  }

  private search(subject: string): number {
    const length = this.write(subject);
    if (length < 0) return 0;
    const count = this.instance.exports.match(this.subjectAt, length);
    this.results = this.instance.exports.resultsAt() >>> 2;
    if (this.instance.memory.buffer !== this.buffer) this.renew();
    return count;
  }

  private resultAt(i: number): number {
    return this.words[this.results + i] ?? 0;
  }

  /** Puts the subject where the module reads it; returns its length in bytes, -1 when it is too long. */
  private write(subject: string): number {
    const length = subject.length;
    const { bytes, subjectAt } = this;
    if (length > this.subjectMost) return -1;
    for (let i = 0; i < length; i++) {
      const code = subject.charCodeAt(i);
      if (code > 0x7f) return this.encode(subject);
      bytes[subjectAt + i] = code;
    }
    return length;
  }

  private encode(subject: string): number {
    const room = this.bytes.subarray(this.subjectAt, this.subjectAt + this.subjectMost);
    const { read, written } = this.encoder.encodeInto(subject, room);
    return read === subject.length ? written : -1;
  }

  /** Growing the memory makes a new buffer; views of the old one do not see what was added. */
  private renew(): void {
    this.buffer = this.instance.memory.buffer;
    this.bytes = new Uint8Array(this.buffer);
    this.words = new Uint32Array(this.buffer);
  }

  private release(id: number): void {
    if (id < this.values.length) this.values[id] = undefined;
    this.unused.push(id);
  }
}

/** A matcher with an index of its own. */
export function createMatcher<Value = number>(options?: MatcherOptions): Matcher<Value> {
  return new Matcher<Value>(options);
}
