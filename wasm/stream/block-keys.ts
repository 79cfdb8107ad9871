// The keys of the checksums of blocks that are read: made from the stream's name and the block's number, which takes longer than
// checking a small record, so those used last are kept. Each key has one place, taken by the next block that belongs there.
//
//   place  48 bytes: u32 stream, 0: empty | u32 block | u64 - | key

import { blockKey } from '../record/record';
import { Stream } from './stream';

const PLACES: u32 = 64;
const PLACE_SIZE: usize = 48;
const KEY: usize = 16;
const places: usize = memory.data(3072, 16); // PLACES places

// @ts-ignore: decorator
@inline
function placeOf(stream: Stream, block: u32): usize {
  const hash = (((<u32>changetype<usize>(stream)) >> 4) ^ block) * 0x9e3779b1;
  return places + <usize>(hash >> 26) * PLACE_SIZE;
}

/** The key of a block of a stream, good until the next one is asked for. */
export function keyOf(stream: Stream, block: u32): usize {
  const place = placeOf(stream, block);
  if (load<u32>(place) != <u32>changetype<usize>(stream) || load<u32>(place, 4) != block) {
    store<u32>(place, <u32>changetype<usize>(stream));
    store<u32>(place, block, 4);
    blockKey(place + KEY, stream.name, stream.nameLength, block);
  }
  return place + KEY;
}

/** Forgets a stream that is closed: its address may be given to another. */
export function forgetKeys(stream: Stream): void {
  for (let i: u32 = 0; i < PLACES; i++) {
    const place = places + <usize>i * PLACE_SIZE;
    if (load<u32>(place) == <u32>changetype<usize>(stream)) store<u32>(place, 0);
  }
}
