// The store as the rest of the engine sees it: types only. `Store` is one server's store directory, `StreamStore` one stream in it.
//
// What stays true:
// - A sequence is given out in arrival order, whether the kernel framed the publish or the host appended it.
// - `syncedSeq` is the last sequence whose promise holds (on disk with `sync_interval: always`, written otherwise). Readers see up to it.
//   What was answered from later state (a duplicate, a delete, a purge) must leave through `whenSynced`.
// - After a fault the stream stops writing: appends throw, publishes are rejected with `reason: 'fault'`; what was stored stays readable. When the
//   disk takes files again it goes on by itself.

import type { SubjectPage } from '../../kernel/streams.ts';
import type { MetricHistogram } from '../../ports/metrics.ts';
import type { BesideFileName } from '../../core/stream/times-file.ts';
import type { TarSink } from '../../core/archive/tar-reader.ts';
import type { ApiError } from '../../core/jetstream/errors.ts';
import type { Instant } from '../../ports/clock.ts';
import type { ContentKey } from '../../ports/ciphers.ts';
import type { OpenFile } from '../../ports/disk.ts';
import type { StreamDescription } from './archive.ts';
import type { Unpacking } from './unpacking.ts';

/** Limits the store itself enforces; `-1` (and age 0) is "none", as in the stream configuration. */
export interface StoreLimits {
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly maxMessageSize: number;
  readonly maxMessagesPerSubject: number;
  /** `new`: a publish over a limit is rejected and goes to `onPublish`. `old`: the first messages go. */
  readonly discard: 'old' | 'new';
  readonly discardNewPerSubject: boolean;
}

export interface StreamOptions {
  /** The account's name as configured: its directory. */
  readonly accountName: string;
  /** The account's number in the kernel, for acknowledgements and deliveries. */
  readonly account: number;
  readonly name: string;
  readonly storage: 'file' | 'memory';
  /** Decides the block size, together with `limits.maxBytes`. */
  readonly retention: 'limits' | 'interest' | 'workqueue';
  readonly limits: StoreLimits;
  readonly noAck: boolean;
  readonly sealed: boolean;
  /** Of blocks that are full. */
  readonly compression: 'none' | 's2';
  /** `async`: acknowledged when written, synced a little later, whatever the server's interval is. */
  readonly persist: 'default' | 'async';
  /** Only looked at when the stream is created; 0 and 1 are the same. */
  readonly firstSeq: number;
  /** Appears in PubAcks. */
  readonly domain?: string;
}

/** A stream directory found on disk. `meta` is the JSON text of meta.inf; `problem` says why the stream was left alone. */
export interface FoundStream {
  readonly name: string;
  readonly meta?: string;
  readonly problem?: string;
}

/** A consumer directory found on disk; `state` is absent when o.dat is missing, empty or not readable: then it is kept as `damagedState`. */
export interface FoundConsumer {
  readonly name: string;
  readonly meta?: string;
  readonly state?: ConsumerState;
  readonly damagedState?: string;
  readonly problem?: string;
  /** The disk does not read its files. */
  readonly isUnread?: true;
}

/** What o.dat keeps: sequences, and times in whole seconds since 1970. */
export interface ConsumerState {
  readonly ackFloor: { readonly consumer: number; readonly stream: number };
  readonly delivered: { readonly consumer: number; readonly stream: number };
  readonly pending: readonly { readonly stream: number; readonly consumer: number; readonly seconds: number }[];
  readonly redelivered: readonly { readonly stream: number; readonly count: number }[];
}

export interface StoreState {
  readonly messages: number;
  readonly bytes: number;
  readonly firstSeq: number;
  /** Undefined in an empty stream. */
  readonly firstTs: Instant | undefined;
  readonly lastSeq: number;
  /** Undefined in a stream that never had a message. */
  readonly lastTs: Instant | undefined;
  readonly numSubjects: number;
  readonly numDeleted: number;
  /** Found damaged when the stream was opened. */
  readonly lost: { readonly bytes: number; readonly messages: readonly number[] } | undefined;
}

/** A message out of the store; the arrays are copies. */
export interface StoredMessage {
  readonly seq: number;
  readonly subject: string;
  readonly ts: Instant;
  /** Raw header block, `NATS/1.0\r\n...\r\n\r\n`; empty without headers. */
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
}

/**
 * What to append. Without `ts` the kernel's clock is taken; with `reply` the kernel sends the plain PubAck once it is synced. `seq` is above the
 * last one: the sequences between stay without a message.
 */
export interface NewMessage {
  readonly subject: string;
  readonly headers?: Uint8Array;
  readonly payload: Uint8Array;
  readonly ts?: Instant;
  readonly reply?: string;
  readonly seq?: number;
}

