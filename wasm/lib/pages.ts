// Runs of 64 KiB pages: the lower half of the allocator. Small blocks (arena.ts), 64 KiB out-chain chunks and large buffers come
// from here.
//
// Each page has a descriptor of 32 bytes:
//
//   0  u32 state      FREE, RUN (a block of whole pages) or SLAB (cut into equal small blocks); valid on the first page of a run
//   4  u32 length     pages in this run; a free run repeats it in its last page, so that neighbours find its start
//   8  u32 next       next run in the same free list, or next slab with room in the same size class
//   12 u32 prev
//   16 u32 free       slab: first free block
//   20 u32 live       slab: blocks in use
//   24 u32 fresh      slab: address behind the last block ever handed out
//   28 u32 sizeClass  slab: its size class
//
// Free runs are kept in lists by length (1..31 exactly, the last list holds all longer ones) and merge with their neighbours.

import { ARENA, DESCRIPTOR_SIZE, PAGES, PAGE_COUNT, PAGE_SHIFT, PAGE_SIZE } from './layout';

const FREE: u32 = 1;
const RUN: u32 = 2;
/** State of a page that is cut into small blocks. */
export const SLAB: u32 = 3;

const LISTS: u32 = 32;

/** One page's descriptor; the layout is drawn above. */
@unmanaged
export class Page {
  state: u32;
  length: u32;
  next: u32;
  prev: u32;
  free: u32;
  live: u32;
  fresh: u32;
  sizeClass: u32;
}

const lists: usize = memory.data(128, 4);
let frontier: u32 = <u32>(ARENA >> PAGE_SHIFT);
let limitPages: u32 = PAGE_COUNT;
let usedPages: u32 = 0;
/** Where the arena starts; pages that may be used before memory is short, and before it is as good as exhausted. */
let firstPage: u32 = <u32>(ARENA >> PAGE_SHIFT);
let plentyPages: u32 = 0;
let somePages: u32 = 0;
setReserves();

/** A thirty-second of the memory is kept for what cannot be refused; the last quarter of it for what nobody asks before. */
function setReserves(): void {
  const reserve = limitPages >> 5;
  const all = limitPages > firstPage ? limitPages - firstPage : 0;
  plentyPages = all > reserve ? all - reserve : 0;
  somePages = plentyPages + reserve - (reserve >> 2);
}

/** The memory limit in bytes. */
export function limitBytes(): f64 {
  return <f64>limitPages * <f64>PAGE_SIZE;
}

/** Whether the memory limit is near: what can be refused is refused from here on. */
// @ts-ignore: decorator
@inline
export function memoryShort(): bool {
  return usedPages >= plentyPages;
}

/** Whether taking `bytes` more would bring it near. */
export function memoryShortFor(bytes: usize): bool {
  return usedPages + <u32>(bytes >> PAGE_SHIFT) >= plentyPages;
}

/** Whether next to nothing is left. */
export function memoryExhausted(): bool {
  return usedPages >= somePages;
}

/** The descriptor of page number `n`. */
// @ts-ignore: decorator
@inline
export function pageAt(n: u32): Page {
  return changetype<Page>(PAGES + <usize>n * DESCRIPTOR_SIZE);
}

/** The number of the page that `address` lies in. */
// @ts-ignore: decorator
@inline
export function pageOf(address: usize): u32 {
  return <u32>(address >> PAGE_SHIFT);
}

/** Pages in use. */
export function pagesUsed(): u32 {
  return usedPages;
}

/** Lets the memory grow to at most `pages` pages of 64 KiB in all. */
export function limitMemory(pages: u32): void {
  limitPages = min(pages, PAGE_COUNT);
  setReserves();
}

/** Starts the arena at the given page instead of the first (tests of addresses above 2 GiB); only before the first allocation. */
export function startAtPage(page: u32): void {
  if (usedPages != 0 || page <= frontier) return;
  frontier = page;
  firstPage = page;
  setReserves();
}

// @ts-ignore: decorator
@inline
function listOf(length: u32): usize {
  return lists + ((<usize>min(length, LISTS - 1)) << 2);
}

function linkFree(n: u32, length: u32): void {
  const page = pageAt(n);
  page.state = FREE;
  page.length = length;
  const last = pageAt(n + length - 1);
  last.state = FREE;
  last.length = length;
  const list = listOf(length);
  const head = load<u32>(list);
  page.next = head;
  page.prev = 0;
  if (head) pageAt(head).prev = n;
  store<u32>(list, n);
}

function unlinkFree(n: u32): void {
  const page = pageAt(n);
  if (page.prev) pageAt(page.prev).next = page.next;
  else store<u32>(listOf(page.length), page.next);
  if (page.next) pageAt(page.next).prev = page.prev;
}

function takeFree(length: u32): u32 {
  for (let i = min(length, LISTS - 1); i < LISTS; i++) {
    let n = load<u32>(lists + ((<usize>i) << 2));
    while (n && pageAt(n).length < length) n = pageAt(n).next;
    if (n) {
      const spare = pageAt(n).length - length;
      unlinkFree(n);
      if (spare) linkFree(n + length, spare);
      return n;
    }
  }
  return 0;
}

function extend(length: u32): u32 {
  const n = frontier;
  const end = n + length;
  if (end >= limitPages) return 0;
  const have = <u32>memory.size();
  // One page more than is handed out, because vector loads may run past the end of the last block.
  if (end + 1 > have) {
    const wanted = min(max(end + 1 - have, 64), limitPages - have);
    if (<i32>wanted <= 0 || memory.grow(wanted) < 0) return 0;
  }
  frontier = end;
  return n;
}

/** Takes `length` adjacent pages; returns the first page's number, or 0 when the memory limit is reached. */
export function takePages(length: u32): u32 {
  let n = takeFree(length);
  if (!n) n = extend(length);
  if (!n) return 0;
  usedPages += length;
  const page = pageAt(n);
  page.state = RUN;
  page.length = length;
  pageAt(n + length - 1).state = RUN;
  return n;
}

/** Gives the run that starts at page `n` back and merges it with free neighbours. */
export function releasePages(n: u32): void {
  let first = n;
  let length = pageAt(n).length;
  usedPages -= length;
  const after = n + length;
  if (after < frontier && pageAt(after).state == FREE) {
    unlinkFree(after);
    length += pageAt(after).length;
  }
  if (first > <u32>(ARENA >> PAGE_SHIFT) && pageAt(first - 1).state == FREE) {
    const before = first - pageAt(first - 1).length;
    unlinkFree(before);
    length += first - before;
    first = before;
  }
  linkFree(first, length);
}

/** Pages needed for `size` bytes. */
// @ts-ignore: decorator
@inline
export function pagesFor(size: usize): u32 {
  return <u32>((size + PAGE_SIZE - 1) >> PAGE_SHIFT);
}
