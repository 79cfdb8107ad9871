// Opening a stream that exists: its blocks are scanned on the jobs pool, their entries become the kernel's indexes, torn tails are cut, and
// what is damaged is reported and kept. Nothing is written before everything has been read.

import type { StreamKernel } from '../../kernel/streams.ts';
import type { Disk } from '../../ports/disk.ts';
import type { Jobs, ScanResult } from '../../ports/jobs.ts';
import type { Log } from '../../ports/log.ts';
import type { BlockFiles } from './block-files.ts';
import type { StreamDirectory } from './stream-directory.ts';
import { StoreFault } from './store.ts';

const BLOCK_NAME = /^([1-9][0-9]*)\.blk$/;
const ENTRY = 32;
/** Blocks in memory at once, between scan and load. */
const BATCH = 16;

export interface RecoverPorts {
  readonly disk: Disk;
  readonly jobs: Jobs;
  readonly kernel: StreamKernel;
  readonly log: Log;
}

/** What opening found out. */
export interface Recovered {
  /** Bytes that could not be kept. */
  readonly lostBytes: number;
  /** Where the next record goes. */
  readonly block: number;
  readonly offset: number;
}

/** The numbers of the blocks in a directory, in order. A name that only looks like a block makes the stream unreadable for nats-server. */
export function blockNumbers(disk: Disk, directory: string): number[] {
  const numbers: number[] = [];
  for (const { name, directory: isDirectory } of disk.list(directory)) {
    const number = BLOCK_NAME.exec(name)?.[1];
    if (number === undefined && !/^[0-9]+\.blk$/.test(name)) continue;
    if (number === undefined || isDirectory) throw new StoreFault('BLOCK', `${directory}/${name} is not a block file`);
    numbers.push(Number(number));
  }
  return numbers.sort((a, b) => a - b);
}

function load(kernel: StreamKernel, stream: number, handle: number, scan: ScanResult): number {
  const size = scan.entries.length + scan.subjects.length;
  const at = kernel.take(size + 64);
  const memory = kernel.memory.all();
  memory.set(scan.entries, at);
  memory.set(scan.subjects, at + scan.entries.length);
  const count = scan.entries.length / ENTRY;
  const subjects = at + scan.entries.length;
  const moved = kernel.exports.loadScan(stream, handle, scan.block, at, count, subjects, scan.subjectCount) >>> 0;
  kernel.release(at);
  return moved;
}

/** Scans and loads all blocks. Rejects with a StoreFault when one cannot be read; then nothing has been changed. */
export async function recoverStream(
  ports: RecoverPorts,
  directory: StreamDirectory,
  files: BlockFiles,
  stream: number,
): Promise<Recovered> {
  const { disk, jobs, kernel, log } = ports;
  directory.finishPurge();
  const numbers = blockNumbers(disk, directory.blocks);
  let handle = kernel.exports.loadBegin() >>> 0;
  let lostBytes = 0;
  let last: ScanResult | undefined;
  try {
    for (let i = 0; i < numbers.length; i += BATCH) {
      const tasks = numbers
        .slice(i, i + BATCH)
        .map((block) => ({ path: `${directory.blocks}/${block}.blk`, stream: directory.name, block }));
      for (const scan of await jobs.scan(tasks)) {
        if (scan.problem !== undefined) throw new StoreFault('BLOCK', `${directory.blocks}/${scan.block}.blk: ${scan.problem}`);
        handle = load(kernel, stream, handle, scan);
        files.add(scan.block, scan.size, scan.tombstones > 0);
        lostBytes += scan.damaged + scan.size - scan.goodEnd;
        last = scan;
        if (scan.damaged > 0) report(log, directory, scan, scan.damaged, 'damaged in the middle: kept as they are');
        else if (scan.goodEnd < scan.size)
          report(log, directory, scan, scan.size - scan.goodEnd, 'at the end that are no record');
      }
    }
  } finally {
    kernel.exports.loadEnd(stream, handle);
  }
  return { lostBytes, ...tail(files, last) };
}

function report(log: Log, directory: StreamDirectory, scan: ScanResult, bytes: number, what: string): void {
  log.warn(`Stream '${directory.name}': ${directory.blocks}/${scan.block}.blk has ${bytes} bytes ${what}`);
}

/** Cuts the torn end of the last block and goes on there; behind damage a new block begins. */
function tail(files: BlockFiles, last: ScanResult | undefined): { readonly block: number; readonly offset: number } {
  if (last === undefined) return { block: 1, offset: 0 };
  if (last.damaged > 0) return { block: last.block + 1, offset: 0 };
  if (last.goodEnd < last.size) files.cut(last.block, last.goodEnd);
  return { block: last.block, offset: last.goodEnd };
}
