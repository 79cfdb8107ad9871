// Packs what a backup consists of and unpacks what a restore gets, a stretch of the S2 stream at a time, with the jobs kernel. Stretches are
// whole chunks, which do not depend on each other: several threads may have one each.
//
// Kept true: a compressed block goes into a backup as it is, chunk by chunk, but each of its chunks is decoded and its checksum compared first.

import fs from 'node:fs';
import { ArchiveError } from '../core/archive/archive-error.ts';
import { chunk, chunkHead, chunkSum, mostContent } from '../core/archive/s2-stream.ts';
import { plainEnd, readHead } from '../core/block/packed-block.ts';
import { copyBytes } from '../kernel/copy.ts';
import { messageOf } from '../lib/message-of.ts';
import type { OpenFile } from '../ports/disk.ts';
import type { ArchiveResult, PackTask, UnpackTask } from '../ports/jobs.ts';
import { nodeCiphers } from './ciphers.ts';
import type { JobsKernel } from './jobs-kernel.ts';

/** Content of a chunk that is made here, at most; wasm/archive/s2-encode.ts. */
const MOST_ENCODED = 1 << 20;
/** A chunk is stored as it is when its block is not smaller by this part. */
const WORTH = 32;
const FRAME = chunkHead + chunkSum;

function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}

function readSource({ source }: PackTask, into: Uint8Array): void {
  if (source instanceof Uint8Array) return copyBytes(into, source);
  for (let have = 0; have < into.length;) {
    const count = fs.readSync(source.descriptor, into, have, into.length - have, have);
    if (count === 0) throw new Error(`${source.path} is shorter than it was`);
    have += count;
  }
}

function sizeOf(source: OpenFile | Uint8Array): number {
  return source instanceof Uint8Array ? source.length : fs.fstatSync(source.descriptor).size;
}

/** What is written one behind the other into a task's room. */
class Written {
  readonly #into: Uint8Array;
  length = 0;

  constructor(into: Uint8Array) {
    this.#into = into;
  }

  add(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.#into.length) throw new Error('a part of the archive is larger than its room');
    copyBytes(this.#into, bytes, this.length);
    this.length += bytes.length;
  }

  /** What stands before a chunk's body. */
  frame(kind: number, bodyLength: number, sum: number): void {
    const size = chunkSum + bodyLength;
    const s = sum >>> 0;
    this.add(
      Uint8Array.of(
        ...[kind, size & 255, (size >> 8) & 255, size >> 16],
        ...[s & 255, (s >>> 8) & 255, (s >>> 16) & 255, s >>> 24],
      ),
    );
  }
}

export class ArchiveCodec {
  readonly #kernel: JobsKernel;

  constructor(kernel: JobsKernel) {
    this.#kernel = kernel;
  }

  pack(task: PackTask): ArchiveResult {
    const out = new Written(task.into);
    try {
      if (task.packed) this.#splice(task, out);
      else this.#encodeFile(task, out);
      return { length: out.length };
    } catch (error) {
      return { length: 0, problem: messageOf(error) };
    }
  }

