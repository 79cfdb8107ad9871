// Draining the ring: each entry becomes one call of the sink. Addresses are valid until the kernel parses on; a sink that keeps bytes copies
// them. The twins of the argument lists are in wasm/lib/events.ts.

import { event } from './constants.ts';

/** A message for a subscription of the server itself. */
export interface HostMessage {
  readonly tag: number;
  /** Kernel index of the publisher, 0 for the server itself. */
  readonly connection: number;
  /** The host's number of the account. */
  readonly account: number;
  readonly subject: string;
  /** Empty: none. */
  readonly reply: string;
  /** Headers and payload; copies. */
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
}

/** An acknowledgement's numbers; `kind` 0 is a plain ack, without its payload, for others `payload` says which. */
export interface AckMessage {
  readonly target: number;
  readonly kind: number;
  readonly streamSeq: number;
  readonly consumerSeq: number;
  readonly deliveries: number;
  readonly reply: string;
  readonly payload: Uint8Array;
}

export interface EventSink {
  connect(connection: number, at: number, length: number): void;
  ping(connection: number): void;
  pong(connection: number): void;
  error(connection: number, code: number, at: number, length: number): void;
  subscribe(
    connection: number,
    subject: number,
    length: number,
    queue: number,
    queueLength: number,
    sid: number,
    sidLength: number,
  ): void;
  /** Ten words from `at` on: tag, connection, account, subject, length, reply, length, header length, data, length. */
  message(words: Uint32Array, at: number): void;
  /** Eight words from `at` on: connection, subject, length, reply, length, header length, data, length. */
  map(words: Uint32Array, at: number): void;
  /** Nine words from `at` on: account, subject, length, reply, length, header length, data, length, connection or 0. */
  mapImported(words: Uint32Array, at: number): void;
  /** A client's new subscription, by its handle, in an account that imports streams. */
  subscribed(subscription: number, connection: number): void;
  /** Seven words from `at` on: number or 0, service, connection or 0, reply, length, header length, data. */
  serviceAsked(words: Uint32Array, at: number): void;
  serviceEnded(number: number, outcome: number, connection: number): void;
  interestLost(account: number): void;
  traceIn(connection: number, at: number, length: number): void;
  /** Ten words from `at` on: connection, subject, length, sid, length, reply, length, header length, total, data. */
  traceOut(words: Uint32Array, at: number): void;
  unauthenticated(connection: number): void;
  clientError(connection: number): void;
  /** Eleven words from `at` on: target, kind, stream sequence low, high, consumer sequence low, high, deliveries, reply, length, data, length. */
  ack(words: Uint32Array, at: number): void;
  /** An entry of the store, `count` words from `at` on. */
  store(type: number, words: Uint32Array, at: number, count: number): void;
  /** Handling an entry failed; `connection` is whose operation it was, 0 where that is nobody's. The entries behind it are handled. */
  broken(error: unknown, connection: number): void;
}

/** Entries that report one connection's own operation; its index is their first word. */
const ownOperations: ReadonlySet<number> = new Set([
  ...[event.connect, event.ping, event.pong, event.error, event.subscribe, event.map],
  ...[event.traceIn, event.traceOut, event.unauthenticated, event.clientError],
]);

/** The connection whose operation the entry at `i` reports; 0 for those of the server and the store. */
export function ownerOf(words: Uint32Array, i: number): number {
  const type = (words[i] ?? 0) & 0xffff;
  return ownOperations.has(type) ? (words[i + 1] ?? 0) : 0;
}

/** Where the entry behind the one at `i` begins. */
export function behind(words: Uint32Array, i: number): number {
  return i + 1 + ((words[i] ?? 0) >>> 16);
}

function word(words: Uint32Array, at: number): number {
  return words[at] ?? 0;
}

/** Hands the entry at `i` to the sink. */
export function dispatch(words: Uint32Array, i: number, sink: EventSink): void {
  const head = words[i] ?? 0;
  const type = head & 0xffff;
  const count = head >>> 16;
  const at = i + 1;
  switch (type) {
    case event.connect:
      sink.connect(word(words, at), word(words, at + 1), word(words, at + 2));
      break;
    case event.ping:
      sink.ping(word(words, at));
      break;
    case event.pong:
      sink.pong(word(words, at));
      break;
    case event.error:
      sink.error(word(words, at), word(words, at + 1), word(words, at + 2), word(words, at + 3));
      break;
    case event.subscribe:
      sink.subscribe(
        word(words, at),
        word(words, at + 1),
        word(words, at + 2),
        word(words, at + 3),
        word(words, at + 4),
        word(words, at + 5),
        word(words, at + 6),
      );
      break;
    case event.message:
      sink.message(words, at);
      break;
    case event.map:
      sink.map(words, at);
      break;
    case event.mapImported:
      sink.mapImported(words, at);
      break;
    case event.subscribed:
      sink.subscribed(word(words, at), word(words, at + 1));
      break;
    case event.serviceAsked:
      sink.serviceAsked(words, at);
      break;
    case event.serviceEnded:
      sink.serviceEnded(word(words, at), word(words, at + 1), word(words, at + 2));
      break;
    case event.interestLost:
      sink.interestLost(word(words, at));
      break;
    case event.traceIn:
      sink.traceIn(word(words, at), word(words, at + 1), word(words, at + 2));
      break;
    case event.traceOut:
      sink.traceOut(words, at);
      break;
    case event.unauthenticated:
      sink.unauthenticated(word(words, at));
      break;
    case event.clientError:
      sink.clientError(word(words, at));
      break;
    case event.ack:
      sink.ack(words, at);
      break;
    default:
      sink.store(type, words, at, count);
  }
}
