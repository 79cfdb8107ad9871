// The jobs kernel over a memory of its own: one a thread, shared by all that the thread does.

/** What wasm/entry/jobs.ts exports. */
interface JobsExports {
  alloc(size: number): number;
  free(block: number): void;
  scanBlock(name: number, nameLength: number, block: number, data: number, size: number): void;
  scanEntries(): number;
  scanEntriesLength(): number;
  scanSubjects(): number;
  scanSubjectsLength(): number;
  scanSubjectCount(): number;
  scanGoodEnd(): number;
  scanDamages(): number;
  scanDamagesLength(): number;
  scanTombstones(): number;
  maskedCrc32c(from: number, length: number): number;
  contentLength(from: number, length: number): number;
  decodeBlock(from: number, length: number, to: number, size: number): number;
  encodeBlock(from: number, length: number, to: number, most: number): number;
}

const INITIAL_PAGES = 256;
const MOST_PAGES = 65536;
/** Vector loads and stores run past the end of what they are for. */
const SLACK = 64;

export class JobsKernel {
  readonly #memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MOST_PAGES, shared: true });
  readonly exports: JobsExports;

  constructor(module: WebAssembly.Module) {
    const abort = (): never => {
      throw new Error('the Wasm kernel stopped at an assertion');
    };
    const instance = new WebAssembly.Instance(module, { env: { memory: this.#memory, abort } });
    this.exports = instance.exports as unknown as JobsExports;
  }

  /** Room for `size` bytes, and what may be touched behind them; to be given back with `exports.free`. */
  take(size: number): number {
    return this.exports.alloc(size + SLACK) >>> 0;
  }

  bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, at >>> 0, length >>> 0);
  }
}
