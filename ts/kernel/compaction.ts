// The kernel's part in compaction: what is needed of a scanned block, and that a block was written anew.

import { scanEntry } from './scan-entry.ts';
import type { StreamKernel } from './streams.ts';

/** Bytes of a stretch: offset and length. */
const STRETCH = 8;

/** The stretches of a block that are needed: offset and length of each, in order. `oldest` is the first block there is. */
export function keptOfBlock(
  kernel: StreamKernel,
  stream: number,
  { block, oldest, entries }: { readonly block: number; readonly oldest: number; readonly entries: Uint8Array },
): Uint32Array {
  const count = entries.length / scanEntry.bytes;
  const at = kernel.take(entries.length + count * STRETCH + STRETCH);
  const list = at + entries.length;
  kernel.memory.all().set(entries, at);
  const kept = kernel.exports.keptOfBlock(stream, block, oldest, at, count, list) >>> 0;
  const stretches = Uint32Array.from(kernel.memory.words(list, kept * 2));
  kernel.release(at);
  return stretches;
}

/** A block consists of these stretches now, one behind the other. */
export function moveBlock(kernel: StreamKernel, stream: number, block: number, kept: Uint32Array): void {
  const at = kernel.take(kept.length * 4 + STRETCH);
  kernel.memory.words(at, kept.length).set(kept);
  kernel.exports.blockMoved(stream, block, at, kept.length / 2);
  kernel.release(at);
}
