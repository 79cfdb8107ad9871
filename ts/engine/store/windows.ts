// Windows: pieces of block files in kernel memory, where records are verified and framed. A small number of them is shared by all streams;
// the one unused for longest is filled anew. Large ones are for batches, which go on behind their end; small ones are for single messages,
// begin and end where others do, and stay while they are asked for. Records larger than a window get a large one of their size.
//
// Kept true: what is in a window is in the kernel's table too, so that the kernel finds it; both forget what a file no longer has.

import type { StreamKernel } from '../../kernel/streams.ts';
import { WINDOW_ROWS, WindowTable, type WindowContent } from '../../kernel/windows.ts';
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
  capacity: number;
  readonly row: number;
}

/** The first rows of the table are large windows. */
const LARGE = 16;
const LARGE_SIZE = 256 * 1024;
/** A small window: so much from a multiple of its grid on, and room for a record that goes on behind that. */
const GRID = 4 * 1024;
const SMALL_READ = 2 * GRID;
const SMALL_SIZE = 4 * GRID;
/** Vector loads run past the end of a record. */
const SLACK = 64;

export class Windows {
  readonly #kernel: StreamKernel;
  readonly #table: WindowTable;
  readonly #slots: readonly Slot[];

  constructor(kernel: StreamKernel) {
    this.#kernel = kernel;
    this.#table = new WindowTable(kernel);
    const empty = { stream: 0, block: 0, from: 0, to: 0, address: 0, capacity: 0 };
    this.#slots = Array.from({ length: WINDOW_ROWS }, (_, row) => ({ ...empty, row }));
  }

  /**
   * A window over the record at `offset`, with as much behind it as `ahead` asks for and there is. Undefined: the file does not have
   * that many bytes.
   */
  over(stream: number, files: BlockFiles, block: number, offset: number, length: number, ahead: number): Window | undefined {
    const row = this.#table.find(stream, block, offset, length);
    if (row >= 0) return this.#slots[row];
    const from = offset - (offset % GRID);
    const wanted = Math.max(length, Math.min(LARGE_SIZE, ahead));
    const isSmall = offset - from + wanted <= SMALL_SIZE;
    const slot = this.#empty(isSmall ? this.#unused(LARGE, WINDOW_ROWS) : this.#large(stream, block, wanted));
    if (isSmall) this.#fillAround(slot, stream, files, block, from, Math.max(offset - from + wanted, SMALL_READ), offset);
    else this.#fill(slot, stream, files, block, offset, wanted);
    return slot.to < offset + length ? undefined : slot;
  }

  /** Fills a window from the grid on; where the bytes before the record cannot be read, from there. */
  #fillAround(slot: Slot, stream: number, files: BlockFiles, block: number, from: number, size: number, offset: number): void {
    try {
      this.#fill(slot, stream, files, block, from, size);
    } catch (fault) {
      if (!(fault instanceof DiskFault) || from === offset) throw fault;
      this.#fill(slot, stream, files, block, offset, from + size - offset);
    }
  }

  #fill(slot: Slot, stream: number, files: BlockFiles, block: number, from: number, size: number): void {
    this.#room(slot, size);
    const have = files.read(block, this.#kernel.memory.bytes(slot.address, size), from);
    slot.stream = stream;
    slot.block = block;
    slot.from = from;
    slot.to = from + have;
    this.#table.enter(slot.row, slot);
  }

  #room(slot: Slot, size: number): void {
    if (slot.capacity >= size && slot.capacity <= 4 * LARGE_SIZE) return;
    if (slot.address !== 0) this.#kernel.release(slot.address);
    slot.capacity = Math.max(size, slot.row < LARGE ? LARGE_SIZE : SMALL_SIZE);
    slot.address = this.#kernel.take(slot.capacity + SLACK);
  }

  /** The large window of the same block, which reading has come to the end of, or the one unused for longest. */
  #large(stream: number, block: number, size: number): Slot {
    for (let i = 0; i < LARGE; i++) {
      const slot = this.#slots[i] as Slot;
      if (slot.stream === stream && slot.block === block && slot.capacity >= size) return slot;
    }
    return this.#unused(0, LARGE);
  }

  /** The window from one row up to another that was not used for longest, an empty one first of all. */
  #unused(first: number, end: number): Slot {
    let oldest = this.#slots[first] as Slot;
    for (let i = first; i < end && oldest.stream !== 0; i++) {
      const slot = this.#slots[i] as Slot;
      if (slot.stream === 0 || this.#table.used(i) < this.#table.used(oldest.row)) oldest = slot;
    }
    return oldest;
  }

  #empty(slot: Slot): Slot {
    slot.stream = 0;
    this.#table.clear(slot.row);
    return slot;
  }

  /** Forgets what was read of a stream's files (of one block). */
  forget(stream: number, block?: number): void {
    for (const slot of this.#slots)
      if (slot.stream === stream && (block === undefined || slot.block === block)) this.#empty(slot);
  }
}
