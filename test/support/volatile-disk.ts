/**
 * A disk in memory that forgets in a power failure whatever was not synced: file contents without a sync of the file, names without a sync of
 * their directory. What is left is written to a real folder, for a store to open.
 *
 * A sync that fails loses what it was to write, as on Linux: every sync of the file that is under way fails too, and one that comes later says
 * that all is well. Only what is written again afterwards gets to the disk.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { writeAtOnce } from '../../ts/engine/store/memory-disk.ts';
import { DiskFault } from '../../ts/ports/disk.ts';
import type { DirectoryEntry, Disk, MappedFile, OpenFile, SyncFailure } from '../../ts/ports/disk.ts';
import { VolatileFile } from './volatile-file.ts';

class Directory {
  readonly entries = new Map<string, Node>();
  synced = new Map<string, Node>();
  syncNumber = 0;
}

type Node = VolatileFile | Directory;

/** A sync under way. */
interface Waiting {
  readonly end: (code?: string) => void;
  readonly keep: (file: number) => void;
  /** What it has not written is written by others. */
  readonly drop: () => void;
  readonly files: number;
}

export class VolatileDisk implements Disk {
  readonly #root = new Directory();
  readonly #open = new Map<number, Node>();
  readonly #waiting: Waiting[] = [];
  #lastDescriptor = 0;
  #lastSync = 0;

