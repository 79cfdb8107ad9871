// The backups and restores of one account that are under way, so that a stream has one backup at a time and none outlives the server.

import type { Stream } from './stream.ts';

export interface Transfer {
  /** Ends it without an answer. */
  cancel(): void;
}

export class Transfers {
  readonly #snapshots = new Map<Stream, Transfer>();
  readonly #restores = new Set<Transfer>();

  isSnapshotting(stream: Stream): boolean {
    return this.#snapshots.has(stream);
  }

  beginSnapshot(stream: Stream, transfer: Transfer): void {
    this.#snapshots.set(stream, transfer);
  }

  endSnapshot(stream: Stream): void {
    this.#snapshots.delete(stream);
  }

  beginRestore(transfer: Transfer): void {
    this.#restores.add(transfer);
  }

  endRestore(transfer: Transfer): void {
    this.#restores.delete(transfer);
  }

  cancelAll(): void {
    for (const transfer of [...this.#snapshots.values(), ...this.#restores]) transfer.cancel();
  }
}
