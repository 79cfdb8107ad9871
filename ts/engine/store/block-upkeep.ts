// One stream's blocks in the background: a block that is full is compressed where the stream asks for it, one that is less than half alive is
// written anew without what is dead. Both go by a temporary file, its sync and a rename; reads and erasures go on meanwhile.
//
// What stays true:
// - Only blocks in front of everything promised are touched, so that no fault has to cut one back.
// - What is dropped is dead by a state that is on disk: else a power failure could take the newer message that pushed it out, and it, too.
// - A block that the journal names is let alone until it does not: its entries are of the file as it was.
// - A block that changed in any way while it was rewritten keeps its file; the work is done again.

import { keptOfBlock, moveBlock } from '../../kernel/compaction.ts';
import type { StreamKernel } from '../../kernel/streams.ts';
import type { Disk } from '../../ports/disk.ts';
import type { Jobs } from '../../ports/jobs.ts';
import type { Log } from '../../ports/log.ts';
import type { BlockEnd } from './block.ts';
import type { BlockFiles } from './block-files.ts';
import type { Erasures } from './erasures.ts';
import type { Journal } from './journal/journal.ts';
import type { StreamReader } from './reader.ts';
import type { Upkeep } from './upkeep.ts';
import { messageOf } from '../../lib/message-of.ts';

/** A rewrite has to save this part of the block to be worth it. */
const WORTH = 1 / 4;

export interface BlockUpkeepParts {
  readonly handle: number;
  readonly streams: StreamKernel;
  readonly files: BlockFiles;
  readonly reader: StreamReader;
  readonly erasures: Erasures;
  readonly journal: Journal | undefined;
  readonly disk: Disk;
  readonly jobs: Jobs;
  readonly upkeep: Upkeep;
  readonly log: Log;
}

/** The stream whose blocks they are. */
export interface UpkeptStream {
  readonly name: string;
  /** Where the records end that are promised. */
  readonly promised: () => BlockEnd;
  /** Resolves when the state of now is on disk; rejects when it never will be. */
  readonly onDisk: () => Promise<void>;
  /** A block's file was replaced: the directory is to be synced. */
  readonly replaced: () => void;
  readonly isWriting: () => boolean;
}

/** What a look has seen of a block, to see what has changed since. */
interface Seen {
  readonly live: number;
  /** Looked through when this much was alive: not again before half of it is gone. */
  readonly workedAt: number | undefined;
}

export class BlockUpkeep {
  readonly #parts: BlockUpkeepParts;
  readonly #stream: UpkeptStream;
  readonly #seen = new Map<number, Seen>();
  readonly #look = (): void => this.#findWork();
  #packs = false;
  /** Blocks below were full before they were to be compressed, or are done. */
  #unpackedFrom: number;
  #queued = false;
  #closed = false;

  constructor(parts: BlockUpkeepParts, stream: UpkeptStream) {
    this.#parts = parts;
    this.#stream = stream;
    this.#unpackedFrom = stream.promised().block;
  }

