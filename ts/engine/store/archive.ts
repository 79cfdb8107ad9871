// What a backup of a stream consists of, in the order nats-server writes it: meta.inf, meta.sum, the blocks, the consumers. All plain: checksums
// are made here, and encrypted blocks are decrypted when they are packed.
//
// What stays true: an archive shows the stream as it was when it was opened. Its blocks are read through descriptors of its own and no further
// than they were long, so that neither appends nor removed files change it.

import { DiskFault, type OpenFile } from '../../ports/disk.ts';
import type { Jobs } from '../../ports/jobs.ts';
import type { ListedBlock } from './block.ts';
import type { DirectoryPorts } from './stream-directory.ts';
import { Packing } from './packing.ts';
import { StoreFault, type ArchiveMember, type StreamArchive } from './store.ts';

const encoder = new TextEncoder();

/** The configuration texts and consumer states that go with the blocks. */
export interface StreamDescription {
  readonly meta: string;
  readonly consumers: readonly { readonly name: string; readonly meta: string; readonly state: Uint8Array }[];
}

function wholeMember(name: string, content: Uint8Array): ArchiveMember {
  return { name, size: content.length, source: content };
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
  jobs: Jobs,
  stream: { readonly name: string; readonly blocks: string },
  blocks: readonly ListedBlock[],
  { meta, consumers }: StreamDescription,
): StreamArchive {
  const { disk, clock } = ports;
  const files: OpenFile[] = [];
  const close = (): void => {
    for (const file of files.splice(0)) disk.close(file);
  };
  try {
    const members = metaMembers(ports, '', stream.name, meta);
    for (const { number, size, key, packed, changes } of blocks) {
      const file = disk.open(`${stream.blocks}/${number}.blk`, false);
      files.push(file);
      members.push({ name: `msgs/${number}.blk`, size, source: { file, key, packed, changes } });
    }
    for (const { name, meta: text, state } of consumers) {
      members.push(...metaMembers(ports, `obs/${name}/`, `${stream.name}/${name}`, text));
      members.push(wholeMember(`obs/${name}/o.dat`, state));
    }
    const packing = new Packing({ disk, jobs }, members, clock.wallInstant().seconds);
    return { members, packed: () => packing.next(), close: () => void packing.stop().then(close) };
  } catch (error) {
    close();
    if (error instanceof DiskFault) throw new StoreFault(error.code, error.message, error);
    throw error;
  }
}
