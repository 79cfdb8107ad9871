// The typed door to the fast batches of one stream, whose next messages the kernel takes by itself.

import type { StreamKernel } from './streams.ts';

/** How far the kernel is with a batch. */
export interface Taken {
  readonly sequence: number;
  readonly streamSequence: number;
  /** When the last message came. */
  readonly atMs: number;
}

export class FastBatchKernel {
  readonly #handle: number;
  readonly #streams: StreamKernel;

  constructor(handle: number, streams: StreamKernel) {
    this.#handle = handle;
    this.#streams = streams;
  }

  open(id: string, sequence: number, due: number): void {
    this.#streams.exports.openFastBatch(this.#handle, ...this.#streams.argument(id), sequence, due);
  }

  read(id: string): Taken | undefined {
    const { exports } = this.#streams;
    if (exports.readFastBatch(this.#handle, ...this.#streams.argument(id)) === 0) return undefined;
    const memory = this.#streams.memory.all();
    const at = (exports.answerAt() >>> 0) + 16;
    return {
      sequence: memory.readDoubleLE(at),
      streamSequence: memory.readDoubleLE(at + 8),
      atMs: memory.readDoubleLE(at + 16),
    };
  }

  close(id: string): void {
    this.#streams.exports.closeFastBatch(this.#handle, ...this.#streams.argument(id));
  }
}
