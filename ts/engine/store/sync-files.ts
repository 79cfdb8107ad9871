// Syncs that are waited for.

import type { Disk, OpenFile, SyncFailure } from '../../ports/disk.ts';

/** Resolves to the files that could not be synced. */
export function syncFiles(disk: Pick<Disk, 'sync'>, files: readonly OpenFile[]): Promise<readonly SyncFailure[]> {
  return new Promise((resolve) => disk.sync(files, resolve));
}

/** Rejects with the first fault. */
export async function syncAll(disk: Pick<Disk, 'sync'>, files: readonly OpenFile[]): Promise<void> {
  const [failure] = await syncFiles(disk, files);
  if (failure !== undefined) throw failure.fault;
}
