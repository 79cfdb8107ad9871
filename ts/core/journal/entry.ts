// An entry of the journal: bytes that were appended to a block file, and where. A log is a file of such entries, one behind the other.
//
//   0  u32 MAGIC
//   4  u32 bytes of the entry, a multiple of 8
//   8  u64 number of the log: what the disk has of an older one is told from it
//  16  u32 block
//  20  u32 offset in the block's file
//  24  u32 bytes that were appended
//  28  u32 bytes of the directory's name
//  32  the 8 bytes in front of the offset in the block's file
//  40  name of the directory below the store's root, UTF-8
//      what was appended, as the file has it
//      zeros, up to a multiple of 8
//  -8  u64 checksum of all of the above
//
// An entry says all that it needs: whatever else of the log is damaged, it can be put in its place. Zeros are where an entry was taken out.

const MAGIC = 0x314a_5353;
const HEAD = 40;
const SUM = 8;
/** Bytes in front of an append that an entry remembers. */
export const BEFORE = 8;

export interface JournalEntry {
  /** Where it is in the log, and how long. */
  readonly at: number;
  readonly length: number;
  readonly directory: string;
  readonly block: number;
  readonly offset: number;
  readonly before: Uint8Array;
  readonly bytes: Uint8Array;
}

/** A stretch of a log that is no entry. */
export interface JournalDamage {
  readonly at: number;
  readonly length: number;
  /** There are entries behind it. */
  readonly isInside: boolean;
}

export interface JournalContent {
  readonly entries: readonly JournalEntry[];
  readonly damages: readonly JournalDamage[];
}

/** What stands at the head of an entry. */
export interface JournalHead {
  readonly log: number;
  readonly block: number;
  readonly offset: number;
  /** Bytes that are appended. */
  readonly size: number;
  readonly name: Uint8Array;
  readonly before: Uint8Array;
}

export function entryLength(nameLength: number, size: number): number {
  return ((HEAD + nameLength + size + 7) & ~7) + SUM;
}

/** Writes everything of an entry but what was appended, for which it returns the place, and the checksum, which takes the last 8 bytes. */
export function layEntry(to: Uint8Array, at: number, { log, block, offset, size, name, before }: JournalHead): number {
  const length = entryLength(name.length, size);
  const view = new DataView(to.buffer, to.byteOffset + at, length);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, length, true);
  view.setUint32(8, log, true);
  view.setUint32(12, Math.floor(log / 2 ** 32), true);
  view.setUint32(16, block, true);
  view.setUint32(20, offset, true);
  view.setUint32(24, size, true);
  view.setUint32(28, name.length, true);
  to.set(before, at + 32);
  to.set(name, at + HEAD);
  const place = at + HEAD + name.length;
  to.fill(0, place + size, at + length - SUM);
  return place;
}

const decoder = new TextDecoder();

/** The entry at a place of a log, or undefined when there is none. */
function entryAt(log: Uint8Array, at: number, number: number, isWhole: (entry: Uint8Array) => boolean): JournalEntry | undefined {
  if (log[at] !== (MAGIC & 0xff) || at + HEAD + SUM > log.length) return undefined;
  const view = new DataView(log.buffer, log.byteOffset + at);
  const length = view.getUint32(4, true);
  const size = view.getUint32(24, true);
  const nameLength = view.getUint32(28, true);
  const isOfLog = view.getUint32(0, true) === MAGIC && view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32 === number;
  if (!isOfLog || at + length > log.length || length !== entryLength(nameLength, size)) return undefined;
  if (!isWhole(log.subarray(at, at + length))) return undefined;
  const name = at + HEAD;
  return {
    at,
    length,
    directory: decoder.decode(log.subarray(name, name + nameLength)),
    block: view.getUint32(16, true),
    offset: view.getUint32(20, true),
    before: log.subarray(at + 32, at + 32 + BEFORE),
    bytes: log.subarray(name + nameLength, name + nameLength + size),
  };
}

/** Reads a log; `isWhole` compares an entry's checksum. Zeros are no damage: entries that were taken out, or what was not written any more. */
export function readLog(log: Uint8Array, number: number, isWhole: (entry: Uint8Array) => boolean): JournalContent {
  const entries: JournalEntry[] = [];
  const stretches: { at: number; length: number }[] = [];
  for (let at = 0; at < log.length;) {
    const entry = entryAt(log, at, number, isWhole);
    if (entry !== undefined) {
      entries.push(entry);
      at += entry.length;
      continue;
    }
    const skipped = Math.min(8, log.length - at);
    const last = stretches.at(-1);
    if (last !== undefined && last.at + last.length === at) last.length += skipped;
    else stretches.push({ at, length: skipped });
    at += skipped;
  }
  const end = entries.length === 0 ? 0 : (entries.at(-1) as JournalEntry).at;
  const damages = stretches
    .filter(({ at, length }) => log.subarray(at, at + length).some((byte) => byte !== 0))
    .map(({ at, length }) => ({ at, length, isInside: at < end }));
  return { entries, damages };
}
