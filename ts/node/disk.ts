// The disk port made real: node:fs for files, threads for syncs, mmap-io for maps where the addon is there.

import fs from 'node:fs';
import { basename, dirname } from 'node:path';
import { DiskFault } from '../ports/disk.ts';
import type { DirectoryEntry, Disk, MappedFile, OpenFile, SyncFailure } from '../ports/disk.ts';
import { loadMmap, type MmapModule } from './mmap.ts';
import { QuickSyncs } from './quick-syncs.ts';
import { Removals } from './removals.ts';
import { SyncPool } from './sync-pool.ts';
import { type FailedSync, SyncThread } from './sync-thread.ts';
import { messageOf } from '../lib/message-of.ts';

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
/** So many files are synced one after the other: more at once take less time and more CPU. */
const FEW = 8;
/** Bytes of a read that the system does not do by halves. */
const SMALL = 64;

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EIO';
}

function fault(error: unknown, path: string): DiskFault {
  const message = messageOf(error);
  return new DiskFault(codeOf(error), path, `${path}: ${message}`, error);
}

/** Runs a file operation; whatever it throws becomes a DiskFault of `path`. */
function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fault(error, path);
  }
}

function failuresOf(files: readonly OpenFile[], failed: readonly FailedSync[]): SyncFailure[] {
  const failures: SyncFailure[] = [];
  for (const [descriptor, code, message] of failed) {
    for (const file of files) {
      if (descriptor !== -1 && file.descriptor !== descriptor) continue;
      failures.push({ file, fault: new DiskFault(code, file.path, `${file.path}: ${message}`) });
    }
  }
  return failures;
}

export class NodeDisk implements Disk {
  readonly #thread = new SyncThread();
  readonly #pool = new SyncPool();
  readonly #quick = new QuickSyncs();
  readonly #removals: Removals;
  #discarded = 0;
  /** Bytes written since files were last synced. */
  #written = 0;
  readonly #mapless: (reason: string) => void;
  #mmap: MmapModule | null | undefined;

  /**
   * `mapless` is told once, when a map is first wanted, why there are none on this machine: what would be mapped is read. `stays` is told what
   * could not be removed.
   */
  constructor(mapless: (reason: string) => void = () => {}, stays: (fault: DiskFault) => void = () => {}) {
    this.#mapless = mapless;
    this.#removals = new Removals((path, error) => stays(fault(error, path)));
  }

  exists(path: string): boolean {
    return fs.existsSync(path);
  }

  list(path: string): DirectoryEntry[] {
    return guarded(path, () => {
      if (!fs.existsSync(path)) return [];
      return fs.readdirSync(path, { withFileTypes: true }).map((entry) => ({ name: entry.name, directory: entry.isDirectory() }));
    });
  }