/**
 * Why the kernel did not append a publish itself. `headers`: some `Nats-` header needs judging; the rest are rejections whose API error
 * the handler answers. Ingest has stopped behind this message, so appending now keeps arrival order.
 */
export type JudgeReason =
  'headers' | 'sealed' | 'message-size' | 'max-messages' | 'max-bytes' | 'max-per-subject' | 'fault' | 'room' | 'memory';

/** A publish handed to the host; the arrays are copies. */
export interface JudgedPublish {
  readonly reason: JudgeReason;
  readonly subject: string;
  readonly reply: string;
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
}

export interface Works {
  /** Some is under way. */
  readonly any: boolean;
  /** Calls when none is, at once where there is none; with an error when the last has failed. */
  whenFree(call: (error?: Error) => void): void;
}

export interface PurgeRequest {
  readonly filter?: string;
  /** Everything below this sequence. */
  readonly seq?: number;
  /** Keeps the newest so many. */
  readonly keep?: number;
}

/** The messages of a stream on subjects that match filters: what a consumer reads. It remembers what it counted. */
export interface Selection {
  /** The kernel's, 0 for every message. */
  readonly handle: number;
  readonly filters: readonly string[];
  /** Messages at or behind a sequence. */
  count(fromSeq: number): number;
  /** Before the stream stops. */
  close(): void;
}

/**
 * One batch for one consumer. The reply of each message is `<ackPrefix><delivered>.<seq>.<consumer seq>.<ts ns>.<pending>`; `delivered` is
 * `deliveredCount` for all, the consumer sequence counts up from `firstConsumerSeq`, pending counts down from `pendingBefore` (never
 * below 0). For redeliveries call once a message with its own `deliveredCount` and `fromSeq`, `maxMessages` 1.
 */
export interface DeliverRequest {
  /** Undefined: every message. */
  readonly selection?: Selection;
  /** Exactly these, at most 4096 of them at once, in place of a selection and `fromSeq`. */
  readonly picks?: Float64Array | undefined;
  readonly fromSeq: number;
  /** Stops behind this sequence; `syncedSeq` is a limit anyway. */
  readonly toSeq?: number | undefined;
  /** One call delivers at most 4096. */
  readonly maxMessages: number;
  /** Sum of subject, reply, headers and payload, as nats-server counts `max_bytes`; the first message may not exceed it either. */
  readonly maxBytes: number;
  readonly deliverSubject: string;
  /** `$JS.ACK.<stream>.<consumer>.`; empty: messages go out without a reply. */
  readonly ackPrefix: string;
  readonly firstConsumerSeq: number;
  readonly deliveredCount: number;
  /** Messages pending before this batch: the first one says one less. */
  readonly pendingBefore: number;
  /** Payloads stay away, `Nats-Msg-Size` is added. */
  readonly headersOnly: boolean;
  /**
   * Answers a direct get instead: messages go to the subject as they are, in a `batch` with headers that say where they lie, `bare` without any.
   * Any number of them; `maxBytes` ends it behind the message that reaches it. `seqs` stays empty.
   */
  readonly direct?: 'batch' | 'bare';
  /** Every message carries it as `Nats-Pin-Id`, which does not count as bytes. */
  readonly pinId?: string | undefined;
}

export interface Delivered {
  readonly messages: number;
  readonly bytes: number;
  /** Where the next batch begins. */
  readonly nextSeq: number;
  /** The last sequence delivered, 0 for none. */
  readonly lastSeq: number;
  /** All sequences delivered, in order; good until the next delivery. */
  readonly seqs: ArrayLike<number>;
  /** How many of the picks are done with, delivered or gone. */
  readonly picked: number;
  /** `interest`: nobody listens on the deliver subject any more; `bytes`: the next message does not fit `maxBytes`. */
  readonly stopped: 'end' | 'messages' | 'bytes' | 'interest';
}

/** A block's file, as an archive reads it. */
export interface ArchivedBlock {
  readonly file: OpenFile;
  readonly key: ContentKey | undefined;
  readonly packed: boolean;
  /** How often something in it was overwritten. */
  readonly changes: () => number;
}

/** A file of an archive: its content, or where that is. */
export interface ArchiveMember {
  readonly name: string;
  readonly size: number;
  readonly source: Uint8Array | ArchivedBlock;
}

/** A stream as it was at one moment, file by file. To be closed. */
export interface StreamArchive {
  readonly members: readonly ArchiveMember[];
  /** The S2 stream of a tar of them: the next stretch of it, which stays as it is until the next call; undefined at its end. Rejects with a StoreFault. */
  packed(): Promise<Uint8Array | undefined>;
  close(): void;
}

