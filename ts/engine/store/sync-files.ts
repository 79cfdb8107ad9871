// Syncs that are waited for: of files that somebody has open, and of files that are opened only to be synced.

import { DiskFault } from '../../ports/disk.ts';
import type { Disk, OpenFile, SyncFailure } from '../../ports/disk.ts';

/** Files that are open at once only to be synced, beside those that streams have open. */
export const openAtOnce = 512;

/** Resolves to the files that could not be synced. */
export function syncFiles(disk: Pick<Disk, 'sync'>, files: readonly OpenFile[]): Promise<readonly SyncFailure[]> {
  return new Promise((resolve) => disk.sync(files, resolve));
}

/** Rejects with the first fault. */
export async function syncAll(disk: Pick<Disk, 'sync'>, files: readonly OpenFile[]): Promise<void> {
  const [failure] = await syncFiles(disk, files);
  if (failure !== undefined) throw failure.fault;
}

/** Syncs files and closes them. Resolves to a fault of each owner whose files could not be synced. */
export async function syncAndClose(
  disk: Pick<Disk, 'sync' | 'close'>,
  owners: ReadonlyMap<OpenFile, string>,
): Promise<Map<string, DiskFault>> {
  const failures = await syncFiles(disk, [...owners.keys()]);
  for (const file of owners.keys()) disk.close(file);
  return new Map(failures.map(({ file, fault }) => [owners.get(file) ?? '', fault]));
}

/** What is to be synced. */
export interface SyncPlace {
  readonly owner: string;
  /** Undefined: it is not there any more. Throws a DiskFault. */
  readonly open: () => OpenFile | undefined;
}

/** Opens, syncs and closes, not all at once. Resolves to a fault of each owner of whom something could not be opened or synced. */
export async function syncPlaces(
  disk: Pick<Disk, 'sync' | 'close'>,
  places: readonly SyncPlace[],
): Promise<Map<string, DiskFault>> {
  const faults = new Map<string, DiskFault>();
  for (let at = 0; at < places.length; at += openAtOnce) {
    const owners = new Map<OpenFile, string>();
    for (const { owner, open } of places.slice(at, at + openAtOnce)) {
      try {
        const file = open();
        if (file !== undefined) owners.set(file, owner);
      } catch (error) {
        if (!(error instanceof DiskFault)) throw error;
        faults.set(owner, error);
      }
    }
    for (const [owner, fault] of await syncAndClose(disk, owners)) faults.set(owner, fault);
  }
  return faults;
}
