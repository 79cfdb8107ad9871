// What of a stream may be shown: messages up to the last sequence that is on disk, and only while no delete waits to be on disk too. The
// kernel is told, since it answers direct gets by itself.

import type { StreamKernel } from '../../kernel/streams.ts';
import { streamFlag } from '../../kernel/streams.ts';

export class Visibility {
  readonly #stream: number;
  readonly #kernel: StreamKernel;
  #syncedSeq = 0;
  /** Deletes and purges so far, those of the round under way, and those on disk. */
  #removals = 0;
  #roundRemovals = 0;
  #syncedRemovals = 0;
  /** Removals are under way that are to be seen together. */
  #isHeld = false;

  constructor(stream: number, kernel: StreamKernel) {
    this.#stream = stream;
    this.#kernel = kernel;
    this.synced(kernel.exports.lastSequence(stream));
  }

  get syncedSeq(): number {
    return this.#syncedSeq;
  }

  /** A delete or purge is not on disk. */
  get holds(): boolean {
    return this.#isHeld || this.#removals > this.#syncedRemovals;
  }

  /** Removals begin that are to be seen together, or are through. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#tell();
  }

  /** Messages were deleted. */
  removed(): void {
    const held = this.holds;
    this.#removals++;
    if (!held) this.#tell();
  }

  /** A round begins: everything so far rides it. */
  roundBegins(): void {
    this.#roundRemovals = this.#removals;
  }

  /** The round is through. */
  roundEnds(syncedSeq: number): void {
    this.#syncedRemovals = this.#roundRemovals;
    this.synced(syncedSeq);
  }

  /** Messages up to a sequence are on disk. */
  synced(seq: number): void {
    this.#syncedSeq = seq;
    this.#tell();
  }

  #tell(): void {
    const { exports } = this.#kernel;
    exports.showStream(this.#stream, this.#syncedSeq);
    exports.flagStream(this.#stream, this.holds ? streamFlag.held : 0, this.holds ? 0 : streamFlag.held);
  }
}
