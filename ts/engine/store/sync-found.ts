// What a start finds of a stream may never have been synced: the server before was killed, or was one that does not wait for syncs. From now on it is
// shown and built upon (a duplicate is answered, the next record is appended behind it by way of the journal), so it is synced first.

import type { Disk, OpenFile } from '../../ports/disk.ts';
import type { BlockFiles } from './block-files.ts';
import { syncAll } from './sync-files.ts';

/** Files that are open at once. */
const BATCH = 256;

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
  const contents = [...blocks, ...metadata];
  for (let at = 0; at === 0 || at < contents.length; at += BATCH)
    await syncPaths(disk, contents.slice(at, at + BATCH), at === 0 ? [files.directory, path, ...above] : []);
}

async function syncPaths(disk: Disk, paths: readonly string[], directories: readonly string[]): Promise<void> {
  const files: OpenFile[] = [];
  try {
    for (const path of paths) files.push(disk.open(path, false));
    for (const path of directories) files.push(disk.openDirectory(path));
    await syncAll(disk, files);
  } finally {
    for (const file of files) disk.close(file);
  }
}
