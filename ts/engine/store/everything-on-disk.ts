// Waiting until everything of a stream is on disk, whatever the sync interval: with an interval its rounds end before their syncs.

import type { FileStreamParts } from './file-stream-parts.ts';
import type { StreamStore } from './store.ts';
import { syncFiles } from './sync-files.ts';

/** Resolves when what a stream has written so far is synced, or written where syncs come later. Rejects when it stops writing. */
export function untilSynced(stream: Pick<StreamStore, 'whenSynced'>): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.whenSynced((error) => (error === undefined ? resolve() : reject(error)));
  });
}

/** Rejects when the stream stops writing, or a sync fails. */
export async function everythingOnDisk(
  { rounds, files, disk }: Pick<FileStreamParts, 'rounds' | 'files' | 'disk'>,
  stream: Pick<StreamStore, 'whenSynced'>,
): Promise<void> {
  await untilSynced(stream);
  if (rounds.synchronous) return;
  const pending = files.takePending();
  const failures = await syncFiles(disk, pending);
  for (const file of pending) files.synced(file);
  for (const { fault } of failures) throw fault;
}
