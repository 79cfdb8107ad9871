// Memory that a message needs while it is in another account: its subject there, its reply, its headers. It is given back
// when the message has been routed, unless the ring got entries meanwhile: they may point into it, so it stays until those
// are drained.
//
//   block  u32 next | u32 spare | bytes

import { alloc, free } from '../lib/arena';
import { ringUsed } from '../lib/ring';

const HEAD: usize = 8;

/** The block lent last. */
let newest: usize = 0;

/** Bytes for the message at hand. */
export function lend(size: usize): usize {
  const block = alloc(HEAD + size);
  store<u32>(block, <u32>newest);
  newest = block;
  return block + HEAD;
}

/** What is lent now, for `giveBack`. */
export function lent(): usize {
  return newest;
}

/** Frees what was lent since `mark` was taken, when the ring has only the `words` it had then. */
export function giveBack(mark: usize, words: u32): void {
  if (ringUsed() == words) freeDownTo(mark);
}

/** Frees everything lent: the ring was drained. */
export function freeLent(): void {
  freeDownTo(0);
}

function freeDownTo(mark: usize): void {
  while (newest != mark) {
    const next = <usize>load<u32>(newest);
    free(newest);
    newest = next;
  }
}
