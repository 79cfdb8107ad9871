// One stream on disk, behind the interface of store.ts: the kernel's stream, its block files and what goes on by itself (limits, ages, upkeep of
// blocks), on top of its part in the rounds.
//
// What stays true: while it has a fault, or has lost parts of its index, nothing is changed; it goes on from what is on disk.

import type { StreamIndex } from '../../core/stream-index/index-db.ts';
import type { KernelPublish } from '../../kernel/streams.ts';
import type { StreamDescription } from './archive.ts';
import { blockLimit } from './block-size.ts';
import { BlockUpkeep } from './block-upkeep.ts';
import type { Expiry } from './expiry.ts';
import { everythingOnDisk, untilSynced } from './everything-on-disk.ts';
import type { FileStreamParts } from './file-stream-parts.ts';
import { judgedPublish } from './judged-publish.ts';
import { isInPlace } from './in-place.ts';
import { leaveIndex, takeOver } from './take-over.ts';
import type { Lost } from './recover.ts';
import { readAnew } from './revival.ts';
import { StoreFault } from './store.ts';
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
import { expiryOf } from './stream-expiry.ts';
import { StreamRounds } from './stream-rounds.ts';

const EMPTY = new Uint8Array(0);

/** Whether a purge says where the stream begins, also if it is empty. */
function setsBegin({ filter = '', seq, keep = 0 }: PurgeRequest): boolean {
  return (filter === '' || filter === '>') && keep === 0 && seq !== 1;
}