/** A stream directory being unpacked: members come in by the sink. Methods throw a StoreFault, or an ArchiveError for what cannot be a stream. */
export interface StreamStaging extends TarSink {
  /** The bytes given to it may be used again when it resolves, or at once; rejects with a StoreFault. */
  written(): Promise<void> | undefined;
  /** Cuts an S2 stream into its contents, which `take` gets; `moved` is called when there is room for more. */
  unpacking(take: (content: Uint8Array) => Promise<void> | undefined, moved: () => void): Unpacking;
  /** Resolves when everything is synced; rejects with a StoreFault. */
  complete(): Promise<void>;
  /** Resolves when the journal has nothing of a stream `name` that was removed; rejects with a StoreFault. */
  vacated(name: string): Promise<void>;
  /** The text of meta.inf. */
  readonly meta: string | undefined;
  /** Says what stands against opening it as stream `name`. */
  find(name: string): FoundStream;
  /** Replaces its configuration. */
  writeMeta(name: string, meta: string): void;
  /** Moves it to the account's streams, to be opened with `recover`. Throws a StoreFault. */
  install(name: string): void;
  /** Gives it up, installed or not. */
  discard(): void;
}

/** The ids of messages stored within a stream's duplicate window. The kernel asks and fills it for publishes that need nothing else judged. */
export interface MessageIds {
  /** Sets how long ids are remembered; 0: not at all. */
  resize(windowMs: number): void;
  /** While it is cold, ids of before the start are missing: publishes with an id come to `onPublish`. */
  setCold(cold: boolean): void;
  /** The sequence an id was stored under. */
  find(id: string): number | undefined;
  add(id: string, seq: number, at: Instant): void;
}

/** Open fast batches, whose plain messages the kernel takes by itself. */
export interface FastDoor {
  /** How far a batch is; the message with sequence `due` comes to `onPublish`, as everything that is not simply the next one. */
  open(id: string, sequence: number, due: number): void;
  /** What was taken of it since; undefined: nothing. */
  read(id: string): { readonly sequence: number; readonly streamSequence: number; readonly atMs: number } | undefined;
  close(id: string): void;
}

/** Open atomic batches, whose plain members the kernel puts aside by itself, behind those that came to `onPublish`. */
export interface AtomicDoor {
  /** A batch is at this member, and nothing of it waits in the kernel; the next ones may, up to `most`, unless they want an answer. */
  open(id: string, sequence: number, most: number): void;
  /** What waits of it; undefined: nothing. */
  read(id: string): { readonly count: number; readonly bytes: number; readonly atMs: number } | undefined;
  /** Takes out what waits. */
  take(id: string): readonly Pick<JudgedPublish, 'subject' | 'headers' | 'payload'>[];
  /** Stores what waits, one behind the other. */
  store(id: string): void;
  close(id: string): void;
}

export interface StreamStore {
  readonly name: string;
  /** The kernel's. */
  readonly handle: number;
  readonly state: StoreState;
  readonly lastSeq: number;
  readonly syncedSeq: number;
  readonly ids: MessageIds;
  readonly fast: FastDoor;
  readonly atomic: AtomicDoor;
  /** Bytes that may be appended before a publish comes to `onPublish` for want of room; -1: any number, as in the beginning. */
  readonly granted: number;
  grant(bytes: number): void;
  /** Set when the stream stopped writing: what happened and what the operator can do. */
  readonly fault: string | undefined;
  /** What publishes are answered while it does not write. */
  readonly refusal: ApiError | undefined;

  /** Called after each round with the new `syncedSeq`: consumers go on from here. Replaces the one before. */
  onSynced(call: (syncedSeq: number) => void): void;
  /** Calls once everything appended so far (deletes and purges too) is synced; at once when it is already. An error: it never will be. */
  whenSynced(call: (error?: Error) => void): void;
  /** The stream writes again after a fault: what was appended and not synced is gone, and its sequences are given out anew. */
  onRevived(call: () => void): void;
  /** Publishes the kernel hands over. Replaces the one before. */
  onPublish(call: (publish: JudgedPublish) => void): void;
  /** Messages that limits removed: the range of sequences, both ends included. For consumers' pending counts. */
  onRemoved(call: (fromSeq: number, toSeq: number) => void): void;

  /** The subjects whose publishes go into this stream, straight in the kernel. */
  setSubjects(subjects: readonly string[]): void;
  /** In pieces where much has to go. */
  setLimits(limits: StoreLimits): void;
  setSealed(sealed: boolean): void;
  setNoAck(noAck: boolean): void;
  /** For blocks that become full from now on. */
  setCompression(compression: StreamOptions['compression']): void;
  /** Hands every publish to `onPublish`, with `reason: 'headers'`: the stream may store it under another subject. */
  setJudged(judged: boolean): void;

