// Files to be synced, and descriptors that cannot be, for the tests of who syncs them.

import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from './temporary.ts';

export class SyncedFiles {
  readonly #folder = temporaryFolder();
  /** Open and written to. */
  readonly descriptors: readonly number[];

  constructor(count: number) {
    this.descriptors = Array.from({ length: count }, (_, at) => {
      const descriptor = openSync(join(this.#folder, String(at)), 'w');
      writeSync(descriptor, 'something');
      return descriptor;
    });
  }

  /** Descriptors that were closed. */
  closed(count: number): number[] {
    const closed = Array.from({ length: count }, (_, at) => openSync(join(this.#folder, `closed-${at}`), 'w'));
    for (const descriptor of closed) closeSync(descriptor);
    return closed;
  }

  end(): void {
    for (const descriptor of this.descriptors) closeSync(descriptor);
    removeFolder(this.#folder);
  }
}
