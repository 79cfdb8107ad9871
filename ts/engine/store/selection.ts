// A selection of a stream's messages by subject filters, kept in the kernel (wasm/stream/selection.ts).

import type { StreamKernel } from '../../kernel/streams.ts';
import type { Selection } from './store.ts';

export class KernelSelection implements Selection {
  readonly handle: number;
  readonly filters: readonly string[];
  readonly #stream: number;
  readonly #streams: StreamKernel;
  #isOpen = true;

  constructor(stream: number, streams: StreamKernel, filters: readonly string[]) {
    this.#stream = stream;
    this.#streams = streams;
    this.filters = filters;
    this.handle = streams.select(stream, filters);
  }

  count(fromSeq: number): number {
    if (!this.#isOpen) return 0;
    if (this.handle === 0) return this.#streams.countOn(this.#stream, [], fromSeq);
    return this.#streams.exports.countSelection(this.handle, fromSeq);
  }

  close(): void {
    if (this.handle !== 0 && this.#isOpen) this.#streams.exports.closeSelection(this.handle);
    this.#isOpen = false;
  }
}
