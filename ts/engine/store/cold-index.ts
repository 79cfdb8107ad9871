// The file of what the kernel's sequence indexes have no room for in memory (wasm/index/cold.ts). It is made when there is something to write
// first, and has no name: whatever ends the run takes it away, and what it held is made again from the blocks at the next start.
//
// Kept true: a write that fails says so, and the kernel keeps what it has. A read that fails, or gives too little, stops the kernel, which would
// answer wrongly without it. Nothing in the file is needed for what was acknowledged.

import { copyBytes } from '../../kernel/copy.ts';
import type { ColdPages } from '../../kernel/kernel.ts';
import type { Disk, OpenFile } from '../../ports/disk.ts';
import type { Log } from '../../ports/log.ts';
import { messageOf } from '../../lib/message-of.ts';

/** What the indexes of all streams may take before the oldest parts go to the file. */
export const indexBytesMost = 64 * 1024 * 1024;

const NAME = '.index';
/** Pages that follow each other are read together. */
const AHEAD = 64 * 1024;

export class ColdIndex implements ColdPages {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #log: Log;
  readonly #ahead = new Uint8Array(AHEAD);
  #aheadFrom = 0;
  #aheadTo = 0;
  /** Where the page behind the one read last begins. */
  #next = -1;
  #file: OpenFile | undefined;
  #isFailing = false;

  constructor(disk: Disk, root: string, log: Log) {
    this.#disk = disk;
    this.#path = `${root}/${NAME}`;
    this.#log = log;
  }

  read(place: number, into: Uint8Array): boolean {
    try {
      const isNext = place === this.#next;
      this.#next = place + into.length;
      const isAhead = place >= this.#aheadFrom && this.#next <= this.#aheadTo;
      if (!isAhead && !isNext) return this.#disk.read(this.#open(), into, place) === into.length;
      if (!isAhead) {
        this.#aheadFrom = place;
        this.#aheadTo = place + this.#disk.read(this.#open(), this.#ahead, place);
      }
      copyBytes(into, this.#ahead.subarray(place - this.#aheadFrom, this.#next - this.#aheadFrom));
      return this.#next <= this.#aheadTo;
    } catch (error) {
      this.#log.error(`Parts of the index that were written to the disk cannot be read: ${messageOf(error)}`);
      return false;
    }
  }

  write(place: number, bytes: Uint8Array): boolean {
    if (place < this.#aheadTo && place + bytes.length > this.#aheadFrom) this.#aheadTo = this.#aheadFrom;
    try {
      this.#disk.write(this.#open(), [bytes], place);
      this.#isFailing = false;
      return true;
    } catch (error) {
      if (!this.#isFailing) this.#log.error(`Parts of the index stay in memory, they cannot be written: ${messageOf(error)}`);
      this.#isFailing = true;
      return false;
    }
  }

  #open(): OpenFile {
    if (this.#file !== undefined) return this.#file;
    const file = this.#disk.open(this.#path, true);
    this.#file = file;
    this.#disk.remove(this.#path);
    return file;
  }

  close(): void {
    if (this.#file !== undefined) this.#disk.close(this.#file);
    this.#file = undefined;
  }
}
