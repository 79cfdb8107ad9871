// The key files of one stream's blocks, `msgs/<N>.key`.
//
// What stays true: a block's key is on disk before the block has a name: nats-server deletes a stream with a block whose key is missing. A block's
// key stream depends on the nonce in front of its key file, so a key sealed anew keeps that nonce.

import type { ContentKey, KeyStream } from '../../../ports/ciphers.ts';
import { DiskFault } from '../../../ports/disk.ts';
import type { Disk, OpenFile } from '../../../ports/disk.ts';
import { StoreFault } from '../store.ts';
import type { Keyring, MadeKey, OpenedKey } from './keyring.ts';

export interface BlockKeysPlace {
  readonly disk: Disk;
  readonly keyring: Keyring;
  readonly accountName: string;
  readonly stream: string;
  /** The directory of the blocks. */
  readonly directory: string;
}

/** A key whose file waits under another name. */
interface Spare {
  readonly block: number;
  readonly content: ContentKey;
  isSynced: boolean;
}

/** The name of a block's key file. */
export function keyFileOf(block: number): string {
  return `${block}.key`;
}

export class BlockKeys {
  readonly #place: BlockKeysPlace;
  #spare: Spare | undefined;

  constructor(place: BlockKeysPlace) {
    this.#place = place;
  }

  #context(block: number): string {
    return `${this.#place.stream}:${block}`;
  }

  #path(block: number): string {
    return `${this.#place.directory}/${keyFileOf(block)}`;
  }

  /** A new key, written nowhere yet. */
  make(block: number): MadeKey {
    const { keyring, accountName } = this.#place;
    return keyring.make(accountName, this.#context(block));
  }

  /** Makes the key of a block that is about to be made; one that was prepared is synced already. */
  create(block: number): ContentKey {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare?.block === block && spare.isSynced) {
      this.#place.disk.rename(this.#newPath(block), this.#path(block));
      return spare.content;
    }
    const { file, content } = this.make(block);
    this.#write(block, file);
    return content;
  }

  /** Writes and syncs the key of a block that will be made soon, beside everything else. */
  prepare(block: number): void {
    const { disk } = this.#place;
    const { file: bytes, content } = this.make(block);
    const spare: Spare = { block, content, isSynced: false };
    let file: OpenFile | undefined;
    try {
      file = disk.open(this.#newPath(block), true);
      disk.cut(file, 0);
      disk.write(file, [bytes], 0);
    } catch (error) {
      if (!(error instanceof DiskFault)) throw error;
      // Whoever makes the block meets the fault again, and tells.
      if (file !== undefined) disk.close(file);
      return;
    }
    const written = file;
    this.#spare = spare;
    disk.sync([written], (failures) => {
      disk.close(written);
      spare.isSynced = failures.length === 0;
    });
  }

  /** What was prepared and not used goes. */
  close(): void {
    if (this.#spare !== undefined) this.#place.disk.remove(this.#newPath(this.#spare.block));
    this.#spare = undefined;
  }

  #newPath(block: number): string {
    return `${this.#path(block)}.tmp`;
  }

  /** The name is synced with the block's, which comes after it in the same directory. */
  #write(block: number, file: Uint8Array): void {
    const { disk } = this.#place;
    const path = this.#newPath(block);
    disk.writeWhole(path, file, true);
    disk.rename(path, this.#path(block));
  }

  /** Seals a key under the configured one. */
  wrap(block: number, content: ContentKey): void {
    const { keyring, accountName } = this.#place;
    this.#write(block, keyring.wrap(accountName, this.#context(block), content));
  }

  /** The key of a block that exists; undefined: it has none. Throws a StoreFault when no configured key opens it. */
  open(block: number): OpenedKey | undefined {
    const { disk, keyring, accountName } = this.#place;
    const file = disk.readWhole(this.#path(block));
    if (file === undefined) return undefined;
    const opened = keyring.open(accountName, this.#context(block), file);
    if (opened === undefined) throw new StoreFault('KEY', `${this.#path(block)} does not open with the configured key`);
    return opened;
  }

  keyStream(content: ContentKey): KeyStream {
    return this.#place.keyring.ciphers.keyStream(content);
  }

  randomBytes(length: number): Uint8Array {
    return this.#place.keyring.ciphers.randomBytes(length);
  }

  remove(block: number): void {
    this.#place.disk.remove(this.#path(block));
  }
}
