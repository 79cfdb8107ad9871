// Windows: pieces of block files in kernel memory, with the records as they were written. The host fills them (a stretch of one
// file each, decrypted and unpacked) and enters them in this table; records are looked for here by the host and by the kernel.
// What lies in a window is checked each time it is used.
//
//   row  32 bytes: u32 stream, 0: nothing in it | block | first offset | offset behind the last | address | u32 - | f64 used

/** Rows of the table. The twin is ts/kernel/windows.ts. */
const ROWS: u32 = 64;

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
const table: usize = memory.data(2048, 16); // ROWS rows
let uses: f64 = 0;
/** The row found last: most go on from there. */
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
function covers(window: Window, stream: usize, block: u32, offset: u32, length: u32): bool {
  return window.stream == stream && window.block == block && offset >= window.from && offset + length <= window.to;
}

/** The row of a window over `length` bytes of a block from `offset` on, -1: there is none. That counts as a use. */
export function findWindow(stream: usize, block: u32, offset: u32, length: u32): i32 {
  let found = latest;
  if (!covers(rowAt(found), stream, block, offset, length)) {
    for (found = 0; found < ROWS; found++) if (covers(rowAt(found), stream, block, offset, length)) break;
    if (found == ROWS) return -1;
    latest = found;
  }
  rowAt(found).used = ++uses;
  return found;
}

/** The address of the byte at `offset` of a block when `length` bytes from there lie in a window, else 0. */
export function windowed(stream: usize, block: u32, offset: u32, length: u32): usize {
  const found = findWindow(stream, block, offset, length);
  if (found < 0) return 0;
  const window = rowAt(found);
  return window.address + (offset - window.from);
}
