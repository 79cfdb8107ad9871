// The table of windows in the kernel: which pieces of block files lie where in its memory. The host enters them, the kernel finds records in
// them by itself. The twin is wasm/stream/windows.ts.

import type { StreamKernel } from './streams.ts';

/** What is in a window. */
export interface WindowContent {
  readonly stream: number;
  readonly block: number;
  /** Offsets in the block: first byte, and the byte behind the last. */
  readonly from: number;
  readonly to: number;
  readonly address: number;
}

/** Rows of large windows; those of the small ones follow. */
export const LARGE_ROWS = 16;
export const SMALL_ROWS = 1024;
/** Small windows begin in one step of a block each. */
export const WINDOW_STEP = 4096;
const ROWS = LARGE_ROWS + SMALL_ROWS;
const ROW_WORDS = 8;
const USED = 3;

export class WindowTable {
  readonly #kernel: StreamKernel;
  readonly #words: Uint32Array;
  readonly #numbers: Float64Array;

  constructor(kernel: StreamKernel) {
    this.#kernel = kernel;
    const at = kernel.exports.windowsAt() >>> 0;
    this.#words = kernel.memory.words(at, ROWS * ROW_WORDS);
    this.#numbers = new Float64Array(kernel.memory.memory.buffer, at, (ROWS * ROW_WORDS) / 2);
  }

  /** The row over `length` bytes of a block from `offset` on, -1 for none. It counts as used now. */
  find(stream: number, block: number, offset: number, length: number): number {
    return this.#kernel.exports.findWindow(stream, block, offset, length);
  }

  /** Whether a record lies shortly behind what was read of its block a moment ago. */
  goesOn(stream: number, block: number, offset: number): boolean {
    return this.#kernel.exports.goesOn(stream, block, offset) !== 0;
  }

  /** The row that a small window in the step at `offset` takes. */
  smallRow(stream: number, block: number, offset: number): number {
    return this.#kernel.exports.smallRow(stream, block, offset);
  }

  enter(row: number, { stream, block, from, to, address }: WindowContent): void {
    const words = this.#words;
    const at = row * ROW_WORDS;
    words[at] = stream;
    words[at + 1] = block;
    words[at + 2] = from;
    words[at + 3] = to;
    words[at + 4] = address;
  }

  clear(row: number): void {
    this.#words[row * ROW_WORDS] = 0;
  }

  /** Higher for what was used later. */
  used(row: number): number {
    return this.#numbers[(row * ROW_WORDS) / 2 + USED] ?? 0;
  }
}
