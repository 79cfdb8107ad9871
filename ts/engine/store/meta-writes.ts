// Metadata on its way to disk, in the rounds of its stream. Files that replace others are written under temporary names, synced by the round
// under way, renamed when that is through, and the directories that changed are synced by the next. Files of a directory that is new have
// their names at once, and one round syncs them and the directories. So a hundred creations cost a sync of each file and no wait on the loop.
//
// What stays true: a file that was there before is replaced only by what is on disk; what `put` returned is durable when `durable` has come
// to it. Files of one directory are renamed in the order they were given.

import type { Disk, OpenFile } from '../../ports/disk.ts';

export interface MetaFile {
  readonly name: string;
  readonly content: Uint8Array;
  /** It has its name at once: there was none, and nothing was promised of it. */
  readonly isNew?: boolean;
}

interface Write {
  readonly directory: string;
  readonly files: readonly MetaFile[];
  /** Directories whose entries change as well. */
  readonly above: readonly string[];
  readonly ticket: number;
}

/** Two writes of a directory as one: of a file that both have, the later. */
function merged(before: Write | undefined, write: Write): Write {
  if (before === undefined) return write;
  const names = new Set(write.files.map(({ name }) => name));
  const files = [...before.files.filter(({ name }) => !names.has(name)), ...write.files];
  return { ...write, files, above: [...new Set([...write.above, ...before.above])], ticket: before.ticket };
}

function renames({ files }: Write): boolean {
  return files.some(({ isNew }) => isNew !== true);
}

/** What a file is called until it is on disk. */
function writtenAs(directory: string, { name, isNew }: MetaFile): string {
  return isNew === true ? `${directory}/${name}` : `${directory}/${name}.tmp`;
}

export class MetaWrites {
  readonly #disk: Disk;
  #last = 0;
  #durable = 0;
  /** Written, for the next round. */
  #written = new Map<string, Write>();
  /** Files under way to the disk. */
  #syncing = new Map<string, Write>();
  /** The names are in use by the round: to be written behind it. */
  readonly #later = new Map<string, Write>();
  /** Directories with new entries, and the tickets that wait for nothing else. */
  #changed = new Set<string>();
  #named: number[] = [];
  /** Those under way to the disk. */
  #syncingChanged = new Set<string>();
  #syncingNamed: number[] = [];
  readonly #open = new Set<OpenFile>();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** The ticket given out last. */
  get last(): number {
    return this.#last;
  }

  /** Everything up to this ticket is on disk. */
  get durable(): number {
    return this.#durable;
  }

  /** Writes files of a directory that is there. Throws a DiskFault; then nothing is changed. */
  put(directory: string, files: readonly MetaFile[], above: readonly string[]): number {
    const write = { directory, files, above, ticket: this.#last + 1 };
    if (this.#syncing.has(directory)) this.#later.set(directory, merged(this.#later.get(directory), write));
    else this.#write(write);
    return ++this.#last;
  }

  /** Whether files of a directory are on their way. */
  isBusy(directory: string): boolean {
    return this.#written.has(directory) || this.#syncing.has(directory);
  }

  #write(write: Write): void {
    const { directory, files } = write;
    for (const file of files) this.#disk.writeWhole(writtenAs(directory, file), file.content, false);
    if (files.some(({ isNew }) => isNew === true)) this.#noteChanged(write);
    this.#written.set(directory, merged(this.#written.get(directory), write));
  }

  #noteChanged({ directory, above }: Write): void {
    for (const path of [directory, ...above]) this.#changed.add(path);
  }

  /** A directory is removed, with what was to be written into it; the one it was in is synced. */
  remove(directory: string, parent: string): number {
    for (const writes of [this.#written, this.#syncing, this.#later]) writes.delete(directory);
    this.#changed.delete(directory);
    this.#changed.add(parent);
    this.#named.push(++this.#last);
    return this.#last;
  }

  /** A round begins: what it is to sync. Throws a DiskFault. */
  takeUnsynced(): OpenFile[] {
    const files: OpenFile[] = [];
    try {
      for (const directory of this.#changed) files.push(this.#disk.openDirectory(directory));
      for (const { directory, files: written } of this.#written.values())
        for (const file of written) files.push(this.#disk.open(writtenAs(directory, file), false));
    } catch (fault) {
      for (const file of files) this.#disk.close(file);
      throw fault;
    }
    this.#syncingChanged = this.#changed;
    this.#syncingNamed = this.#named;
    this.#changed = new Set();
    this.#named = [];
    this.#syncing = this.#written;
    this.#written = new Map();
    for (const file of files) this.#open.add(file);
    return files;
  }

  /** After a fault: what was under way is written once more. Throws a DiskFault. */
  again(): void {
    const writes = [...this.#syncing.values()];
    this.#syncing = new Map();
    for (const path of this.#syncingChanged) this.#changed.add(path);
    this.#named = [...this.#named, ...this.#syncingNamed];
    for (const write of writes) {
      if (this.#written.has(write.directory)) continue;
      this.#write(write);
      this.#noteChanged(write);
    }
  }

  /** The sync of a file is through. False: it is none of these. */
  synced(file: OpenFile): boolean {
    if (!this.#open.delete(file)) return false;
    this.#disk.close(file);
    return true;
  }

  /** The round is through. True: there is more for the next one. Throws a DiskFault. */
  settled(): boolean {
    const writes = this.#syncing;
    this.#syncing = new Map();
    this.#syncingChanged = new Set();
    this.#syncingNamed = [];
    for (const write of writes.values()) {
      if (!renames(write)) continue;
      for (const file of write.files)
        if (file.isNew !== true) this.#disk.rename(writtenAs(write.directory, file), `${write.directory}/${file.name}`);
      this.#noteChanged(write);
      this.#named.push(write.ticket);
    }
    for (const [directory, write] of [...this.#later]) {
      this.#later.delete(directory);
      this.#write(write);
    }
    const waiting = [...this.#named, ...[...this.#written.values()].map(({ ticket }) => ticket)];
    this.#durable = Math.max(this.#durable, waiting.reduce((least, ticket) => Math.min(least, ticket), this.#last + 1) - 1);
    return this.#changed.size > 0 || this.#written.size > 0;
  }
}
