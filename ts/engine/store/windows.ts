// Windows: pieces of block files in kernel memory, where records are verified and framed, shared by all streams. Large ones are for batches,
// which go on behind their end; the one unused for longest is filled anew. Small ones are for single messages: each begins in one step of a
// block, and stays while it is asked for. Records larger than a window get a large one of their size.
//
// Kept true: what is in a window is in the kernel's table too, so that the kernel finds it; both forget what a file no longer has.

import type { StreamKernel } from '../../kernel/streams.ts';
import { LARGE_ROWS, SMALL_ROWS, WINDOW_STEP, WindowTable, type WindowContent } from '../../kernel/windows.ts';
import { DiskFault } from '../../ports/disk.ts';
import type { BlockFiles } from './block-files.ts';

export type Window = WindowContent;

interface Slot {
  /** Whose file it is of; 0: nothing is in it. */
  stream: number;
  block: number;
  from: number;
  to: number;
  address: number;
  bytes: Uint8Array;
  readonly row: number;
}

const LARGE_SIZE = 256 * 1024;
/** A small window has one step of its block at most, or two where the last record goes on in the next. */
const SMALL_SIZE = 2 * WINDOW_STEP;
/** Vector loads run past the end of a record. */
const SLACK = 64;

export class Windows {
  readonly #kernel: StreamKernel;
  readonly #table: WindowTable;
  readonly #slots: readonly Slot[];

  constructor(kernel: StreamKernel) {
    this.#kernel = kernel;
    this.#table = new WindowTable(kernel);
    const empty = { stream: 0, block: 0, from: 0, to: 0, address: 0, bytes: new Uint8Array(0) };
    this.#slots = Array.from({ length: LARGE_ROWS + SMALL_ROWS }, (_, row) => ({ ...empty, row }));
  }

  /**
   * A window over the record at `offset`, with as much behind it as `ahead` asks for and there is. Undefined: the file does not have
   * that many bytes.
   */
  over(stream: number, files: BlockFiles, block: number, offset: number, length: number, ahead: number): Window | undefined {
    const row = this.#table.find(stream, block, offset, length);
    if (row >= 0) return this.#slots[row];
    const from = offset - (offset % WINDOW_STEP);
    const isSmall = ahead <= WINDOW_STEP && offset + length <= from + SMALL_SIZE;
    const slot = isSmall
      ? this.#inStep(stream, files, block, offset, length)
      : this.#ahead(stream, files, block, offset, Math.max(length, Math.min(LARGE_SIZE, ahead)));
    return slot.to < offset + length ? undefined : slot;
  }

  /**
   * A small window: over the record alone, and over the whole step when there was one in that step before. Where the bytes before the record
   * cannot be read, from there.
   */
  #inStep(stream: number, files: BlockFiles, block: number, offset: number, length: number): Slot {
    const slot = this.#slots[this.#table.smallRow(stream, block, offset)] as Slot;
    const first = offset - (offset % WINDOW_STEP);
    const isAgain = slot.stream === stream && slot.block === block && slot.from >= first && slot.from < first + WINDOW_STEP;
    this.#empty(slot);
    if (!isAgain) return this.#fill(slot, stream, files, block, offset, length);
    const size = offset + length <= first + WINDOW_STEP ? WINDOW_STEP : SMALL_SIZE;
    try {
      return this.#fill(slot, stream, files, block, first, size);
    } catch (fault) {
      if (!(fault instanceof DiskFault) || first === offset) throw fault;
      return this.#fill(slot, stream, files, block, offset, first + size - offset);
    }
  }

  /** Fills a large window from a record on. */
  #ahead(stream: number, files: BlockFiles, block: number, offset: number, size: number): Slot {
    const slot = this.#large(stream, block, size);
    this.#empty(slot);
    return this.#fill(slot, stream, files, block, offset, size);
  }

  #fill(slot: Slot, stream: number, files: BlockFiles, block: number, from: number, size: number): Slot {
    this.#room(slot, size);
    const have = files.read(block, slot.bytes.length === size ? slot.bytes : slot.bytes.subarray(0, size), from);
    slot.stream = stream;
    slot.block = block;
    slot.from = from;
    slot.to = from + have;
    this.#table.enter(slot.row, slot);
    return slot;
  }

  #room(slot: Slot, size: number): void {
    const capacity = slot.bytes.length;
    if (capacity >= size && capacity <= 4 * LARGE_SIZE) return;
    if (slot.address !== 0) this.#kernel.release(slot.address);
    const room = Math.max(size, slot.row < LARGE_ROWS ? LARGE_SIZE : WINDOW_STEP);
    slot.address = this.#kernel.take(room + SLACK);
    slot.bytes = this.#kernel.memory.bytes(slot.address, room);
  }

  /** The large window of the same block, which reading has come to the end of, or the one unused for longest. */
  #large(stream: number, block: number, size: number): Slot {
    const rows = this.#slots.slice(0, LARGE_ROWS);
    const same = rows.find((slot) => slot.stream === stream && slot.block === block && slot.bytes.length >= size);
    if (same !== undefined) return same;
    const unused = rows.find((slot) => slot.stream === 0);
    return unused ?? rows.reduce((oldest, slot) => (this.#table.used(slot.row) < this.#table.used(oldest.row) ? slot : oldest));
  }

  #empty(slot: Slot): void {
    slot.stream = 0;
    this.#table.clear(slot.row);
  }

  /** Forgets what was read of a stream's files (of one block). */
  forget(stream: number, block?: number): void {
    for (const slot of this.#slots)
      if (slot.stream === stream && (block === undefined || slot.block === block)) this.#empty(slot);
  }
}
