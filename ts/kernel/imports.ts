// The typed door to what the kernel does for imports between accounts: shadows of subscriptions, services, and what services are told
// of those who ask.

import type { CoreExports } from './exports.ts';
import type { ImportExports } from './import-exports.ts';
import type { Kernel } from './kernel.ts';

/** A literal, or a token of the subject, from 1; with `rest` everything behind it too. */
export type Piece = string | { readonly token: number; readonly rest: boolean };

/** Flags of a service; twins of wasm/deliver/services.ts. */
export const serviceFlag = { manyReplies: 1, shared: 2, measured: 4, allowTrace: 8 } as const;

/** Twin of wasm/match/mapping.ts. */
const REST = 0x80000000;
const PIECE = 12;
const HEAD = 4;

export interface ServiceSpec {
  /** The importing account, and the subject there. */
  readonly home: number;
  readonly subject: string;
  readonly account: number;
  /** 0: the subject stays. */
  readonly mapping: number;
  readonly exported: number;
  readonly flags: number;
  /** What a request that passes another import says of this one. */
  readonly via: string;
}

/** The two texts of a connection, each cut where the account that a request passed is put in. */
export interface RequestInfo {
  readonly short: readonly [string, string];
  readonly long: readonly [string, string];
}

function encodePieces(pieces: readonly Piece[]): Buffer {
  const literals = pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : Buffer.alloc(0)));
  const head = Buffer.alloc(HEAD + pieces.length * PIECE);
  head.writeUInt32LE(pieces.length);
  let offset = head.length;
  pieces.forEach((piece, i) => {
    const at = HEAD + i * PIECE;
    const { length } = literals[i] ?? [];
    head.writeUInt32LE(typeof piece === 'string' ? 0 : (piece.token | (piece.rest ? REST : 0)) >>> 0, at);
    head.writeUInt32LE(offset, at + 4);
    head.writeUInt32LE(length, at + 8);
    offset += length;
  });
  return Buffer.concat([head, ...literals]);
}

export class ImportKernel {
  readonly #exports: CoreExports & ImportExports;
  readonly #kernel: Kernel;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#exports = kernel.exports as CoreExports & ImportExports;
  }

  /** Lays bytes out in a block of the arena for one call. */
  #laid<T>(bytes: Uint8Array, call: (at: number) => T): T {
    const at = this.#exports.alloc(bytes.length + 64) >>> 0;
    this.#kernel.memory.all().set(bytes, at);
    const result = call(at);
    this.#exports.free(at);
    return result;
  }

  /** A mapping for shadows and services, until `closeMapping`. */
  openMapping(pieces: readonly Piece[]): number {
    const bytes = encodePieces(pieces);
    return this.#laid(bytes, (at) => this.#exports.openMapping(at, bytes.length) >>> 0);
  }

  closeMapping(mapping: number): void {
    this.#exports.free(mapping);
  }

  importStreams(account: number, on: boolean): void {
    this.#exports.importStreams(account, on ? 1 : 0);
  }

  shadow(subscription: number, account: number, subject: string, mapping: number): void {
    const bytes = Buffer.from(subject);
    this.#laid(bytes, (at) => this.#exports.shadowSubscription(subscription, account, at, bytes.length, mapping));
  }

  unshadow(subscription: number): void {
    this.#exports.unshadowSubscription(subscription);
  }

  /** Subject and account number of a subscription. */
  subscription(handle: number): { readonly subject: string; readonly account: number } {
    const subject = this.#exports.subscriptionSubject(handle);
    const length = this.#exports.subscriptionSubjectLength(handle);
    return { subject: this.#kernel.memory.text(subject, length), account: this.#exports.subscriptionAccount(handle) >>> 0 };
  }

  openService({ home, subject, account, mapping, exported, flags, via }: ServiceSpec): number {
    const texts = [Buffer.from(subject), Buffer.from(via)] as const;
    const [{ length }, { length: viaLength }] = texts;
    return this.#laid(
      Buffer.concat(texts),
      (at) => this.#exports.openService(home, at, length, account, mapping, exported, flags, at + length, viaLength) >>> 0,
    );
  }

  closeService(service: number): void {
    this.#exports.closeService(service);
  }

  /** Drops replies awaited since before; returns how many are still awaited. */
  expireResponses(service: number, beforeMs: number): number {
    return this.#exports.expireResponses(service, beforeMs) >>> 0;
  }

  /** Messages that tracing systems mark are followed in an account. */
  traceAccount(account: number, on: boolean): void {
    this.#exports.traceAccount(account, on ? 1 : 0);
  }

  /** What `deliver` routes is followed: services in other accounts see it by its headers. */
  following(deliver: () => void): void {
    this.#exports.followMessages(1);
    try {
      deliver();
    } finally {
      this.#exports.followMessages(0);
    }
  }

  /** Subscriptions that end in an account from now on are told of again. */
  lookedAtLoss(account: number): void {
    this.#exports.lookedAtLoss(account);
  }

  /** Gives an account its one-time reply subjects; once. */
  openReplies(account: number): void {
    this.#exports.openReplies(account);
  }

  /** Sets what services hear of a connection; undefined: nothing. */
  describe(connection: number, info: RequestInfo | undefined): void {
    if (info === undefined) return this.#exports.describeConnection(connection, 0, 0);
    const texts = [...info.short, ...info.long].map((text) => Buffer.from(text));
    const head = Buffer.alloc(16);
    texts.forEach((text, i) => head.writeUInt32LE(text.length, i * 4));
    const bytes = Buffer.concat([head, ...texts]);
    this.#laid(bytes, (at) => this.#exports.describeConnection(connection, at, bytes.length));
  }
}