export class FileStream extends StreamRounds implements StreamStore {
  readonly #options: StreamOptions;
  readonly #expiry: Expiry;
  readonly #upkeep: BlockUpkeep;
  /** Limits that were set when the stream wrote nothing. */
  #laterLimits: StoreLimits | undefined;
  readonly #writeSome = (): boolean => {
    this.writeRuns();
    return this.isWriting;
  };
  #onPublish: (publish: JudgedPublish) => void = () => {};

  constructor(parts: FileStreamParts, options: StreamOptions, lost: Lost) {
    super(parts, options, lost);
    this.#options = options;
    this.#expiry = expiryOf(
      parts,
      (seq) => (this.isLost ? undefined : this.timeOfFirst(seq)),
      () => this.passOnRemoved(),
    );
    this.#upkeep = new BlockUpkeep(parts, {
      name: options.name,
      promised: () => this.syncedEnd,
      onDisk: () => everythingOnDisk(parts, this),
      replaced: () => this.askRound(),
      isWriting: () => this.isWriting,
    });
    if (parts.files.numbers().length > 0) this.removeEmptyBlocks();
  }

  protected roundSettled(): void {
    this.#expiry.wake();
    this.#upkeep.settled();
  }

  protected messagesWent(): void {
    this.#upkeep.messagesWent();
  }

  onPublish(call: (publish: JudgedPublish) => void): void {
    this.#onPublish = call;
  }

  // What the kernel does by itself

  /** `atOnce`: they hold when this returns. */
  setLimits(limits: StoreLimits, atOnce = false): void {
    if (this.isWriting) this.parts.streams.exports.limitChange(this.handle);
    // What the limits so far removed would come back.
    this.#laterLimits = !this.isWriting || this.isLost ? limits : undefined;
    if (this.#laterLimits !== undefined) return;
    this.#applyLimits(limits);
    if (atOnce) this.parts.streams.limitNow(this.handle, this.#writeSome);
    else this.works.lowerLimits(limits.maxMessagesPerSubject);
    this.#expiry.limit(limits.maxAgeMs);
    this.passOnRemoved();
    if (this.lastSeq > 0 || this.staged() > 0) this.askRound();
  }

  #applyLimits(limits: StoreLimits): void {
    this.applyLimits(limits, blockLimit(this.#options.retention, limits.maxBytes, this.parts.files.isEncrypted));
  }

  setCompression(compression: StreamOptions['compression']): void {
    this.#upkeep.setPacking(compression === 's2');
  }

  /** The kernel has handed a publish over. */
  judged(publish: KernelPublish): void {
    this.#onPublish(judgedPublish(publish));
  }

  // Messages

  append(message: NewMessage): number {
    this.#mustWrite();
    const { subject, headers = EMPTY, payload, ts, reply = '', seq } = message;
    const { streams, rounds } = this.parts;
    if (this.lacksMemory(subject.length * 3 + headers.length + payload.length))
      throw new StoreFault('MEMORY', `stream '${this.name}': the memory is used up`);
    if (seq !== undefined) streams.exports.jumpStream(this.handle, seq - 1);
    rounds.add(this);
    return streams.append(this.handle, subject, reply, headers, payload, ts?.seconds ?? -1, ts?.nanos ?? 0);
  }

  skip(toSeq: number): void {
    this.#mustWrite();
    const { exports } = this.parts.streams;
    const { last, lastSeconds, lastNanos } = this.numbers;
    if (last === 0) exports.startStream(this.handle, toSeq + 1);
    else exports.raiseStream(this.handle, toSeq, lastSeconds, lastNanos);
    this.askRound();
  }

  /** Takes from nats-server's index what blocks cannot say: which messages are gone, and how far sequences had been given out. */
  takeOver(index: StreamIndex): void {
    this.#applyLimits(this.#options.limits);
    this.found(takeOver(this.parts, this.name, index));
    this.noteDeleted();
  }

  #mustWrite(): void {
    if (this.fault !== undefined) throw new StoreFault('FAULT', this.fault);
    this.known(undefined);
  }

  delete(seq: number, erase = false): boolean {
    this.#mustWrite();
    const { streams, erasures } = this.parts;
    const place = erase ? streams.locate(this.handle, seq) : undefined;
    if (streams.exports.deleteOne(this.handle, seq) === 0) return this.known(false);
    if (place !== undefined) erasures.add(seq, place);
    this.noteDeleted();
    return true;
  }

  purge({ filter = '', seq = 0, keep = 0 }: PurgeRequest): number {
    this.#mustWrite();
    this.begun ||= setsBegin({ filter, seq, keep });
    const purged = this.parts.streams.purge(this.handle, filter, seq, keep, this.#writeSome);
    this.noteDeleted();
    return this.known(purged);
  }

  purgeInPieces(request: PurgeRequest, purged: (count: number) => void): void {
    this.#mustWrite();
    if (this.works.purge(request, purged)) this.begun ||= setsBegin(request);
    else purged(this.purge(request));
  }

  deliver(request: DeliverRequest): Delivered {
    const delivered = this.parts.reader.deliver(request, this.syncedSeq);
    return delivered.messages > 0 && request.direct === undefined ? delivered : this.known(delivered);
  }

  /** Goes on after a fault, from what is on disk. */
  async revive(): Promise<void> {
    const { upkeep, streams, directory, journal, turn } = this.parts;
    const { why } = this;
    if (this.isInRound || why === undefined) throw new StoreFault('BUSY', 'a round is under way');
    await upkeep.settled();
    await journal?.without(this.directory);
    const { isNoRoom, isOfIndex } = why;
    if (this.isClosed || !(await readAnew(this.parts, this.syncedEnd, !isNoRoom && !isOfIndex, () => !this.isClosed))) return;
    this.known(undefined);
    directory.writeAgain();
    this.goOn();
    turn(() => {
      streams.limitNow(this.handle, this.#writeSome);
      if (this.#laterLimits !== undefined) this.setLimits(this.#laterLimits, true);
      this.passOnRemoved();
      this.noteDeleted();
      this.tellRevived();
      this.tellSynced();
    });
  }

  async archive(describe: () => StreamDescription): Promise<StreamArchive> {
    const { streams, files, directory, jobs } = this.parts;
    const open = (): StreamArchive => directory.archive(jobs, files.upTo(this.syncedEnd), describe());
    if (!this.isWriting) return open();
    streams.exports.limitChange(this.handle);
    this.known(undefined);
    this.noteDeleted();
    await untilSynced(this);
    return open();
  }

  async stop(): Promise<void> {
    if (this.isClosed) return;
    await this.#drain();
    if ((await isInPlace(this, this.parts)) && this.isWriting && !this.parts.inMemory) leaveIndex(this.parts, this.name);
    this.#close();
  }

  async #drain(): Promise<void> {
    const { rounds } = this.parts;
    this.isClosed = true;
    this.works.stop(new StoreFault('CLOSED', `stream '${this.name}' is closed`));
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
    await this.parts.directory.remove();
  }

  /** Opening it did not come to its end. */
  abandon(): void {
    this.isClosed = true;
    this.#expiry.stop();
    void this.#upkeep.close();
    this.#close();
  }

  #close(): void {
    const { revival, journal, files, reader, streams, erasures, closed } = this.parts;
    this.leaveRounds(new StoreFault('CLOSED', `stream '${this.name}' is closed`));
    revival.forget(this);
    journal?.forget(files.directory);
    erasures.close();
    reader.forget();
    files.close();
    streams.exports.closeStream(this.handle);
    closed();
  }
}
