// Mending a block that is damaged: the damaged bytes are kept beside the block under a name that every reader ignores, and one erased record of
// their length takes their place, so that every reader, nats-server too, goes on behind them. A damaged end is cut off. A compressed block is
// written anew with what could be decoded, as is one in which a damage is shorter than any record, and its whole file is kept; so is a block of
// which nothing can be read.
//
// What stays true: what is set aside is on disk before the block is changed.

import { smallestRecord } from '../../core/block/salvage-block.ts';
import type { StreamKernel } from '../../kernel/streams.ts';
import type { Disk } from '../../ports/disk.ts';
import type { BlockFiles } from './block-files.ts';
import { keyFileOf } from './cipher/block-keys.ts';
import type { Harm, HarmedBlock } from './survey.ts';

/** A longer stretch is filled by several records: none may be longer than 32 MiB. */
const LONGEST = 16 << 20;

export interface MendPorts {
  readonly disk: Disk;
  readonly kernel: StreamKernel;
  /** The kernel's stream. */
  readonly stream: number;
  readonly files: BlockFiles;
}

/** The name of the file that has the damaged bytes; undefined: nothing was kept, there were only zeros. */
export type Kept = string | undefined;

/** A name that is not taken. */
export function freeName(disk: Disk, directory: string, name: string): string {
  let free = name;
  for (let n = 2; disk.exists(`${directory}/${free}`); n++) free = `${name}.${n}`;
  return free;
}

/** Keeps bytes in a file of their own, beside the blocks. Returns its name. */
export function keepAside(disk: Disk, directory: string, name: string, bytes: Uint8Array): string {
  const kept = freeName(disk, directory, name);
  disk.replace(`${directory}/${kept}`, bytes, true);
  return kept;
}

function setAside({ disk, files: { directory } }: MendPorts, name: string, bytes: Uint8Array): string {
  return keepAside(disk, directory, name, bytes);
}

/** Gives the file of a block, and its key, another name. Returns that of the block. */
function moveAside(disk: Disk, directory: string, block: number): string {
  const kept = freeName(disk, directory, `${block}.damaged`);
  const key = `${directory}/${keyFileOf(block)}`;
  if (disk.exists(key)) disk.rename(key, `${directory}/${freeName(disk, directory, `${block}.damaged-key`)}`);
  disk.rename(`${directory}/${block}.blk`, `${directory}/${kept}`);
  disk.syncDirectory(directory);
  return kept;
}

/** Frames erased records over a stretch. */
function fill({ kernel, stream }: MendPorts, block: number, bytes: Uint8Array, sequence: number): void {
  for (let at = 0; at < bytes.length;) {
    const rest = bytes.length - at;
    const length = rest > LONGEST + smallestRecord ? LONGEST : rest;
    const to = kernel.take(length + smallestRecord);
    kernel.memory.bytes(to, length).fill(0);
    kernel.exports.frameErased(stream, block, to, length, at + length < bytes.length ? 0 : sequence, 0, 0);
    bytes.set(kernel.memory.bytes(to, length), at);
    kernel.release(to);
    at += length;
  }
}

/** Without a sequence of its own the record must not name one: it would delete that message. */
function sequenceOf({ lost }: Harm): number {
  return lost.at(-1) ?? 0;
}

/** Mends one stretch in the file. */
function mendStretch(ports: MendPorts, block: number, harm: Harm): Kept {
  const { files } = ports;
  const { offset, length } = harm;
  const kept = setAside(ports, `${block}.damaged-${offset}`, files.stored(block, offset, length));
  const filler = new Uint8Array(length);
  fill(ports, block, filler, sequenceOf(harm));
  files.patch(block, offset, filler);
  return kept;
}

function cutEnd(ports: MendPorts, block: number, { offset, length }: Harm): Kept {
  const { files } = ports;
  const bytes = files.stored(block, offset, length);
  const kept = bytes.every((byte) => byte === 0) ? undefined : setAside(ports, `${block}.damaged-${offset}`, bytes);
  files.cut(block, offset);
  return kept;
}

function writeAnew(ports: MendPorts, { scan, harms }: HarmedBlock, salvaged: Uint8Array): Kept {
  const { disk, files } = ports;
  const { block, goodEnd } = scan;
  const kept = setAside(ports, `${block}.damaged`, disk.readWhole(`${files.directory}/${block}.blk`) ?? new Uint8Array(0));
  const content = salvaged.slice(0, goodEnd);
  for (const harm of harms) {
    const { offset, length } = harm;
    if (offset < goodEnd) fill(ports, block, content.subarray(offset, offset + length), sequenceOf(harm));
  }
  files.rewrite(block, content);
  return kept;
}

/** Mends a block; one result for each of its harms, or one when only the file was damaged and not what is in it. `isLast`: it goes on growing. */
export function mendBlock(ports: MendPorts, harmed: HarmedBlock, isLast: boolean): Kept[] {
  const { scan, harms } = harmed;
  const { block, goodEnd, salvaged, packed } = scan;
  if (goodEnd === 0 && (packed || !isLast)) {
    const kept = moveAside(ports.disk, ports.files.directory, block);
    ports.files.remove(block);
    return harms.map(() => kept);
  }
  if (salvaged !== undefined) {
    const kept = writeAnew(ports, harmed, salvaged);
    return harms.length === 0 ? [kept] : harms.map(() => kept);
  }
  return harms.map((harm) => (harm.offset < goodEnd ? mendStretch(ports, block, harm) : cutEnd(ports, block, harm)));
}
