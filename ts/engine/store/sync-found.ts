// What a start finds of a stream may never have been synced: the server before was killed, or was one that does not wait for syncs. From now on it is
// shown and built upon (a duplicate is answered, the next record is appended behind it by way of the journal, an acknowledgement that came again is
// confirmed), so it is synced first: blocks, and the metadata of the stream and of its consumers.

import type { Disk } from '../../ports/disk.ts';
import type { BlockFiles } from './block-files.ts';
import { syncPlaces, type SyncPlace } from './sync-files.ts';

export interface FoundPlaces {
  /** The stream's directory. */
  readonly path: string;
  /** Those that it is in. */
  readonly above: readonly string[];
}

/** Syncs blocks and what makes the stream and its consumers exist. Rejects with a DiskFault. */
export async function syncFound(disk: Disk, files: BlockFiles, { path, above }: FoundPlaces): Promise<void> {
  const owner = path;
  const places: SyncPlace[] = [files.directory, path, ...above].map((at) => ({ owner, open: () => disk.openDirectory(at) }));
  const add = (file: string): unknown => places.push({ owner, open: () => disk.open(file, false) });
  for (const number of files.numbers()) add(files.source(number).path);
  for (const name of metadataIn(disk, path)) add(`${path}/${name}`);
  const obs = `${path}/obs`;
  if (disk.exists(obs)) places.push({ owner, open: () => disk.openDirectory(obs) });
  for (const { name: consumer, directory: isDirectory } of disk.list(obs)) {
    if (!isDirectory) continue;
    places.push({ owner, open: () => disk.openDirectory(`${obs}/${consumer}`) });
    for (const name of metadataIn(disk, `${obs}/${consumer}`)) add(`${obs}/${consumer}/${name}`);
  }
  for (const fault of (await syncPlaces(disk, places)).values()) throw fault;
}

/** Files of metadata in a directory; what has a temporary name is none. */
function metadataIn(disk: Disk, path: string): string[] {
  const files = disk.list(path).filter(({ name, directory }) => !directory && !name.endsWith('.tmp'));
  return files.map(({ name }) => name);
}
