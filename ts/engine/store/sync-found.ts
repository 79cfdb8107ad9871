// What a start finds of a stream may never have been synced: the server before was killed, or was one that does not wait for syncs. From now on it is
// shown and built upon (a duplicate is answered, the next record is appended behind it by way of the journal), so it is synced first.

import type { Disk } from '../../ports/disk.ts';
import type { BlockFiles } from './block-files.ts';
import { syncPlaces } from './sync-files.ts';

export interface FoundPlaces {
  /** The stream's directory. */
  readonly path: string;
  /** Those that it is in. */
  readonly above: readonly string[];
}

/** Syncs blocks and what makes the stream exist. Rejects with a DiskFault. */
export async function syncFound(disk: Disk, files: BlockFiles, { path, above }: FoundPlaces): Promise<void> {
  const blocks = files.numbers().map((number) => files.source(number).path);
  const metadata = ['meta.inf', 'meta.sum'].map((name) => `${path}/${name}`).filter((file) => disk.exists(file));
  const faults = await syncPlaces(disk, [
    ...[files.directory, path, ...above].map((owner) => ({ owner, open: () => disk.openDirectory(owner) })),
    ...[...blocks, ...metadata].map((owner) => ({ owner, open: () => disk.open(owner, false) })),
  ]);
  for (const fault of faults.values()) throw fault;
}
