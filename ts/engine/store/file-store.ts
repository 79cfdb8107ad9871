// The store of one server: the directory tree of nats-server, `<root>/<account>/streams/<stream>`, its streams, and what they share: rounds,
// windows and the jobs pool.

import type { Kernel } from '../../kernel/kernel.ts';
import { StreamKernel, streamEvent, streamFlag } from '../../kernel/streams.ts';
import type { Clock } from '../../ports/clock.ts';
import { DiskFault } from '../../ports/disk.ts';
import type { Disk } from '../../ports/disk.ts';
import type { Jobs, ScanResult } from '../../ports/jobs.ts';
import type { Log } from '../../ports/log.ts';
import type { Ciphers } from '../../ports/ciphers.ts';
import { messageOf } from '../../lib/message-of.ts';
import { BlockFiles } from './block-files.ts';
import type { IndexFile } from './cold-index.ts';
import { Keyring, type EncryptionOptions } from './cipher/keyring.ts';
import { DeliverCall } from './deliver-call.ts';
import { Erasures } from './erasures.ts';
import { Journal } from './journal/journal.ts';
import { Replay } from './journal/replay.ts';
import { untilSynced } from './everything-on-disk.ts';
import { FileStream } from './file-stream.ts';
import type { StreamIndex } from '../../core/stream-index/index-db.ts';
import { indexName, isCurrent, readIndex } from './index-db.ts';
import { Maps } from './maps.ts';
import { StreamReader } from './reader.ts';
import { Staging, stagingPath } from './staging.ts';
import { missingBetween, missingOfIndex, type MissingBlock } from './missing-blocks.ts';
import { blockNumbers, recoverStream, reportMissing, scanTask } from './recover.ts';
import type { MetricHistogram } from '../../ports/metrics.ts';
import type { Recovered } from './recover.ts';
import { Revival } from './revival.ts';
import { Rounds } from './rounds.ts';
import { syncFound } from './sync-found.ts';
import { removedName } from './removed.ts';
import { StreamDirectory, streamsPath, type DirectoryPorts } from './stream-directory.ts';
import { StoreFault } from './store.ts';
import type { FoundStream, Store, StreamOptions, StreamStaging, StreamStore } from './store.ts';
import { Unpacked } from './unpacked.ts';
import { SyncTimes } from './sync-times.ts';
import { Upkeep, upkeepDefaults, type UpkeepOptions } from './upkeep.ts';
import type { Windows } from './windows.ts';

export interface FileStoreOptions {
  /** The directory named `jetstream` below the configured store_dir. */
  readonly root: string;
  /** 0: `always`. */
  readonly syncIntervalMs: number;
  /** Absent: what is stored is plain. */
  readonly encryption?: EncryptionOptions;
  readonly upkeep?: UpkeepOptions;
  /** Rounds over so many streams go by way of the journal. */
  readonly journalFrom?: number;
  /** The disk is memory: bytes are counted as nats-server's memory streams count them, and nothing is left for a next start. */
  readonly inMemory?: true;
}

/** How often streams are synced whose publishers do not wait for it, where others are synced before they are acknowledged. */
const ASYNC_SYNC_MS = 1_000;

/** Where it begins to pay: docs/architecture.md has the figures. */
const journalFromDefault = 2;

/** Streams of a store in memory have tags from here on. */
const MEMORY_TAGS = 1 << 30;

export interface FileStorePorts {
  readonly kernel: Kernel;
  readonly windows: Windows;
  readonly index: IndexFile;
  readonly disk: Disk;
  readonly jobs: Jobs;
  readonly ciphers: Ciphers;
  readonly clock: Clock;
  readonly log: Log;
  /** Runs work that sends messages, and flushes. */
  readonly turn: (work: () => void) => void;
  /** Calls once behind the events of the turn under way. */
  readonly soon: (call: () => void) => void;
  /** Everything is written and closed. */
  readonly closed?: () => void;
}

