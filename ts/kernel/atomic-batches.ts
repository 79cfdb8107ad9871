// The typed door to the atomic batches of one stream, whose plain members the kernel puts aside by itself (wasm/stream/members.ts).

import type { StreamKernel } from './streams.ts';

/** What waits of a batch. */
export interface Waiting {
  readonly count: number;
  /** What they will count in the stream. */
  readonly bytes: number;
  /** When the last one came. */
  readonly atMs: number;
}

/** A member as it was published. */
export interface WaitingMember {
  readonly subject: string;
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
}

const SUBJECT_LENGTH = 4;
const HEADER_LENGTH = 8;
const DATA_LENGTH = 12;
const SUBJECT = 16;

export class AtomicBatchKernel {
  readonly #handle: number;
  readonly #streams: StreamKernel;

  constructor(handle: number, streams: StreamKernel) {
    this.#handle = handle;
    this.#streams = streams;
  }

  open(id: string, sequence: number, most: number): void {
    this.#streams.exports.openAtomicBatch(this.#handle, ...this.#streams.argument(id), sequence, most);
  }

  read(id: string): Waiting | undefined {
    const { exports } = this.#streams;
    if (exports.readAtomicBatch(this.#handle, ...this.#streams.argument(id)) === 0) return undefined;
    const memory = this.#streams.memory.all();
    const at = (exports.answerAt() >>> 0) + 16;
    return { count: memory.readDoubleLE(at), bytes: memory.readDoubleLE(at + 8), atMs: memory.readDoubleLE(at + 16) };
  }

  take(id: string): WaitingMember[] {
    const { exports, memory } = this.#streams;
    const members: WaitingMember[] = [];
    let at = exports.firstOfBatch(this.#handle, ...this.#streams.argument(id)) >>> 0;
    while (at !== 0) {
      const words = memory.all();
      const data = at + SUBJECT + words.readUInt32LE(at + SUBJECT_LENGTH);
      const headerLength = words.readUInt32LE(at + HEADER_LENGTH);
      members.push({
        subject: words.toString('utf8', at + SUBJECT, data),
        headers: memory.copy(data, headerLength),
        payload: memory.copy(data + headerLength, words.readUInt32LE(at + DATA_LENGTH) - headerLength),
      });
      at = words.readUInt32LE(at);
    }
    exports.dropMembers(this.#handle, ...this.#streams.argument(id));
    return members;
  }

  store(id: string): void {
    this.#streams.exports.storeMembers(this.#handle, ...this.#streams.argument(id));
  }

  close(id: string): void {
    this.#streams.exports.closeAtomicBatch(this.#handle, ...this.#streams.argument(id));
  }
}
