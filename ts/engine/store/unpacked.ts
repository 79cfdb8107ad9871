// The contents of compressed blocks that are being read, of all streams, bounded: the one used least recently goes when there are too many.

import { ArchiveError } from '../../core/archive/archive-error.ts';
import { packBlock, unpackBlock } from '../../core/block/packed-block.ts';
import type { KeyStream } from '../../ports/ciphers.ts';
import { StoreFault } from './store.ts';

/** Contents kept at once; each is as large as a block. */
const MOST_CONTENTS = 6;

/** A block file as it lies on disk. */
export interface PackedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly cipher: KeyStream | undefined;
}

/** The content of a compressed block's file. Throws a StoreFault when it is damaged. */
export function unpackFile({ path, bytes, cipher }: PackedFile): Uint8Array {
  try {
    return unpackBlock(cipher === undefined ? bytes : cipher(bytes, 0));
  } catch (error) {
    if (error instanceof ArchiveError) throw new StoreFault('BLOCK', `${path}: ${error.message}`, error);
    throw error;
  }
}

/** The file of a content that is to be compressed where that makes it smaller. */
export function packContent(
  content: Uint8Array,
  cipher: KeyStream | undefined,
): { readonly file: Uint8Array; readonly packed: boolean } {
  const packed = packBlock(content);
  const plain = packed ?? content;
  return { file: cipher === undefined ? plain : cipher(plain, 0), packed: packed !== undefined };
}

export class Unpacked {
  readonly #used = new Map<object, Uint8Array>();

  /** The content of a holder's block, read by `read` when it is not here. */
  use(holder: object, read: () => PackedFile): Uint8Array {
    const content = this.#used.get(holder) ?? unpackFile(read());
    this.#used.delete(holder);
    this.#used.set(holder, content);
    const [oldest] = this.#used.keys();
    if (this.#used.size > MOST_CONTENTS && oldest !== undefined) this.#used.delete(oldest);
    return content;
  }

  drop(holder: object): void {
    this.#used.delete(holder);
  }
}
