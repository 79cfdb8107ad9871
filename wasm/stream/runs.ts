// Runs: records framed and not yet written, in pieces that are each adjacent in memory and in their block file. The host writes
// them with one gathered write a block and gives them back. A new run begins with a new block, or when the last one is full.
//
//   Run  u32 next | u32 block | u32 offset in the block | u32 length | u32 capacity | u32 tombstones | u32 - x2 | bytes

import { alloc, free, roundUp } from '../lib/arena';
import { Stream } from './stream';

/** A run's head. */
@unmanaged
class Run {
  next: usize;
  block: u32;
  offset: u32;
  length: u32;
  capacity: u32;
  tombstones: u32;
}

/** Words of a run in a list for the host. */
const RUN_WORDS: u32 = 5;
const HEAD: usize = 32;
const SLACK: u32 = 64;
const SMALLEST: u32 = 4096;
const STAGED_MOST: u32 = 8 << 20;
/** A run is not longer, unless one record is. */
export const RUN_LARGEST: u32 = 1 << 20;

// @ts-ignore: decorator
@inline
function bytesOf(run: Run): usize {
  return changetype<usize>(run) + HEAD;
}

function newRun(stream: Stream, length: u32): Run {
  const wanted = max(length, min(RUN_LARGEST, max(SMALLEST, max(stream.runHint, stream.staged))));
  const size = roundUp(<usize>wanted + HEAD + SLACK);
  const run = changetype<Run>(alloc(size));
  run.next = 0;
  run.block = stream.block;
  run.offset = stream.offset;
  run.length = 0;
  run.tombstones = 0;
  run.capacity = <u32>(size - HEAD) - SLACK;
  if (stream.lastRun) changetype<Run>(stream.lastRun).next = changetype<usize>(run);
  else stream.firstRun = changetype<usize>(run);
  stream.lastRun = changetype<usize>(run);
  return run;
}

/** Where the next `length` bytes of the tail block go, counted at once. */
export function stage(stream: Stream, length: u32): usize {
  let run = changetype<Run>(stream.lastRun);
  if (!stream.lastRun || run.block != stream.block || run.length + length > run.capacity) run = newRun(stream, length);
  const at = bytesOf(run) + run.length;
  run.length += length;
  stream.staged += length;
  stream.offset += length;
  return at;
}

/** So much waits to be written that work which stages much more stops, and goes on when the host has written it. */
export function stagedFull(stream: Stream): bool {
  return stream.staged > STAGED_MOST;
}

/** What was staged last is a tombstone. */
export function noteTombstone(stream: Stream): void {
  changetype<Run>(stream.lastRun).tombstones++;
}

/** Writes up to `most` quintuples (block, offset, address, length, tombstones) at `list`; returns how many. */
export function listRuns(stream: Stream, list: usize, most: u32): u32 {
  let count: u32 = 0;
  let run = changetype<Run>(stream.firstRun);
  while (changetype<usize>(run) && count < most) {
    const at = list + <usize>count * RUN_WORDS * 4;
    count++;
    store<u32>(at, run.block);
    store<u32>(at, run.offset, 4);
    store<u32>(at, <u32>bytesOf(run), 8);
    store<u32>(at, run.length, 12);
    store<u32>(at, run.tombstones, 16);
    run = changetype<Run>(run.next);
  }
  return count;
}

/** The first `count` runs are written: frees them. */
export function dropRuns(stream: Stream, count: u32): void {
  let written: u32 = 0;
  while (count-- > 0 && stream.firstRun) {
    const run = changetype<Run>(stream.firstRun);
    written += run.length;
    stream.firstRun = run.next;
    free(changetype<usize>(run));
  }
  if (!stream.firstRun) stream.lastRun = 0;
  stream.staged -= written;
  stream.runHint = written;
}

/** Address of the byte at `offset` of `block` when it is still in memory, else 0. */
export function stagedAt(stream: Stream, block: u32, offset: u32): usize {
  let run = changetype<Run>(stream.firstRun);
  while (changetype<usize>(run)) {
    if (run.block == block && offset >= run.offset && offset < run.offset + run.length)
      return bytesOf(run) + (offset - run.offset);
    run = changetype<Run>(run.next);
  }
  return 0;
}
