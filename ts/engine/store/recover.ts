// Opening a stream that exists: its blocks are scanned on the jobs pool, their entries become the kernel's indexes, torn tails are cut, and
// what is damaged is reported and kept. Nothing is written before everything has been read.

import type { StreamKernel } from '../../kernel/streams.ts';
import type { Disk } from '../../ports/disk.ts';
import type { Jobs, ScanResult, ScanTask } from '../../ports/jobs.ts';
import type { Log } from '../../ports/log.ts';
import type { BlockFiles, BlockForm } from './block-files.ts';
import { adoptBlocks, finishBlocks } from './cipher/adopt-blocks.ts';
import type { BlockKeys } from './cipher/block-keys.ts';
import type { OpenedKey } from './cipher/keyring.ts';
import { mend } from './mend.ts';
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

/** Bytes that could not be kept, and sequences that are known to be among them. */
export interface Lost {
  bytes: number;
  readonly messages: number[];
}

/** What opening found out. */
export interface Recovered {
  readonly lost: Lost;
  /** Where the next record goes. */
  readonly block: number;
  readonly offset: number;
  /** Nothing was damaged: no block was changed. */
  readonly intact: boolean;
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
  finishBlocks(disk, directory.blocks);
  const numbers = blockNumbers(disk, directory.blocks);
  const keys = directory.blockKeys();
  const opened = new Map(numbers.map((block) => [block, keys?.open(block)]));
  let handle = kernel.exports.loadBegin() >>> 0;
  const lost: Lost = { bytes: 0, messages: [] };
  const harmed: ScanResult[] = [];
  let last: ScanResult | undefined;
  try {
    for (let i = 0; i < numbers.length; i += BATCH) {
      const tasks = numbers.slice(i, i + BATCH).map((block) => scanTask(directory, block, opened.get(block)));
      for (const scan of await jobs.scan(tasks)) {
        if (scan.problem !== undefined) throw new StoreFault('BLOCK', `${directory.blocks}/${scan.block}.blk: ${scan.problem}`);
        if (scan.plain === true) opened.set(scan.block, undefined);
        handle = load(kernel, stream, handle, scan);
        files.add(scan.block, scan.size, scan.tombstones > 0, formOf(scan, keys, opened.get(scan.block)));
        lost.bytes += scan.size - scan.goodEnd;
        last = scan;
        if (scan.damages.length > 0) harmed.push(scan);
        if (scan.goodEnd < scan.size)
          report(log, directory, scan.block, `${scan.size - scan.goodEnd} bytes at its end that are no record`);
      }
    }
  } finally {
    kernel.exports.loadEnd(stream, handle);
  }
  const whole = harmed.map((scan) => mendBlock(ports, directory, files, stream, scan, lost)).every((filled) => filled);
  const end = tail(files, last, whole);
  if (keys !== undefined) await adoptBlocks(ports, files, keys, opened);
  return { lost, intact: lost.bytes === 0 && keys === undefined, ...end };
}

/** Scans all blocks now, so that a stream can be loaded without waiting. Rejects with a StoreFault when one cannot be read. */
export async function scanFirst({ disk, jobs }: RecoverPorts, directory: StreamDirectory): Promise<Jobs> {
  const keys = directory.blockKeys();
  const found = new Map<number, ScanResult>();
  for (const block of blockNumbers(disk, directory.blocks)) {
    for (const scan of await jobs.scan([scanTask(directory, block, keys?.open(block))])) {
      if (scan.problem !== undefined) throw new StoreFault('BLOCK', `${directory.blocks}/${block}.blk: ${scan.problem}`);
      found.set(block, scan);
    }
  }
  const scan = (tasks: readonly ScanTask[]): Promise<ScanResult[]> =>
    Promise.resolve(tasks.flatMap(({ block }) => found.get(block) ?? []));
  return { scan, rewrite: (task) => jobs.rewrite(task), stop: () => Promise.resolve() };
}

function scanTask(directory: StreamDirectory, block: number, key: OpenedKey | undefined): ScanTask {
  const task = { path: `${directory.blocks}/${block}.blk`, stream: directory.name, block };
  return key === undefined ? task : { ...task, key: key.content };
}

function formOf({ packed }: ScanResult, keys: BlockKeys | undefined, key: OpenedKey | undefined): BlockForm {
  return { packed, key: key?.content, cipher: key === undefined ? undefined : keys?.keyStream(key.content) };
}

function report(log: Log, directory: StreamDirectory, block: number, what: string): void {
  log.warn(`Stream '${directory.name}': ${directory.blocks}/${block}.blk has ${what}`);
}

/** Mends every damage of a block; whether the block reads on behind all of them. */
function mendBlock(
  { disk, kernel, log }: RecoverPorts,
  directory: StreamDirectory,
  files: BlockFiles,
  stream: number,
  { block, damages }: ScanResult,
  lost: Lost,
): boolean {
  let whole = true;
  for (const damage of damages) {
    const { filled, lost: messages } = mend(disk, kernel, stream, files, block, damage);
    const named = messages.length > 0 ? `, messages ${messages[0]} to ${messages.at(-1)} are lost` : '';
    const kept = filled ? `; they are kept in ${block}.damaged-${damage.offset}` : '';
    report(log, directory, block, `${damage.length} damaged bytes at ${damage.offset}${named}${kept}`);
    lost.bytes += damage.length;
    lost.messages.push(...messages);
    whole &&= filled;
  }
  return whole;
}

/** Cuts the torn end of the last block and goes on there; behind damage that could not be mended a new block begins. */
function tail(
  files: BlockFiles,
  last: ScanResult | undefined,
  whole: boolean,
): { readonly block: number; readonly offset: number } {
  if (last === undefined) return { block: 1, offset: 0 };
  if (!whole || last.packed) return { block: last.block + 1, offset: 0 };
  if (last.goodEnd < last.size) files.cut(last.block, last.goodEnd);
  return { block: last.block, offset: last.goodEnd };
}
