// Scans block files with the record kernel over a memory of its own: one scanner a thread, one block at a time.

import fs from 'node:fs';
import { ArchiveError } from '../core/archive/archive-error.ts';
import { isPacked, unpackBlock } from '../core/block/packed-block.ts';
import { salvageBlock } from '../core/block/salvage-block.ts';
import { copyBytes } from '../kernel/copy.ts';
import type { Damage, ScanResult, ScanTask } from '../ports/jobs.ts';
import { nodeCiphers } from './ciphers.ts';
import { messageOf } from '../lib/message-of.ts';

interface ScanExports {
  alloc(size: number): number;
  free(block: number): void;
  scanBlock(name: number, nameLength: number, block: number, data: number, size: number): void;
  scanEntries(): number;
  scanEntriesLength(): number;
  scanSubjects(): number;
  scanSubjectsLength(): number;
  scanSubjectCount(): number;
  scanGoodEnd(): number;
  scanDamages(): number;
  scanDamagesLength(): number;
  scanTombstones(): number;
}

const INITIAL_PAGES = 256;
const MOST_PAGES = 65536;
/** Vector loads run past the end of what they read. */
const SLACK = 64;
/** Bytes of a damage, see wasm/record/scan.ts. */
const DAMAGE = 24;
/** A block is below 1 GiB: offsets have 30 bits. */
const LARGEST = 1 << 30;
const NOTHING = new Uint8Array(0);

/** Whether the disk says that it cannot read what is there. */
function isDiskError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EIO';
}

export class BlockScanner {
  readonly #memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MOST_PAGES, shared: true });
  readonly #exports: ScanExports;

  constructor(module: WebAssembly.Module) {
    const abort = (): never => {
      throw new Error('the Wasm kernel stopped at an assertion');
    };
    const instance = new WebAssembly.Instance(module, { env: { memory: this.#memory, abort } });
    this.#exports = instance.exports as unknown as ScanExports;
  }

  #bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, at >>> 0, length >>> 0);
  }

  /** A copy that threads hand to each other without copying again. */
  #copy(at: number, length: number): Uint8Array {
    const copy = new Uint8Array(new SharedArrayBuffer(length >>> 0));
    copyBytes(copy, this.#bytes(at, length));
    return copy;
  }

  #damages(): Damage[] {
    const bytes = this.#bytes(this.#exports.scanDamages(), this.#exports.scanDamagesLength());
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
    const at = this.#exports.alloc(size + SLACK) >>> 0;
    try {
      const file = this.#bytes(at, size);
      read(file);
      return this.#scanFile(task, at, file);
    } finally {
      this.#exports.free(at);
    }
  }

  /** The file as it should be; else not encrypted; else as a compressed one that does not even begin as one. */
  #scanFile(task: ScanTask, at: number, file: Uint8Array): ScanResult {
    const decipher = task.key === undefined ? undefined : nodeCiphers.keyStream(task.key);
    if (decipher !== undefined) copyBytes(file, decipher(file, 0));
    const found = this.#scanForm(task, at, file);
    if (found.goodEnd > 0 || file.length === 0) return found;
    if (decipher !== undefined) {
      copyBytes(file, decipher(file, 0));
      const plain = this.#scanForm(task, at, file);
      if (plain.goodEnd > 0) return { ...plain, plain: true };
      copyBytes(file, decipher(file, 0));
    }
    const salvaged = this.#scanSalvaged(task, file);
    return salvaged.goodEnd > 0 ? salvaged : found;
  }

  /** Scans a file that is not encrypted (any more), compressed or not. */
  #scanForm(task: ScanTask, at: number, file: Uint8Array): ScanResult {
    if (!isPacked(file)) {
      this.#scanContent(task, at, file.length);
      return this.#result(task.block, file.length, false);
    }
    try {
      const found = this.#scanUnpacked(task, unpackBlock(file));
      if (found.damages.length === 0 && found.goodEnd === found.size) return found;
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
    }
    return this.#scanSalvaged(task, file);
  }

  #scanSalvaged(task: ScanTask, file: Uint8Array): ScanResult {
    const content = salvageBlock(file);
    const salvaged = new Uint8Array(new SharedArrayBuffer(content.length));
    copyBytes(salvaged, content);
    return { ...this.#scanUnpacked(task, content), salvaged };
  }

  #scanUnpacked(task: ScanTask, content: Uint8Array): ScanResult {
    const at = this.#exports.alloc(content.length + SLACK) >>> 0;
    try {
      copyBytes(this.#bytes(at, content.length), content);
      this.#scanContent(task, at, content.length);
      return this.#result(task.block, content.length, true);
    } finally {
      this.#exports.free(at);
    }
  }

  #scanContent({ stream, block }: ScanTask, at: number, size: number): void {
    const name = new TextEncoder().encode(stream);
    const nameAt = this.#exports.alloc(name.length + SLACK) >>> 0;
    this.#bytes(nameAt, name.length).set(name);
    this.#exports.scanBlock(nameAt, name.length, block, at, size);
    this.#exports.free(nameAt);
  }

  #read(descriptor: number, into: Uint8Array): void {
    for (let have = 0; have < into.length;) {
      const count = fs.readSync(descriptor, into, have, into.length - have, have);
      if (count === 0) throw new Error('the file became shorter while it was read');
      have += count;
    }
  }

  #result(block: number, size: number, packed: boolean): ScanResult {
    const exports = this.#exports;
    return {
      block,
      size,
      packed,
      goodEnd: exports.scanGoodEnd() >>> 0,
      damages: this.#damages(),
      tombstones: exports.scanTombstones() >>> 0,
      entries: this.#copy(exports.scanEntries(), exports.scanEntriesLength()),
      subjects: this.#copy(exports.scanSubjects(), exports.scanSubjectsLength()),
      subjectCount: exports.scanSubjectCount() >>> 0,
    };
  }
}
