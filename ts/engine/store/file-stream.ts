// One stream on disk: the kernel's stream, its block files and its part in the rounds, behind the interface of store.ts.
//
// What stays true: `syncedSeq` only rises when a round is through; a block file is removed only when none of its messages is left and the
// deletes that emptied it are synced; after a fault nothing is written any more.

import type { ApiError } from '../../core/jetstream/errors.ts';
import type { StreamIndex } from '../../core/stream-index/index-db.ts';
import { streamFlag, type KernelPublish } from '../../kernel/streams.ts';
import { DiskFault } from '../../ports/disk.ts';
import type { OpenFile } from '../../ports/disk.ts';
import type { StreamDescription } from './archive.ts';
import type { TakeAppended } from './appended.ts';
import type { BlockEnd } from './block.ts';
import { removeBlocks, sweepBlocks } from './block-sweep.ts';
import { blockLimit } from './block-size.ts';
import { BlockUpkeep } from './block-upkeep.ts';
import type { Expiry } from './expiry.ts';
import { everythingOnDisk, untilSynced } from './everything-on-disk.ts';
import type { FileStreamParts } from './file-stream-parts.ts';
import { judgedPublish } from './judged-publish.ts';
import { isInPlace } from './in-place.ts';
import { leaveIndex, takeOver } from './take-over.ts';
import type { Lost } from './recover.ts';
import type { RoundMember } from './rounds.ts';
import { cutBack, readAnew, type Faulted } from './revival.ts';
import { StoreFault } from './store.ts';
import { streamFault, type StreamFault } from './stream-fault.ts';
import type {
  DeliverRequest,
  Delivered,
  JudgedPublish,
  NewMessage,
  PurgeRequest,
  StoreLimits,
  StreamArchive,
  StreamOptions,
  StreamStore,
} from './store.ts';
import { StreamBeside } from './stream-beside.ts';
import { expiryOf } from './stream-expiry.ts';
import { SyncWaiters, type Waiter } from './sync-waiters.ts';
import { Visibility } from './visibility.ts';

const RELEASE_AT_ONCE = 65536;
const EMPTY = new Uint8Array(0);
/** More than this staged is written before the next round. */
const WRITE_EARLY = 4 << 20;