  unpack({ packed, into }: UnpackTask): ArchiveResult {
    const out = new Written(into);
    try {
      this.#with(packed.length, (at, bytes) => {
        copyBytes(bytes, packed);
        this.#eachChunk(at, bytes, (_, content) => out.add(content));
      });
      return { length: out.length };
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      return { length: 0, problem: error.message };
    }
  }

  /** Room in the kernel's memory for the time of a call. */
  #with<T>(size: number, work: (at: number, bytes: Uint8Array) => T): T {
    const at = this.#kernel.take(size);
    try {
      return work(at, this.#kernel.bytes(at, size));
    } finally {
      this.#kernel.exports.free(at);
    }
  }

  #encodeFile(task: PackTask, out: Written): void {
    const { head, tail, size } = task;
    this.#with(head.length + size + tail.length, (at, bytes) => {
      bytes.set(head);
      const file = bytes.subarray(head.length, head.length + size);
      this.#readPlain(task, file);
      bytes.set(tail, head.length + size);
      this.#encode(at, bytes, out);
    });
  }

  #readPlain(task: PackTask, into: Uint8Array): void {
    readSource(task, into);
    if (task.key !== undefined) copyBytes(into, nodeCiphers.keyStream(task.key)(into, 0));
  }

  #encode(at: number, bytes: Uint8Array, out: Written): void {
    const { exports } = this.#kernel;
    this.#with(Math.min(bytes.length, MOST_ENCODED), (to) => {
      for (let from = 0; from < bytes.length; from += MOST_ENCODED) {
        const length = Math.min(MOST_ENCODED, bytes.length - from);
        const sum = exports.maskedCrc32c(at + from, length);
        const worth = exports.encodeBlock(at + from, length, to, length - Math.floor(length / WORTH)) >>> 0;
        out.frame(worth > 0 ? chunk.block : chunk.stored, worth > 0 ? worth : length, sum);
        out.add(worth > 0 ? this.#kernel.bytes(to, worth) : bytes.subarray(from, from + length));
      }
    });
  }

  #splice(task: PackTask, out: Written): void {
    const { head, tail, size } = task;
    this.#with(sizeOf(task.source), (at, file) => {
      this.#readPlain(task, file);
      const stream = readHead(file);
      if (file.length - stream.at < plainEnd) throw new ArchiveError('the compressed block is cut');
      this.#encodeBytes([head], out);
      let content = plainEnd;
      this.#eachChunk(at + stream.at, file.subarray(stream.at, -plainEnd), (whole, { length }) => {
        content += length;
        out.add(whole);
      });
      if (content !== size) throw new ArchiveError('the compressed block has not the length that it says');
      this.#encodeBytes([file.subarray(-plainEnd), tail], out);
    });
  }

  #encodeBytes(pieces: readonly Uint8Array[], out: Written): void {
    this.#with(
      pieces.reduce((sum, { length }) => sum + length, 0),
      (at, bytes) => {
        let to = 0;
        for (const piece of pieces) {
          bytes.set(piece, to);
          to += piece.length;
        }
        this.#encode(at, bytes, out);
      },
    );
  }

  /** The chunks with content of a stretch that lies at `at`, and their contents. Throws an ArchiveError. */
  #eachChunk(at: number, bytes: Uint8Array, call: (whole: Uint8Array, content: Uint8Array) => void): void {
    for (let from = 0; from < bytes.length;) {
      const word = readU32(bytes, from);
      const kind = word & 255;
      const end = from + chunkHead + (word >>> 8);
      if (end > bytes.length) throw new ArchiveError('s2: the stream ends within a chunk');
      const whole = bytes.subarray(from, end);
      if (kind === chunk.block || kind === chunk.stored) this.#content(at + from, whole, (content) => call(whole, content));
      else if (kind < chunk.firstSkipped) throw new ArchiveError(`s2: unsupported chunk type ${kind}`);
      from = end;
    }
  }

  #content(at: number, whole: Uint8Array, call: (content: Uint8Array) => void): void {
    if (whole.length < FRAME) throw new ArchiveError('s2: corrupt input');
    const { exports } = this.#kernel;
    const sum = readU32(whole, chunkHead);
    const body = whole.length - FRAME;
    const isStored = whole[0] === chunk.stored;
    const length = isStored ? body : exports.contentLength(at + FRAME, body) >>> 0;
    if (length > mostContent) throw new ArchiveError('s2: corrupt input');
    const check = (content: number): void => {
      if (exports.maskedCrc32c(content, length) >>> 0 !== sum) throw new ArchiveError('s2: checksum mismatch');
      call(this.#kernel.bytes(content, length));
    };
    if (isStored) return check(at + FRAME);
    this.#with(length, (to) => {
      if (exports.decodeBlock(at + FRAME, body, to, length) === 0) throw new ArchiveError('s2: corrupt input');
      check(to);
    });
  }
}
