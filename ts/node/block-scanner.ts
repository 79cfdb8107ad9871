// Scans block files with the record kernel over a memory of its own: one scanner a thread, one block at a time.

import fs from 'node:fs';
import { ArchiveError } from '../core/archive/archive-error.ts';
import { isPacked, readDamagedHead, unpackBlock } from '../core/block/packed-block.ts';
import { salvageBlock, smallestRecord, withRoom } from '../core/block/salvage-block.ts';
import { copyBytes } from '../kernel/copy.ts';
import type { Damage, ScanResult, ScanTask } from '../ports/jobs.ts';
import { nodeCiphers } from './ciphers.ts';
import type { JobsKernel } from './jobs-kernel.ts';
import { messageOf } from '../lib/message-of.ts';

/** Bytes of a damage, see wasm/record/scan.ts. */
const DAMAGE = 24;
/** A block is below 1 GiB: offsets have 30 bits. */
const LARGEST = 1 << 30;
const NOTHING = new Uint8Array(0);

/** Whether the disk says that it cannot read what is there. */
function isDiskError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EIO';
}

/** Whether a record lies at the very beginning. */
function beginsWhole({ goodEnd, damages }: ScanResult): boolean {
  return goodEnd > 0 && damages[0]?.offset !== 0;
}

/** Whether a record can take the place of every damage. */
function hasRoom({ damages }: ScanResult): boolean {
  return damages.every(({ length }) => length >= smallestRecord);
}

/** A copy that threads hand to each other without copying again. */
function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copyBytes(copy, bytes);
  return copy;
}

export class BlockScanner {
  readonly #kernel: JobsKernel;

  constructor(kernel: JobsKernel) {
    this.#kernel = kernel;
  }

