// Opening a stream that exists: its blocks are scanned on the jobs pool, their entries become the kernel's indexes, torn tails are cut, and
// what is damaged is reported and kept. Nothing is written before everything has been read.

import { scanEntry } from '../../kernel/scan-entry.ts';
import type { StreamKernel } from '../../kernel/streams.ts';
import type { Disk } from '../../ports/disk.ts';
import type { Jobs, ScanResult, ScanTask } from '../../ports/jobs.ts';
import type { Log } from '../../ports/log.ts';
import type { BlockForm } from './block.ts';
import type { BlockFiles } from './block-files.ts';
import { adoptBlocks, finishBlocks } from './cipher/adopt-blocks.ts';
import type { BlockKeys } from './cipher/block-keys.ts';
import type { OpenedKey } from './cipher/keyring.ts';
import { mendBlock } from './mend.ts';
import type { StreamDirectory } from './stream-directory.ts';
import { StoreFault } from './store.ts';
import { sequencesOf, type MissingBlock } from './missing-blocks.ts';
import { Survey, type HarmedBlock } from './survey.ts';

const BLOCK_NAME = /^([1-9][0-9]*)\.blk$/;
const NOTHING = new Uint8Array(0);
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

/** No stream comes to a block of a higher number, and one that began there would soon have more than 32 bits hold. */
const HIGHEST_BLOCK = 0xf000_0000;

/** The numbers of the blocks in a directory, in order. A name that only looks like a block makes the stream unreadable for nats-server. */
export function blockNumbers(disk: Disk, directory: string): number[] {
  const numbers: number[] = [];
  for (const { name, directory: isDirectory } of disk.list(directory)) {
    const number = BLOCK_NAME.exec(name)?.[1];
    if (number === undefined && !/^[0-9]+\.blk$/.test(name)) continue;
    if (number === undefined || isDirectory || Number(number) > HIGHEST_BLOCK)
      throw new StoreFault('BLOCK', `${directory}/${name} is not a block file`);
    numbers.push(Number(number));
  }
  return numbers.sort((a, b) => a - b);
}

/** Sequences named as lost. */
const MOST_NAMED = 1000;

/** What the index takes for a message, and for a subject beside its bytes. */
const MESSAGE_BYTES = 16;
const SUBJECT_BYTES = 128;

function load(kernel: StreamKernel, stream: number, handle: number, scan: ScanResult): number {
  const size = scan.entries.length + scan.subjects.length;
  const index =
    (scan.entries.length / scanEntry.bytes) * MESSAGE_BYTES + scan.subjectCount * SUBJECT_BYTES + scan.subjects.length;
  if (kernel.exports.isMemoryShortFor(size + index) !== 0)
    throw new StoreFault(
      'MEMORY',
      `block ${scan.block}: the memory has no room for the index of its ${scan.entries.length / scanEntry.bytes} records`,
    );
  const at = kernel.take(size + 64);
  const memory = kernel.memory.all();
  memory.set(scan.entries, at);
  memory.set(scan.subjects, at + scan.entries.length);
  const count = scan.entries.length / scanEntry.bytes;
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
  const { disk, jobs, kernel } = ports;
  directory.finishPurge();
  finishBlocks(disk, directory.blocks);
  const keys = directory.blockKeys();
  const { numbers, opened, shut } = openKeys(blockNumbers(disk, directory.blocks), keys);
  let handle = kernel.exports.loadBegin() >>> 0;
  const survey = new Survey();
  const unread: ScanResult[] = [];
  let last: ScanResult | undefined;
  let isRead = false;
  try {
    for (let i = 0; i < numbers.length; i += BATCH) {
      const tasks = numbers.slice(i, i + BATCH).map((block) => scanTask(directory, block, opened.get(block)));
      for (const scan of await jobs.scan(tasks)) {
        if (scan.problem !== undefined && (scan.isUnreadable !== true || scan.block === numbers.at(-1)))
          throw new StoreFault('BLOCK', `${directory.blocks}/${scan.block}.blk: ${scan.problem}`);
        if (scan.plain === true) opened.set(scan.block, undefined);
        const highest = kernel.exports.lastSequence(stream);
        for (; (shut[0] ?? Infinity) < scan.block; shut.shift()) survey.add(shutScan(disk, directory, shut[0] ?? 0), highest);
        survey.add(scan, highest);
        if (scan.problem !== undefined) continue;
        handle = load(kernel, stream, handle, scan);
        files.add(scan.block, scan.size, scan.tombstones > 0, formOf(scan, keys, opened.get(scan.block)));
        last = scan;
        if (scan.goodEnd > 0) isRead = true;
        else if (scan.size > 0) unread.push(scan);
      }
    }
  } finally {
    kernel.exports.loadEnd(stream, handle);
  }
  if (!isRead && numbers.length > 1 && unread.length === 0 && survey.harmed().length > 0)
    throw new StoreFault('BLOCK', `${directory.blocks}: nothing in its blocks can be read`);
  for (const block of shut) survey.add(shutScan(disk, directory, block), kernel.exports.lastSequence(stream));
  const [unreadable] = unread;
  const hasNoKey = keys !== undefined && unreadable !== undefined && opened.get(unreadable.block) === undefined;
  if (!isRead && unreadable !== undefined && (unread.length > 1 || hasNoKey))
    throw new StoreFault('BLOCK', `${directory.blocks}: nothing in its blocks can be read`);
  const lost: Lost = { bytes: 0, messages: [] };
  const harmed = survey.harmed();
  for (const block of harmed) mendHarmed(ports, directory, files, stream, block, block.scan === last, lost);
  if (keys !== undefined) await adoptBlocks(ports, files, keys, opened);
  return { lost, intact: lost.bytes === 0 && harmed.length === 0 && keys === undefined, ...tail(last) };
}

