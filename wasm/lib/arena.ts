// The arena: `alloc` and `free` for everything the kernel keeps. Small sizes come from slabs (a page cut into equal blocks of one
// size class), sizes above 32 KiB are whole pages. A slab whose last block is freed gives its page back, so that memory used by a
// million subscriptions is there for out-chains afterwards; one empty slab a class is kept against flapping.
//
// Size classes: steps of 16 up to 128, then four steps a doubling, up to 32 KiB. Blocks are 16-byte aligned.

import { PAGE_SHIFT, PAGE_SIZE } from './layout';
import { Page, SLAB, pageAt, pageOf, pagesFor, releasePages, takePages } from './pages';

const CLASSES: u32 = 48;
const LARGEST_SMALL: usize = 32768;

const slabs: usize = memory.data(192, 4);
const spares: usize = memory.data(192, 4);
let liveBytes: f64 = 0;

/** The size class of `size` bytes. */
// @ts-ignore: decorator
@inline
function classOf(size: usize): u32 {
  if (size <= 128) return size ? (<u32>size + 15) >> 4 : 1;
  const last = <u32>size - 1;
  const top = 31 - <u32>clz(last);
  return 8 + ((top - 7) << 2) + ((last >> (top - 2)) & 3) + 1;
}

/** The block size of a class: the inverse of classOf. */
// @ts-ignore: decorator
@inline
function sizeOf(sizeClass: u32): usize {
  if (sizeClass <= 8) return (<usize>sizeClass) << 4;
  const step = sizeClass - 9;
  const top = 7 + (step >> 2);
  return ((<usize>1) << top) + ((<usize>((step & 3) + 1)) << (top - 2));
}

/** Bytes in use, block sizes added up: back to its old value when everything taken was freed. */
export function arenaLive(): f64 {
  return liveBytes;
}

function newSlab(sizeClass: u32): u32 {
  const spare = load<u32>(spares + ((<usize>sizeClass) << 2));
  if (spare) {
    store<u32>(spares + ((<usize>sizeClass) << 2), 0);
    linkSlab(spare, sizeClass);
    return spare;
  }
  const n = takePages(1);
  if (!n) return 0;
  const page = pageAt(n);
  page.state = SLAB;
  page.free = 0;
  page.live = 0;
  page.fresh = n << PAGE_SHIFT;
  page.sizeClass = sizeClass;
  linkSlab(n, sizeClass);
  return n;
}

function linkSlab(n: u32, sizeClass: u32): void {
  const list = slabs + ((<usize>sizeClass) << 2);
  const head = load<u32>(list);
  const page = pageAt(n);
  page.next = head;
  page.prev = 0;
  if (head) pageAt(head).prev = n;
  store<u32>(list, n);
}

function unlinkSlab(n: u32, page: Page): void {
  if (page.prev) pageAt(page.prev).next = page.next;
  else store<u32>(slabs + ((<usize>page.sizeClass) << 2), page.next);
  if (page.next) pageAt(page.next).prev = page.prev;
}

// @ts-ignore: decorator
@inline
function hasFresh(n: u32, page: Page, size: usize): bool {
  return page.fresh - (n << PAGE_SHIFT) + <u32>size <= <u32>PAGE_SIZE;
}

/**
 * Takes `size` bytes, 16-byte aligned, content undefined.
 * Traps when the memory limit is reached: what clients can make grow asks `memoryShort` (pages.ts) or `tryAlloc` first.
 */
export function alloc(size: usize): usize {
  const block = tryAlloc(size);
  if (!block) unreachable();
  return block;
}

/** The same, but 0 when there is no room for that many adjacent bytes. */
export function tryAlloc(size: usize): usize {
  if (size > LARGEST_SMALL) return allocPages(size);
  const sizeClass = classOf(size);
  const blockSize = sizeOf(sizeClass);
  let n = load<u32>(slabs + ((<usize>sizeClass) << 2));
  if (!n) {
    n = newSlab(sizeClass);
    if (!n) return 0;
  }
  const page = pageAt(n);
  let block = page.free;
  if (block) page.free = load<u32>(<usize>block);
  else {
    block = page.fresh;
    page.fresh = block + <u32>blockSize;
  }
  page.live++;
  if (!page.free && !hasFresh(n, page, blockSize)) unlinkSlab(n, page);
  liveBytes += <f64>blockSize;
  return <usize>block;
}

function allocPages(size: usize): usize {
  const length = pagesFor(size);
  const n = takePages(length);
  if (!n) return 0;
  liveBytes += <f64>length * <f64>PAGE_SIZE;
  return (<usize>n) << PAGE_SHIFT;
}

/** Gives a block of `alloc` back. `free(0)` does nothing. */
export function free(block: usize): void {
  if (!block) return;
  const n = pageOf(block);
  const page = pageAt(n);
  if (page.state != SLAB) {
    liveBytes -= <f64>page.length * <f64>PAGE_SIZE;
    releasePages(n);
    return;
  }
  const blockSize = sizeOf(page.sizeClass);
  liveBytes -= <f64>blockSize;
  const wasFull = !page.free && !hasFresh(n, page, blockSize);
  store<u32>(block, page.free);
  page.free = <u32>block;
  if (wasFull) linkSlab(n, page.sizeClass);
  if (--page.live == 0) retire(n, page);
}

function retire(n: u32, page: Page): void {
  unlinkSlab(n, page);
  const spare = spares + ((<usize>page.sizeClass) << 2);
  if (load<u32>(spare)) {
    releasePages(n);
    return;
  }
  page.free = 0;
  page.fresh = n << PAGE_SHIFT;
  store<u32>(spare, n);
}

/** Takes `size` bytes, all zero. */
export function allocZero(size: usize): usize {
  const block = alloc(size);
  memory.fill(block, 0, size);
  return block;
}

/** The usable size of a request of `size` bytes: what growing buffers should round up to. */
export function roundUp(size: usize): usize {
  return size > LARGEST_SMALL ? (<usize>pagesFor(size)) << PAGE_SHIFT : sizeOf(classOf(size));
}
