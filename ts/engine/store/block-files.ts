// The block files of one stream and every way in which they change: appended to, overwritten, rewritten, cut, removed. A file is always exactly as
// long as its records: a write that fails is cut back to where it began. What was changed is handed out for a sync.
//
// Offsets and sizes are those of a block's content, whatever form its file has (block.ts).

import { BEFORE } from '../../core/journal/entry.ts';
import type { Run } from '../../kernel/streams.ts';
import type { ContentKey } from '../../ports/ciphers.ts';
import { DiskFault } from '../../ports/disk.ts';
import type { Disk, OpenFile } from '../../ports/disk.ts';
import type { TakeAppended } from './appended.ts';
import { enciphered, plainForm, type Block, type BlockEnd } from './block.ts';
import { BlockList } from './block-list.ts';
import { BlockReads } from './block-reads.ts';
import type { BlockKeys } from './cipher/block-keys.ts';
import { OpenBlocks, type BlockPorts } from './open-blocks.ts';
import { purgedPath } from './removed.ts';
import { UnsyncedFiles } from './unsynced-files.ts';
import { packContent, unpackFile } from './unpacked.ts';

/** The code of a fault that is somebody else's writing: what the files have now is left as it is. */
export const FOREIGN = 'FOREIGN';

/** The bytes in front of the end of the file that was checked last, and room for one that should not be there. */
const END = new Uint8Array(BEFORE + 1);
/** A block of this size will have a successor before long, whose key is made in time. */
const NEXT_KEY_AT = 512 << 10;

export class BlockFiles extends BlockList {
  readonly directory: string;
  readonly #disk: Disk;
  readonly #open: OpenBlocks;
  readonly #reads: BlockReads;
  readonly #keys: BlockKeys | undefined;
  readonly #unsynced: UnsyncedFiles;
  #directoryFile: OpenFile | undefined;
  /** Files beside the blocks that tell what is in them. */
  #described: readonly string[] = [];

  constructor(ports: BlockPorts, directory: string, keys: BlockKeys | undefined) {
    super();
    this.#disk = ports.disk;
    this.#unsynced = new UnsyncedFiles(ports.disk);
    this.#open = new OpenBlocks(ports, directory, this.#unsynced);
    this.#reads = new BlockReads(ports, this.#open);
    this.#keys = keys;
    this.directory = directory;
  }

