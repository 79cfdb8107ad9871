// The map of the kernel's memory: what lies at fixed addresses, in front of the arena.
//
//   0            static data of the module (laid out by the compiler), up to __heap_base
//   INBOUND      1 MiB: every socket read lands here; 64 bytes of slack let vector loads run past the end
//   RING         256 KiB: events for the host, u32 words (ring.ts)
//   SCRATCH      64 KiB: small values passed between host and kernel (subjects, gather lists)
//   PAGES        2 MiB of address space: one descriptor for each 64 KiB page of the whole memory (pages.ts)
//   ARENA        everything else, in pages of 64 KiB
//
// Nothing outside this file knows these numbers; the host asks through the exports of entry/server.ts.

/** Bytes of one arena page; also WebAssembly's own page, so that growing adds whole pages. */
export const PAGE_SIZE: usize = 65536;
/** log2 of PAGE_SIZE: a pointer shifted right by this is its page number. */
export const PAGE_SHIFT: u32 = 16;
/** How many pages 4 GiB can hold. */
export const PAGE_COUNT: u32 = 65536;
/** Bytes of one page descriptor, see pages.ts. */
export const DESCRIPTOR_SIZE: usize = 32;

/** Bytes of the region that sockets read into. */
const INBOUND_SIZE: usize = 1 << 20;
/** Bytes that vector loads and stores may touch beyond the end of any buffer. */
export const SLACK: usize = 64;
/** Words of the event ring. */
export const RING_WORDS: u32 = 65536;
/** Bytes of the host's scratch region. */
export const SCRATCH_SIZE: usize = 65536;

/** Address of the inbound region. */
export const INBOUND: usize = (__heap_base + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
/** Address of the event ring. */
export const RING: usize = INBOUND + INBOUND_SIZE + SLACK;
/** Address of the scratch region. */
export const SCRATCH: usize = RING + ((<usize>RING_WORDS) << 2);
/** Address of the page descriptors. */
export const PAGES: usize = (SCRATCH + SCRATCH_SIZE + SLACK + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
/** First address of the arena. */
export const ARENA: usize = PAGES + <usize>PAGE_COUNT * DESCRIPTOR_SIZE;
