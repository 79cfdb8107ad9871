// The event ring: what the host must hear of, as u32 words, written by the kernel and drained by the host after each call.
// An entry is one word `type | words << 16` (words: how many follow) and its arguments; the types are in events.ts. Between two
// drains the ring is a plain list from word 0, so an entry is never split.

import { RING, RING_WORDS } from './layout';

let used: u32 = 0;
let barrier: bool = false;

/** Words written since the last drain. */
export function ringUsed(): u32 {
  return used;
}

/** Forgets what was drained. Entries pushed while draining start again at word 0, so the host drains until nothing is left. */
export function ringClear(): void {
  used = 0;
}

/** Whether fewer than a thousand words are left: parsing stops and lets the host drain. */
// @ts-ignore: decorator
@inline
export function ringNearlyFull(): bool {
  return used > RING_WORDS - 1024;
}

/** Asks the parser to stop behind the current operation, so that the host acts before later bytes are read. */
// @ts-ignore: decorator
@inline
export function raiseBarrier(): void {
  barrier = true;
}

/** Whether a barrier was raised; clears it. */
// @ts-ignore: decorator
@inline
export function takeBarrier(): bool {
  const raised = barrier;
  barrier = false;
  return raised;
}

/**
 * Begins an entry with room for `words` arguments and returns the address of the first; the caller stores them all.
 * Returns 0 when the ring is full, which only tracing can bring about.
 */
export function pushEvent(type: u32, words: u32): usize {
  if (used + words + 1 > RING_WORDS) return 0;
  const at = RING + ((<usize>used) << 2);
  store<u32>(at, type | (words << 16));
  used += words + 1;
  return at + 4;
}