export class FileStream extends StreamBeside implements StreamStore, RoundMember, Faulted {
  readonly name: string;
  readonly #parts: FileStreamParts;
  readonly #options: StreamOptions;
  readonly #expiry: Expiry;
  readonly #upkeep: BlockUpkeep;
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
  /** Limits that were set when the stream wrote nothing. */
  #laterLimits: StoreLimits | undefined;
  #closed = false;
  readonly #writeSome = (): boolean => {
    this.#writeRuns();
    return this.#fault === undefined;
  };
  readonly #again = (): void => {
    if (!this.#closed) this.#parts.turn(() => this.askRound());
  };
  #onSynced: (syncedSeq: number) => void = () => {};
  #onPublish: (publish: JudgedPublish) => void = () => {};
  #onRemoved: (fromSeq: number, toSeq: number) => void = () => {};

  constructor(parts: FileStreamParts, options: StreamOptions, lost: Lost) {
    super(parts, options.account, lost);
    this.name = options.name;
    this.#parts = parts;
    this.#options = options;
    this.#visibility = new Visibility(parts.handle, parts.streams);
    this.#roundSeq = this.syncedSeq;
    this.#roundEnd = this.#end();
    this.#syncedEnd = this.#roundEnd;
    this.#expiry = expiryOf(
      parts,
      (seq) => (this.isLost ? undefined : this.timeOfFirst(seq)),
      () => this.#passOnRemoved(),
    );
    this.#upkeep = new BlockUpkeep(parts, {
      name: options.name,
      promised: () => this.#syncedEnd,
      onDisk: () => everythingOnDisk(parts, this),
      replaced: () => this.askRound(),
      isWriting: () => this.isWriting,
    });
    if (parts.files.numbers().length > 0) {
      this.#sweep = 'all';
      removeBlocks(parts, this.name, this.#emptyBlocks());
    }
    this.#made = parts.directory.tickets.last;
    if (this.#made > 0) this.askRound();
  }

  #end(): BlockEnd {
    const { block, offset } = this.numbers;
    return { block, offset };
  }

  /** Passes on what limits removed since the last time. */
  #passOnRemoved(): void {
    const removed = this.#parts.streams.takeRemoved(this.handle);
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

  onPublish(call: (publish: JudgedPublish) => void): void {
    this.#onPublish = call;
  }

  onRemoved(call: (fromSeq: number, toSeq: number) => void): void {
    this.#onRemoved = call;
  }

  whenSynced(call: Waiter): void {
    const { last, durable } = this.#parts.directory.tickets;
    if (this.#fault !== undefined) call(new StoreFault('FAULT', this.#fault.text));
    else if (this.#staged() > 0 || this.#waiters.any || last > durable || this.#isOwing) this.#wait(call, last);
    else if (this.#inRound) this.#waiters.join(call, last);
    else call();
  }

  /** What was done to files behind a round is for the next one. */
  get #isOwing(): boolean {
    return this.#parts.files.hasUnsynced || this.#parts.erasures.any;
  }

  #staged(): number {
    return this.#parts.streams.exports.stagedBytes(this.handle) >>> 0;
  }

  #wait(call: Waiter, ticket: number): void {
    this.#waiters.add(call, ticket);
    this.askRound();
  }

  protected askRound(): void {
    this.#parts.rounds.add(this);
  }

  protected get isWriting(): boolean {
    return this.#fault === undefined;
  }

  // What the kernel does by itself

  setLimits(limits: StoreLimits): void {
    if (this.#fault === undefined) this.#parts.streams.exports.limitChange(this.handle);
    // What the limits so far removed would come back.
    this.#laterLimits = this.#fault !== undefined || this.isLost ? limits : undefined;
    if (this.#laterLimits !== undefined) return;
    this.#applyLimits(limits);
    this.#parts.streams.limitNow(this.handle, this.#writeSome);
    this.#expiry.limit(limits.maxAgeMs);
    this.#passOnRemoved();
    if (this.lastSeq > 0 || this.#staged() > 0) this.askRound();
  }

  #applyLimits(limits: StoreLimits): void {
    this.applyLimits(limits, blockLimit(this.#options.retention, limits.maxBytes, this.#parts.files.isEncrypted));
  }

  setCompression(compression: StreamOptions['compression']): void {
    this.#upkeep.setPacking(compression === 's2');
  }

  /** The kernel has handed a publish over. */
  judged(publish: KernelPublish): void {
    this.#onPublish(judgedPublish(publish));
  }

  /** The kernel has staged something. */
  dirty(): void {
    this.askRound();
    if (this.#isMade && this.#staged() > WRITE_EARLY) this.#writeRuns();
  }

  // Messages

  append(message: NewMessage): number {
    this.#mustWrite();
    const { subject, headers = EMPTY, payload, ts, reply = '', seq } = message;
    const { streams, rounds } = this.#parts;
    if (this.lacksMemory(subject.length * 3 + headers.length + payload.length))
      throw new StoreFault('MEMORY', `stream '${this.name}': the memory is used up`);
    if (seq !== undefined) streams.exports.jumpStream(this.handle, seq - 1);
    rounds.add(this);
    return streams.append(this.handle, subject, reply, headers, payload, ts?.seconds ?? -1, ts?.nanos ?? 0);
  }

  skip(toSeq: number): void {
    this.#mustWrite();
    const { exports } = this.#parts.streams;
    const { last, lastSeconds, lastNanos } = this.numbers;
    if (last === 0) exports.startStream(this.handle, toSeq + 1);
    else exports.raiseStream(this.handle, toSeq, lastSeconds, lastNanos);
    this.askRound();
  }

  /** Takes from nats-server's index what blocks cannot say: which messages are gone, and how far sequences had been given out. */
  takeOver(index: StreamIndex): void {
    this.#applyLimits(this.#options.limits);
    this.#visibility.synced(Math.max(this.syncedSeq, takeOver(this.#parts, this.name, index)));
    this.#deleted();
  }

  #mustWrite(): void {
    if (this.#fault !== undefined) throw new StoreFault('FAULT', this.#fault.text);
    this.known(undefined);
  }

  delete(seq: number, erase = false): boolean {
    this.#mustWrite();
    const { streams, erasures } = this.#parts;
    const place = erase ? streams.locate(this.handle, seq) : undefined;
    if (streams.exports.deleteOne(this.handle, seq) === 0) return this.known(false);
    if (place !== undefined) erasures.add(seq, place);
    this.#deleted();
    return true;
  }

  #deleted(): void {
    this.#visibility.removed();
    this.#sweep = 'all';
    this.askRound();
  }

  purge({ filter = '', seq = 0, keep = 0 }: PurgeRequest): number {
    this.#mustWrite();
    this.begun ||= (filter === '' || filter === '>') && keep === 0 && seq !== 1;
    const purged = this.#parts.streams.purge(this.handle, filter, seq, keep, this.#writeSome);
    this.#deleted();
    return this.known(purged);
  }

  shows(seq: number): boolean {
    return seq > 0 && seq <= this.syncedSeq && !this.#visibility.holds && !this.isLost;
  }

  deliver(request: DeliverRequest): Delivered {
    const delivered = this.#parts.reader.deliver(request, this.syncedSeq);
    return delivered.messages > 0 && request.direct === undefined ? delivered : this.known(delivered);
  }

  // Rounds

  awaitMore(): void {
    this.#parts.streams.exports.flagStream(this.handle, 0, streamFlag.dirty);
  }

  /** The stream is on disk itself. */
  get #isMade(): boolean {
    return this.#parts.directory.tickets.durable >= this.#made;
  }

  write(take?: TakeAppended): void {
    this.#inRound = true;
    this.#waiters.begin();
    this.#isMaking = !this.#isMade;
    if (this.#isMaking) return;
    this.#visibility.roundBegins();
    this.#writeRuns(this.#parts.erasures.any ? undefined : take);
    this.#roundSeq = this.lastSeq;
    this.#roundEnd = this.#end();
    this.#passOnRemoved();
    this.#purging = this.#sweep === 'all';
    this.#doomed = this.#emptyBlocks();
    this.#parts.erasures.begin();
  }

  #writeRuns(take?: TakeAppended): void {
    if (this.#fault !== undefined) return;
    const { streams, files } = this.#parts;
    const runs = streams.takeRuns(this.handle);
    if (runs.length === 0) return;
    this.#orFailed(() => {
      files.write(runs, take);
      streams.exports.runsWritten(this.handle, runs.length);
      for (const { block, tombstones } of runs) if (tombstones) files.noteTombstones(block);
    });
  }

  takeUnsynced(): OpenFile[] {
    const { files, directory } = this.#parts;
    const written = files.takeUnsynced();
    if (!directory.hasUnsynced) return written;
    return [...written, ...(this.#orFailed(() => directory.takeUnsynced()) ?? [])];
  }

  takeTaken(): OpenFile[] {
    return this.#parts.files.takeTaken();
  }

  synced(file: OpenFile): void {
    if (!this.#parts.directory.synced(file)) this.#parts.files.synced(file);
  }

  settled(): void {
    const { streams, rounds, directory } = this.#parts;
    this.#inRound = false;
    const unfinished = this.#fault === undefined && directory.hasUnsynced && (this.#orFailed(() => directory.settled()) ?? false);
    if (this.#fault !== undefined) return this.#waiters.fail(new StoreFault('FAULT', this.#fault.text));
    if (unfinished) rounds.add(this);
    if (this.#isMaking) return this.#settleMaking();
    const { exports } = streams;
    this.#visibility.roundEnds(this.#roundSeq);
    this.#syncedEnd = this.#roundEnd;
    while (exports.streamRelease(this.handle, this.syncedSeq, RELEASE_AT_ONCE) === RELEASE_AT_ONCE);
    const removed = removeBlocks(this.#parts, this.name, this.#doomed) && this.#purging;
    this.#doomed = [];
    const erased = this.#orFailed(() => this.#parts.erasures.finish(this.#again));
    const more = (removed || erased === 'overwritten') && rounds.synchronous;
    if (erased === 'held') this.#waiters.hold();
    else if (this.#waiters.settle(directory.tickets.durable, more)) rounds.add(this);
    this.#expiry.wake();
    this.#upkeep.settled();
    this.#orFailed(() => this.#onSynced(this.syncedSeq));
  }

  /** A round of metadata alone is through: whoever waits for messages too waits on. */
  #settleMaking(): void {
    const { rounds, directory } = this.#parts;
    const isAll = this.#isMade && this.#staged() === 0;
    if (isAll ? this.#waiters.settle(directory.tickets.durable) : this.#waiters.hold()) rounds.add(this);
    if (!isAll) rounds.add(this);
  }

  /** Runs what the disk may refuse: then the stream stops writing. */
  #orFailed<T>(work: () => T): T | undefined {
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
    const { streams, log, erasures, revival, journal, files } = this.#parts;
    this.#fault = streamFault(fault);
    const { text, refusal, isForeign, isOfIndex } = this.#fault;
    log.error(`Stream '${this.name}' stopped writing: ${text}`);
    erasures.drop();
    if (!isForeign) {
      journal?.doubt(files.directory);
      cutBack(this.#parts, this.name, this.#syncedEnd);
    }
    streams.fail(this.handle, this.syncedSeq, JSON.stringify({ error: refusal, stream: this.name, seq: 0 }));
    this.#roundSeq = this.syncedSeq;
    this.#waiters.fail(fault);
    if (!isForeign) revival.add(this, isOfIndex);
  }

  /** Loads its index anew when it has lost parts of it. */
  failLost(): void {
    this.#orFailed(() => this.known(undefined));
  }

  /** Where its blocks are. */
  get directory(): string {
    return this.#parts.files.directory;
  }

  /** Goes on after a fault, from what is on disk. */
  async revive(): Promise<void> {
    const { upkeep, streams, directory, journal, turn } = this.#parts;
    if (this.#inRound || this.#fault === undefined) throw new StoreFault('BUSY', 'a round is under way');
    await upkeep.settled();
    await journal?.without(this.directory);
    const { isNoRoom, isOfIndex } = this.#fault;
    if (this.#closed || !(await readAnew(this.#parts, this.#syncedEnd, !isNoRoom && !isOfIndex, () => !this.#closed))) return;
    this.known(undefined);
    directory.writeAgain();
    this.#fault = undefined;
    this.#roundEnd = this.#syncedEnd = this.#end();
    this.#roundSeq = this.lastSeq;
    this.#visibility.synced(this.#roundSeq);
    turn(() => {
      streams.limitNow(this.handle, this.#writeSome);
      if (this.#laterLimits !== undefined) this.setLimits(this.#laterLimits);
      this.#passOnRemoved();
      this.#deleted();
      this.tellRevived();
      this.#onSynced(this.syncedSeq);
    });
  }

  #emptyBlocks(): number[] {
    const sweep = this.#sweep;
    if (sweep === undefined) return [];
    this.#sweep = undefined;
    this.#upkeep.messagesWent();
    return sweepBlocks(this.#parts, sweep);
  }

  async archive(describe: () => StreamDescription): Promise<StreamArchive> {
    const { streams, files, directory } = this.#parts;
    const open = (): StreamArchive => directory.archive(files.upTo(this.#syncedEnd), describe());
    if (this.#fault !== undefined) return open();
    streams.exports.limitChange(this.handle);
    this.known(undefined);
    this.#deleted();
    await untilSynced(this);
    return open();
  }

  async stop(): Promise<void> {
    if (this.#closed) return;
    await this.#drain();
    if ((await isInPlace(this, this.#parts)) && this.#fault === undefined && !this.#parts.inMemory)
      leaveIndex(this.#parts, this.name);
    this.#close();
  }

  async #drain(): Promise<void> {
    const { rounds } = this.#parts;
    this.#closed = true;
    this.#expiry.stop();
    this.setSubjects([]);
    await this.#upkeep.close();
    rounds.add(this);
    await rounds.drained(this);
  }

  /** What the journal has of it is of files that are no more, and whose names another one of its name does not use. */
  async remove(): Promise<void> {
    await this.#drain();
    this.#close();
    await this.#parts.directory.remove();
  }

  /** Opening it did not come to its end. */
  abandon(): void {
    this.#closed = true;
    this.#expiry.stop();
    void this.#upkeep.close();
    this.#close();
  }

  #close(): void {
    const { rounds, revival, journal, files, reader, streams, erasures, closed } = this.#parts;
    this.#waiters.fail(new StoreFault('CLOSED', `stream '${this.name}' is closed`));
    rounds.forget(this);
    revival.forget(this);
    journal?.forget(files.directory);
    erasures.close();
    reader.forget();
    files.close();
    streams.exports.closeStream(this.handle);
    closed();
  }
}
