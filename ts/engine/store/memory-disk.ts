// The disk port over buffers: where streams with `storage: memory` live. Nothing outlasts the process, and a sync is through at once.
//
// A file's buffer doubles as it grows, so that appends cost a copy of what is appended; the last doubling is given back when the file is closed.

import { DiskFault } from '../../ports/disk.ts';
import type { DirectoryEntry, Disk, MappedFile, OpenFile, SyncFailure } from '../../ports/disk.ts';

const SMALLEST = 4096;
const NOTHING = new Uint8Array(0);

class MemoryFile {
  #bytes: Uint8Array = NOTHING;
  size = 0;

  content(): Uint8Array {
    return this.#bytes.subarray(0, this.size);
  }

  write(views: readonly Uint8Array[], offset: number): void {
    const length = views.reduce((sum, view) => sum + view.length, 0);
    if (offset + length > this.#bytes.length) this.#resize(Math.max(SMALLEST, 2 * this.#bytes.length, offset + length));
    let at = offset;
    for (const view of views) {
      this.#bytes.set(view, at);
      at += view.length;
    }
    this.size = Math.max(this.size, at);
  }

  #resize(capacity: number): void {
    const grown = new Uint8Array(capacity);
    grown.set(this.content());
    this.#bytes = grown;
  }

  cut(length: number): void {
    this.size = Math.min(this.size, length);
  }

  trim(): void {
    if (this.#bytes.length > this.size) this.#resize(this.size);
  }
}

export class MemoryDisk implements Disk {
  readonly #files = new Map<string, MemoryFile>();
  readonly #directories = new Set<string>();
  readonly #open = new Map<number, MemoryFile>();
  #lastDescriptor = 0;

  exists(path: string): boolean {
    return this.#files.has(path) || this.#directories.has(path);
  }

  list(path: string): DirectoryEntry[] {
    const below = `${path}/`;
    const isHere = (other: string): boolean => other.startsWith(below) && !other.includes('/', below.length);
    const found: DirectoryEntry[] = [];
    for (const other of this.#directories) if (isHere(other)) found.push({ name: other.slice(below.length), directory: true });
    for (const other of this.#files.keys()) if (isHere(other)) found.push({ name: other.slice(below.length), directory: false });
    return found;
  }

  makeDirectory(path: string): void {
    for (let at = path.length; at > 0; at = path.lastIndexOf('/', at - 1)) this.#directories.add(path.slice(0, at));
  }

  readWhole(path: string): Uint8Array | undefined {
    const file = this.#files.get(path);
    return file === undefined ? undefined : Uint8Array.from(file.content());
  }

  writeWhole(path: string, content: Uint8Array): void {
    const file = new MemoryFile();
    file.write([content], 0);
    file.trim();
    this.#files.set(path, file);
  }

  replace(path: string, content: Uint8Array): void {
    this.writeWhole(path, content);
  }

  rename(from: string, to: string): void {
    const file = this.#files.get(from);
    if (file !== undefined) {
      this.#files.delete(from);
      this.#files.set(to, file);
      return;
    }
    if (!this.#directories.has(from)) throw new DiskFault('ENOENT', from, `${from}: no such file`);
    const moved = (path: string): string | undefined =>
      path === from || path.startsWith(`${from}/`) ? to + path.slice(from.length) : undefined;
    for (const [path, below] of [...this.#files]) {
      const target = moved(path);
      if (target === undefined) continue;
      this.#files.delete(path);
      this.#files.set(target, below);
    }
    for (const path of [...this.#directories]) {
      const target = moved(path);
      if (target === undefined) continue;
      this.#directories.delete(path);
      this.#directories.add(target);
    }
  }

  remove(path: string): void {
    this.#files.delete(path);
  }

  removeTree(path: string): void {
    const isBelow = (other: string): boolean => other === path || other.startsWith(`${path}/`);
    for (const other of [...this.#files.keys()]) if (isBelow(other)) this.#files.delete(other);
    for (const other of [...this.#directories]) if (isBelow(other)) this.#directories.delete(other);
  }

  syncDirectory(): void {}

  #opened(path: string, file: MemoryFile): OpenFile {
    const descriptor = ++this.#lastDescriptor;
    this.#open.set(descriptor, file);
    return { descriptor, path };
  }

  #file({ descriptor, path }: OpenFile): MemoryFile {
    const file = this.#open.get(descriptor);
    if (file === undefined) throw new DiskFault('EBADF', path, `${path}: not an open file`);
    return file;
  }

  open(path: string, create: boolean): OpenFile {
    if (create && !this.#files.has(path)) this.#files.set(path, new MemoryFile());
    const file = this.#files.get(path);
    if (file === undefined) throw new DiskFault('ENOENT', path, `${path}: no such file`);
    return this.#opened(path, file);
  }

  openDirectory(path: string): OpenFile {
    return this.#opened(path, new MemoryFile());
  }

  close(file: OpenFile): void {
    this.#file(file).trim();
    this.#open.delete(file.descriptor);
  }

  size(file: OpenFile): number {
    return this.#file(file).size;
  }

  read(file: OpenFile, into: Uint8Array, offset: number): number {
    const bytes = this.#file(file)
      .content()
      .subarray(offset, offset + into.length);
    into.set(bytes);
    return bytes.length;
  }

  write(file: OpenFile, views: readonly Uint8Array[], offset: number): void {
    this.#file(file).write(views, offset);
  }

  cut(file: OpenFile, length: number): void {
    this.#file(file).cut(length);
  }

  sync(_files: readonly OpenFile[], done: (failures: readonly SyncFailure[]) => void): void {
    done([]);
  }

  map(): MappedFile | undefined {
    return undefined;
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}
