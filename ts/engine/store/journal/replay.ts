// What a crash has left of the journal is put in its place before streams are opened: every file that a log names gets what it has lost, and is
// synced; then the log goes.
//
// What stays true:
// - Bytes are written only where they belong: behind the very bytes that were in front of them, in a file that is there. Where another program wrote
//   since (nats-server left its index, another record is there, the file ends before), they are not. Then they are kept beside the block, and reported.
// - What is there already is left as it is; and synced all the same, since before the crash it was only written.
// - A stream that does not take what belongs to it (the disk is full, or fails) is not opened in this run, and its entries stay where they are for the
//   next start. Everything else is taken out of the log: it may be changed from now on.
// - A log that is damaged is kept under another name.

import type { JournalEntry } from '../../../core/journal/entry.ts';
import { BEFORE } from '../../../core/journal/entry.ts';
import { messageOf } from '../../../lib/message-of.ts';
import { scanEntry } from '../../../kernel/scan-entry.ts';
import type { StreamKernel } from '../../../kernel/streams.ts';
import type { Disk, OpenFile } from '../../../ports/disk.ts';
import type { ScanResult } from '../../../ports/jobs.ts';
import type { Log as Messages } from '../../../ports/log.ts';
import { indexName } from '../index-db.ts';
import { keepAside } from '../mend.ts';
import { openAtOnce, syncAndClose } from '../sync-files.ts';
import { logNumbers, logPath, readContent, takeOut } from './log.ts';

/** Bytes of the checksum at the end of a record. */
const SUM = 8;

export interface ReplayPorts {
  readonly disk: Disk;
  readonly kernel: StreamKernel;
  readonly log: Messages;
  /** Scans a block of a directory below the root. */
  readonly scan: (directory: string, block: number) => Promise<ScanResult | undefined>;
}

/** A block that a log names. */
interface Place {
  readonly path: string;
  readonly file: OpenFile;
  /** nats-server had the stream since. */
  readonly isForeign: boolean;
  /** Of the block as it was found, once somebody asked. */
  scan?: Promise<ScanResult | undefined>;
}

export class Replay {
  readonly #root: string;
  readonly #ports: ReplayPorts;
  readonly #places = new Map<string, Place | undefined>();
  /** Directories that do not take what belongs to them, and why. */
  readonly #refused = new Map<string, string>();

  constructor(root: string, ports: ReplayPorts) {
    this.#root = root;
    this.#ports = ports;
  }

