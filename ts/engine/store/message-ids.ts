// The duplicate window of a stream, which the kernel keeps (wasm/stream/ids.ts).

import { streamFlag, type StreamKernel } from '../../kernel/streams.ts';
import type { Instant } from '../../ports/clock.ts';
import type { MessageIds } from './store.ts';

const nanosPerMilli = 1e6;

export class KernelIds implements MessageIds {
  readonly #handle: number;
  readonly #streams: StreamKernel;

  constructor(handle: number, streams: StreamKernel) {
    this.#handle = handle;
    this.#streams = streams;
  }

  resize(windowMs: number): void {
    this.#streams.exports.windowStream(this.#handle, windowMs * nanosPerMilli);
  }

  setCold(cold: boolean): void {
    this.#streams.exports.flagStream(this.#handle, cold ? streamFlag.idsCold : 0, cold ? 0 : streamFlag.idsCold);
  }

  find(id: string): number | undefined {
    return this.#streams.seqOfId(this.#handle, id) || undefined;
  }

  add(id: string, seq: number, { seconds, nanos }: Instant): void {
    this.#streams.rememberId(this.#handle, id, seq, seconds, nanos);
  }
}
