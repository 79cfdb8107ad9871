/**
 * The matcher's Wasm module: found beside this file or in the build folder, compiled once a process, one instance with a
 * memory of its own for each matcher. Nothing else in this folder knows how the module is loaded.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What wasm/entry/matcher.ts exports. Pointers arrive as signed numbers: `>>> 0` before use. */
export interface MatcherExports {
  seed(low: number, high: number): void;
  limitPages(pages: number): void;
  startAtPage(page: number): void;
  subjectAt(): number;
  subjectMost(): number;
  resultsAt(): number;
  reserve(bytes: number): number;
  release(at: number): void;
  add(id: number, at: number, length: number): number;
  remove(id: number): number;
  match(at: number, length: number): number;
  matchesAny(at: number, length: number): number;
  liveBytes(): number;
  pagesUsed(): number;
}

export interface MatcherInstance {
  readonly memory: WebAssembly.Memory;
  readonly exports: MatcherExports;
}

const places = ['./matcher.wasm', '../../build/wasm/matcher.wasm'];
const initialPages = 256;
const mostPages = 65536;

let compiled: WebAssembly.Module | undefined;

function compile(): WebAssembly.Module {
  for (const place of places) {
    const path = fileURLToPath(new URL(place, import.meta.url));
    if (existsSync(path)) return new WebAssembly.Module(readFileSync(path));
  }
  throw new Error('matcher.wasm is missing: npm run build makes it');
}

/** A fresh instance. Memory grows as subscriptions come, up to `maximumBytes`. */
export function instantiate(maximumBytes: number): MatcherInstance {
  compiled ??= compile();
  const maximum = Math.min(mostPages, Math.max(initialPages, Math.ceil(maximumBytes / 65536)));
  const memory = new WebAssembly.Memory({ initial: initialPages, maximum, shared: true });
  const abort = (): never => {
    throw new Error('the matcher failed inside its Wasm module');
  };
  const instance = new WebAssembly.Instance(compiled, { env: { memory, abort } });
  const exports = instance.exports as unknown as MatcherExports;
  exports.limitPages(maximum);
  return { memory, exports };
}
