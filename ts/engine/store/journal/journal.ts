// The journal: how a round over many streams is on disk with one sync. What it appended to block files is written once more, one behind the other,
// into a log, and only that is synced; the files themselves are synced later, all at once, and then the log goes. So a thousand files with a
// message each cost a sync every few seconds and not every time.
//
// What stays true:
// - Only appends go by way of it, to files whose names and contents so far are on disk or in a log. A stream's round with anything else in it
//   (a new block, a cut, an overwritten record, a removed name) is synced in its own files.
// - Whoever changes a file in any other way, or gives its name to another, first waits until no log names it (`without`). So what a log says of a
//   file is never older than anything but appends. Only a stream's removal waits for nothing: its files are no more, and one that gets its name
//   begins with a block that no log names (`lastBlock`).
// - A log goes, or an entry is taken out of it, when what it says is on disk in its place. What a log has and its file may have lost (a sync of the
//   file failed) is written into the file again before that.
// - A log is used when its name is on disk. One that fails is used no more, and the rounds that wrote to it sync their files.
// - After a clean stop there is none. What a crash leaves is put in its place before streams are opened (replay.ts).

import type { StreamKernel } from '../../../kernel/streams.ts';
import type { Clock, Timer } from '../../../ports/clock.ts';
import { DiskFault, type Disk, type OpenFile, type SyncFailure } from '../../../ports/disk.ts';
import type { Log as Messages } from '../../../ports/log.ts';
import { messageOf } from '../../../lib/message-of.ts';
import type { Appended } from '../appended.ts';
import { syncFiles, syncPlaces } from '../sync-files.ts';
import { removedName } from '../removed.ts';
import { gatheredBytes, Log, logNumbers, takeOut } from './log.ts';

/** A log that is so long, or so old, is followed by another one. */
const LONG = 32 << 20;
const OLD_MS = 5_000;
/** After a fault rounds sync their files for so long. */
const REST_MS = 10_000;
/** Logs that are still there when the next one would begin: then the disk does not keep up, or fails. */
const MOST_LOGS = 3;

/** A stream whose files are named by a log. */
export interface JournaledStream {
  /** Where its blocks are. */
  readonly directory: string;
  /** A file could not be synced. */
  failed(fault: DiskFault): void;
}

/** One round's part in the journal. */
export interface JournalRound {
  /** Takes what was appended to a block. False: its file is to be synced. */
  add(appended: Appended): boolean;
  /** What is to be synced in place of the files that were taken; empty: these are to be synced after all. */
  end(): readonly OpenFile[];
  /** The sync is through. False: it failed, and the files that were taken are to be synced after all. */
  synced(streams: Iterable<JournaledStream>, failures: readonly SyncFailure[]): boolean;
}

export interface JournalPorts {
  readonly disk: Disk;
  readonly kernel: StreamKernel;
  readonly clock: Clock;
  readonly log: Messages;
  /** Runs work that sends messages, so that they are flushed. */
  readonly turn: (work: () => void) => void;
}

/** The directory that a stream's is in, of that of its blocks. */
function aboveStream(blocks: string): string {
  return blocks.split('/').slice(0, -2).join('/');
}

export class Journal {
  readonly #root: string;
  readonly #ports: JournalPorts;
  /** Those that are there, the one in use as well. */
  readonly #logs = new Set<Log>();
  readonly #settling = new Map<Log, Promise<void>>();
  readonly #streams = new Map<string, JournaledStream>();
  /** Called when a round has ended. */
  #ended: (() => void)[] = [];
  #current: Log | undefined;
  #preparing: Promise<void> | undefined;
  #timer: Timer | undefined;
  /** Logs that stay are tried once more. */
  readonly #tries = new Set<Timer>();
  #lastNumber = 0;
  #restUntilMs = 0;
  #stopped = false;

  /** Logs that a crash has left in `root` have been put in their place. */
  constructor(root: string, ports: JournalPorts) {
    this.#root = root;
    this.#ports = ports;
  }

  /** For a round over many streams. */
  round(): JournalRound {
    let log: Log | undefined;
    let fault: unknown;
    const orFault = (work: () => boolean): boolean => {
      try {
        return fault === undefined && work();
      } catch (error) {
        fault = error;
        return false;
      }
    };
    return {
      add: (appended) => {
        log ??= this.#begin();
        return log !== undefined && orFault(() => log?.add(appended) === true);
      },
      end: () => {
        if (log === undefined) return [];
        if (orFault(() => log?.write() === true)) return [log.file];
        if (fault !== undefined) this.#broke(log, fault);
        this.#roundEnded(log);
        return [];
      },
      synced: (streams, failures) => {
        if (log === undefined) return true;
        const failure = failures.find(({ file }) => file === log?.file);
        if (failure !== undefined) this.#broke(log, failure.fault);
        // What a failed sync has lost may be of other rounds, too, whose syncs hear nothing of it.
        const isThere = !log.isBroken;
        if (isThere) for (const stream of streams) this.#streams.set(stream.directory, stream);
        this.#roundEnded(log);
        return isThere;
      },
    };
  }

