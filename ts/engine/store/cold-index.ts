// The file of what the kernel's sequence indexes have no room for in memory (wasm/index/cold.ts). It is made when there is something to write
// first, and has no name: whatever ends the run takes it away, and what it held is made again from the blocks at the next start.
//
// Kept true: a write that fails says so, and the kernel keeps what it has. Where what was written does not come back, the index of one stream has
// lost a part: that stream is told behind the call, and loads its index anew. Nothing in the file is needed for what was acknowledged.

import { copyBytes } from '../../kernel/copy.ts';
import type { ColdPages } from '../../kernel/kernel.ts';
import type { Disk, OpenFile } from '../../ports/disk.ts';
import type { Log } from '../../ports/log.ts';
import { messageOf } from '../../lib/message-of.ts';
import { StoreFault } from './store.ts';

/** What the indexes of all streams may take before the oldest parts go to the file. */
export const indexBytesMost = 64 * 1024 * 1024;

const NAME = '.index';
/** Pages that follow each other are read together. */
const AHEAD = 64 * 1024;

/** What says why a stream does not know its messages. */
export interface IndexFile {
  /** The fault of a stream that has lost a part of its index. */
  fault(): StoreFault;
}

export class ColdIndex implements ColdPages, IndexFile {
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
  /** Why the last read or write failed. */
  #failure: string | undefined;
  #lossReason = '';
  /** A stream's index has lost a part. Called in the middle of a call of the kernel's. */
  onLost: () => void = () => {};

  constructor(disk: Disk, root: string, log: Log) {
    this.#disk = disk;
    this.#path = `${root}/${NAME}`;
    this.#log = log;
  }

  read(place: number, into: Uint8Array): boolean {
    this.#failure = undefined;
    try {
      if (this.#fill(place, into)) return true;
      this.#failure = 'the file is too short';
    } catch (error) {
      this.#failure = messageOf(error);
    }
    return false;
  }

  #fill(place: number, into: Uint8Array): boolean {
    const isNext = place === this.#next;
    this.#next = place + into.length;
    const isAhead = place >= this.#aheadFrom && this.#next <= this.#aheadTo;
    if (!isAhead && !isNext) return this.#disk.read(this.#open(), into, place) === into.length;
    if (!isAhead) {
      this.#aheadFrom = this.#aheadTo = place;
      this.#aheadTo += this.#disk.read(this.#open(), this.#ahead, place);
    }
    copyBytes(into, this.#ahead.subarray(place - this.#aheadFrom, this.#next - this.#aheadFrom));
    return this.#next <= this.#aheadTo;
  }

  write(place: number, bytes: Uint8Array): boolean {
    if (place < this.#aheadTo && place + bytes.length > this.#aheadFrom) this.#aheadTo = this.#aheadFrom;
    this.#failure = undefined;
    try {
      this.#disk.write(this.#open(), [bytes], place);
      this.#isFailing = false;
      return true;
    } catch (error) {
      this.#failure = messageOf(error);
      if (!this.#isFailing) this.#log.error(`Parts of the index stay in memory, they cannot be written: ${this.#failure}`);
      this.#isFailing = true;
      return false;
    }
  }

  lost(): void {
    this.#lossReason = this.#failure ?? 'what is there is not what was written';
    this.onLost();
  }

  fault(): StoreFault {
    return new StoreFault('INDEX', `a part of its index is lost, which was in ${this.#path}: ${this.#lossReason}`);
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
