// The memory map addon (mmap-io), which is optional. Its binary is loaded from where the package keeps it, in 1 ms: the package's own entry
// looks for it with the tools of an installer, and keeps the event loop for 40 ms. What is not found there is loaded by that entry.

import { createRequire } from 'node:module';

export interface MmapModule {
  map(size: number, protection: number, flags: number, descriptor: number, offset: number): Buffer;
  advise(bytes: Buffer, advice: number): void;
  readonly PROT_READ: number;
  readonly MAP_SHARED: number;
  readonly MADV_DONTNEED: number;
}

const binary = `mmap-io/build/binding/Release/node-v${process.versions.modules}-${process.platform}-${process.arch}/mmap_io.node`;

/** Loads the addon; throws where there is none for this machine. */
export function loadMmap(): MmapModule {
  const require = createRequire(import.meta.url);
  try {
    return require(binary) as MmapModule;
  } catch {
    const loaded = require('mmap-io') as MmapModule & { readonly default?: MmapModule };
    return loaded.default ?? loaded;
  }
}
