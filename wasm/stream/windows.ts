// Windows: pieces of block files in kernel memory, with the records as they were written. The host fills them (a stretch of one
// file each, decrypted and unpacked) and enters them in this table; records are looked for here by the host and by the kernel.
// What lies in a window is checked each time it is used.
//
// Large windows are for batches and can be over anything. A small one is for single messages: it begins in one step of a block's
// grid. Each step has two rows, which it shares with others; of two steps that want the same, the one that was used last stays.
//
//   row  32 bytes: u32 stream, 0: nothing in it | block | first offset | offset behind the last | address | u32 - | f64 used

import { hash64 } from '../lib/bytes';

/** Rows of large windows, in front of those of the small ones. The twins are in ts/kernel/windows.ts. */
const LARGE: u32 = 16;
/** Pairs of rows of small windows. */
const PAIRS: u32 = 512;
/** Offsets of a step, as a power of two. */
const STEP: u32 = 12;

/** One window. */
@unmanaged
class Window {
  stream: usize;
  block: u32;
  from: u32;
  to: u32;
  address: usize;
  spare: u32;
  /** Rises with every use of any window: the lowest was not used for longest. */
  used: f64;
}

const ROW_SIZE: usize = 32;
const table: usize = memory.data(33280, 16); // LARGE + 2 * PAIRS rows
const step: usize = memory.data(16, 8);
let uses: f64 = 0;
/** The large window found last: most go on from there. */
let latest: u32 = 0;

/** Where the table lies. */
export function windowsAt(): usize {
  return table;
}

// @ts-ignore: decorator
@inline
function rowAt(i: u32): Window {
  return changetype<Window>(table + <usize>i * ROW_SIZE);
}

// @ts-ignore: decorator
@inline
function covers(i: u32, stream: usize, block: u32, offset: u32, length: u32): bool {
  const window = rowAt(i);
  return window.stream == stream && window.block == block && offset >= window.from && offset + length <= window.to;
}

/** The first row of the two that are for the step at `offset` of a block. */
function pairOf(stream: usize, block: u32, offset: u32): u32 {
  store<u32>(step, <u32>stream);
  store<u32>(step, block, 4);
  store<u32>(step, offset >> STEP, 8);
  return LARGE + (((<u32>hash64(step, 12)) & (PAIRS - 1)) << 1);
}

// @ts-ignore: decorator
@inline
function isOfStep(window: Window, stream: usize, block: u32, offset: u32): bool {
  return window.stream == stream && window.block == block && window.from >> STEP == offset >> STEP;
}

/** The row that a small window in the step at `offset` of a block takes: that of one in this step, or the older of two. */
export function smallRow(stream: usize, block: u32, offset: u32): u32 {
  const pair = pairOf(stream, block, offset);
  const first = rowAt(pair);
  const second = rowAt(pair + 1);
  if (isOfStep(first, stream, block, offset)) return pair;
  if (isOfStep(second, stream, block, offset)) return pair + 1;
  if (!first.stream || !second.stream) return first.stream ? pair + 1 : pair;
  return first.used < second.used ? pair : pair + 1;
}

/** Among so many uses of windows, one is recent. */
const RECENT: f64 = 256;

// @ts-ignore: decorator
@inline
function isRecent(window: Window): bool {
  return window.used > uses - RECENT;
}

/** Whether a record lies shortly behind what was read of its block a moment ago: whoever reads may well go on. */
export function goesOn(stream: usize, block: u32, offset: u32): bool {
  for (let i: u32 = 0; i < LARGE; i++) {
    const window = rowAt(i);
    if (window.stream != stream || window.block != block || !isRecent(window)) continue;
    if (offset >= window.from && offset < window.to + (2 << STEP)) return true;
  }
  const before = offset - (1 << STEP);
  if (offset < 1 << STEP) return false;
  const pair = pairOf(stream, block, before);
  return (
    (isOfStep(rowAt(pair), stream, block, before) && isRecent(rowAt(pair))) ||
    (isOfStep(rowAt(pair + 1), stream, block, before) && isRecent(rowAt(pair + 1)))
  );
}

function found(i: u32): i32 {
  rowAt(i).used = ++uses;
  return i;
}

/** The row of a window over `length` bytes of a block from `offset` on, -1: there is none. That counts as a use. */
export function findWindow(stream: usize, block: u32, offset: u32, length: u32): i32 {
  const pair = pairOf(stream, block, offset);
  if (covers(pair, stream, block, offset, length)) return found(pair);
  if (covers(pair + 1, stream, block, offset, length)) return found(pair + 1);
  if (covers(latest, stream, block, offset, length)) return found(latest);
  for (let i: u32 = 0; i < LARGE; i++) {
    if (!covers(i, stream, block, offset, length)) continue;
    latest = i;
    return found(i);
  }
  return -1;
}

/** The address of the byte at `offset` of a block when `length` bytes from there lie in a window, else 0. */
export function windowed(stream: usize, block: u32, offset: u32, length: u32): usize {
  const row = findWindow(stream, block, offset, length);
  if (row < 0) return 0;
  const window = rowAt(row);
  return window.address + (offset - window.from);
}