  makeDirectory(path: string): boolean {
    return guarded(path, () => fs.mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE })) !== undefined;
  }

  readWhole(path: string): Uint8Array | undefined {
    try {
      // An error costs far more than the question.
      if (fs.statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
      return fs.readFileSync(path);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw fault(error, path);
    }
  }

  writeWhole(path: string, content: Uint8Array, durable: boolean): void {
    guarded(path, () => {
      const descriptor = fs.openSync(path, 'w', FILE_MODE);
      try {
        for (let at = 0; at < content.length;) at += fs.writeSync(descriptor, content, at);
        if (durable) fs.fsyncSync(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
    });
  }

  replace(path: string, content: Uint8Array, durable: boolean): void {
    const temporary = `${path}.tmp`;
    this.writeWhole(temporary, content, durable);
    this.rename(temporary, path);
    if (durable) this.syncDirectory(dirname(path));
  }

  rename(from: string, to: string): void {
    guarded(from, () => fs.renameSync(from, to));
  }

  remove(path: string): void {
    guarded(path, () => fs.rmSync(path, { force: true }));
  }

  removeTree(path: string): void {
    guarded(path, () => fs.rmSync(path, { recursive: true, force: true }));
  }

  discard(path: string, into: string): void {
    if (this.#moveInto(path, into)) this.#removals.add(into);
    else this.removeTree(path);
  }

  /** False: it is where it was. A disk may have no room for a directory. */
  #moveInto(path: string, into: string): boolean {
    const target = `${into}/${++this.#discarded}-${basename(path)}`;
    for (let tries = 0; tries < 3; tries++) {
      try {
        // What is in it is removed meanwhile, and then it goes.
        if (tries > 0) this.makeDirectory(into);
        this.rename(path, target);
        return true;
      } catch {
        if (!fs.existsSync(path)) return false;
      }
    }
    return false;
  }

  discardTree(path: string): void {
    if (fs.existsSync(path)) this.#removals.add(path);
  }

  syncDirectory(path: string): void {
    guarded(path, () => {
      const descriptor = fs.openSync(path, 'r');
      try {
        fs.fsyncSync(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
    });
  }

  open(path: string, create: boolean): OpenFile {
    const flags = fs.constants.O_RDWR | (create ? fs.constants.O_CREAT : 0);
    return { descriptor: guarded(path, () => fs.openSync(path, flags, FILE_MODE)), path };
  }

  openDirectory(path: string): OpenFile {
    return { descriptor: guarded(path, () => fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)), path };
  }

  close(file: OpenFile): void {
    guarded(file.path, () => fs.closeSync(file.descriptor));
  }

  size(file: OpenFile): number {
    return guarded(file.path, () => fs.fstatSync(file.descriptor).size);
  }

  read(file: OpenFile, into: Uint8Array, offset: number): number {
    return guarded(file.path, () => {
      let have = 0;
      while (have < into.length) {
        const count = fs.readSync(file.descriptor, into, have, into.length - have, offset + have);
        have += count;
        // So little comes in one piece, unless the file ends.
        if (count === 0 || into.length <= SMALL) break;
      }
      return have;
    });
  }

  write(file: OpenFile, views: readonly Uint8Array[], offset: number): void {
    const [first] = views;
    if (first === undefined) return;
    const wanted = views.reduce((sum, view) => sum + view.length, 0);
    const count = guarded(file.path, () =>
      views.length === 1
        ? fs.writeSync(file.descriptor, first, 0, first.length, offset)
        : fs.writevSync(file.descriptor, [...views], offset),
    );
    this.#written += count;
    if (count !== wanted)
      throw new DiskFault('SHORT', file.path, `${file.path}: wrote ${count} of ${wanted} bytes, the disk may be full`);
  }

  writeApart(file: OpenFile, bytes: Uint8Array, offset: number, done: (fault: DiskFault | undefined) => void): void {
    fs.write(file.descriptor, bytes, 0, bytes.length, offset, (error, count) => {
      if (error !== null) return done(fault(error, file.path));
      this.#written += count;
      if (count === bytes.length) return done(undefined);
      // The rest says why, where the disk is full.
      if (count > 0) return this.writeApart(file, bytes.subarray(count), offset + count, done);
      done(new DiskFault('SHORT', file.path, `${file.path}: wrote none of ${bytes.length} bytes, the disk may be full`));
    });
  }

  cut(file: OpenFile, length: number): void {
    guarded(file.path, () => fs.ftruncateSync(file.descriptor, length));
  }

  sync(files: readonly OpenFile[], done: (failures: readonly SyncFailure[]) => void): void {
    const descriptors = files.map((file) => file.descriptor);
    const written = this.#written;
    this.#written = 0;
    const failed = this.#quick.sync(descriptors, written);
    if (failed !== undefined) return done(failuresOf(files, failed));
    const isForThread = descriptors.length <= FEW && this.#thread.hasRoom(descriptors.length);
    (isForThread ? this.#thread : this.#pool).sync(descriptors, (failedThere) => {
      this.#quick.ended();
      done(failuresOf(files, failedThere));
    });
  }

  map(file: OpenFile, size: number): MappedFile | undefined {
    const mmap = this.#loadMmap();
    if (mmap === null) return undefined;
    try {
      const bytes = mmap.map(size, mmap.PROT_READ, mmap.MAP_SHARED, file.descriptor, 0);
      return { bytes, letGo: () => mmap.advise(bytes, mmap.MADV_DONTNEED) };
    } catch {
      return undefined;
    }
  }

  /** The addon is optional: without it blocks are read. */
  #loadMmap(): MmapModule | null {
    if (this.#mmap !== undefined) return this.#mmap;
    try {
      this.#mmap = loadMmap();
    } catch (error) {
      this.#mmap = null;
      this.#mapless(messageOf(error).split('\n', 1)[0] ?? '');
    }
    return this.#mmap;
  }

  async stop(): Promise<void> {
    await this.#removals.stop();
    await this.#pool.stop();
    await this.#thread.stop();
  }
}
