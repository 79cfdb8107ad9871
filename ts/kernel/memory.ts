// The kernel's memory as typed values: the only place where an address becomes a view. Views are taken anew after the memory has grown
// (older ones stay valid for the range they cover, the memory being shared), and addresses above 2 GiB come as negative numbers, so
// every one passes through `>>> 0` here. Whether it has grown the kernel is asked: the engine's own `buffer` takes seven times as long.

import { copyBytes } from './copy.ts';

const PAGE = 65536;
/** Copies up to SHARED_MOST bytes are cut from allocations of SHARE bytes. */
const SHARE = 8192;
const SHARED_MOST = 1024;

export class KernelMemory {
  readonly memory: WebAssembly.Memory;
  #buffer: Buffer;
  #pagesOfBuffer: number;
  #pages: () => number;
  #shared = new ArrayBuffer(SHARE);
  #shareUsed = 0;

  constructor(initialPages: number, maximumPages: number) {
    this.memory = new WebAssembly.Memory({ initial: initialPages, maximum: maximumPages, shared: true });
    this.#buffer = Buffer.from(this.memory.buffer);
    this.#pagesOfBuffer = initialPages;
    this.#pages = () => this.pages;
  }

  /** Takes the kernel's word for how many pages there are. */
  askPages(pages: () => number): void {
    this.#pages = pages;
  }

  /** All of the memory; take it anew whenever an address comes from the kernel. */
  all(): Buffer {
    const pages = this.#pages();
    if (pages !== this.#pagesOfBuffer) {
      this.#buffer = Buffer.from(this.memory.buffer);
      this.#pagesOfBuffer = pages;
    }
    return this.#buffer;
  }

  /** A view of `length` bytes, valid as long as the kernel keeps them there. */
  bytes(at: number, length: number): Buffer {
    return Buffer.from(this.all().buffer, at >>> 0, length >>> 0);
  }

  /** The same as a bare array, for the path of every message: it is made in a quarter of the time. */
  view(at: number, length: number): Uint8Array {
    return new Uint8Array(this.all().buffer, at >>> 0, length >>> 0);
  }

  /** A copy of `length` bytes. Short ones share an allocation, which is what a copy costs most. */
  copy(at: number, length: number): Uint8Array {
    const size = length >>> 0;
    const start = at >>> 0;
    const taken = size > SHARED_MOST ? new Uint8Array(size) : this.#share(size);
    copyBytes(taken, this.all().subarray(start, start + size));
    return taken;
  }

  #share(size: number): Uint8Array {
    if (this.#shareUsed + size > SHARE) {
      this.#shared = new ArrayBuffer(SHARE);
      this.#shareUsed = 0;
    }
    const taken = new Uint8Array(this.#shared, this.#shareUsed, size);
    this.#shareUsed += size;
    return taken;
  }

  /** Text of `length` bytes, read as UTF-8. */
  text(at: number, length: number): string {
    const start = at >>> 0;
    return this.all().toString('utf8', start, start + (length >>> 0));
  }

  words(at: number, count: number): Uint32Array {
    return new Uint32Array(this.all().buffer, at >>> 0, count);
  }

  /** Numbers at a multiple of 8. */
  numbers(at: number, count: number): Float64Array {
    return new Float64Array(this.all().buffer, at >>> 0, count);
  }

  get size(): number {
    return this.memory.buffer.byteLength;
  }

  get pages(): number {
    return this.size / PAGE;
  }
}
