// Secure erase: the bytes of a deleted message are overwritten by an erased record of the same length. A record that is still in memory is
// overwritten there; one on disk when the round with its tombstone is through, so that whatever a crash leaves of the overwriting is a
// message that is deleted already.
//
// What the journal still has is overwritten there first: it would be put back by the next start.

import { copyBytes } from '../../kernel/copy.ts';
import type { Place, StreamKernel } from '../../kernel/streams.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { BlockFiles } from './block-files.ts';
import type { Journal } from './journal/journal.ts';
import type { StreamReader } from './reader.ts';

/** Where a record has its time. */
const TIME = 12;

/** When the journal did not let its entries go. */
const AGAIN_MS = 1_000;

export interface ErasurePorts {
  readonly streams: StreamKernel;
  readonly files: BlockFiles;
  readonly reader: StreamReader;
  readonly journal: Journal | undefined;
  readonly clock: Clock;
}

interface Erasure {
  readonly seq: number;
  readonly place: Place;
}

export class Erasures {
  readonly #kernel: StreamKernel;
  readonly #stream: number;
  readonly #files: BlockFiles;
  readonly #reader: StreamReader;
  readonly #journal: Journal | undefined;
  readonly #clock: Clock;
  #next: Erasure[] = [];
  #inRound: Erasure[] = [];
  #isWaiting = false;
  #timer: Timer | undefined;
  #closed = false;

  constructor(stream: number, { streams, files, reader, journal, clock }: ErasurePorts) {
    this.#kernel = streams;
    this.#stream = stream;
    this.#files = files;
    this.#reader = reader;
    this.#journal = journal;
    this.#clock = clock;
  }

  /** There are records to be overwritten. */
  get any(): boolean {
    return this.#next.length > 0 || this.#inRound.length > 0;
  }

  /** A message at `place` was deleted. */
  add(seq: number, place: Place): void {
    if (place.address === 0) this.#next.push({ seq, place });
    else this.#frame(seq, place, place.address, this.#kernel.memory.copy(place.address + TIME, 8));
  }

  /** The erased record keeps the message's time: an empty stream takes its last time from there. */
  #frame(seq: number, { block, length }: Place, at: number, time: Uint8Array): void {
    copyBytes(this.#kernel.memory.bytes(at, length), this.#files.filler(block, length));
    const halves = new DataView(time.buffer, time.byteOffset, 8);
    const [low, high] = [halves.getUint32(0, true), halves.getUint32(4, true)];
    this.#kernel.exports.frameErased(this.#stream, block, at, length, seq, low, high);
  }

  /** The deletes did not get to the disk: nothing is overwritten for them. */
  drop(): void {
    this.#next = [];
    this.#inRound = [];
  }

  /** Whether records of a block are still to be overwritten. */
  concern(block: number): boolean {
    return [...this.#next, ...this.#inRound].some(({ place }) => place.block === block);
  }

  /** A round begins: it writes the tombstones of everything added so far. */
  begin(): void {
    this.#inRound = [...this.#inRound, ...this.#next.splice(0)];
  }

  /**
   * The round is through: records are `overwritten`, which the next one syncs; or they are `held` by the journal, and `again` is called when it has let
   * them go, to ask for another round.
   */
  finish(again: () => void): 'overwritten' | 'held' | 'nothing' {
    if (this.#inRound.length === 0) return 'nothing';
    if (this.#journal?.names(this.#files.directory) === true) {
      void this.#letGo(this.#journal, again);
      return 'held';
    }
    const due = this.#inRound.splice(0);
    for (const { seq, place } of due) {
      const at = this.#kernel.take(place.length);
      const time = new Uint8Array(8);
      this.#files.read(place.block, time, place.offset + TIME);
      this.#frame(seq, place, at, time);
      this.#files.patch(place.block, place.offset, this.#kernel.memory.bytes(at, place.length));
      this.#kernel.release(at);
      this.#reader.forget(place.block);
    }
    return 'overwritten';
  }

  /** The stream is closed: nothing is tried any more. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #letGo(journal: Journal, again: () => void): Promise<void> {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    try {
      await journal.without(this.#files.directory, { isSecret: true });
      again();
    } catch {
      if (!this.#closed) this.#timer = this.#clock.after(AGAIN_MS, again);
    } finally {
      this.#isWaiting = false;
    }
  }
}
