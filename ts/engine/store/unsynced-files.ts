// The open files of a stream that were written and are to be synced: by the next round, or elsewhere (the journal has what was appended). A file is
// closed when no sync has it any more.

import type { Disk, OpenFile } from '../../ports/disk.ts';

export class UnsyncedFiles {
  readonly #disk: Pick<Disk, 'close'>;
  /** Written and not yet handed to a sync. */
  readonly #written = new Set<OpenFile>();
  /** Written, and taken by somebody who syncs it elsewhere. */
  readonly #taken = new Set<OpenFile>();
  /** Handed to a sync that is not through, how often. */
  readonly #syncing = new Map<OpenFile, number>();
  /** No longer used here, but perhaps by a sync: closed when that is through. */
  readonly #retired = new Set<OpenFile>();

  constructor(disk: Pick<Disk, 'close'>) {
    this.#disk = disk;
  }

  /** Something is to be synced. */
  get any(): boolean {
    return this.#written.size > 0;
  }

  /** A file was changed. */
  add(file: OpenFile): void {
    this.#taken.delete(file);
    this.#written.add(file);
  }

  /** A file was changed, and somebody took all that was. */
  addTaken(file: OpenFile): void {
    this.#taken.add(file);
  }

  /** Whether a file waits to be handed out. */
  has(file: OpenFile): boolean {
    return this.#written.has(file) || this.#taken.has(file);
  }

  /** What was written since the last call, for a sync. */
  handOut(): OpenFile[] {
    return this.#handOut(this.#written);
  }

  /** What was written since the last call and is synced elsewhere: each to be reported to `synced` all the same. */
  handOutTaken(): OpenFile[] {
    return this.#handOut(this.#taken);
  }

  #handOut(written: Set<OpenFile>): OpenFile[] {
    const files = [...written];
    for (const file of files) this.#count(file);
    written.clear();
    return files;
  }

  /** What was handed to a sync that may not be through, and what was not yet: once more, each to be reported to `synced`. */
  handOutPending(): OpenFile[] {
    const files = new Set([...this.#syncing.keys(), ...this.#written]);
    for (const file of files) this.#count(file);
    return [...files];
  }

  #count(file: OpenFile): void {
    this.#syncing.set(file, (this.#syncing.get(file) ?? 0) + 1);
  }

  /** A sync of a file that was handed out is through. */
  synced(file: OpenFile): void {
    const times = this.#syncing.get(file) ?? 0;
    if (times > 1) {
      this.#syncing.set(file, times - 1);
      return;
    }
    this.#syncing.delete(file);
    if (this.#retired.delete(file)) this.#disk.close(file);
  }

  /** A file need not be synced, and is closed as soon as that may be. */
  retire(file: OpenFile): void {
    this.#written.delete(file);
    this.#taken.delete(file);
    if (this.#syncing.has(file)) this.#retired.add(file);
    else this.#disk.close(file);
  }

  /** Nothing is to be synced any more. */
  clear(): void {
    this.#written.clear();
    this.#taken.clear();
  }
}
