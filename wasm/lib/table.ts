// A hash table of pointers: open addressing, linear probing, deletion by shifting back. It knows 32-bit tags and pointers only;
// who searches compares the keys:
//
//   slot: u32 tag | u32 pointer (0 = empty)
//
//   let i = tableStart(table, tag);
//   while (true) {
//     const p = slotPointer(table, i);
//     if (!p) break;
//     if (slotTag(table, i) == tag && <same key>) ...;
//     i = tableNext(table, i);
//   }

import { allocZero, free } from './arena';

const SMALLEST: u32 = 16;

/** The table's head: 16 bytes, embedded in its owner. */
@unmanaged
export class Table {
  slots: usize;
  mask: u32;
  count: u32;
  spare: u32;
}

/** Address of the table embedded at `owner + offset`. */
// @ts-ignore: decorator
@inline
export function tableAt(address: usize): Table {
  return changetype<Table>(address);
}

/** Gives the table its first slots. */
export function tableOpen(table: Table): void {
  table.slots = allocZero((<usize>SMALLEST) << 3);
  table.mask = SMALLEST - 1;
  table.count = 0;
}

/** Frees the slots; what they point to is the owner's. */
export function tableClose(table: Table): void {
  free(table.slots);
  table.slots = 0;
  table.count = 0;
}

/** First slot to look at for a tag. */
// @ts-ignore: decorator
@inline
export function tableStart(table: Table, tag: u32): u32 {
  return tag & table.mask;
}

/** The slot after `slot`. */
// @ts-ignore: decorator
@inline
export function tableNext(table: Table, slot: u32): u32 {
  return (slot + 1) & table.mask;
}

/** The pointer in a slot, 0 where the search ends. */
// @ts-ignore: decorator
@inline
export function slotPointer(table: Table, slot: u32): usize {
  return load<u32>(table.slots + ((<usize>slot) << 3), 4);
}

/** The tag in a slot. */
// @ts-ignore: decorator
@inline
export function slotTag(table: Table, slot: u32): u32 {
  return load<u32>(table.slots + ((<usize>slot) << 3));
}

function put(slots: usize, mask: u32, tag: u32, pointer: u32): void {
  let slot = tag & mask;
  while (load<u32>(slots + ((<usize>slot) << 3), 4)) slot = (slot + 1) & mask;
  const at = slots + ((<usize>slot) << 3);
  store<u32>(at, tag);
  store<u32>(at, pointer, 4);
}

function resize(table: Table, size: u32): void {
  const old = table.slots;
  const oldSize = table.mask + 1;
  const slots = allocZero((<usize>size) << 3);
  for (let i: u32 = 0; i < oldSize; i++) {
    const at = old + ((<usize>i) << 3);
    const pointer = load<u32>(at, 4);
    if (pointer) put(slots, size - 1, load<u32>(at), pointer);
  }
  free(old);
  table.slots = slots;
  table.mask = size - 1;
}

// @ts-ignore: decorator
@inline
function isFull(table: Table): bool {
  return (table.count + 1) * 3 > (table.mask + 1) * 2;
}

/** Bytes that the next pointer takes when the table has to grow for it. */
export function tableGrowth(table: Table): usize {
  return isFull(table) ? (<usize>(table.mask + 1)) << 4 : 0;
}

/** Adds a pointer that is not in the table yet; grows at two thirds full. */
export function tableAdd(table: Table, tag: u32, pointer: usize): void {
  if (isFull(table)) resize(table, (table.mask + 1) << 1);
  put(table.slots, table.mask, tag, <u32>pointer);
  table.count++;
}

/** Removes a pointer that is in the table; shrinks below one eighth. */
export function tableRemove(table: Table, tag: u32, pointer: usize): void {
  const mask = table.mask;
  const slots = table.slots;
  let hole = tag & mask;
  while (load<u32>(slots + ((<usize>hole) << 3), 4) != <u32>pointer) hole = (hole + 1) & mask;
  let next = hole;
  while (true) {
    next = (next + 1) & mask;
    const at = slots + ((<usize>next) << 3);
    const moved = load<u32>(at, 4);
    if (!moved) break;
    const home = load<u32>(at) & mask;
    if (((next - home) & mask) >= ((next - hole) & mask)) {
      store<u64>(slots + ((<usize>hole) << 3), load<u64>(at));
      hole = next;
    }
  }
  store<u64>(slots + ((<usize>hole) << 3), 0);
  table.count--;
  if (mask >= 64 && table.count << 3 < mask) resize(table, (mask + 1) >> 1);
}