  #names(path: string): string[] {
    return path.split('/').filter((name) => name !== '');
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const name of this.#names(path)) node = node instanceof Directory ? node.entries.get(name) : undefined;
    return node;
  }

  #parent(path: string): { readonly directory: Directory; readonly name: string } {
    const directory = this.#find(dirname(path));
    if (!(directory instanceof Directory)) throw new DiskFault('ENOENT', path, `${path}: no such directory`);
    return { directory, name: this.#names(path).at(-1) ?? '' };
  }

  #file(file: OpenFile): VolatileFile {
    const node = this.#open.get(file.descriptor);
    if (!(node instanceof VolatileFile)) throw new DiskFault('EBADF', file.path, `${file.path}: not an open file`);
    return node;
  }

  exists(path: string): boolean {
    return this.#find(path) !== undefined;
  }

  list(path: string): DirectoryEntry[] {
    const node = this.#find(path);
    if (!(node instanceof Directory)) return [];
    return [...node.entries].map(([name, entry]) => ({ name, directory: entry instanceof Directory }));
  }

  makeDirectory(path: string): boolean {
    if (this.exists(path)) return false;
    let node = this.#root;
    for (const name of this.#names(path)) {
      const next = node.entries.get(name) ?? new Directory();
      node.entries.set(name, next);
      if (next instanceof Directory) node = next;
    }
    return true;
  }

  readWhole(path: string): Uint8Array | undefined {
    const node = this.#find(path);
    return node instanceof VolatileFile ? Buffer.from(node.content) : undefined;
  }

  writeWhole(path: string, content: Uint8Array, durable: boolean): void {
    const { directory, name } = this.#parent(path);
    const file = directory.entries.get(name) ?? new VolatileFile();
    if (!(file instanceof VolatileFile)) throw new DiskFault('EISDIR', path, `${path}: a directory`);
    directory.entries.set(name, file);
    file.replaced(content);
    if (!durable) return;
    const writing = file.begin(++this.#lastSync);
    file.keep(writing);
    file.end(writing);
  }

  replace(path: string, content: Uint8Array, durable: boolean): void {
    this.remove(`${path}.tmp`);
    this.writeWhole(`${path}.tmp`, content, durable);
    this.rename(`${path}.tmp`, path);
    if (durable) this.syncDirectory(dirname(path));
  }

  rename(from: string, to: string): void {
    const node = this.#find(from);
    if (node === undefined) throw new DiskFault('ENOENT', from, `${from}: no such file`);
    this.remove(from);
    const { directory, name } = this.#parent(to);
    directory.entries.set(name, node);
  }

  remove(path: string): void {
    const { directory, name } = this.#parent(path);
    directory.entries.delete(name);
  }

  removeTree(path: string): void {
    if (this.exists(path)) this.remove(path);
  }

  discard(path: string): void {
    this.removeTree(path);
  }

  discardTree(path: string): void {
    this.removeTree(path);
  }

  syncDirectory(path: string): void {
    const node = this.#find(path);
    if (!(node instanceof Directory)) return;
    node.synced = new Map(node.entries);
    node.syncNumber = ++this.#lastSync;
  }

  #opens(node: Node, path: string): OpenFile {
    const descriptor = ++this.#lastDescriptor;
    this.#open.set(descriptor, node);
    return { descriptor, path };
  }

  open(path: string, create: boolean): OpenFile {
    let node = this.#find(path);
    if (node === undefined && create) {
      this.writeWhole(path, new Uint8Array(0), false);
      node = this.#find(path);
    }
    if (!(node instanceof VolatileFile)) throw new DiskFault('ENOENT', path, `${path}: no such file`);
    return this.#opens(node, path);
  }

  openDirectory(path: string): OpenFile {
    const node = this.#find(path);
    if (!(node instanceof Directory)) throw new DiskFault('ENOENT', path, `${path}: no such directory`);
    return this.#opens(node, path);
  }

  close(file: OpenFile): void {
    if (!this.#open.delete(file.descriptor)) throw new DiskFault('EBADF', file.path, `${file.path}: closed twice`);
  }

  size(file: OpenFile): number {
    return this.#file(file).content.length;
  }

  read(file: OpenFile, into: Uint8Array, offset: number): number {
    return this.#file(file).content.copy(into, 0, offset);
  }

  write(file: OpenFile, views: readonly Uint8Array[], offset: number): void {
    const node = this.#file(file);
    const end = node.content.length;
    const bytes = Buffer.concat(views);
    if (offset !== end && offset + bytes.length > end) throw new Error(`${file.path}: written at ${offset}, ends at ${end}`);
    node.content = Buffer.concat([node.content.subarray(0, offset), bytes, node.content.subarray(offset + bytes.length)]);
    node.wrote(offset, offset + bytes.length);
  }

  writeApart(file: OpenFile, bytes: Uint8Array, offset: number, done: (fault: DiskFault | undefined) => void): void {
    writeAtOnce(this, { file, bytes, offset }, done);
  }

  cut(file: OpenFile, length: number): void {
    this.#file(file).cut(length);
  }

  /** Waits for `finishSync`. */
  sync(files: readonly OpenFile[], done: (failures: readonly SyncFailure[]) => void): void {
    const nodes = files.map((file) => {
      const node = this.#open.get(file.descriptor);
      if (node === undefined) throw new DiskFault('EBADF', file.path, `${file.path}: synced after it was closed`);
      return node;
    });
    // What is synced is what there is when the sync ends, or any earlier state: the earliest is the hardest.
    const number = ++this.#lastSync;
    const before = nodes.map((node) => (node instanceof VolatileFile ? node.begin(number) : new Map(node.entries)));
    const keep = (i: number): void => {
      const [node, state] = [nodes[i], before[i]];
      if (node instanceof VolatileFile && state !== undefined && !(state instanceof Map)) {
        if (state.failures === node.failures) node.keep(state);
      } else if (node instanceof Directory && state instanceof Map && node.syncNumber < number) {
        node.synced = state;
        node.syncNumber = number;
      }
    };
    const end = (code?: string): void => {
      const failures: SyncFailure[] = [];
      for (const [i, node] of nodes.entries()) {
        const [file, state] = [files[i], before[i]];
        if (file === undefined || state === undefined) continue;
        if (code === undefined) keep(i);
        else if (node instanceof VolatileFile) node.failures++;
        if (node instanceof VolatileFile && !(state instanceof Map)) node.end(state);
        const hasFailed =
          code !== undefined || (node instanceof VolatileFile && !(state instanceof Map) && state.failures !== node.failures);
        if (hasFailed) failures.push({ file, fault: new DiskFault(code ?? 'EIO', file.path, `${code ?? 'EIO'}: sync`) });
      }
      done(failures);
    };
    const drop = (): void => {
      for (const [i, node] of nodes.entries()) {
        const state = before[i];
        if (node instanceof VolatileFile && state !== undefined && !(state instanceof Map)) node.drop(state);
      }
      done(files.map((file) => ({ file, fault: new DiskFault('EIO', file.path, `${file.path}: killed`) })));
    };
    this.#waiting.push({ end, keep, drop, files: files.length });
  }

  /** Files that are open. */
  get opened(): number {
    return this.#open.size;
  }

  get syncing(): boolean {
    return this.#waiting.length > 0;
  }

  finishSync(at = 0): void {
    this.#waiting.splice(at, 1)[0]?.end();
  }

  /** Syncs go through until something has come to its end. */
  async through<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const ended = work.finally(() => (isOver = true));
    ended.catch(() => {});
    while (!isOver) {
      while (this.syncing) this.finishSync();
      await nextTurn();
    }
    return ended;
  }

  /** Of the files whose syncs are under way, the disk has some; nobody hears of it. */
  finishSome(chosen: (file: number) => boolean): void {
    let number = 0;
    for (const { keep, files } of this.#waiting) for (let i = 0; i < files; i++) if (chosen(number++)) keep(i);
  }

  /** The sync under way fails, for all its files. */
  failSync(code: string): void {
    this.#waiting.shift()?.end(code);
  }

  /** The process that used it is gone: of the syncs under way some files are on disk, the others wait for another sync. */
  killed(chosen: (file: number) => boolean): void {
    this.finishSome(chosen);
    for (const { drop } of this.#waiting.splice(0)) drop();
  }

  map(): MappedFile | undefined {
    return undefined;
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  /** Takes over a real folder, synced, as the directory `path`. */
  take(folder: string, path: string): void {
    this.makeDirectory(path);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const to = `${path}/${entry.name}`;
      if (entry.isDirectory()) this.take(join(folder, entry.name), to);
      else this.writeWhole(to, readFileSync(join(folder, entry.name)), true);
    }
    this.syncDirectory(path);
    this.syncDirectory(dirname(path));
  }

  /**
   * The power fails: what was synced goes to `folder`. A directory may be ahead of its last sync (`names: 'newest'`), as file systems write
   * names on their own; contents are as synced, or what `content` makes of that and the newest.
   */
  leaveIn(
    folder: string,
    names: 'synced' | 'newest' = 'synced',
    content: (synced: Buffer, newest: Buffer) => Buffer = (synced) => synced,
  ): void {
    const leave = (directory: Directory, path: string): void => {
      for (const [name, node] of names === 'synced' ? directory.synced : directory.entries) {
        const to = join(path, name);
        if (node instanceof VolatileFile) {
          writeFileSync(to, content(node.synced, node.content));
        } else {
          mkdirSync(to);
          leave(node, to);
        }
      }
    };
    leave(this.#root, folder);
  }
}