/**
 * The keys of the blocks. Blocks whose key file opens with no configured key are `shut`. Throws a StoreFault when that is so for all: then it is the
 * configured key that is wrong.
 */
function openKeys(
  all: readonly number[],
  keys: BlockKeys | undefined,
): { readonly numbers: number[]; readonly opened: Map<number, OpenedKey | undefined>; readonly shut: number[] } {
  const opened = new Map<number, OpenedKey | undefined>();
  const shut: number[] = [];
  let fault: StoreFault | undefined;
  for (const block of all) {
    try {
      opened.set(block, keys?.open(block));
    } catch (error) {
      if (!(error instanceof StoreFault)) throw error;
      fault ??= error;
      shut.push(block);
    }
  }
  if (fault !== undefined && ![...opened.values()].some((key) => key !== undefined)) throw fault;
  return { numbers: [...opened.keys()], opened, shut };
}

/** What takes the place of the scan of a block whose key does not open. */
function shutScan(disk: Disk, directory: StreamDirectory, block: number): ScanResult {
  const size = disk.readWhole(`${directory.blocks}/${block}.blk`)?.length ?? 0;
  const nothing = { packed: true, goodEnd: 0, damages: [], tombstones: 0, entries: NOTHING, subjects: NOTHING, subjectCount: 0 };
  return { block, size, ...nothing, problem: 'a key file that does not open with the configured key' };
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
  return {
    scan,
    rewrite: (task) => jobs.rewrite(task),
    pack: (task) => jobs.pack(task),
    unpack: (task) => jobs.unpack(task),
    stop: () => Promise.resolve(),
  };
}

/** The job of reading one block. */
export function scanTask(directory: StreamDirectory, block: number, key: OpenedKey | undefined): ScanTask {
  const task = { path: `${directory.blocks}/${block}.blk`, stream: directory.name, block };
  return key === undefined ? task : { ...task, key: key.content };
}

function formOf({ packed }: ScanResult, keys: BlockKeys | undefined, key: OpenedKey | undefined): BlockForm {
  return { packed, key: key?.content, cipher: key === undefined ? undefined : keys?.keyStream(key.content) };
}

function report(log: Log, directory: StreamDirectory, block: number, what: string): void {
  log.warn(`Stream '${directory.name}': ${directory.blocks}/${block}.blk has ${what}`);
}

/** Tells of block files that are missing, and counts what went with them. */
export function reportMissing(log: Log, directory: StreamDirectory, missing: readonly MissingBlock[], lost: Lost): void {
  for (const block of missing) {
    const sequences = sequencesOf(block, MOST_NAMED);
    const range = block.toBlock > block.block ? `-${block.toBlock}` : '';
    log.warn(
      `Stream '${directory.name}': ${directory.blocks}/${block.block}${range}.blk is missing, lost messages: ${rangesOf(sequences)}`,
    );
    lost.messages.push(...sequences.slice(0, MOST_NAMED - lost.messages.length));
  }
}

/** Sequences as ranges: `3, 7-12`. */
function rangesOf(sequences: readonly number[]): string {
  const ranges: { readonly from: number; to: number }[] = [];
  for (const seq of sequences) {
    const range = ranges.at(-1);
    if (range !== undefined && range.to === seq - 1) range.to = seq;
    else ranges.push({ from: seq, to: seq });
  }
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}

/** Mends every damage of a block and tells of it. */
function mendHarmed(
  { disk, kernel, log }: RecoverPorts,
  directory: StreamDirectory,
  files: BlockFiles,
  stream: number,
  harmed: HarmedBlock,
  isLast: boolean,
  lost: Lost,
): void {
  const results = mendBlock({ disk, kernel, stream, files }, harmed, isLast);
  for (const [i, { offset, length, lost: messages }] of harmed.harms.entries()) {
    const kept = results[i];
    const { problem, goodEnd } = harmed.scan;
    const stretch = offset < goodEnd ? `${length} damaged bytes at ${offset}` : `${length} bytes at its end that are no record`;
    const what = problem ?? stretch;
    const named = messages.length > 0 ? `, lost messages: ${rangesOf(messages)}` : '';
    report(log, directory, harmed.scan.block, `${what}${named}${kept === undefined ? '' : `; kept in ${kept}`}`);
    lost.bytes += length;
    lost.messages.push(...messages);
  }
  if (harmed.harms.length === 0) report(log, directory, harmed.scan.block, `damage that cost nothing; kept in ${results[0]}`);
}

/** Where records go on. */
function tail(last: ScanResult | undefined): { readonly block: number; readonly offset: number } {
  if (last === undefined) return { block: 1, offset: 0 };
  if (last.packed) return { block: last.block + 1, offset: 0 };
  return { block: last.block, offset: last.goodEnd };
}