  /** Whether the memory has no room for messages of so many bytes: then they are not appended. */
  lacksMemory(bytes: number): boolean;
  /** Throws a StoreFault while the stream does not write, or when the memory has no room for the message. */
  append(message: NewMessage): number;
  /** Gives out the sequences up to this one without a message. */
  skip(toSeq: number): void;
  /** Undefined: no such message, or not readable. */
  get(seq: number): StoredMessage | undefined;
  /** `filter` may have wildcards. */
  lastBySubject(filter: string): StoredMessage | undefined;
  /** The first message at or behind `fromSeq` on a subject that matches. */
  nextBySubject(filter: string, fromSeq: number): StoredMessage | undefined;
  /** The sequence of the first message at or behind `fromSeq` that matches any filter (none: every message); 0: there is none. */
  nextSeq(filters: readonly string[], fromSeq: number): number;
  /** A page of the subjects that match. */
  subjects(filter: string, most: number, after?: Uint8Array): SubjectPage;
  /** Messages on one subject, without wildcards. */
  countOn(subject: string): number;
  /** For each subject that matches any filter (none: every one) its last sequence (up to `upToSeq`), in order of sequence. */
  lastSeqs(filters: readonly string[], upToSeq?: number): Float64Array;
  /** The first sequence stored at or after an instant; `lastSeq + 1` when there is none. */
  seqAtTime(at: Instant): number;
  countPending(filters: readonly string[], fromSeq: number): number;
  /** No filters, or `>`: every message. */
  select(filters: readonly string[]): Selection;
  /** Sequences missing between first and last, at most `limit`. */
  deleted(limit: number): number[];

  /**
   * False: no such message. `erase`: its bytes are overwritten once the delete is on disk. Answer through `whenSynced`, which then waits
   * for that too.
   */
  delete(seq: number, erase?: boolean): boolean;
  /** How many messages went. Answer through `whenSynced`. */
  purge(request: PurgeRequest): number;
  /** The same, in pieces where it takes long: others have their turn in between. `purged` hears how many went. */
  purgeInPieces(request: PurgeRequest, purged: (count: number) => void): void;
  /** Work that goes on in pieces: what is asked of the stream is to wait for its end. */
  readonly works: Works;
  deliver(request: DeliverRequest): Delivered;
  /**
   * Answers the direct get of a message, by its sequence or as the last one that a subject matches, when all there is to it is on disk. False:
   * nothing was sent, the stream is to be asked again once it is synced.
   */
  answerDirect(asked: number | string, inbox: string): boolean;
  /** Whether all there is to a message that was found is on disk: it may be shown at once. */
  shows(seq: number): boolean;

  writeMeta(meta: string): void;
  /** A file beside the blocks: TTLs, schedules, places of sources; undefined: there is none. */
  readBeside(name: BesideFileName): Uint8Array | undefined;
  writeBeside(name: BesideFileName, content: Uint8Array): void;
  consumers(): Iterable<FoundConsumer>;
  writeConsumer(name: string, meta: string): void;
  /** Durable states are on disk together with what was deleted before them, or not at all. */
  readonly statesRideRounds: boolean;
  /** `state`: what o.dat is to hold. `durable`: with the next round; otherwise whenever the system likes. */
  writeConsumerState(name: string, state: Uint8Array, durable: boolean): void;
  removeConsumer(name: string): void;

  /**
   * The stream as it is once everything so far is synced; `describe` is called at that moment. Messages that limits removed are not in it.
   * After a fault: what was promised before.
   * Rejects with a StoreFault.
   */
  archive(describe: () => StreamDescription): Promise<StreamArchive>;

  /** Writes and syncs what is left, closes the files. */
  stop(): Promise<void>;
  /** Stops and removes the directory. */
  remove(): Promise<void>;
}

export interface Store {
  /** The memory is nearly used up: nothing that stays in it is to be made. */
  readonly isMemoryShort: boolean;
  /** How long the syncs of its rounds took. */
  readonly syncTimes: MetricHistogram;
  /** Streams on disk of one account, to be opened with `recover`. */
  find(accountName: string): FoundStream[];
  /** Accounts that have a directory. */
  accounts(): string[];
  /** A new stream directory with `meta` (JSON of meta.inf, `Created` first). Throws a StoreFault when the disk refuses. */
  create(options: StreamOptions, meta: string): StreamStore;
  /** Opens a stream that exists. Rejects with a StoreFault when it cannot; the directory is left as it is. */
  recover(options: StreamOptions): Promise<StreamStore>;
  /** Begins to unpack a stream; `id` names this attempt. Throws a StoreFault. */
  stage(accountName: string, id: string): StreamStaging;
  /** Stops every stream and the threads. */
  stop(): Promise<void>;
}

/** A fault of disk or data: `code` for programs, the message for the operator. */
export class StoreFault extends Error {
  readonly code: string;
  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}