  /** Whether blocks that become full from now on are compressed. */
  setPacking(packs: boolean): void {
    if (packs && !this.#packs) this.#unpackedFrom = this.#stream.promised().block;
    this.#packs = packs;
  }

  /** A round is through. */
  settled(): void {
    const { block } = this.#stream.promised();
    if (this.#unpackedFrom >= block) return;
    const from = this.#unpackedFrom;
    this.#unpackedFrom = block;
    if (!this.#packs) return;
    for (let number = from; number < block; number++) this.#parts.upkeep.add(() => this.#packNext(number));
  }

  /** Messages went: blocks may be more dead than alive soon. */
  messagesWent(): void {
    this.#parts.upkeep.lookLater(this.#look);
  }

  /** Ends it; a block under way is not put in place any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#parts.upkeep.forget(this.#look);
    await this.#parts.upkeep.settled();
  }

  #mayReplace(block: number, version: number): boolean {
    return !this.#closed && this.#stream.isWriting() && this.#parts.files.versionOf(block) === version;
  }

  async #packNext(block: number): Promise<number> {
    try {
      return await this.#pack(block);
    } catch (error) {
      this.#report(block, messageOf(error));
      return 0;
    }
  }

  async #pack(block: number): Promise<number> {
    const { files, jobs, journal } = this.#parts;
    const version = files.versionOf(block);
    if (version === undefined || !this.#mayReplace(block, version)) return 0;
    await journal?.without(files.directory, { block });
    const target = files.temporaryPath(block);
    const { size, packed, problem } = await jobs.rewrite({ ...files.source(block), target, pack: true });
    if (problem !== undefined) this.#report(block, problem);
    else if (packed && this.#mayReplace(block, version)) this.#replace(block, target, { size, packed });
    else this.#discard(target);
    if (!this.#closed && files.versionOf(block) !== version && files.isPacked(block) === false)
      this.#parts.upkeep.add(() => this.#packNext(block));
    return 2 * size;
  }

  #replace(block: number, target: string, form: { readonly size: number; readonly packed: boolean }): void {
    this.#parts.files.replace(block, target, form);
    this.#stream.replaced();
  }

  #discard(target: string): void {
    this.#parts.disk.remove(target);
  }

  #report(block: number, problem: string): void {
    const { log, files } = this.#parts;
    const { name } = this.#stream;
    log.warn(`Stream '${name}': ${files.directory}/${block}.blk stays as it is: ${problem}`);
  }

  // Compaction

  /** Looks for a block that is worth it; the next one is looked for when that is done. */
  #findWork(): void {
    const isShort = this.#parts.streams.exports.isMemoryShort() !== 0;
    if (this.#closed || this.#queued || isShort || !this.#stream.isWriting()) return;
    const { files, streams, handle, upkeep } = this.#parts;
    const tail = this.#stream.promised().block;
    const first = streams.locate(handle, streams.numbers(handle).first)?.block;
    for (const block of files.numbers()) {
      if (block >= tail) return;
      const size = files.sizeOf(block);
      const live = streams.exports.blockBytes(handle, block);
      const seen = this.#seen.get(block);
      this.#seen.set(block, { live, workedAt: seen?.workedAt });
      if (live * 2 >= size || (seen?.workedAt !== undefined && live * 2 >= seen.workedAt)) continue;
      // Limits eat the first block from its front until nothing is left of it: that needs no rewriting, unless they have stopped.
      if (block === first && seen?.live !== live) {
        this.messagesWent();
        continue;
      }
      this.#seen.set(block, { live, workedAt: live });
      this.#queued = true;
      upkeep.add(() => this.#compactNext(block));
      return;
    }
  }

  async #compactNext(block: number): Promise<number> {
    try {
      return await this.#compact(block);
    } catch (error) {
      this.#report(block, messageOf(error));
      return 0;
    } finally {
      this.#queued = false;
      this.messagesWent();
    }
  }

  async #compact(block: number): Promise<number> {
    const { files, jobs, journal, streams, handle } = this.#parts;
    const { onDisk, name } = this.#stream;
    const version = files.versionOf(block);
    if (version === undefined || !this.#mayReplace(block, version)) return 0;
    const size = files.sizeOf(block);
    const [scan] = await jobs.scan([{ ...files.source(block), stream: name, block }], true);
    if (scan === undefined || scan.problem !== undefined || scan.damages.length > 0 || scan.goodEnd < scan.size) return size;
    if (!this.#mayReplace(block, version)) return size;
    const oldest = files.numbers()[0] ?? block;
    const kept = keptOfBlock(streams, handle, { block, oldest, entries: scan.entries });
    if (streams.exports.indexLost(handle) !== 0) return size;
    let keptBytes = 0;
    for (let i = 1; i < kept.length; i += 2) keptBytes += kept[i] ?? 0;
    if (keptBytes > size * (1 - WORTH)) return size;
    await onDisk();
    await journal?.without(files.directory, { block });
    const target = files.temporaryPath(block);
    const result = await jobs.rewrite({ ...files.source(block), target, keep: kept, pack: this.#packs });
    if (result.problem !== undefined) throw new Error(result.problem);
    // An erasure under way knows where its record is in the file as it was.
    if (this.#mayReplace(block, version) && !this.#parts.erasures.concern(block)) {
      moveBlock(streams, handle, block, kept);
      this.#parts.reader.forget(block);
      this.#replace(block, target, result);
    } else {
      this.#discard(target);
      const seen = this.#seen.get(block);
      if (seen !== undefined) this.#seen.set(block, { ...seen, workedAt: undefined });
    }
    return 2 * size + keptBytes;
  }
}
