// The block files of one stream: which there are, how long, and open descriptors for those in use. The block that is appended to stays
// open; others are opened when read and closed again when many are open. A file is always exactly as long as its records: a write that
// fails is cut back to where it began.
//
// Offsets and sizes are those of a block's content, whatever form its file has: plain, encrypted, or compressed.

import { BEFORE } from '../../core/journal/entry.ts';
import { copyBytes } from '../../kernel/copy.ts';
import type { ContentKey, KeyStream } from '../../ports/ciphers.ts';
import { DiskFault } from '../../ports/disk.ts';
import type { Disk, MappedFile, OpenFile } from '../../ports/disk.ts';
import type { BlockKeys } from './cipher/block-keys.ts';
import type { Maps } from './maps.ts';
import { purgedPath } from './removed.ts';
import { UnsyncedFiles } from './unsynced-files.ts';
import { packContent, unpackFile, type PackedFile, type Unpacked } from './unpacked.ts';
import type { Run } from '../../kernel/streams.ts';

/** The form of a block's file. */
export interface BlockForm {
  /** Undefined: it is not encrypted. */
  readonly key: ContentKey | undefined;
  readonly cipher: KeyStream | undefined;
  /** It is compressed. */
  readonly packed: boolean;
}

interface Block {
  readonly number: number;
  size: number;
  file: OpenFile | undefined;
  /** Has tombstones: they may stand for messages of earlier blocks. */
  tombstones: boolean;
  form: BlockForm;
  /** Rises when anything but an append changes the file. */
  version: number;
}

const PLAIN: BlockForm = { key: undefined, cipher: undefined, packed: false };

/** The code of a fault that is somebody else's writing: what the files have now is left as it is. */
export const FOREIGN = 'FOREIGN';

/** Where a stream's records end. */
export interface BlockEnd {
  readonly block: number;
  readonly offset: number;
}

export interface BlockFilesPorts {
  readonly disk: Disk;
  /** Shared by all streams. */
  readonly maps: Maps;
  readonly unpacked: Unpacked;
}

/** Bytes that were appended to a block. */
export interface Appended {
  readonly directory: string;
  readonly block: number;
  readonly offset: number;
  /** The last bytes in front of the offset, `BEFORE` of them. */
  readonly before: Uint8Array;
  /** As the file has them. */
  readonly views: readonly Uint8Array[];
}

/** Takes what was appended, so that the file needs no sync. False: it does. */
export type TakeAppended = (appended: Appended) => boolean;

/** A block as an archive has it. */
export interface ListedBlock extends BlockForm {
  readonly number: number;
  readonly size: number;
}

/** The bytes in front of the end of the file that was checked last, and room for one that should not be there. */
const END = new Uint8Array(BEFORE + 1);
/** A block of this size will have a successor before long, whose key is made in time. */
const NEXT_KEY_AT = 512 << 10;
/** Blocks of one stream kept open for reading. */
const MOST_OPEN = 32;
/** Reads of fewer bytes are not done through a map. */
const MAP_FROM = 16 << 10;

export class BlockFiles {
  readonly directory: string;
  readonly #disk: Disk;
  readonly #maps: Maps;
  readonly #unpacked: Unpacked;
  readonly #keys: BlockKeys | undefined;
  readonly #blocks = new Map<number, Block>();
  /** Blocks whose files are open, the one used least recently first. */
  readonly #open = new Set<Block>();
  /** The highest number there was. Blocks below it are complete: runs are written in order. */
  #newest = 0;
  readonly #unsynced: UnsyncedFiles;
  #directoryFile: OpenFile | undefined;
  /** Files beside the blocks that tell what is in them. */
  #described: readonly string[] = [];

  constructor({ disk, maps, unpacked }: BlockFilesPorts, directory: string, keys: BlockKeys | undefined) {
    this.#disk = disk;
    this.#unsynced = new UnsyncedFiles(disk);
    this.#maps = maps;
    this.#unpacked = unpacked;
    this.#keys = keys;
    this.directory = directory;
  }

  /** Whether new blocks are encrypted. */
  get isEncrypted(): boolean {
    return this.#keys !== undefined;
  }

  /** Enters a block that exists. */
  add(number: number, size: number, tombstones: boolean, form: BlockForm = PLAIN): void {
    this.#blocks.set(number, { number, size, file: undefined, tombstones, form, version: 0 });
    this.#newest = Math.max(this.#newest, number);
  }

