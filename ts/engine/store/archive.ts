// What a backup of a stream consists of, in the order nats-server writes it: meta.inf, meta.sum, the blocks, the consumers. All plain: checksums
// are made here, and encrypted and compressed blocks are decoded while they are read.
//
// What stays true: an archive shows the stream as it was when it was opened. Its blocks are read through descriptors of its own and no further
// than they were long, so that neither appends nor removed files change it.

import { DiskFault, type Disk, type OpenFile } from '../../ports/disk.ts';
import type { ListedBlock } from './block.ts';
import type { DirectoryPorts } from './stream-directory.ts';
import { unpackFile } from './unpacked.ts';
import { StoreFault, type ArchiveMember, type StreamArchive } from './store.ts';

const pieceBytes = 65536;
const encoder = new TextEncoder();

/** The configuration texts and consumer states that go with the blocks. */
export interface StreamDescription {
  readonly meta: string;
  readonly consumers: readonly { readonly name: string; readonly meta: string; readonly state: Uint8Array }[];
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

function contentOf(disk: Disk, file: OpenFile, { size, cipher, packed }: ListedBlock): Uint8Array {
  if (packed) return unpackFile({ path: file.path, bytes: readStretch(disk, file, 0, disk.size(file)), cipher });
  const bytes = readStretch(disk, file, 0, size);
  return cipher === undefined ? bytes : cipher(bytes, 0);
}

function* readPieces(disk: Disk, file: OpenFile, block: ListedBlock): Iterable<Uint8Array> {
  const bytes = contentOf(disk, file, block);
  for (let at = 0; at < block.size; at += pieceBytes) yield bytes.subarray(at, Math.min(at + pieceBytes, block.size));
}

function blockMember(disk: Disk, file: OpenFile, block: ListedBlock): ArchiveMember {
  return { name: `msgs/${block.number}.blk`, size: block.size, pieces: () => readPieces(disk, file, block) };
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
  blocks: readonly ListedBlock[],
  { meta, consumers }: StreamDescription,
): StreamArchive {
  const { disk } = ports;
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
    for (const { name, meta: text, state } of consumers) {
      members.push(...metaMembers(ports, `obs/${name}/`, `${stream.name}/${name}`, text));
      members.push(wholeMember(`obs/${name}/o.dat`, state));
    }
    return { members, close };
  } catch (error) {
    close();
    if (error instanceof DiskFault) throw new StoreFault(error.code, error.message, error);
    throw error;
  }
}
