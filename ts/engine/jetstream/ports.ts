// What JetStream needs from its surroundings, as interfaces: the broker's door, and what the server knows about itself.
// Tests put an in-memory broker behind them.

import type { Document } from '../../core/jetstream/schema.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Crypto } from '../../ports/crypto.ts';
import type { Log } from '../../ports/log.ts';
import type { Random } from '../../ports/random.ts';
import type { Store } from '../store/store.ts';
import type { ApiQueueLimits } from './api-queue.ts';

export interface InboundMessage {
  readonly subject: string;
  /** '' for none. */
  readonly reply: string;
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
  /** The kernel's number of who published it; absent or 0: the server. */
  readonly connection?: number;
}

/** An acknowledgement; `kind` 0 is a plain one, for others the payload says which. */
export interface InboundAck {
  readonly kind: number;
  readonly streamSeq: number;
  readonly consumerSeq: number;
  readonly deliveries: number;
  readonly reply: string;
  readonly payload: Uint8Array;
}

/** Subjects, with wildcards, and those among them that are not meant. */
export interface Subjects {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

export interface ServerSubscription {
  cancel(): void;
}

/** What a consumer listens on; '' is nothing. */
export interface ConsumerSubjects {
  readonly requests: readonly string[];
  /** `$JS.ACK.<stream>.<consumer>.>`, read by the kernel. */
  readonly acks: string;
  /** Answers to its flow control requests. */
  readonly flow: string;
}

export interface ConsumerReceiver {
  pull(message: InboundMessage): void;
  acknowledge(ack: InboundAck): void;
  flow(message: InboundMessage): void;
}

/** The broker's door. `account` is the account's number in the kernel. */
export interface Door {
  subscribe(account: number, subject: string, call: (message: InboundMessage) => void): ServerSubscription;
  /** Direct gets of the stream with that handle: the kernel answers what it can, the others are for `call`. */
  subscribeDirect(
    account: number,
    subjects: readonly string[],
    stream: number,
    call: (message: InboundMessage) => void,
  ): ServerSubscription;
  /** Everything that a consumer listens on; there may be very many of them. */
  subscribeConsumer(account: number, subjects: ConsumerSubjects, receiver: ConsumerReceiver): ServerSubscription;
  /** Requests on the allowed subjects find the server, though nothing listens there: they wait in vain, and are not told that nobody is there. */
  hear(account: number, subjects: Subjects): ServerSubscription;
  /** How many subscriptions took it. A text goes out as UTF-8. */
  publish(account: number, subject: string, reply: string, headers: Uint8Array | undefined, payload: Uint8Array | string): number;
  hasInterest(account: number, subject: string): boolean;
  /** Whether somebody listens on exactly this subject, not by wildcards. */
  hasLiteralInterest(account: number, subject: string): boolean;
  /** Whether a plain subscription has exactly this subject; with a queue name, one of that group. */
  hasReceiver(account: number, subject: string, queue: string): boolean;
  /** What a connection says of itself, as in advisories; undefined for the server. */
  clientInfo(connection: number, serverName: string): Document | undefined;
  /** Calls behind the events of every turn in which somebody subscribed to exactly this subject, or does not any more. */
  watch(account: number, subject: string, call: () => void): ServerSubscription;
  /** Calls once before this turn's output is flushed; outside of a turn it makes one. */
  soon(call: () => void): void;
  /** Whether a message that was published in this turn is traced. */
  isTraced(account: number, published: string): boolean;
  /** What became of a published message that is traced. */
  traced(account: number, published: string, outcome: PublishOutcome): void;
}

/** A message is stored under `subject`, unless nobody is interested in it, or refused. */
export interface PublishOutcome {
  readonly stream: string;
  readonly subject?: string;
  readonly noInterest?: boolean;
  readonly error?: string;
}

/** Limits of the server's `jetstream` block; 0 is none, -1 for sizes without end. */
export interface ServerLimits {
  readonly maxAckPending: number;
  readonly maxRequestBatch: number;
  readonly duplicateWindowNanos: bigint;
  /** Of batches: how many may be open in a stream and in the server (0: as many as usual), how long, how many messages an atomic one has. */
  readonly batch: { readonly perStream: number; readonly total: number; readonly messages: number; readonly timeoutMs: number };
  /** API requests under way in the whole server. */
  readonly requests: ApiQueueLimits;
  /** What all accounts may store and reserve together; -1 is no limit. */
  readonly maxMemory: number;
  readonly maxStorage: number;
}

/** Limits of an account; -1 is none. */
export interface AccountLimits {
  readonly maxMemory: number;
  readonly maxStorage: number;
  readonly maxStreams: number;
  readonly maxConsumers: number;
  readonly maxAckPending: number;
  readonly memoryMaxStreamBytes: number;
  readonly storageMaxStreamBytes: number;
  readonly maxBytesRequired: boolean;
  /** By replicas, `R1` and so on; the others are then what streams of one replica have. */
  readonly tiers?: Readonly<Record<string, AccountLimits>>;
}

export interface JetStreamPorts {
  readonly door: Door;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly crypto: Pick<Crypto, 'sha256'>;
}

export interface JetStreamSettings {
  readonly serverName: string;
  readonly domain: string;
  readonly strict: boolean;
  /** The largest message a client may publish. */
  readonly maxPayloadBytes: number;
  readonly limits: ServerLimits;
}