export class FileStore implements Store {
  readonly #options: FileStoreOptions;
  readonly #ports: FileStorePorts;
  readonly #streams: StreamKernel;
  /** Where acknowledgements wait for syncs. */
  readonly #journal: Journal | undefined;
  /** What a crash left of a journal is in its place; directories that did not take it, and why. */
  readonly #replayed: Promise<ReadonlyMap<string, string>>;
  readonly #rounds: Rounds;
  /** For streams that are acknowledged before they are synced. */
  #asyncRounds: Rounds | undefined;
  readonly #revival: Revival;
  readonly #upkeep: Upkeep;
  readonly #maps = new Maps();
  readonly #unpacked = new Unpacked();
  readonly #keyring: Keyring | undefined;
  readonly #syncTimes: SyncTimes;
  readonly #call: DeliverCall;
  readonly #open = new Map<number, FileStream>();
  /** Whose directory is on disk: a stream was made in it and synced with it. */
  readonly #accounts = new Set<string>();
  #lastTag: number;

  constructor(options: FileStoreOptions, ports: FileStorePorts) {
    const { disk, clock, turn } = ports;
    this.#options = options;
    this.#ports = ports;
    this.#lastTag = options.inMemory === true ? MEMORY_TAGS : 0;
    this.#keyring = options.encryption === undefined ? undefined : new Keyring(options.encryption, ports.ciphers);
    this.#streams = new StreamKernel(ports.kernel);
    this.#syncTimes = new SyncTimes(clock);
    const isJournaled = options.inMemory !== true && options.syncIntervalMs === 0;
    this.#journal = isJournaled ? new Journal(options.root, { ...ports, kernel: this.#streams }) : undefined;
    this.#rounds = this.#newRounds(options.syncIntervalMs);
    if (options.inMemory !== true) disk.discardTree(`${options.root}/${removedName}`);
    this.#replayed = options.inMemory === true ? Promise.resolve(new Map<string, string>()) : this.#replay();
    this.#replayed.catch((error: unknown) =>
      ports.log.error(
        `No stream opens before the next start, since what the journal has could not be read or let go: ${messageOf(error)}`,
      ),
    );
    this.#revival = new Revival(disk, clock, ports.log, turn);
    this.#upkeep = new Upkeep(clock, options.upkeep ?? upkeepDefaults);
    this.#call = new DeliverCall(this.#streams);
  }

  /** Whether a stream with this tag may be of this store. */
  owns(tag: number): boolean {
    return tag > MEMORY_TAGS === (this.#options.inMemory === true);
  }

  /** A ring entry of the store. */
  event(type: number, words: Uint32Array, at: number): void {
    if (type === streamEvent.dirty) this.#open.get(words[at] ?? 0)?.dirty();
    else if (type === streamEvent.publish) this.#judge(words, at);
    else if (type === streamEvent.direct) this.#open.get(words[at] ?? 0)?.asked(words, at);
  }

  /** Streams that have lost a part of their index load it anew. */
  failLost(): void {
    for (const stream of [...this.#open.values()]) stream.failLost();
  }

  #judge(words: Uint32Array, at: number): void {
    const publish = this.#streams.publish(words, at);
    this.#open.get(publish.tag)?.judged(publish);
  }

  get isMemoryShort(): boolean {
    return this.#streams.exports.isMemoryShort() !== 0;
  }

  accounts(): string[] {
    const entries = this.#ports.disk.list(this.#options.root);
    return entries.filter(({ name, directory }) => directory && !name.startsWith('.')).map(({ name }) => name);
  }

  find(accountName: string): FoundStream[] {
    const { disk } = this.#ports;
    const parent = streamsPath(this.#options.root, accountName);
    const found: FoundStream[] = [];
    const removed = `${parent}/${removedName}`;
    disk.discardTree(removed);
    const staged = stagingPath(this.#options.root, accountName);
    if (disk.exists(staged)) disk.discard(staged, removed);
    for (const { name, directory: isDirectory } of disk.list(parent)) {
      if (!isDirectory) continue;
      const directory = this.#directory(accountName, name);
      if (name === removedName) continue;
      if (name.startsWith('.')) disk.discard(`${parent}/${name}`, removed);
      else found.push(...findIn(directory));
    }
    return found;
  }

  #roundsOf({ persist }: StreamOptions): Rounds {
    if (persist === 'default' || !this.#rounds.synchronous) return this.#rounds;
    this.#asyncRounds ??= this.#newRounds(ASYNC_SYNC_MS);
    return this.#asyncRounds;
  }

  #newRounds(syncIntervalMs: number): Rounds {
    const { disk, clock, turn, soon } = this.#ports;
    const onDisk = this.#options.inMemory !== true;
    const journal = syncIntervalMs === 0 ? this.#journal : undefined;
    const { journalFrom = journalFromDefault } = this.#options;
    return new Rounds({ disk: this.#syncTimes.over(disk), journal, journalFrom, onDisk, clock, turn, soon, syncIntervalMs });
  }

  async #replay(): Promise<ReadonlyMap<string, string>> {
    const { disk, jobs, log } = this.#ports;
    const scan = async (path: string, block: number): Promise<ScanResult | undefined> => {
      const names = path.split('/');
      const directory = this.#directory(names.slice(0, -3).join('/'), names.at(-2) ?? '');
      const [scanned] = await jobs.scan([scanTask(directory, block, directory.blockKeys()?.open(block))]);
      return scanned;
    };
    const replay = new Replay(this.#options.root, { disk, log, kernel: this.#streams, scan });
    return replay.run();
  }

  /** Rejects with a StoreFault when what the journal has of a stream is not in its place. */
  async #whenReplayed({ blocks }: StreamDirectory): Promise<void> {
    let refused: string | undefined;
    try {
      refused = (await this.#replayed).get(blocks.slice(this.#options.root.length + 1));
    } catch (error) {
      refused = messageOf(error);
    }
    if (refused === undefined) return;
    throw new StoreFault('JOURNAL', `what the journal has of it could not be written to its blocks, and stays there: ${refused}`);
  }

  get syncTimes(): MetricHistogram {
    return this.#syncTimes.histogram;
  }

  /** Metadata is synced wherever messages are, with the rounds that wait for syncs, or at once. */
  #metadataOf(options: StreamOptions): DirectoryPorts['metadata'] {
    if (!this.#rounds.synchronous) return 'unsynced';
    return options.persist === 'async' ? 'at once' : 'in rounds';
  }

  get #directoryPorts(): DirectoryPorts {
    const { disk, clock } = this.#ports;
    return {
      disk,
      clock,
      kernel: this.#streams,
      metadata: this.#rounds.synchronous ? 'in rounds' : 'unsynced',
      keyring: this.#keyring,
    };
  }

  #directory(accountName: string, name: string, ports: DirectoryPorts = this.#directoryPorts): StreamDirectory {
    const path = `${streamsPath(this.#options.root, accountName)}/${name}`;
    return new StreamDirectory(ports, accountName, path, name);
  }

  #directoryOf(options: StreamOptions): StreamDirectory {
    return this.#directory(options.accountName, options.name, { ...this.#directoryPorts, metadata: this.#metadataOf(options) });
  }

  #blockFiles(directory: StreamDirectory): BlockFiles {
    const ports = { disk: this.#ports.disk, maps: this.#maps, unpacked: this.#unpacked };
    return new BlockFiles(ports, directory.blocks, directory.blockKeys());
  }

  stage(accountName: string, id: string): StreamStaging {
    return new Staging(
      {
        ...this.#directoryPorts,
        metadata: this.#rounds.synchronous ? 'at once' : 'unsynced',
        journal: this.#journal,
        jobs: this.#ports.jobs,
        log: this.#ports.log,
      },
      { root: this.#options.root, accountName, id },
    );
  }

  create(options: StreamOptions, meta: string): StreamStore {
    const directory = this.#directoryOf(options);
    return this.#guarded(directory.path, () => {
      if (!directory.create(meta, this.#parents(options.accountName)))
        throw new StoreFault('EXISTS', `${directory.path} has a stream already`);
      const files = this.#blockFiles(directory);
      const stream = this.#openStream(options, directory, files, {
        lost: { bytes: 0, messages: [] },
        // What the journal has of one of its name that was removed is of other blocks.
        block: (this.#journal?.lastBlock(directory.blocks) ?? 0) + 1,
        offset: 0,
        intact: true,
      });
      if (options.firstSeq > 0) stream.startAt(options.firstSeq);
      if (!this.#accounts.has(options.accountName)) this.#noteAccount(options.accountName, stream);
      return stream;
    });
  }

  #noteAccount(name: string, stream: FileStream): void {
    stream.whenSynced((error) => {
      if (error === undefined) this.#accounts.add(name);
    });
  }

  /** The directories above a new stream that are to be synced, so that it is where it was made after a power failure too. */
  #parents(accountName: string): string[] {
    const { root } = this.#options;
    const streams = streamsPath(root, accountName);
    return this.#accounts.has(accountName) ? [streams] : [streams, `${root}/${accountName}`, root];
  }

  async recover(options: StreamOptions): Promise<StreamStore> {
    const { disk, jobs, log } = this.#ports;
    const directory = this.#directoryOf(options);
    await this.#whenReplayed(directory);
    const files = this.#blockFiles(directory);
    const handle = this.#newHandle(options);
    let stream: FileStream | undefined;
    try {
      const index = this.#readIndex(directory);
      const there = blockNumbers(disk, directory.blocks);
      const recovered = await recoverStream({ disk, jobs, log, kernel: this.#streams }, directory, files, handle.address);
      if (this.#streams.exports.indexLost(handle.address) !== 0) throw this.#ports.index.fault();
      const missing = this.#missing(options, handle.address, files, recovered, there, index.content);
      reportMissing(log, directory, missing, recovered.lost);
      stream = this.#finishOpen(options, directory, files, recovered, handle, index.content);
      const isSealedAnew = directory.adoptKey();
      const isRight = !isSealedAnew && index.content !== undefined && recovered.intact && isCurrent(index.content, files);
      directory.dropBatches();
      // What a clean stop has left is synced, and its first change syncs the last block.
      if (this.#rounds.synchronous && !isRight) await this.#syncFound(options, directory, files);
      if (index.isThere) await this.#letIndexGo(files, stream, isRight);
      return stream;
    } catch (error) {
      if (stream !== undefined) {
        stream.abandon();
      } else {
        this.#streams.exports.closeStream(handle.address);
        files.close();
      }
      throw error instanceof DiskFault ? new StoreFault(error.code, error.message, error) : error;
    }
  }

  async #syncFound({ accountName }: StreamOptions, { path }: StreamDirectory, files: BlockFiles): Promise<void> {
    const above = this.#accounts.has(accountName) ? [] : this.#parents(accountName);
    await syncFound(this.#ports.disk, files, { path, above });
    this.#accounts.add(accountName);
  }

  /** Block files that should be there. */
  #missing(
    { limits, retention }: StreamOptions,
    handle: number,
    files: BlockFiles,
    { intact }: Recovered,
    there: readonly number[],
    index: StreamIndex | undefined,
  ): MissingBlock[] {
    if (index !== undefined) return missingOfIndex(index, there);
    const deletesInside =
      retention !== 'limits' || limits.maxMessagesPerSubject > 0 || there.some((number) => files.hasTombstones(number));
    return deletesInside || !intact ? [] : missingBetween(this.#streams.segments(handle), there);
  }

  #readIndex(directory: StreamDirectory): { readonly isThere: boolean; readonly content?: StreamIndex } {
    const file = this.#ports.disk.readWhole(`${directory.blocks}/${indexName}`);
    if (file === undefined) return { isThere: false };
    const content = readIndex(this.#streams, directory.name, file, (body) => directory.unseal(body));
    return content === undefined ? { isThere: true } : { isThere: true, content };
  }

  /** What only the index knew is synced before it goes; one that is still right stays until the first change. */
  async #letIndexGo(files: BlockFiles, stream: FileStream, isRight: boolean): Promise<void> {
    const isRecalled = this.#streams.exports.stagedBytes(stream.handle) === 0;
    if (!isRecalled) await untilSynced(stream);
    files.describedBy([indexName]);
    if (!isRecalled || !isRight) files.changing();
  }

  #guarded<T>(path: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (error instanceof DiskFault) throw new StoreFault(error.code, `${path}: ${error.message}`, error);
      throw error;
    }
  }

  #newHandle(options: StreamOptions): { readonly tag: number; readonly address: number } {
    const tag = ++this.#lastTag;
    const domain = options.domain === undefined || options.domain === '' ? '' : `"domain":${JSON.stringify(options.domain)},`;
    const ack = `{"stream":${JSON.stringify(options.name)},${domain}"seq":`;
    return { tag, address: this.#streams.open(tag, options.account, options.name, ack) };
  }

  #openStream(options: StreamOptions, directory: StreamDirectory, files: BlockFiles, recovered: Recovered): FileStream {
    return this.#finishOpen(options, directory, files, recovered, this.#newHandle(options));
  }

  #finishOpen(
    options: StreamOptions,
    directory: StreamDirectory,
    files: BlockFiles,
    { lost, block, offset }: Recovered,
    { tag, address }: { readonly tag: number; readonly address: number },
    index?: StreamIndex,
  ): FileStream {
    const { kernel, windows, index: indexFile, log, clock, turn, disk, jobs } = this.#ports;
    const streams = this.#streams;
    const inMemory = this.#options.inMemory === true;
    streams.exports.tailStream(address, block, offset);
    streams.exports.flagStream(address, inMemory ? streamFlag.memory : 0, 0);
    const reader = new StreamReader(address, {
      kernel: streams,
      windows,
      files,
      call: this.#call,
      onDamage: (seq, number, reason) =>
        log.error(`Stream '${options.name}': message ${seq} in ${files.directory}/${number}.blk cannot be read: ${reason}`),
    });
    const closed = (): void => {
      this.#open.delete(tag);
    };
    const rounds = this.#roundsOf(options);
    const journal = rounds === this.#rounds ? this.#journal : undefined;
    const erasures = new Erasures(address, { streams, files, reader, journal, clock });
    const parts = {
      handle: address,
      erasures,
      kernel,
      streams,
      files,
      index: indexFile,
      inMemory,
      directory,
      reader,
      rounds,
      journal,
      revival: this.#revival,
      disk,
      jobs,
      upkeep: this.#upkeep,
      log,
      clock,
      turn,
      closed,
    };
    const stream = new FileStream(parts, options, lost);
    this.#open.set(tag, stream);
    stream.setSealed(options.sealed);
    stream.setNoAck(options.noAck);
    if (index !== undefined) stream.takeOver(index);
    stream.setCompression(options.compression);
    stream.setLimits(options.limits, true);
    return stream;
  }

  async #stopJournal(): Promise<void> {
    try {
      await this.#journal?.stop();
    } catch (error) {
      this.#ports.log.error(`The journal stays for the next start: ${messageOf(error)}`);
    }
  }

  async stop(): Promise<void> {
    this.#revival.stop();
    const journal = this.#stopJournal();
    await this.#upkeep.stop();
    await Promise.all([...this.#open.values()].map((stream) => stream.stop()));
    this.#rounds.stop();
    this.#asyncRounds?.stop();
    await journal;
    await this.#replayed.catch(() => {});
    this.#journal?.close();
    await this.#ports.disk.stop();
    await this.#ports.jobs.stop();
    this.#ports.closed?.();
  }
}

/** The stream of a directory; none if that is what a crash has left of a creation. One that the disk does not read costs no other. */
function findIn(directory: StreamDirectory): FoundStream[] {
  try {
    return directory.isHalfMade ? [] : [directory.find()];
  } catch (error) {
    if (!(error instanceof DiskFault)) throw error;
    return [{ name: directory.name, problem: error.message }];
  }
}
