// A stream's part in the rounds: what it writes in one, what is promised when that is through, who waits for it, and what a fault does to all of it.
//
// What stays true: `syncedSeq` only rises when a round is through; a block file is removed only when none of its messages is left and the
// deletes that emptied it are synced; after a fault nothing is written any more.

import type { ApiError } from '../../core/jetstream/errors.ts';
import { streamFlag } from '../../kernel/streams.ts';
import { DiskFault } from '../../ports/disk.ts';
import type { OpenFile } from '../../ports/disk.ts';
import type { TakeAppended } from './appended.ts';
import type { BlockEnd } from './block.ts';
import { removeBlocks, sweepBlocks } from './block-sweep.ts';
import type { FileStreamParts } from './file-stream-parts.ts';
import { LongWorks } from './long-works.ts';
import type { Lost } from './recover.ts';
import { cutBack, type Faulted } from './revival.ts';
import type { RoundMember } from './rounds.ts';
import { StoreFault, type StreamOptions } from './store.ts';
import { StreamBeside } from './stream-beside.ts';
import { streamFault, type StreamFault } from './stream-fault.ts';
import { SyncWaiters, type Waiter } from './sync-waiters.ts';
import { Visibility } from './visibility.ts';

const RELEASE_AT_ONCE = 65536;
/** More than this staged is written before the next round. */
const WRITE_EARLY = 4 << 20;

