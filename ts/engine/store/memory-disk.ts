// The disk port over buffers: where streams with `storage: memory` live. Nothing outlasts the process, and a sync is through at once.
//
// A file is in pieces, so that it grows without copying what it has; the first doubles until it is a whole one, for there are many small files.
// What the last one has too much is given back when the file is closed. Whole pieces come from a stock (memory-pieces.ts), and return there.

import { copyBytes } from '../../kernel/copy.ts';
import { DiskFault } from '../../ports/disk.ts';
import { MemoryPieces, PIECE } from './memory-pieces.ts';
import type { Clock } from '../../ports/clock.ts';
import type { DirectoryEntry, Disk, MappedFile, OpenFile, SyncFailure } from '../../ports/disk.ts';

const SMALLEST = 4096;

class MemoryFile {
  readonly #stock: MemoryPieces;
  /** All but the last one are whole. */
  readonly #pieces: Uint8Array[] = [];
  size = 0;
  /** How often it is open, and whether no name leads to it any more. */
  #opened = 0;
  #unlinked = false;

  constructor(stock: MemoryPieces) {
    this.#stock = stock;
  }

  opened(): void {
    this.#opened++;
  }

  closed(): void {
    this.#opened--;
    if (this.#unlinked) this.#letGo();
    else this.trim();
  }

  unlinked(): void {
    this.#unlinked = true;
    this.#letGo();
  }

  #letGo(): void {
    if (this.#opened === 0) this.cut(0);
  }

  write(views: readonly Uint8Array[], offset: number): void {
    if (offset > this.size) this.write([new Uint8Array(offset - this.size)], this.size);
    let at = offset;
    for (const view of views) {
      for (let done = 0; done < view.length;) {
        const { piece, from } = this.#place(at, view.length - done);
        const part = view.subarray(done, done + piece.length - from);
        copyBytes(piece.subarray(from), part);
        done += part.length;
        at += part.length;
      }
    }
    this.size = Math.max(this.size, at);
  }

  /** The piece of an offset, made or grown to take `length` bytes, or as many as it can. */
  #place(offset: number, length: number): { readonly piece: Uint8Array; readonly from: number } {
    const number = Math.floor(offset / PIECE);
    const from = offset % PIECE;
    while (this.#pieces.length <= number) {
      if (this.#pieces.length > 0) this.#resize(PIECE);
      this.#pieces.push(number === 0 ? new Uint8Array(0) : this.#stock.take());
    }
    const there = (this.#pieces[number] as Uint8Array).length;
    const wanted = Math.min(PIECE, from + length);
    if (wanted > there) this.#resize(number > 0 ? PIECE : Math.min(PIECE, Math.max(SMALLEST, 2 * there, wanted)));
    return { piece: this.#pieces[number] as Uint8Array, from };
  }

  /** Gives the last piece another length. */
  #resize(length: number): void {
    const last = this.#pieces.at(-1);
    if (last === undefined || last.length === length) return;
    const resized = length === PIECE ? this.#stock.take() : new Uint8Array(length);
    copyBytes(resized, last.subarray(0, length));
    this.#stock.give(last);
    this.#pieces[this.#pieces.length - 1] = resized;
  }

  read(into: Uint8Array, offset: number): number {
    const length = Math.max(0, Math.min(into.length, this.size - offset));
    for (let done = 0; done < length;) {
      const from = (offset + done) % PIECE;
      const part = (this.#pieces[Math.floor((offset + done) / PIECE)] as Uint8Array).subarray(from, from + length - done);
      copyBytes(into.subarray(done), part);
      done += part.length;
    }
    return length;
  }

  whole(): Uint8Array {
    const bytes = new Uint8Array(this.size);
    this.read(bytes, 0);
    return bytes;
  }

  cut(length: number): void {
    this.size = Math.min(this.size, length);
    for (const piece of this.#pieces.splice(Math.ceil(this.size / PIECE))) this.#stock.give(piece);
  }

  trim(): void {
    this.cut(this.size);
    if (this.size > 0) this.#resize(this.size - (this.#pieces.length - 1) * PIECE);
  }
}

/** `writeApart` of a disk that has nothing to do it apart from. */
export function writeAtOnce(
  disk: Pick<Disk, 'write'>,
  { file, bytes, offset }: { readonly file: OpenFile; readonly bytes: Uint8Array; readonly offset: number },
  done: (fault: DiskFault | undefined) => void,
): void {
  try {
    disk.write(file, [bytes], offset);
  } catch (error) {
    if (!(error instanceof DiskFault)) throw error;
    return done(error);
  }
  done(undefined);
}

export class MemoryDisk implements Disk {
  readonly #stock: MemoryPieces;
  readonly #files = new Map<string, MemoryFile>();
  readonly #directories = new Set<string>();
  readonly #open = new Map<number, MemoryFile>();
  #lastDescriptor = 0;

  constructor(clock: Clock) {
    this.#stock = new MemoryPieces(clock);
  }

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

  makeDirectory(path: string): boolean {
    if (this.#directories.has(path)) return false;
    for (let at = path.length; at > 0; at = path.lastIndexOf('/', at - 1)) this.#directories.add(path.slice(0, at));
    return true;
  }

  readWhole(path: string): Uint8Array | undefined {
    return this.#files.get(path)?.whole();
  }

  writeWhole(path: string, content: Uint8Array): void {
    const file = new MemoryFile(this.#stock);
    file.write([content], 0);
    file.trim();
    this.#link(path, file);
  }

  /** Gives a file a name, which another may have had. */
  #link(path: string, file: MemoryFile): void {
    this.#files.get(path)?.unlinked();
    this.#files.set(path, file);
  }

  #unlink(path: string): void {
    this.#files.get(path)?.unlinked();
    this.#files.delete(path);
  }

  replace(path: string, content: Uint8Array): void {
    this.writeWhole(path, content);
  }

  rename(from: string, to: string): void {
    const file = this.#files.get(from);
    if (file !== undefined) {
      this.#files.delete(from);
      this.#link(to, file);
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
    this.#unlink(path);
  }

  removeTree(path: string): void {
    const isBelow = (other: string): boolean => other === path || other.startsWith(`${path}/`);
    for (const other of [...this.#files.keys()]) if (isBelow(other)) this.#unlink(other);
    for (const other of [...this.#directories]) if (isBelow(other)) this.#directories.delete(other);
  }

  discard(path: string): void {
    if (this.#files.has(path)) this.#unlink(path);
    else this.removeTree(path);
  }

  discardTree(path: string): void {
    this.removeTree(path);
  }

  syncDirectory(): void {}

  #opened(path: string, file: MemoryFile): OpenFile {
    const descriptor = ++this.#lastDescriptor;
    this.#open.set(descriptor, file);
    file.opened();
    return { descriptor, path };
  }

  #file({ descriptor, path }: OpenFile): MemoryFile {
    const file = this.#open.get(descriptor);
    if (file === undefined) throw new DiskFault('EBADF', path, `${path}: not an open file`);
    return file;
  }

  open(path: string, create: boolean): OpenFile {
    if (create && !this.#files.has(path)) this.#files.set(path, new MemoryFile(this.#stock));
    const file = this.#files.get(path);
    if (file === undefined) throw new DiskFault('ENOENT', path, `${path}: no such file`);
    return this.#opened(path, file);
  }

  openDirectory(path: string): OpenFile {
    return this.#opened(path, new MemoryFile(this.#stock));
  }

  close(file: OpenFile): void {
    this.#file(file).closed();
    this.#open.delete(file.descriptor);
  }

  size(file: OpenFile): number {
    return this.#file(file).size;
  }

  read(file: OpenFile, into: Uint8Array, offset: number): number {
    return this.#file(file).read(into, offset);
  }

  write(file: OpenFile, views: readonly Uint8Array[], offset: number): void {
    this.#file(file).write(views, offset);
  }

  writeApart(file: OpenFile, bytes: Uint8Array, offset: number, done: (fault: DiskFault | undefined) => void): void {
    writeAtOnce(this, { file, bytes, offset }, done);
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
    this.#stock.stop();
    return Promise.resolve();
  }
}