  /** Whether new blocks are encrypted. */
  get isEncrypted(): boolean {
    return this.#keys !== undefined;
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
    const block = this.blocks.get(number) ?? this.create(number);
    const file = this.#open.use(block);
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
    const isEncrypted = this.blocks.get(number)?.form.cipher !== undefined;
    return (isEncrypted ? this.#keys?.randomBytes(length) : undefined) ?? new Uint8Array(length);
  }

  /** Overwrites bytes of a block; its length stays. */
  patch(number: number, offset: number, bytes: Uint8Array): void {
    const block = this.blocks.get(number);
    if (block === undefined || offset + bytes.length > block.size) return;
    this.changing();
    block.version++;
    if (block.form.packed) return this.#patchPacked(block, offset, bytes);
    const file = this.#open.use(block);
    this.#disk.write(file, enciphered(block.form, [bytes], offset), offset);
    this.#unsynced.add(file);
  }

  /** A compressed block is written anew as a whole. */
  #patchPacked(block: Block, offset: number, bytes: Uint8Array): void {
    const content = unpackFile(this.#reads.packedFile(block));
    content.set(bytes, offset);
    this.rewrite(block.number, content);
  }

  /** Gives a block another content. */
  rewrite(number: number, content: Uint8Array): void {
    const { file, packed } = packContent(content, this.blocks.get(number)?.form ?? plainForm);
    const path = this.temporaryPath(number);
    this.#disk.writeWhole(path, file, true);
    this.replace(number, path, { size: content.length, packed });
  }

  /** Where a new file of a block is written; a start removes it. */
  temporaryPath(number: number): string {
    return `${this.#open.path(number)}.tmp`;
  }

  /** A block's file, for a job. */
  source(number: number): { readonly path: string; readonly key?: ContentKey; readonly newKey?: ContentKey } {
    const key = this.blocks.get(number)?.form.key;
    return { path: this.#open.path(number), ...(key === undefined ? {} : { key, newKey: key }) };
  }

  /** Puts a file that is complete and synced in the place of a block's. */
  replace(number: number, path: string, { size, packed }: { readonly size: number; readonly packed: boolean }): void {
    const block = this.blocks.get(number);
    if (block === undefined) return;
    this.changing();
    this.#disk.rename(path, this.#open.path(number));
    this.#open.letGo(block);
    block.size = size;
    block.form = { ...block.form, packed };
    block.version++;
    this.noteDirectory();
  }

  /** A block's file is about to be replaced by another of the same content. */
  release(number: number): void {
    const block = this.blocks.get(number);
    if (block !== undefined) this.#open.letGo(block);
  }

  /** A block's file is encrypted with this key now. */
  encrypted(number: number, key: ContentKey): void {
    const block = this.blocks.get(number);
    if (block !== undefined) block.form = { ...block.form, key, cipher: this.#keys?.keyStream(key) };
  }

  /** Makes a new, empty block. */
  create(number: number): Block {
    this.changing();
    const key = this.#keys?.create(number);
    const cipher = key === undefined ? undefined : this.#keys?.keyStream(key);
    const form = { key, cipher, packed: false };
    const block: Block = { number, size: 0, file: undefined, tombstones: false, form, version: 0 };
    const file = this.#open.make(block);
    this.blocks.set(number, block);
    this.newest = Math.max(this.newest, number);
    this.#unsynced.add(file);
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

  /** Reads into `into` from an offset; `ahead`: one of a batch that goes on and on. Returns how many bytes there were. */
  read(number: number, into: Uint8Array, offset: number, ahead = false): number {
    const block = this.blocks.get(number);
    return block === undefined ? 0 : this.#reads.read(block, into, offset, !ahead && number < this.newest);
  }

  /** A stretch of a block as its file has it: encrypted where that is. Of a compressed block, its content. */
  stored(number: number, offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    const block = this.blocks.get(number);
    if (block !== undefined) this.#reads.stored(block, bytes, offset);
    return bytes;
  }

  /** Cuts a block to a length. */
  cut(number: number, length: number): void {
    const block = this.blocks.get(number);
    if (block === undefined) return;
    this.changing();
    const file = this.#open.use(block);
    block.version++;
    this.#open.dropContent(block);
    this.#disk.cut(file, length);
    block.size = length;
    this.#unsynced.add(file);
  }

  /** Takes back everything written behind `end`. */
  cutBack({ block, offset }: BlockEnd): void {
    for (const { number, size } of [...this.blocks.values()]) {
      if (number > block) this.remove(number);
      else if (number === block && size > offset) this.cut(number, offset);
    }
  }

  /** Removes a block's file. */
  remove(number: number): void {
    const block = this.blocks.get(number);
    if (block === undefined) return;
    this.changing();
    this.blocks.delete(number);
    this.#open.letGo(block);
    this.#disk.discard(this.#open.path(number), purgedPath(this.directory));
    this.#keys?.remove(number);
  }

  /** After a fault: lets every descriptor go. */
  letGo(): void {
    for (const block of this.blocks.values()) this.#open.letGo(block);
    if (this.#directoryFile !== undefined) this.#unsynced.retire(this.#directoryFile);
    this.#directoryFile = undefined;
    this.#unsynced.clear();
  }

  /** Forgets which blocks there are: they are entered anew. */
  forget(): void {
    this.letGo();
    this.blocks.clear();
    this.newest = 0;
  }

  /** The last block and the directory are part of the next round, whether they change or not. */
  syncAgain(): void {
    const last = this.blocks.get(this.newest);
    if (last !== undefined) this.#unsynced.add(this.#open.use(last));
    this.noteDirectory();
  }

  /** Closes everything; only when no sync is under way. */
  close(): void {
    this.#keys?.close();
    for (const block of this.blocks.values()) this.#open.close(block);
    if (this.#directoryFile !== undefined) this.#disk.close(this.#directoryFile);
    this.#directoryFile = undefined;
    this.#unsynced.clear();
  }
}
