// A set of subjects, for runs over very many messages: one bit for each place a leaf can be at, between the lowest and the
// highest of the set. A message's subject is looked up in it without touching the leaf, which would be a cache miss a message.

import { alloc, free } from '../lib/arena';

/** Leaves lie on multiples of 16 bytes. */
const STEP: u32 = 4;
/** A set that is spread over more memory is not made. */
const MOST_BYTES: u32 = 8 << 20;

let bits: usize = 0;
let lowest: u32 = 0;
let span: u32 = 0;

/** Makes the set of `count` leaves, at least one, whose addresses are at `list`. False: it would take too much memory. */
export function openChosen(list: usize, count: u32): bool {
  lowest = load<u32>(list);
  let highest = lowest;
  for (let i: u32 = 1; i < count; i++) {
    const leaf = load<u32>(list + ((<usize>i) << 2));
    lowest = min(lowest, leaf);
    highest = max(highest, leaf);
  }
  span = ((highest - lowest) >> STEP) + 1;
  const bytes = ((span + 63) >> 6) << 3;
  if (bytes > MOST_BYTES) return false;
  bits = alloc(bytes);
  memory.fill(bits, 0, bytes);
  for (let i: u32 = 0; i < count; i++) {
    const place = (load<u32>(list + ((<usize>i) << 2)) - lowest) >> STEP;
    const byte = bits + (place >> 3);
    store<u8>(byte, <u8>((<u32>load<u8>(byte)) | ((<u32>1) << (place & 7))));
  }
  return true;
}

/** Whether a leaf is in the set. */
// @ts-ignore: decorator
@inline
export function isChosen(leaf: u32): bool {
  const place = (leaf - lowest) >> STEP;
  return place < span && (((<u32>load<u8>(bits + (place >> 3))) >> (place & 7)) & 1) != 0;
}

/** Frees the set. */
export function closeChosen(): void {
  free(bits);
  bits = 0;
}