  /** Resolves to the directories of blocks, below the root, that did not take what belongs to them, and why. Rejects when a log cannot be read or let go. */
  async run(): Promise<ReadonlyMap<string, string>> {
    const { disk } = this.#ports;
    const numbers = logNumbers(disk, this.#root);
    for (const number of numbers) await this.#putInPlace(number);
    if (numbers.length > 0) disk.syncDirectory(this.#root);
    return this.#refused;
  }

  async #putInPlace(number: number): Promise<void> {
    const { disk, kernel, log } = this.#ports;
    const path = logPath(this.#root, number);
    const bytes = disk.readWhole(path) ?? new Uint8Array(0);
    const { entries, damages } = readContent(kernel, bytes, number);
    for (const entry of entries) {
      if (this.#places.size >= openAtOnce) await this.#syncAll();
      await this.#put(entry);
    }
    await this.#syncAll();
    const isDamaged = damages.some(({ isInside }) => isInside);
    for (const { at, length, isInside } of damages)
      log.warn(
        `${path} has ${length} damaged bytes at ${at}${isInside ? '' : ', its end'}${isDamaged ? `; kept in ${path}.damaged` : ''}`,
      );
    const done = entries.filter(({ directory }) => !this.#refused.has(directory));
    if (isDamaged) disk.writeWhole(`${path}.damaged`, bytes, true);
    if (done.length === entries.length) disk.remove(path);
    else await this.#takeOut(path, done);
    if (entries.length > 0) log.info(`${path}: ${entries.length} appends from before the server ended are in their places`);
  }

  async #takeOut(path: string, entries: readonly JournalEntry[]): Promise<void> {
    const { disk } = this.#ports;
    const file = disk.open(path, false);
    try {
      await takeOut(disk, file, entries);
    } finally {
      disk.close(file);
    }
  }

  /** Syncs and closes all files. */
  async #syncAll(): Promise<void> {
    const owners = new Map<OpenFile, string>();
    for (const place of this.#places.values())
      if (place !== undefined) owners.set(place.file, place.path.slice(this.#root.length + 1, place.path.lastIndexOf('/')));
    for (const [directory, fault] of await syncAndClose(this.#ports.disk, owners)) this.#refused.set(directory, fault.message);
    this.#places.clear();
  }

  async #put(entry: JournalEntry): Promise<void> {
    if (this.#refused.has(entry.directory)) return;
    try {
      const place = this.#place(entry);
      if (place === undefined) return;
      const obstacle = await this.#write(place, entry);
      if (obstacle !== undefined) this.#keep(place, entry, obstacle);
    } catch (error) {
      this.#refused.set(entry.directory, messageOf(error));
    }
  }

  /** Undefined: the block is gone. Throws a DiskFault. */
  #place({ directory, block }: JournalEntry): Place | undefined {
    const { disk } = this.#ports;
    const path = `${this.#root}/${directory}/${block}.blk`;
    if (this.#places.has(path)) return this.#places.get(path);
    const isForeign = disk.exists(`${this.#root}/${directory}/${indexName}`);
    const place = disk.exists(path) ? { path, file: disk.open(path, false), isForeign } : undefined;
    this.#places.set(path, place);
    return place;
  }

  /** Writes what the file does not have. Returns what stands against it. Throws a DiskFault. */
  async #write(place: Place, entry: JournalEntry): Promise<string | undefined> {
    const { disk } = this.#ports;
    const { offset, before, bytes } = entry;
    const found = new Uint8Array(BEFORE + bytes.length);
    const have = disk.read(place.file, found, offset - BEFORE);
    if (have < BEFORE) return 'the file ends in front of them';
    const isBehind = before.every((byte, at) => byte === found[at]);
    if (!isBehind && (place.isForeign || (await this.#recordAt(place, entry, offset - 1)) !== undefined))
      return 'something else is in front of them';
    const there = found.subarray(BEFORE, have);
    const differs = bytes.findIndex((byte, at) => byte !== there[at]);
    if (differs < 0) return undefined;
    if (place.isForeign) return 'nats-server has written the stream since';
    if (differs < there.length && (await this.#isOther(place, entry, there, differs))) return 'another record is there';
    disk.write(place.file, [bytes], offset);
    return undefined;
  }

  /**
   * Whether what is in the file is another record, and not ours that was damaged. A checksum that is ours is on a record that is: it does not
   * cover where the subject ends.
   */
  async #isOther(place: Place, entry: JournalEntry, there: Uint8Array, differs: number): Promise<boolean> {
    const { offset, bytes } = entry;
    const end = await this.#recordAt(place, entry, offset + differs);
    if (end === undefined) return false;
    const at = end - offset - SUM;
    return bytes.subarray(at, at + SUM).some((byte, i) => byte !== there[at + i]);
  }

  /** Where the record ends that a byte of the block, as it was found, is part of; undefined: it is part of no whole one. */
  async #recordAt(place: Place, { directory, block }: JournalEntry, byte: number): Promise<number | undefined> {
    const scan = await (place.scan ??= this.#ports.scan(directory, block));
    if (scan === undefined || scan.problem !== undefined) return undefined;
    if (scan.packed) return Infinity;
    const { entries } = scan;
    const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
    for (let at = 0; at < entries.length; at += scanEntry.bytes) {
      const offset = view.getUint32(at + scanEntry.offset, true);
      const end = offset + view.getUint32(at + scanEntry.length, true);
      if (offset <= byte && byte < end) return end;
    }
    return undefined;
  }

  /** Throws a DiskFault. */
  #keep({ path }: Place, { directory, block, offset, bytes }: JournalEntry, obstacle: string): void {
    const { disk, log } = this.#ports;
    const kept = keepAside(disk, `${this.#root}/${directory}`, `${block}.journal-${offset}`, bytes);
    log.warn(
      `Stream '${directory.split('/').at(-2)}': ${bytes.length} bytes were to be at ${offset} of ${path}, and ${obstacle}: they are kept in ${kept}`,
    );
  }
}
