// The key files of one stream's blocks, `msgs/<N>.key`.
//
// What stays true: a block's key is on disk before the block has a name: nats-server deletes a stream with a block whose key is missing. A block's
// key stream depends on the nonce in front of its key file, so a key sealed anew keeps that nonce.

import type { ContentKey, KeyStream } from '../../../ports/ciphers.ts';
import type { Disk } from '../../../ports/disk.ts';
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

/** The name of a block's key file. */
export function keyFileOf(block: number): string {
  return `${block}.key`;
}

export class BlockKeys {
  readonly #place: BlockKeysPlace;

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

  /** Makes the key of a block that is about to be made. */
  create(block: number): ContentKey {
    const { file, content } = this.make(block);
    this.#write(block, file);
    return content;
  }

  /** The name is synced with the block's, which comes after it in the same directory. */
  #write(block: number, file: Uint8Array): void {
    const { disk } = this.#place;
    const path = this.#path(block);
    disk.writeWhole(`${path}.tmp`, file, true);
    disk.rename(`${path}.tmp`, path);
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
