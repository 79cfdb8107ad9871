// A log of the journal: its file, what it names, and the rounds that still write to it. Appending goes by way of a piece of kernel memory, where
// entries are laid out and summed.

import { entryLength, layEntry, readLog, type JournalContent, type JournalEntry } from '../../../core/journal/entry.ts';
import { copyBytes } from '../../../kernel/copy.ts';
import type { StreamKernel } from '../../../kernel/streams.ts';
import type { Disk, OpenFile } from '../../../ports/disk.ts';
import type { Appended } from '../appended.ts';
import { syncAll } from '../sync-files.ts';

/** Entries that are written at once; a larger one is not taken. */
export const gatheredBytes = 256 << 10;
/** A log does not become longer: what comes then is synced in its own file. */
const LONGEST = 64 << 20;
/** What is overwritten at once. */
const ZEROS = new Uint8Array(1 << 20);

const encoder = new TextEncoder();

/** What a log has of one stream. */
export interface NamedStream {
  readonly name: Uint8Array;
  readonly blocks: Set<number>;
}

const LOG_NAME = /^slipstream-([1-9][0-9]*)\.journal$/;

/** The numbers of the logs in a directory, oldest first. */
export function logNumbers(disk: Pick<Disk, 'list'>, root: string): number[] {
  const numbers = disk.list(root).map(({ name, directory }) => (directory ? Number.NaN : Number(LOG_NAME.exec(name)?.[1])));
  return numbers.filter((number) => !Number.isNaN(number)).sort((a, b) => a - b);
}

/** Where a log is. */
export function logPath(root: string, number: number): string {
  return `${root}/slipstream-${number}.journal`;
}

/** What a log has. */
export function readContent(kernel: StreamKernel, bytes: Uint8Array, number: number): JournalContent {
  return readLog(bytes, number, (entry) => {
    const sum = new DataView(entry.buffer, entry.byteOffset + entry.length - 8).getBigUint64(0, true);
    return kernel.journalSum(entry.subarray(0, -8)) === sum;
  });
}

/** Overwrites entries with zeros, in place, and syncs that. Rejects with a DiskFault. */
export async function takeOut(
  disk: Disk,
  file: OpenFile,
  entries: readonly Pick<JournalEntry, 'at' | 'length'>[],
): Promise<void> {
  for (const { at, length } of entries)
    for (let done = 0; done < length; done += ZEROS.length)
      disk.write(file, [ZEROS.subarray(0, Math.min(ZEROS.length, length - done))], at + done);
  await syncAll(disk, [file]);
}

export class Log {
  readonly number: number;
  readonly path: string;
  readonly file: OpenFile;
  /** Streams' directories that have something here that may not be in its place yet. */
  readonly named = new Map<string, NamedStream>();
  /** Of these, what is here is written into their files once more before they are synced. */
  readonly doubted = new Set<string>();
  /** Rises with each doubt. */
  doubts = 0;
  /** Rounds that wrote to it and are not through. */
  rounds = 0;
  /** A write or a sync of it failed: what it has of rounds that are not through may be lost. */
  isBroken = false;
  /** What is in it is overwritten before it goes. */
  isSecret = false;
  readonly #root: string;
  readonly #disk: Disk;
  readonly #kernel: StreamKernel;
  #length = 0;
  readonly #gathered: number;
  #used = 0;

  /** There must be memory for `gatheredBytes`. Throws a DiskFault. */
  constructor(disk: Disk, kernel: StreamKernel, root: string, number: number) {
    this.#disk = disk;
    this.#kernel = kernel;
    this.#root = root;
    this.number = number;
    this.path = logPath(root, number);
    this.file = disk.open(this.path, true);
    this.#gathered = kernel.take(gatheredBytes);
  }

  get length(): number {
    return this.#length + this.#used;
  }

  /** Takes what was appended to a block. False: there is no room for it. Throws a DiskFault. */
  add({ directory, block, offset, before, views }: Appended): boolean {
    const stream = this.#stream(directory);
    const size = views.reduce((sum, { length }) => sum + length, 0);
    const length = entryLength(stream.name.length, size);
    if (length > gatheredBytes || this.length + length > LONGEST) return false;
    if (this.#used + length > gatheredBytes) this.write();
    const to = this.#kernel.memory.view(this.#gathered + this.#used, length);
    let at = layEntry(to, 0, { log: this.number, block, offset, size, name: stream.name, before });
    for (const view of views) {
      copyBytes(to, view, at);
      at += view.length;
    }
    const from = this.#gathered + this.#used;
    this.#kernel.exports.hashJournal(from + length - 8, from, length - 8);
    this.#used += length;
    stream.blocks.add(block);
    return true;
  }

  #stream(directory: string): NamedStream {
    let stream = this.named.get(directory);
    if (stream === undefined) {
      stream = { name: encoder.encode(directory.slice(this.#root.length + 1)), blocks: new Set() };
      this.named.set(directory, stream);
    }
    return stream;
  }

  /** Writes what was gathered. False: there was nothing. Throws a DiskFault. */
  write(): boolean {
    const used = this.#used;
    this.#used = 0;
    if (used === 0) return false;
    this.#disk.write(this.file, [this.#kernel.memory.view(this.#gathered, used)], this.#length);
    this.#length += used;
    return true;
  }

  /** No round writes to it any more. */
  end(): void {
    this.#kernel.release(this.#gathered);
  }

  /** What it has of streams' directories. Throws a DiskFault. */
  entries(of: (directory: string) => boolean): { readonly entry: JournalEntry; readonly directory: string }[] {
    const bytes = this.#disk.readWhole(this.path) ?? new Uint8Array(0);
    const { entries } = readContent(this.#kernel, bytes, this.number);
    const found = entries.map((entry) => ({ entry, directory: `${this.#root}/${entry.directory}` }));
    return found.filter(({ directory }) => of(directory));
  }

  doubt(directory: string): void {
    this.doubted.add(directory);
    this.doubts++;
  }

  names(directory: string, block?: number): boolean {
    const stream = this.named.get(directory);
    return stream !== undefined && (block === undefined || stream.blocks.has(block));
  }
}
