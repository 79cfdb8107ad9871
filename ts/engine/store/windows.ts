// Windows: pieces of block files in kernel memory, where records are verified and framed. A small number of them is shared by all streams;
// the one unused for longest is filled anew. Records larger than a window get one of their size.

import type { StreamKernel } from '../../kernel/streams.ts';
import type { BlockFiles } from './block-files.ts';

export interface Window {
  /** Address in the kernel. */
  readonly address: number;
  readonly block: number;
  /** Offsets in the block: first byte, and the byte behind the last. */
  readonly from: number;
  readonly to: number;
}

interface Slot {
  files: BlockFiles | undefined;
  block: number;
  from: number;
  to: number;
  address: number;
  capacity: number;
  used: number;
}

const WINDOWS = 16;
const WINDOW_SIZE = 256 * 1024;
const SMALLEST_READ = 4 * 1024;
/** Vector loads run past the end of a record. */
const SLACK = 64;

export class Windows {
  readonly #kernel: StreamKernel;
  readonly #slots: Slot[] = [];
  #uses = 0;

  constructor(kernel: StreamKernel) {
    this.#kernel = kernel;
  }

  /**
   * A window over the record at `offset`, with as much behind it as `ahead` asks for and there is. Undefined: the file does not have
   * that many bytes.
   */
  over(files: BlockFiles, block: number, offset: number, length: number, ahead: number): Window | undefined {
    for (const slot of this.#slots) {
      if (slot.files !== files || slot.block !== block || offset < slot.from || offset + length > slot.to) continue;
      slot.used = ++this.#uses;
      return slot;
    }
    const wanted = Math.max(length, Math.min(WINDOW_SIZE, Math.max(ahead, SMALLEST_READ)));
    const slot = this.#slotFor(files, block, wanted);
    const have = files.read(block, this.#kernel.memory.bytes(slot.address, wanted), offset);
    slot.files = files;
    slot.block = block;
    slot.from = offset;
    slot.to = offset + have;
    slot.used = ++this.#uses;
    return have < length ? undefined : slot;
  }

  #slotFor(files: BlockFiles, block: number, size: number): Slot {
    let slot = this.#slots.find((other) => other.files === files && other.block === block && other.capacity >= size);
    slot ??= this.#slots.find((other) => other.files === undefined);
    if (slot === undefined && this.#slots.length < WINDOWS) {
      slot = { files: undefined, block: 0, from: 0, to: 0, address: 0, capacity: 0, used: 0 };
      this.#slots.push(slot);
    }
    slot ??= this.#slots.reduce((oldest, other) => (other.used < oldest.used ? other : oldest));
    if (slot.capacity < size || slot.capacity > 4 * WINDOW_SIZE) {
      if (slot.address !== 0) this.#kernel.release(slot.address);
      slot.capacity = Math.max(size, WINDOW_SIZE);
      slot.address = this.#kernel.take(slot.capacity + SLACK);
    }
    return slot;
  }

  /** Forgets what was read of a stream's files (of one block). */
  forget(files: BlockFiles, block?: number): void {
    for (const slot of this.#slots) {
      if (slot.files === files && (block === undefined || slot.block === block)) slot.files = undefined;
    }
  }
}
