// The partition of a text: FNV-1a over its UTF-8 bytes, 32 bits, modulo the number of partitions. Clients compute the same.

const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

const encoder = new TextEncoder();

export function fnv1a32(text: string): number {
  let hash = OFFSET_BASIS;
  for (const byte of encoder.encode(text)) hash = Math.imul(hash ^ byte, PRIME);
  return hash >>> 0;
}

/** No partitions at all is partition 0. */
export function partitionOf(text: string, partitions: number): number {
  return partitions === 0 ? 0 : fnv1a32(text) % partitions;
}