  /** The log that a round writes to; undefined: there is none yet. */
  #begin(): Log | undefined {
    const log = this.#current;
    if (log === undefined || log.length > LONG) void this.#prepare();
    if (log !== undefined) log.rounds++;
    return log;
  }

  #roundEnded(log: Log): void {
    log.rounds--;
    if (log.rounds === 0) for (const call of this.#ended.splice(0)) call();
  }

  #broke(log: Log, error: unknown): void {
    if (log.isBroken) return;
    log.isBroken = true;
    this.#rest(`${log.path} is not used any more`, error);
    if (this.#current === log) this.#retire();
  }

  #rest(what: string, error: unknown): void {
    this.#restUntilMs = this.#ports.clock.monotonicMs() + REST_MS;
    this.#ports.log.error(
      `${what}: ${messageOf(error)}; for a while each stream is synced in its own files, which is slower where there are many`,
    );
  }

  /** Makes the next log, unless that is under way or should not be. */
  #prepare(): Promise<void> {
    const { kernel, clock } = this.#ports;
    const mayNot = this.#stopped || this.#logs.size >= MOST_LOGS || clock.monotonicMs() < this.#restUntilMs;
    if (!mayNot && kernel.exports.isMemoryShortFor(gatheredBytes) === 0)
      this.#preparing ??= this.#makeNext().finally(() => (this.#preparing = undefined));
    return this.#preparing ?? Promise.resolve();
  }

  /** Makes a log and takes it into use when its name is on disk. */
  async #makeNext(): Promise<void> {
    const { disk, kernel, clock } = this.#ports;
    let log: Log | undefined;
    try {
      // Those that an earlier run could not let go are there still, whatever the clock says.
      if (this.#lastNumber === 0) this.#lastNumber = logNumbers(disk, this.#root).at(-1) ?? 0;
      this.#lastNumber = Math.max(this.#lastNumber + 1, Math.floor(clock.wallMs() * 1000));
      log = new Log(disk, kernel, this.#root, this.#lastNumber);
      this.#logs.add(log);
      const fault = await this.#syncRoot();
      this.#retire();
      const next = log;
      this.#current = next;
      if (fault !== undefined) this.#broke(next, fault);
      else if (this.#stopped) this.#retire();
      else this.#timer = clock.after(OLD_MS, () => this.#isOld(next));
    } catch (error) {
      this.#rest('there is no journal', error);
      if (log !== undefined) this.#letGo(log);
    }
  }

  /** A log that is in use goes on in the next one; one that nobody uses any more goes. */
  #isOld(log: Log): void {
    if (log.length === 0) this.#retire();
    else
      void this.#prepare().then(() => {
        if (this.#current === log) this.#retire();
      });
  }

  /** The log in use is used no more. */
  #retire(): void {
    const log = this.#current;
    this.#current = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (log !== undefined) this.#letGo(log);
  }

  #letGo(log: Log): void {
    this.#settle(log).catch((error: unknown) => this.#later(log, error));
  }

  #later(log: Log, error: unknown): void {
    this.#ports.log.error(`${log.path} stays: ${messageOf(error)}`);
    if (this.#stopped) return;
    const timer = this.#ports.clock.after(OLD_MS, () => {
      this.#tries.delete(timer);
      if (this.#logs.has(log)) this.#letGo(log);
    });
    this.#tries.add(timer);
  }

  async #syncRoot(): Promise<DiskFault | undefined> {
    const directory = this.#ports.disk.openDirectory(this.#root);
    const [failure] = await syncFiles(this.#ports.disk, [directory]);
    this.#ports.disk.close(directory);
    return failure?.fault;
  }

  /** Puts what a log has in its place, and removes it. Rejects when some of it is not; the rest is taken out of it then. */
  #settle(log: Log): Promise<void> {
    let settling = this.#settling.get(log);
    if (settling === undefined) {
      settling = this.#putInPlace(log).finally(() => this.#settling.delete(log));
      this.#settling.set(log, settling);
    }
    return settling;
  }

  async #putInPlace(log: Log): Promise<void> {
    while (log.rounds > 0) await new Promise<void>((resolve) => this.#ended.push(resolve));
    const { disk, turn } = this.#ports;
    let faults: Map<string, DiskFault>;
    let doubts: number;
    do {
      doubts = log.doubts;
      faults = await this.#syncNamed(log);
    } while (faults.size === 0 && log.doubts > doubts);
    if (faults.size > 0) {
      await this.#keepOnly(log, faults);
      turn(() => {
        for (const [directory, fault] of faults) this.#streams.get(directory)?.failed(fault);
      });
      throw [...faults.values()][0] as DiskFault;
    }
    if (log.isSecret) await takeOut(disk, log.file, [{ at: 0, length: disk.size(log.file) }]);
    disk.discard(log.path, `${this.#root}/${removedName}`);
    const fault = await this.#syncRoot();
    if (fault !== undefined) throw fault;
    this.#drop(log);
  }

  /**
   * Syncs the files that a log names, by descriptors of its own: a fault of a file is told once to each. Returns the faults, each under the
   * directory of its stream.
   */
  async #syncNamed(log: Log): Promise<Map<string, DiskFault>> {
    const { disk } = this.#ports;
    const faults = this.#writeDoubted(log);
    /** Where a stream was that is no more, and its blocks: that is to be on disk before what the log has of it goes. */
    const left = new Map<string, string>();
    const blocks = [...log.named].flatMap(([directory, stream]) =>
      [...stream.blocks].map((block) => {
        const path = `${directory}/${block}.blk`;
        return {
          owner: directory,
          open: () => {
            if (disk.exists(path)) return disk.open(path, false);
            left.set(aboveStream(directory), directory);
            return undefined;
          },
        };
      }),
    );
    const found = await syncPlaces(disk, blocks);
    const above = [...left].map(([path, directory]) => ({
      owner: directory,
      open: () => (disk.exists(path) ? disk.openDirectory(path) : undefined),
    }));
    for (const [directory, fault] of [...found, ...(await syncPlaces(disk, above))]) {
      faults.set(directory, fault);
      this.doubt(directory);
    }
    return faults;
  }

  /** What files may have lost since is written into them once more; what was cut off stays so. */
  #writeDoubted(log: Log): Map<string, DiskFault> {
    const { disk } = this.#ports;
    const faults = new Map<string, DiskFault>();
    if (log.doubted.size === 0) return faults;
    for (const { entry, directory } of log.entries((name) => log.doubted.has(name))) {
      const path = `${directory}/${entry.block}.blk`;
      try {
        if (!disk.exists(path)) continue;
        const file = disk.open(path, false);
        try {
          if (disk.size(file) >= entry.offset + entry.bytes.length) disk.write(file, [entry.bytes], entry.offset);
        } finally {
          disk.close(file);
        }
      } catch (error) {
        if (!(error instanceof DiskFault)) throw error;
        faults.set(directory, error);
      }
    }
    return faults;
  }

  /** Takes everything out of a log but what streams have there that is not in its place. */
  async #keepOnly(log: Log, kept: ReadonlyMap<string, unknown>): Promise<void> {
    const done = log.entries((directory) => !kept.has(directory));
    await takeOut(
      this.#ports.disk,
      log.file,
      done.map(({ entry }) => entry),
    );
    for (const directory of log.named.keys()) if (!kept.has(directory)) log.named.delete(directory);
  }

  /** Whether a log has something of a stream, or of one of its blocks. */
  names(directory: string, block?: number): boolean {
    return [...this.#logs].some((log) => log.names(directory, block));
  }

  /**
   * Resolves when no log has anything of a stream, or of one of its blocks, which is on disk in its place then. `isSecret`: what logs had is
   * overwritten. Rejects when the disk does not let it; it may be asked again.
   */
  async without(
    directory: string,
    { block, isSecret = false }: { readonly block?: number; readonly isSecret?: boolean } = {},
  ): Promise<void> {
    for (;;) {
      const log = [...this.#logs].find((some) => some.names(directory, block));
      if (log === undefined) return;
      log.isSecret ||= isSecret;
      if (log === this.#current) this.#retire();
      try {
        await this.#settle(log);
      } catch (error) {
        if (log.names(directory, block)) throw error;
      }
    }
  }

  /** A stream's files may not have what was written to them: it is written again before a log goes. */
  doubt(directory: string): void {
    for (const log of this.#logs) if (log.names(directory)) log.doubt(directory);
  }

  /** The stream is closed: what logs have of it is for the next start. */
  forget(directory: string): void {
    this.#streams.delete(directory);
  }

  /** The highest block that logs name in a directory; 0 for none. It may be of a stream that was removed since. */
  lastBlock(directory: string): number {
    return Math.max(0, ...[...this.#logs].flatMap((log) => [...(log.named.get(directory)?.blocks ?? [])]));
  }

  /** No further round goes by way of it. Resolves when nothing of it is left, or rejects; what is left then is for the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#tries) timer.cancel();
    await this.#preparing;
    this.#retire();
    const ends = await Promise.allSettled([...this.#logs].map((log) => this.#settle(log)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** Behind `stop`, when no stream is open any more: lets go what is left in memory of logs that stay. */
  close(): void {
    for (const log of this.#logs) this.#drop(log);
  }

  #drop(log: Log): void {
    this.#logs.delete(log);
    log.end();
    this.#ports.disk.close(log.file);
  }
}
