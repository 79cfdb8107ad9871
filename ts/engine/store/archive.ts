// What a backup of a stream consists of, in the order nats-server writes it: meta.inf, meta.sum, the blocks, the consumers. All plain: checksums
// are made here, and a compressed block is decoded while it is read.
//
// What stays true: an archive shows the stream as it was when it was opened. Its blocks are read through descriptors of its own and no further
// than they were long, so that neither appends nor removed files change it.

import { ArchiveError } from '../../core/archive/archive-error.ts';
import { decodeS2 } from '../../core/archive/s2-stream.ts';
import { encodeConsumerState } from '../../core/consumer/o-dat.ts';
import { DiskFault, type Disk, type OpenFile } from '../../ports/disk.ts';
import type { DirectoryPorts } from './stream-directory.ts';
import { StoreFault, type ArchiveMember, type ConsumerState, type StreamArchive } from './store.ts';

const pieceBytes = 65536;
const sumBytes = 8;
/** The start of a compressed block: "cmp", the algorithm S2, and the length of the content as uvarint. */
const compressed = [0x63, 0x6d, 0x70, 1];
const compressedHead = 14;
const encoder = new TextEncoder();

/** The configuration texts and consumer states that go with the blocks. */
export interface StreamDescription {
  readonly meta: string;
  readonly consumers: readonly { readonly name: string; readonly meta: string; readonly state: ConsumerState }[];
}

/** A block and how much of it belongs to the archive. */
export interface ArchivedBlock {
  readonly number: number;
  readonly size: number;
}

function wholeMember(name: string, content: Uint8Array): ArchiveMember {
  return { name, size: content.length, pieces: () => [content] };
}

/** Reads at once what belongs together: a record that is erased while a backup runs is in it whole, or erased. */
function readStretch(disk: Disk, file: OpenFile, from: number, to: number): Uint8Array {
  const bytes = new Uint8Array(to - from);
  if (disk.read(file, bytes, from) < bytes.length) throw new StoreFault('SHORT', `${file.path} is shorter than it was`);
  return bytes;
}

function* readPieces(disk: Disk, file: OpenFile, size: number): Iterable<Uint8Array> {
  const bytes = readStretch(disk, file, 0, size);
  for (let at = 0; at < size; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** The content's length and where the compressed bytes begin; undefined for a plain block. */
function compressedHeadOf(disk: Disk, file: OpenFile): { readonly size: number; readonly from: number } | undefined {
  const head = new Uint8Array(compressedHead);
  const length = disk.read(file, head, 0);
  if (length < compressed.length || compressed.some((byte, at) => head[at] !== byte)) return undefined;
  let size = 0;
  let from = compressed.length;
  for (let scale = 1; from < length; scale *= 128) {
    const byte = head[from++] ?? 0;
    size += (byte & 127) * scale;
    if (byte < 128) break;
  }
  return { size, from };
}

/** The content of a compressed block: its S2 stream, and its last bytes, which are plain. */
function* inflate(disk: Disk, file: OpenFile, from: number, to: number, size: number): Iterable<Uint8Array> {
  const packed = readStretch(disk, file, from, to);
  try {
    const content = decodeS2(packed.subarray(0, -sumBytes));
    if (content.length + sumBytes !== size) throw new ArchiveError('its length is not what it says');
    yield content;
  } catch (error) {
    if (error instanceof ArchiveError) throw new StoreFault('BLOCK', `${file.path}: ${error.message}`, error);
    throw error;
  }
  yield packed.subarray(-sumBytes);
}

function blockMember(disk: Disk, file: OpenFile, { number, size }: ArchivedBlock): ArchiveMember {
  const name = `msgs/${number}.blk`;
  const head = compressedHeadOf(disk, file);
  if (head === undefined) return { name, size, pieces: () => readPieces(disk, file, size) };
  return { name, size: head.size, pieces: () => inflate(disk, file, head.from, size, head.size) };
}

/** A content and its checksum, as members of the directory `path` (empty, or ending with a slash). */
function metaMembers(ports: DirectoryPorts, path: string, keyName: string, meta: string): ArchiveMember[] {
  const content = encoder.encode(meta);
  const sum = encoder.encode(ports.kernel.sum(keyName, content));
  return [wholeMember(`${path}meta.inf`, content), wholeMember(`${path}meta.sum`, sum)];
}

/** Opens the blocks. Throws a StoreFault when one cannot be had. */
export function openArchive(
  ports: DirectoryPorts,
  stream: { readonly name: string; readonly blocks: string },
  blocks: readonly ArchivedBlock[],
  { meta, consumers }: StreamDescription,
): StreamArchive {
  const { disk, clock } = ports;
  const files: OpenFile[] = [];
  const close = (): void => {
    for (const file of files.splice(0)) disk.close(file);
  };
  try {
    const members = metaMembers(ports, '', stream.name, meta);
    for (const block of blocks) {
      const file = disk.open(`${stream.blocks}/${block.number}.blk`, false);
      files.push(file);
      members.push(blockMember(disk, file, block));
    }
    const { seconds } = clock.wallInstant();
    for (const { name, meta: text, state } of consumers) {
      members.push(...metaMembers(ports, `obs/${name}/`, `${stream.name}/${name}`, text));
      members.push(wholeMember(`obs/${name}/o.dat`, encodeConsumerState(state, seconds)));
    }
    return { members, close };
  } catch (error) {
    close();
    if (error instanceof DiskFault) throw new StoreFault(error.code, error.message, error);
    throw error;
  }
}