  numbers(): number[] {
    return [...this.#blocks.keys()].sort((a, b) => a - b);
  }

  /** The blocks up to where records end, and how long each is. */
  upTo(end: BlockEnd): ListedBlock[] {
    const found = [...this.#blocks.values()].filter(({ number }) => number <= end.block).sort((a, b) => a.number - b.number);
    return found.map(({ number, size, form }) => ({
      number,
      size: number === end.block ? Math.min(size, end.offset) : size,
      ...form,
    }));
  }

  /** These files tell what is in the blocks as they are: they are removed before the first change. */
  describedBy(names: readonly string[]): void {
    this.#described = names;
  }

  /** Whether nothing was changed since. */
  get isDescribed(): boolean {
    return this.#described.length > 0;
  }

  /** Something is about to be changed. */
  changing(): void {
    if (this.#described.length === 0) return;
    for (const name of this.#described) this.#disk.remove(`${this.directory}/${name}`);
    this.#described = [];
    this.noteDirectory();
  }

  hasTombstones(number: number): boolean {
    return this.#blocks.get(number)?.tombstones ?? false;
  }

  noteTombstones(number: number): void {
    const block = this.#blocks.get(number);
    if (block !== undefined) block.tombstones = true;
  }

  #path(number: number): string {
    return `${this.directory}/${number}.blk`;
  }

  /**
   * Appends runs in order, one gathered write a block. `take` may take what is appended, as long as nothing else of the stream is to be synced.
   * Throws a DiskFault; then the failing file is cut back.
   */
  write(runs: readonly Run[], take?: TakeAppended): void {
    for (let i = 0; i < runs.length;) {
      const { block: number, offset } = runs[i] as Run;
      const views: Uint8Array[] = [];
      let end = offset;
      for (; i < runs.length && runs[i]?.block === number && runs[i]?.offset === end; i++) {
        const { bytes } = runs[i] as Run;
        views.push(bytes);
        end += bytes.length;
      }
      this.#append(number, offset, views, end, take);
    }
  }

  #append(number: number, offset: number, views: readonly Uint8Array[], end: number, take?: TakeAppended): void {
    this.changing();
    const block = this.#blocks.get(number) ?? this.create(number);
    const file = this.#use(block);
    this.#checkLength(file, offset);
    const written = enciphered(block.form, views, offset);
    try {
      this.#disk.write(file, written, offset);
    } catch (fault) {
      this.#disk.cut(file, offset);
      throw fault;
    }
    block.size = end;
    if (take !== undefined && this.#isTaken(take, block, written, offset)) this.#unsynced.addTaken(file);
    else this.#unsynced.add(file);
    if (offset < NEXT_KEY_AT && end >= NEXT_KEY_AT) this.#keys?.prepare(number + 1);
  }

  #isTaken(take: TakeAppended, { number }: Block, views: readonly Uint8Array[], offset: number): boolean {
    if (this.#unsynced.any || offset < BEFORE) return false;
    return take({ directory: this.directory, block: number, offset, before: END.subarray(0, BEFORE), views });
  }

  /** The file ends where we left it; its last bytes are in `END` then. Somebody else's records are neither written over nor cut away. */
  #checkLength(file: OpenFile, length: number): void {
    if (length >= BEFORE && this.#disk.read(file, END, length - BEFORE) === BEFORE) return;
    const found = this.#disk.size(file);
    if (found === length) return;
    const message = `${file.path} was changed by another program: it has ${found} bytes where ${length} were written`;
    throw new DiskFault(FOREIGN, file.path, message);
  }

  /** What an erased record is filled with: random bytes where its key stream has hidden something before. */
  filler(number: number, length: number): Uint8Array {
    const isEncrypted = this.#blocks.get(number)?.form.cipher !== undefined;
    return (isEncrypted ? this.#keys?.randomBytes(length) : undefined) ?? new Uint8Array(length);
  }

  /** Overwrites bytes of a block; its length stays. */
  patch(number: number, offset: number, bytes: Uint8Array): void {
    const block = this.#blocks.get(number);
    if (block === undefined || offset + bytes.length > block.size) return;
    this.changing();
    block.version++;
    if (block.form.packed) return this.#patchPacked(block, offset, bytes);
    const file = this.#use(block);
    this.#disk.write(file, enciphered(block.form, [bytes], offset), offset);
    this.#unsynced.add(file);
  }

  /** A compressed block is written anew as a whole. */
  #patchPacked(block: Block, offset: number, bytes: Uint8Array): void {
    const content = unpackFile(this.#packedFile(block));
    content.set(bytes, offset);
    this.rewrite(block.number, content);
  }

  /** Gives a block another content. */
  rewrite(number: number, content: Uint8Array): void {
    const { file, packed } = packContent(content, this.#blocks.get(number)?.form ?? PLAIN);
    const path = this.temporaryPath(number);
    this.#disk.writeWhole(path, file, true);
    this.replace(number, path, { size: content.length, packed });
  }

  /** Where a new file of a block is written; a start removes it. */
  temporaryPath(number: number): string {
    return `${this.#path(number)}.tmp`;
  }

  /** A block's file, for a job. */
  source(number: number): { readonly path: string; readonly key?: ContentKey; readonly newKey?: ContentKey } {
    const key = this.#blocks.get(number)?.form.key;
    return { path: this.#path(number), ...(key === undefined ? {} : { key, newKey: key }) };
  }

  /** Rises when a block changes, appends aside; undefined: there is no such block. */
  versionOf(number: number): number | undefined {
    return this.#blocks.get(number)?.version;
  }

  sizeOf(number: number): number {
    return this.#blocks.get(number)?.size ?? 0;
  }

  isPacked(number: number): boolean | undefined {
    return this.#blocks.get(number)?.form.packed;
  }

  /** Puts a file that is complete and synced in the place of a block's. */
  replace(number: number, path: string, { size, packed }: { readonly size: number; readonly packed: boolean }): void {
    const block = this.#blocks.get(number);
    if (block === undefined) return;
    this.changing();
    this.#disk.rename(path, this.#path(number));
    this.#letGo(block);
    block.size = size;
    block.form = { ...block.form, packed };
    block.version++;
    this.noteDirectory();
  }

  /** A block's file is about to be replaced by another of the same content. */
  release(number: number): void {
    const block = this.#blocks.get(number);
    if (block !== undefined) this.#letGo(block);
  }

  /** A block's file is encrypted with this key now. */
  encrypted(number: number, key: ContentKey): void {
    const block = this.#blocks.get(number);
    if (block !== undefined) block.form = { ...block.form, key, cipher: this.#keys?.keyStream(key) };
  }

  /** Gives back what is held of a block's file. */
  #letGo(block: Block): void {
    this.#open.delete(block);
    if (block.file !== undefined) this.#unsynced.retire(block.file);
    block.file = undefined;
    this.#maps.drop(block);
    this.#unpacked.drop(block);
  }

  /** Makes a new, empty block. */
  create(number: number): Block {
    this.changing();
    const key = this.#keys?.create(number);
    const cipher = key === undefined ? undefined : this.#keys?.keyStream(key);
    const form = { key, cipher, packed: false };
    const block: Block = { number, size: 0, file: undefined, tombstones: false, form, version: 0 };
    block.file = this.#disk.open(this.#path(number), true);
    this.#open.add(block);
    this.#blocks.set(number, block);
    this.#newest = Math.max(this.#newest, number);
    this.#unsynced.add(block.file);
    this.noteDirectory();
    return block;
  }

  /** The directory has changed in a way that the next sync must cover. */
  noteDirectory(): void {
    this.#directoryFile ??= this.#disk.openDirectory(this.directory);
    this.#unsynced.add(this.#directoryFile);
  }

  /** What was written since the last call, for a sync. */
  takeUnsynced(): OpenFile[] {
    return this.#unsynced.handOut();
  }

  /** What was written since the last call and is synced elsewhere: each to be reported to `synced` all the same. */
  takeTaken(): OpenFile[] {
    return this.#unsynced.handOutTaken();
  }

  /** What was handed to a sync that may not be through, and what was not yet: once more, each to be reported to `synced`. */
  takePending(): OpenFile[] {
    return this.#unsynced.handOutPending();
  }

  /** A sync of a file that was handed out is through. */
  synced(file: OpenFile): void {
    this.#unsynced.synced(file);
  }

  get hasUnsynced(): boolean {
    return this.#unsynced.any;
  }

  #use(block: Block): OpenFile {
    this.#open.delete(block);
    this.#open.add(block);
    block.file ??= this.#disk.open(this.#path(block.number), false);
    const [oldest] = this.#open;
    if (this.#open.size > MOST_OPEN && oldest !== undefined) this.#retire(oldest);
    return block.file;
  }

  #retire(block: Block): void {
    if (block.file !== undefined && this.#unsynced.has(block.file)) return;
    this.#open.delete(block);
    if (block.file !== undefined) this.#unsynced.retire(block.file);
    block.file = undefined;
  }

  /**
   * Reads into `into` from an offset: from the map of a plain block that is full (there is a later one), else from the file. So does a small
   * read, which costs less than looking whether the file is whole, and one of a batch that goes on and on: each page of a map is touched
   * once then, and what is mapped counts as memory that V8 should collect. Returns how many bytes there were.
   */
  read(number: number, into: Uint8Array, offset: number, ahead = false): number {
    const block = this.#blocks.get(number);
    if (block === undefined) return 0;
    const length = Math.min(into.length, block.size - offset);
    if (length <= 0) return 0;
    if (block.form.packed) {
      return this.#unpacked.read(block, into.subarray(0, length), offset, () => this.#packedFile(block));
    }
    const { cipher } = block.form;
    const isMapped = cipher === undefined && number < this.#newest && !ahead && length >= MAP_FROM;
    const mapped = isMapped ? this.#mapOf(block) : undefined;
    if (mapped !== undefined) {
      copyBytes(into, mapped.bytes.subarray(offset, offset + length));
      return length;
    }
    const have = this.#disk.read(this.#use(block), length === into.length ? into : into.subarray(0, length), offset);
    if (cipher !== undefined) copyBytes(into, cipher(into.subarray(0, have), offset));
    return have;
  }

  /** A stretch of a block as its file has it: encrypted where that is. Of a compressed block, its content. */
  stored(number: number, offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    const block = this.#blocks.get(number);
    if (block?.form.packed === false) this.#disk.read(this.#use(block), bytes, offset);
    else this.read(number, bytes, offset);
    return bytes;
  }

  /** The file of a compressed block. */
  #packedFile(block: Block): PackedFile {
    const file = this.#use(block);
    const bytes = new Uint8Array(this.#disk.size(file));
    const have = this.#disk.read(file, bytes, 0);
    return { path: file.path, bytes: bytes.subarray(0, have), cipher: block.form.cipher };
  }

  /** The map of a block, unless its file was cut: touching what is missing there would be a signal, and a read of it is an error. */
  #mapOf(block: Block): MappedFile | undefined {
    const file = this.#use(block);
    if (this.#disk.size(file) >= block.size) return this.#maps.use(block, () => this.#disk.map(file, block.size));
    this.#maps.drop(block);
    return undefined;
  }

  /** Cuts a block to a length. */
  cut(number: number, length: number): void {
    const block = this.#blocks.get(number);
    if (block === undefined) return;
    this.changing();
    const file = this.#use(block);
    block.version++;
    this.#maps.drop(block);
    this.#disk.cut(file, length);
    block.size = length;
    this.#unsynced.add(file);
  }

  /** Takes back everything written behind `end`. */
  cutBack({ block, offset }: BlockEnd): void {
    for (const { number, size } of [...this.#blocks.values()]) {
      if (number > block) this.remove(number);
      else if (number === block && size > offset) this.cut(number, offset);
    }
  }

  /** Removes a block's file. */
  remove(number: number): void {
    const block = this.#blocks.get(number);
    if (block === undefined) return;
    this.changing();
    this.#blocks.delete(number);
    this.#letGo(block);
    this.#disk.discard(this.#path(number), purgedPath(this.directory));
    this.#keys?.remove(number);
  }

  /** After a fault: lets every descriptor go. */
  letGo(): void {
    for (const block of this.#blocks.values()) this.#letGo(block);
    if (this.#directoryFile !== undefined) this.#unsynced.retire(this.#directoryFile);
    this.#directoryFile = undefined;
    this.#unsynced.clear();
  }

  /** Forgets which blocks there are: they are entered anew. */
  forget(): void {
    this.letGo();
    this.#blocks.clear();
    this.#newest = 0;
  }

  /** The last block and the directory are part of the next round, whether they change or not. */
  syncAgain(): void {
    const last = this.#blocks.get(this.#newest);
    if (last !== undefined) this.#unsynced.add(this.#use(last));
    this.noteDirectory();
  }

  /** Closes everything; only when no sync is under way. */
  close(): void {
    this.#keys?.close();
    for (const block of this.#blocks.values()) {
      this.#maps.drop(block);
      this.#unpacked.drop(block);
      if (block.file !== undefined) this.#disk.close(block.file);
      block.file = undefined;
    }
    this.#open.clear();
    if (this.#directoryFile !== undefined) this.#disk.close(this.#directoryFile);
    this.#directoryFile = undefined;
    this.#unsynced.clear();
  }
}

/** What is written for records at an offset. */
function enciphered({ cipher }: BlockForm, views: readonly Uint8Array[], offset: number): readonly Uint8Array[] {
  if (cipher === undefined) return views;
  let at = offset;
  return views.map((view) => {
    const from = at;
    at += view.length;
    return cipher(view, from);
  });
}
