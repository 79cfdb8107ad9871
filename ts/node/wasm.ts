// Loads the compiled kernels: beside the bundle (dist/), or in build/wasm when run from the sources.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type KernelName = 'server' | 'jobs' | 'matcher';

/** The file of a kernel, looked for from the directory of the running code upwards. */
function kernelFile(name: KernelName, from: string): string {
  for (let directory = from; ; directory = dirname(directory)) {
    for (const candidate of [join(directory, `${name}.wasm`), join(directory, 'build', 'wasm', `${name}.wasm`)])
      if (existsSync(candidate)) return candidate;
    if (dirname(directory) === directory) throw new Error(`${name}.wasm is not there: run "npm run build"`);
  }
}

export function loadKernel(name: KernelName, from: string): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(kernelFile(name, from)));
}