  #damages(): Damage[] {
    const bytes = this.#kernel.bytes(this.#kernel.exports.scanDamages(), this.#kernel.exports.scanDamagesLength());
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const found: Damage[] = [];
    for (let at = 0; at < bytes.length; at += DAMAGE) {
      found.push({
        offset: view.getUint32(at, true),
        length: view.getUint32(at + 4, true),
        before: Number(view.getBigUint64(at + 8, true)),
        behind: Number(view.getBigUint64(at + 16, true)),
      });
    }
    return found;
  }

  scan(task: ScanTask): ScanResult {
    try {
      const { content } = task;
      if (content !== undefined) return this.#scan(task, content.length, (into) => copyBytes(into, content));
      const descriptor = fs.openSync(task.path, 'r');
      try {
        return this.#scan(task, fs.fstatSync(descriptor).size, (into) => this.#read(descriptor, into));
      } finally {
        fs.closeSync(descriptor);
      }
    } catch (error) {
      const found = this.#problem(task, 1, messageOf(error));
      return isDiskError(error) ? { ...found, isUnreadable: true } : found;
    }
  }

  #problem(task: ScanTask, size: number, problem: string): ScanResult {
    const nothing = {
      packed: false,
      goodEnd: 0,
      damages: [],
      tombstones: 0,
      subjectCount: 0,
      entries: NOTHING,
      subjects: NOTHING,
    };
    return { block: task.block, size, ...nothing, problem };
  }

  /** `read` fills a piece of memory with the block. */
  #scan(task: ScanTask, size: number, read: (into: Uint8Array) => void): ScanResult {
    if (size >= LARGEST) return this.#problem(task, size, 'the block is larger than 1 GiB');
    const at = this.#kernel.take(size);
    try {
      const file = this.#kernel.bytes(at, size);
      read(file);
      return this.#scanFile(task, at, file);
    } finally {
      this.#kernel.exports.free(at);
    }
  }

  /**
   * The file as it should be; where it does not begin with a record, the best of what it is like that, not encrypted, or as a compressed one
   * that does not even begin as one.
   */
  #scanFile(task: ScanTask, at: number, file: Uint8Array): ScanResult {
    const decipher = task.key === undefined ? undefined : nodeCiphers.keyStream(task.key);
    if (decipher !== undefined) copyBytes(file, decipher(file, 0));
    const asked = this.#scanForm(task, at, file);
    if (file.length === 0 || beginsWhole(asked)) return asked;
    const found = [asked];
    if (decipher !== undefined) {
      copyBytes(file, decipher(file, 0));
      const plain: ScanResult = { ...this.#scanForm(task, at, file), plain: true };
      if (beginsWhole(plain)) return plain;
      found.push(plain);
      if (!plain.packed) found.push({ ...this.#scanSalvaged(task, file), plain: true });
      copyBytes(file, decipher(file, 0));
    }
    if (!asked.packed) found.push(this.#scanSalvaged(task, file));
    return found.reduce((best, next) => (next.entries.length > best.entries.length ? next : best));
  }

  /** Scans a file that is not encrypted (any more), compressed or not. */
  #scanForm(task: ScanTask, at: number, file: Uint8Array): ScanResult {
    if (!isPacked(file)) {
      // What a compressed block stores as it is has records in it too.
      if (readDamagedHead(file).isPacked) return this.#scanSalvaged(task, file);
      this.#scanContent(task, at, file.length);
      const found = this.#result(task.block, file.length, false);
      return hasRoom(found) ? found : this.#scanWithRoom(task, file, found);
    }
    try {
      const found = this.#scanUnpacked(task, unpackBlock(file), true);
      if (found.damages.length === 0 && found.goodEnd === found.size) return found;
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
    }
    return this.#scanSalvaged(task, file);
  }

  #scanSalvaged(task: ScanTask, file: Uint8Array): ScanResult {
    const content = salvageBlock(file);
    const found = this.#scanUnpacked(task, content, true);
    return hasRoom(found) ? { ...found, salvaged: shared(content) } : this.#scanWithRoom(task, content, found);
  }

  /** The content with room for a record wherever there is none: a shorter damage could not be mended. */
  #scanWithRoom(task: ScanTask, content: Uint8Array, { damages, packed }: ScanResult): ScanResult {
    const salvaged = shared(withRoom(content, damages));
    return { ...this.#scanUnpacked(task, salvaged, packed), salvaged };
  }

  #scanUnpacked(task: ScanTask, content: Uint8Array, packed: boolean): ScanResult {
    const at = this.#kernel.take(content.length);
    try {
      copyBytes(this.#kernel.bytes(at, content.length), content);
      this.#scanContent(task, at, content.length);
      return this.#result(task.block, content.length, packed);
    } finally {
      this.#kernel.exports.free(at);
    }
  }

  #scanContent({ stream, block }: ScanTask, at: number, size: number): void {
    const name = new TextEncoder().encode(stream);
    const nameAt = this.#kernel.take(name.length);
    this.#kernel.bytes(nameAt, name.length).set(name);
    this.#kernel.exports.scanBlock(nameAt, name.length, block, at, size);
    this.#kernel.exports.free(nameAt);
  }

  #read(descriptor: number, into: Uint8Array): void {
    for (let have = 0; have < into.length;) {
      const count = fs.readSync(descriptor, into, have, into.length - have, have);
      if (count === 0) throw new Error('the file became shorter while it was read');
      have += count;
    }
  }

  #result(block: number, size: number, packed: boolean): ScanResult {
    const { exports } = this.#kernel;
    return {
      block,
      size,
      packed,
      goodEnd: exports.scanGoodEnd() >>> 0,
      damages: this.#damages(),
      tombstones: exports.scanTombstones() >>> 0,
      entries: shared(this.#kernel.bytes(exports.scanEntries(), exports.scanEntriesLength())),
      subjects: shared(this.#kernel.bytes(exports.scanSubjects(), exports.scanSubjectsLength())),
      subjectCount: exports.scanSubjectCount() >>> 0,
    };
  }
}
