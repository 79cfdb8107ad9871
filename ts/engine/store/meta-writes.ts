// Metadata on its way to disk, in the rounds of its stream: files are written under temporary names, synced by the round under way, renamed
// when that is through, and the directories that changed are synced by the next. So a hundred creations cost two syncs of each file and no
// wait on the event loop.
//
// What stays true: a file has its name only when its content is on disk; what `put` returned is durable when `durable` has come to it. Files
// of one directory are renamed in the order they were given.

import type { Disk, OpenFile } from '../../ports/disk.ts';

export interface MetaFile {
  readonly name: string;
  readonly content: Uint8Array;
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

export class MetaWrites {
  readonly #disk: Disk;
  #last = 0;
  #durable = 0;
  /** Written, for the next round. */
  #written = new Map<string, Write>();
  /** Files under way to the disk. */
  #syncing = new Map<string, Write>();
  /** The temporary names are in use by the round: to be written behind it. */
  readonly #later = new Map<string, Write>();
  /** Directories with new entries. */
  #changed = new Set<string>();
  readonly #open = new Set<OpenFile>();
  /** What the round under way makes durable, and what of its files will be renamed behind it. */
  #renamed = 0;
  #roundRenamed = 0;
  #roundWritten = 0;

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

  /** Whether a directory's temporary names are in use. */
  isBusy(directory: string): boolean {
    return this.#written.has(directory) || this.#syncing.has(directory);
  }

  #write(write: Write): void {
    for (const { name, content } of write.files) this.#disk.writeWhole(`${write.directory}/${name}.tmp`, content, false);
    this.#written.set(write.directory, merged(this.#written.get(write.directory), write));
  }

  /** A directory is removed, with what was to be written into it; the one it was in is synced. */
  remove(directory: string, parent: string): number {
    for (const writes of [this.#written, this.#syncing, this.#later]) writes.delete(directory);
    this.#changed.delete(directory);
    this.#changed.add(parent);
    return ++this.#last;
  }

  get #writtenUpTo(): number {
    let upTo = this.#last;
    for (const { ticket } of this.#later.values()) upTo = Math.min(upTo, ticket - 1);
    return upTo;
  }

  /** A round begins: what it is to sync. Throws a DiskFault. */
  takeUnsynced(): OpenFile[] {
    const files: OpenFile[] = [];
    try {
      for (const directory of this.#changed) files.push(this.#disk.openDirectory(directory));
      for (const { directory, files: written } of this.#written.values()) {
        for (const { name } of written) files.push(this.#disk.open(`${directory}/${name}.tmp`, false));
      }
    } catch (fault) {
      for (const file of files) this.#disk.close(file);
      throw fault;
    }
    this.#roundRenamed = this.#renamed;
    this.#roundWritten = this.#writtenUpTo;
    this.#changed = new Set();
    this.#syncing = this.#written;
    this.#written = new Map();
    for (const file of files) this.#open.add(file);
    return files;
  }

  /** After a fault: what was under way is written once more. Throws a DiskFault. */
  again(): void {
    const writes = [...this.#syncing.values()];
    this.#syncing = new Map();
    for (const write of writes) {
      if (this.#written.has(write.directory)) continue;
      this.#write(write);
      for (const path of [write.directory, ...write.above]) this.#changed.add(path);
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
    this.#durable = Math.max(this.#durable, this.#roundRenamed);
    for (const { directory, files, above } of writes.values()) {
      for (const { name } of files) this.#disk.rename(`${directory}/${name}.tmp`, `${directory}/${name}`);
      for (const path of [directory, ...above]) this.#changed.add(path);
    }
    this.#renamed = Math.max(this.#renamed, this.#roundWritten);
    if (this.#changed.size === 0) this.#durable = Math.max(this.#durable, this.#renamed);
    for (const [directory, write] of [...this.#later]) {
      this.#later.delete(directory);
      this.#write(write);
    }
    return this.#changed.size > 0 || this.#written.size > 0;
  }
}
