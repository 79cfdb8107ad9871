// Compaction: which records of a block are still needed, and the index after a block was written anew without the others. The
// host scans the block (record/scan.ts), writes the stretches that are kept and then tells that the block has them now.
//
// A message is kept while it is there. A tombstone is kept while the record it hides may be on disk, and while it is what
// remembers the stream's last sequence. An entry whose record is gone has length 0.
//
//   kept  pairs of u32: offset and length of a stretch, in order

import { PLAIN } from '../index/chunk';
import { forgetRecord, moveRecord, plainLength, plainOffset } from '../index/packing';
import { Segment, entryLength, entryOffset, isLive, plainEnd, plainFrom, replain } from '../index/segment';
import { findEntry, foundAt, foundSegment, segmentAt, segmentOfBlock } from '../index/sequences';
import { SCAN_ENTRY, SCAN_MESSAGE, SCAN_TOMBSTONE } from '../record/scan';
import { Stream, sequencesOf } from './stream';

/** Whether a deleted sequence may still have a record in a block; `oldest` is the first block there is. */
function mayHaveRecord(stream: Stream, sequence: u64, oldest: u32): bool {
  const index = sequencesOf(stream);
  if (findEntry(index, sequence)) return entryLength(changetype<Segment>(foundSegment), foundAt) > 0;
  if (!index.count) return true;
  const first = segmentAt(index, 0);
  return first.block != oldest || sequence >= first.first;
}

function isNeeded(stream: Stream, block: u32, oldest: u32, scanned: usize): bool {
  const kind = load<u32>(scanned);
  const sequence = load<u64>(scanned, 16);
  if (kind == SCAN_TOMBSTONE) return sequence == stream.last || mayHaveRecord(stream, sequence, oldest);
  if (kind != SCAN_MESSAGE) return sequence == stream.last;
  if (!findEntry(sequencesOf(stream), sequence)) return false;
  const segment = changetype<Segment>(foundSegment);
  return segment.block == block && isLive(segment, foundAt) && entryOffset(segment, foundAt) == load<u32>(scanned, 8);
}

/** Writes the stretches of a scanned block that are needed at `list` (room for a pair an entry); returns how many. */
export function listKept(stream: Stream, block: u32, oldest: u32, entries: usize, count: u32, list: usize): u32 {
  let kept: u32 = 0;
  let end: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const scanned = entries + <usize>i * SCAN_ENTRY;
    if (!isNeeded(stream, block, oldest, scanned)) continue;
    const offset = load<u32>(scanned, 8);
    const length = load<u32>(scanned, 12);
    if (kept && offset == end) {
      const last = list + ((<usize>kept - 1) << 3);
      store<u32>(last, load<u32>(last, 4) + length, 4);
    } else {
      const at = list + ((<usize>kept) << 3);
      store<u32>(at, offset);
      store<u32>(at, length, 4);
      kept++;
    }
    end = offset + length;
  }
  return kept;
}

/** The block consists of the kept stretches now, one behind the other. */
export function moveBlock(stream: Stream, block: u32, list: usize, count: u32): void {
  const index = sequencesOf(stream);
  let stretch: u32 = 0;
  /** Bytes in front of the current stretch that are gone. */
  let gone: u32 = count ? load<u32>(list) : 0;
  for (let i = segmentOfBlock(index, block); i < index.count && segmentAt(index, i).block == block; i++) {
    const segment = segmentAt(index, i);
    for (let from: u32 = 0; from < segment.count;) {
      const behind = plainEnd(segment, from);
      let entry = plainFrom(segment, from);
      const end = entry + <usize>(behind - from) * PLAIN;
      for (; entry < end; entry += PLAIN) {
        if (!plainLength(entry)) continue;
        const offset = plainOffset(entry);
        while (stretch < count) {
          const at = list + ((<usize>stretch) << 3);
          const stretchEnd = load<u32>(at) + load<u32>(at, 4);
          if (offset < stretchEnd) break;
          if (++stretch < count) gone += load<u32>(at, 8) - stretchEnd;
        }
        if (stretch < count && offset >= load<u32>(list + ((<usize>stretch) << 3))) moveRecord(entry, offset - gone);
        else forgetRecord(entry);
      }
      replain(segment, from);
      from = behind;
    }
  }
}

/** Bytes of the messages in a block. */
export function liveBytes(stream: Stream, block: u32): u64 {
  const index = sequencesOf(stream);
  let bytes: u64 = 0;
  for (let i = segmentOfBlock(index, block); i < index.count && segmentAt(index, i).block == block; i++)
    bytes += segmentAt(index, i).liveBytes;
  return bytes;
}
