// The sealed files of one directory that has a meta.inf: a stream's, or a consumer's. With a configured key everything written is sealed under
// the key in meta.key; what an earlier run left in plain, under the previous key or in another cipher is sealed anew when the stream is opened.
// Without a configured key files are plain.
//
// What stays true: meta.key is on disk before anything sealed with it; a directory that cannot be opened is left as it is.

import type { ContentKey } from '../../../ports/ciphers.ts';
import type { Disk } from '../../../ports/disk.ts';
import type { Keyring } from './keyring.ts';
import { finishTogether, replaceTogether, type NewFile } from './replace-together.ts';

const KEY_FILE = 'meta.key';
/** What is sealed with the key besides the blocks; meta.sum fits meta.inf and is replaced with it. */
const SEALED = ['meta.inf', 'meta.sum', 'o.dat'];

export interface SealedPlace {
  readonly disk: Disk;
  readonly keyring: Keyring | undefined;
  readonly accountName: string;
  /** What the key is for. */
  readonly context: string;
  readonly path: string;
}

export class SealedDirectory {
  readonly #place: SealedPlace;
  #content: ContentKey | undefined;
  #outdated: 'key' | 'cipher' | 'plain' | undefined;
  #problem: string | undefined;

  /** Reads meta.key where there is one. */
  constructor(place: SealedPlace) {
    this.#place = place;
    const { disk, path, keyring, accountName, context } = place;
    if (keyring !== undefined) finishTogether(disk, path, KEY_FILE, SEALED);
    const file = disk.readWhole(`${path}/${KEY_FILE}`);
    if (file === undefined) {
      if (keyring !== undefined) this.#outdated = 'plain';
    } else if (keyring === undefined) {
      this.#problem = 'it is encrypted and no key is configured';
    } else {
      const opened = keyring.open(accountName, context, file);
      if (opened === undefined) this.#problem = 'meta.key does not open with the configured key';
      this.#content = opened?.content;
      this.#outdated = opened?.outdated;
    }
  }

  /** Why nothing in it can be read. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Makes the key of a directory that is new, where one is asked for. */
  create(): void {
    const { disk, path, keyring, accountName, context } = this.#place;
    if (keyring === undefined || this.#content !== undefined) return;
    const { file, content } = keyring.make(accountName, context);
    disk.replace(`${path}/${KEY_FILE}`, file, true);
    this.#content = content;
    this.#outdated = undefined;
  }

  /** What a file holds on disk for a content. */
  seal(plain: Uint8Array): Uint8Array {
    const { keyring } = this.#place;
    return keyring === undefined || this.#content === undefined ? plain : keyring.seal(this.#content, plain);
  }

  /** The content of a file; undefined: it cannot be opened. */
  unseal(bytes: Uint8Array): Uint8Array | undefined {
    if (this.#problem !== undefined) return undefined;
    const { keyring } = this.#place;
    return keyring === undefined || this.#content === undefined ? bytes : keyring.unseal(this.#content, bytes);
  }

  /** Brings the directory to the configured key and cipher; `sum` makes the checksum of a meta.inf. True: its key is a new one. */
  adopt(sum: (metaInf: Uint8Array) => Uint8Array): boolean {
    const outdated = this.#outdated;
    const { disk, path, keyring, accountName, context } = this.#place;
    if (outdated === undefined || keyring === undefined) return false;
    const meta = this.#read('meta.inf');
    const state = this.#read('o.dat');
    const { file, content } = keyring.make(accountName, context);
    const others: NewFile[] = [];
    if (meta !== undefined) {
      const metaInf = keyring.seal(content, meta);
      others.push({ name: 'meta.inf', content: metaInf }, { name: 'meta.sum', content: sum(metaInf) });
    }
    if (state !== undefined) others.push({ name: 'o.dat', content: keyring.seal(content, state) });
    replaceTogether(disk, path, { name: KEY_FILE, content: file }, others);
    this.#content = content;
    this.#outdated = undefined;
    return true;
  }

  #read(name: string): Uint8Array | undefined {
    const bytes = this.#place.disk.readWhole(`${this.#place.path}/${name}`);
    return bytes === undefined || bytes.length === 0 ? undefined : this.unseal(bytes);
  }
}