export abstract class StreamRounds extends StreamBeside implements RoundMember, Faulted {
  readonly name: string;
  protected readonly parts: FileStreamParts;
  protected isClosed = false;
  #fault: StreamFault | undefined;
  readonly #visibility: Visibility;
  /** Last sequence of the round under way, and where its records end. */
  #roundSeq: number;
  #roundEnd: BlockEnd;
  /** Where the records end that are promised. */
  #syncedEnd: BlockEnd;
  #inRound = false;
  /** The round under way is only for the metadata that make the stream exist. */
  #isMaking = false;
  readonly #waiters = new SyncWaiters();
  /** The ticket of the metadata that makes the stream exist: no block is written before. */
  readonly #made: number;
  /** Blocks may have lost all their messages: by deletes (any block), or by limits (the oldest). */
  #sweep: 'all' | 'oldest' | undefined;
  /** Blocks without messages once the round is through. */
  #doomed: readonly number[] = [];
  /** They are so by deletes, which are answered when the removal is synced too. */
  #purging = false;
  readonly #again = (): void => {
    if (!this.isClosed) this.parts.turn(() => this.askRound());
  };
  /** While one is under way, whoever waits for the disk waits on. */
  readonly works: LongWorks;
  #onSynced: (syncedSeq: number) => void = () => {};
  #onRemoved: (fromSeq: number, toSeq: number) => void = () => {};

  constructor(parts: FileStreamParts, { name, account, limits }: StreamOptions, lost: Lost) {
    super(parts, account, lost);
    this.name = name;
    this.parts = parts;
    this.#visibility = new Visibility(parts.handle, parts.streams);
    this.#roundSeq = this.syncedSeq;
    this.#roundEnd = this.#end();
    this.#syncedEnd = this.#roundEnd;
    this.works = new LongWorks(parts, this.#visibility, {
      limited: () => this.#noteLimited(),
      deleted: () => this.#noteManyDeleted(),
      known: () => this.known(undefined),
      ended: () => this.askRound(),
      mostOfSubject: limits.maxMessagesPerSubject,
    });
    this.#made = parts.directory.tickets.last;
    if (this.#made > 0) this.askRound();
  }

  /** A round with messages is through. */
  protected abstract roundSettled(): void;

  /** Messages were deleted, or limits removed some. */
  protected abstract messagesWent(): void;

  abstract revive(): Promise<void>;

  #end(): BlockEnd {
    const { block, offset } = this.numbers;
    return { block, offset };
  }

  /** Passes on what limits removed since the last time. */
  protected passOnRemoved(): void {
    const removed = this.parts.streams.takeRemoved(this.handle);
    if (removed === undefined) return;
    this.#sweep ??= 'oldest';
    this.askRound();
    this.#onRemoved(...removed);
  }

  get syncedSeq(): number {
    return this.#visibility.syncedSeq;
  }

  get fault(): string | undefined {
    return this.#fault?.text;
  }

  get refusal(): ApiError | undefined {
    return this.#fault?.refusal;
  }

  onSynced(call: (syncedSeq: number) => void): void {
    this.#onSynced = call;
  }

  onRemoved(call: (fromSeq: number, toSeq: number) => void): void {
    this.#onRemoved = call;
  }

  shows(seq: number): boolean {
    return seq > 0 && seq <= this.syncedSeq && !this.#visibility.holds && !this.isLost;
  }

  whenSynced(call: Waiter): void {
    const { last, durable } = this.parts.directory.tickets;
    if (this.#fault !== undefined) call(new StoreFault('FAULT', this.#fault.text));
    else if (this.staged() > 0 || this.#waiters.any || last > durable || this.#isOwing || this.works.any) this.#wait(call, last);
    else if (this.#inRound) this.#waiters.join(call, last);
    else call();
  }

  /** What was done to files behind a round is for the next one. */
  get #isOwing(): boolean {
    return this.parts.files.hasUnsynced || this.parts.erasures.any;
  }

  protected staged(): number {
    return this.parts.streams.exports.stagedBytes(this.handle) >>> 0;
  }

  #wait(call: Waiter, ticket: number): void {
    this.#waiters.add(call, ticket);
    this.askRound();
  }

  protected askRound(): void {
    this.parts.rounds.add(this);
  }

  protected get isWriting(): boolean {
    return this.#fault === undefined;
  }

  /** Messages were deleted. */
  protected noteDeleted(): void {
    this.#visibility.removed();
    this.#sweep = 'all';
    this.askRound();
  }

  /** A work has deleted messages, whose tombstones may be many. */
  #noteManyDeleted(): boolean {
    this.noteDeleted();
    this.dirty();
    return this.isWriting;
  }

  /** A work has applied limits. */
  #noteLimited(): boolean {
    this.passOnRemoved();
    return this.isWriting;
  }

  /** The kernel has staged something. */
  dirty(): void {
    this.askRound();
    if (this.isMade && this.staged() > WRITE_EARLY) this.writeRuns();
  }

  awaitMore(): void {
    this.parts.streams.exports.flagStream(this.handle, 0, streamFlag.dirty);
  }

  /** The stream is on disk itself. */
  protected get isMade(): boolean {
    return this.parts.directory.tickets.durable >= this.#made;
  }

  write(take?: TakeAppended): void {
    this.#inRound = true;
    this.#waiters.begin();
    this.#isMaking = !this.isMade;
    if (this.#isMaking) return;
    this.#visibility.roundBegins();
    this.writeRuns(this.parts.erasures.any ? undefined : take);
    this.#roundSeq = this.lastSeq;
    this.#roundEnd = this.#end();
    this.passOnRemoved();
    this.#purging = this.#sweep === 'all';
    this.#doomed = this.emptyBlocks();
    this.parts.erasures.begin();
  }

  protected writeRuns(take?: TakeAppended): void {
    if (this.#fault !== undefined) return;
    const { streams, files } = this.parts;
    const runs = streams.takeRuns(this.handle);
    if (runs.length === 0) return;
    this.orFailed(() => {
      files.write(runs, take);
      streams.exports.runsWritten(this.handle, runs.length);
      for (const { block, tombstones } of runs) if (tombstones) files.noteTombstones(block);
    });
  }

  takeUnsynced(): OpenFile[] {
    const { files, directory } = this.parts;
    const written = files.takeUnsynced();
    if (!directory.hasUnsynced) return written;
    return [...written, ...(this.orFailed(() => directory.takeUnsynced()) ?? [])];
  }

  takeTaken(): OpenFile[] {
    return this.parts.files.takeTaken();
  }

  synced(file: OpenFile): void {
    if (!this.parts.directory.synced(file)) this.parts.files.synced(file);
  }

  settled(): void {
    const { streams, rounds, directory } = this.parts;
    this.#inRound = false;
    const unfinished = this.#fault === undefined && directory.hasUnsynced && (this.orFailed(() => directory.settled()) ?? false);
    if (this.#fault !== undefined) return this.#waiters.fail(new StoreFault('FAULT', this.#fault.text));
    if (unfinished) rounds.add(this);
    if (this.#isMaking) return this.#settleMaking();
    const { exports } = streams;
    this.#visibility.roundEnds(this.#roundSeq);
    this.#syncedEnd = this.#roundEnd;
    while (exports.streamRelease(this.handle, this.syncedSeq, RELEASE_AT_ONCE) === RELEASE_AT_ONCE);
    const removed = removeBlocks(this.parts, this.name, this.#doomed) && this.#purging;
    this.#doomed = [];
    const erased = this.orFailed(() => this.parts.erasures.finish(this.#again));
    const more = (removed || erased === 'overwritten') && rounds.synchronous;
    if (erased === 'held' || this.works.any) this.#waiters.hold();
    else if (this.#waiters.settle(directory.tickets.durable, more)) rounds.add(this);
    this.roundSettled();
    this.orFailed(() => this.#onSynced(this.syncedSeq));
  }

  /** A round of metadata alone is through: whoever waits for messages too waits on. */
  #settleMaking(): void {
    const { rounds, directory } = this.parts;
    const isAll = this.isMade && this.staged() === 0;
    if (isAll ? this.#waiters.settle(directory.tickets.durable) : this.#waiters.hold()) rounds.add(this);
    if (!isAll) rounds.add(this);
  }

  /** Runs what the disk may refuse: then the stream stops writing. */
  protected orFailed<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof DiskFault || error instanceof StoreFault)) throw error;
      this.failed(error);
      return undefined;
    }
  }

  failed(fault: DiskFault | StoreFault): void {
    if (this.#fault !== undefined) return;
    const { streams, log, erasures, revival, journal, files } = this.parts;
    this.#fault = streamFault(fault);
    const { text, refusal, isForeign, isOfIndex } = this.#fault;
    log.error(`Stream '${this.name}' stopped writing: ${text}`);
    erasures.drop();
    if (!isForeign) {
      journal?.doubt(files.directory);
      cutBack(this.parts, this.name, this.#syncedEnd);
    }
    streams.fail(this.handle, this.syncedSeq, JSON.stringify({ error: refusal, stream: this.name, seq: 0 }));
    this.#roundSeq = this.syncedSeq;
    this.#waiters.fail(fault);
    if (!isForeign) revival.add(this, isOfIndex);
  }

  /** Loads its index anew when it has lost parts of it. */
  failLost(): void {
    this.orFailed(() => this.known(undefined));
  }

  /** Where its blocks are. */
  get directory(): string {
    return this.parts.files.directory;
  }

  /** Blocks that have lost all their messages since the last time. */
  protected emptyBlocks(): number[] {
    const sweep = this.#sweep;
    if (sweep === undefined) return [];
    this.#sweep = undefined;
    this.messagesWent();
    return sweepBlocks(this.parts, sweep);
  }

  /** Removes the files of blocks that had lost all their messages before the stream was opened. */
  protected removeEmptyBlocks(): void {
    this.#sweep = 'all';
    removeBlocks(this.parts, this.name, this.emptyBlocks());
  }

  /** Why it does not write. */
  protected get why(): StreamFault | undefined {
    return this.#fault;
  }

  protected get isInRound(): boolean {
    return this.#inRound;
  }

  protected get syncedEnd(): BlockEnd {
    return this.#syncedEnd;
  }

  /** Everything up to a sequence is on disk, as a start has found it. */
  protected found(seq: number): void {
    this.#visibility.synced(Math.max(this.syncedSeq, seq));
  }

  /** The fault is over: everything there is was read from the disk. */
  protected goOn(): void {
    this.#fault = undefined;
    this.#roundEnd = this.#syncedEnd = this.#end();
    this.#roundSeq = this.lastSeq;
    this.#visibility.synced(this.#roundSeq);
  }

  protected tellSynced(): void {
    this.#onSynced(this.syncedSeq);
  }

  /** Whoever waits is told why, and no round has it any more. */
  protected leaveRounds(fault: StoreFault): void {
    this.#waiters.fail(fault);
    this.parts.rounds.forget(this);
  }
}
