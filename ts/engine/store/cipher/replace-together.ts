// Replaces a key file and the files that are encrypted with its key as one, so that whatever moment the power fails, the files that carry the
// real names fit each other, or can be made to at the next start.
//
//   1. the new key file is written as `<name>.next` and synced
//   2. the others are written as `<name>.next` and synced
//   3. the key file is renamed: from now on the new files count
//   4. the others are renamed
//
// A start that finds `<key>.next` is before step 3: what is new is dropped. One that finds only others with `.next` is behind it: it renames them.

import type { Disk } from '../../../ports/disk.ts';

export interface NewFile {
  readonly name: string;
  readonly content: Uint8Array;
}

/** Where the new content of a file waits for its name. */
export function nextOf(name: string): string {
  return `${name}.next`;
}

/** Step 1. */
export function prepareKey(disk: Disk, directory: string, { name, content }: NewFile): void {
  disk.writeWhole(`${directory}/${nextOf(name)}`, content, true);
  disk.syncDirectory(directory);
}

/** Steps 3 and 4, when the others are written and synced. */
export function commitTogether(disk: Disk, directory: string, key: string, others: readonly string[]): void {
  disk.syncDirectory(directory);
  for (const name of [key, ...others]) disk.rename(`${directory}/${nextOf(name)}`, `${directory}/${name}`);
  disk.syncDirectory(directory);
}

/** All steps, for files that are small. */
export function replaceTogether(disk: Disk, directory: string, key: NewFile, others: readonly NewFile[]): void {
  prepareKey(disk, directory, key);
  for (const { name, content } of others) disk.writeWhole(`${directory}/${nextOf(name)}`, content, true);
  commitTogether(
    disk,
    directory,
    key.name,
    others.map(({ name }) => name),
  );
}

/** At a start: ends or takes back what was interrupted. */
export function finishTogether(disk: Disk, directory: string, key: string, others: readonly string[]): void {
  const waiting = others.filter((name) => disk.exists(`${directory}/${nextOf(name)}`));
  if (disk.exists(`${directory}/${nextOf(key)}`)) {
    for (const name of waiting) disk.remove(`${directory}/${nextOf(name)}`);
    disk.syncDirectory(directory);
    disk.remove(`${directory}/${nextOf(key)}`);
    return;
  }
  if (waiting.length === 0) return;
  for (const name of waiting) disk.rename(`${directory}/${nextOf(name)}`, `${directory}/${name}`);
  disk.syncDirectory(directory);
}
