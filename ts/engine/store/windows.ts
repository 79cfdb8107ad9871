// Windows: pieces of block files in kernel memory, where records are verified and framed, shared by all streams. Large ones are for batches,
// which go on behind their end, and for single messages that follow each other; the one unused for longest is filled anew. Small ones are for
// single messages anywhere: each begins in one step of a block, and stays while it is asked for. A record larger than a window gets a large one
// of its size.
//
// Kept true: what is in a window is in the kernel's table too, so that the kernel finds it; both forget what a file no longer has.

import type { StreamKernel } from '../../kernel/streams.ts';
import { LARGE_ROWS, SMALL_ROWS, WINDOW_STEP, WindowTable, type WindowContent } from '../../kernel/windows.ts';
import { DiskFault } from '../../ports/disk.ts';
import type { BlockFiles } from './block-files.ts';

export type Window = WindowContent;

/** A row of the table with its memory. (A class: objects made by spreading another had shapes of their own, which cost a fifth of a direct get.) */
class Slot implements WindowContent {
  /** Whose file it is of; 0: nothing is in it. */
  stream = 0;
  block = 0;
  from = 0;
  to = 0;
  address = 0;
  bytes: Uint8Array = new Uint8Array(0);
  readonly row: number;

  constructor(row: number) {
    this.row = row;
  }
}

/** Where windows are read from. */
interface Source {
  readonly stream: number;
  readonly files: BlockFiles;
  readonly block: number;
  /** For a batch, which goes on behind what it asks for. */
  readonly ahead: boolean;
}

const LARGE_SIZE = 256 * 1024;
/** What is read for single messages that follow each other, from a multiple of the grid on. */
const GOING_ON = 48 * 1024;
const GRID = 16 * 1024;
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
    this.#slots = Array.from({ length: LARGE_ROWS + SMALL_ROWS }, (_, row) => new Slot(row));
  }

  /**
   * A window over the record at `offset`, with as much behind it as `ahead` asks for and there is. Undefined: the file does not have
   * that many bytes.
   */
  over(stream: number, files: BlockFiles, block: number, offset: number, length: number, ahead: number): Window | undefined {
    const row = this.#table.find(stream, block, offset, length);
    if (row >= 0) return this.#slots[row];
    const source = { stream, files, block, ahead: ahead > 0 };
    const slot = this.#read(source, offset, length, Math.min(LARGE_SIZE, ahead));
    return slot.to < offset + length ? undefined : slot;
  }

  #read(source: Source, offset: number, length: number, ahead: number): Slot {
    const { stream, block } = source;
    if (ahead > WINDOW_STEP || length > WINDOW_STEP) {
      // Batches that follow each other share what is read, however little the last one of a window still wants.
      const wanted = ahead > WINDOW_STEP && this.#table.goesOn(stream, block, offset) ? LARGE_SIZE : ahead;
      return this.#fill(this.#large(source, offset, Math.max(length, wanted)), source, offset, Math.max(length, wanted));
    }
    if (this.#table.goesOn(stream, block, offset)) {
      const slot = this.#large(source, offset, GOING_ON);
      return this.#fillFrom(slot, source, offset - (offset % GRID), offset, GOING_ON);
    }
    return this.#inStep(source, offset, length);
  }

  /** A small window: over the record alone, and over the whole step when there was one in that step before. */
  #inStep(source: Source, offset: number, length: number): Slot {
    const { stream, block } = source;
    const slot = this.#slots[this.#table.smallRow(stream, block, offset)] as Slot;
    const first = offset - (offset % WINDOW_STEP);
    const isAgain = slot.stream === stream && slot.block === block && slot.from >= first && slot.from < first + WINDOW_STEP;
    if (!isAgain) return this.#fill(slot, source, offset, length);
    return this.#fillFrom(slot, source, first, offset, offset + length <= first + WINDOW_STEP ? WINDOW_STEP : SMALL_SIZE);
  }

  /** Fills a window from before a record on; where those bytes cannot be read, from the record on. */
  #fillFrom(slot: Slot, source: Source, from: number, offset: number, size: number): Slot {
    try {
      return this.#fill(slot, source, from, size);
    } catch (fault) {
      if (!(fault instanceof DiskFault) || from === offset) throw fault;
      return this.#fill(slot, source, offset, from + size - offset);
    }
  }

  #fill(slot: Slot, { stream, files, block, ahead }: Source, from: number, size: number): Slot {
    this.#empty(slot);
    this.#room(slot, size);
    const have = files.read(block, slot.bytes.length === size ? slot.bytes : slot.bytes.subarray(0, size), from, ahead);
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

  /** The large window that reading has come to the end of, or the one unused for longest. */
  #large({ stream, block }: Source, offset: number, size: number): Slot {
    const rows = this.#slots.slice(0, LARGE_ROWS);
    const before = rows.filter((slot) => {
      const isNear = slot.from <= offset && offset <= slot.to + LARGE_SIZE;
      return slot.stream === stream && slot.block === block && isNear && slot.bytes.length >= size;
    });
    if (before.length > 0) return before.reduce((nearest, slot) => (slot.from > nearest.from ? slot : nearest));
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
