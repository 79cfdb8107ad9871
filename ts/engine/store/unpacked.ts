// Compressed blocks that are being read, of all streams, bounded: the one used least recently goes when there are too many. Their files are kept as
// they are, and chunks of them decoded as reading comes to them: no read takes long.

import { ArchiveError } from '../../core/archive/archive-error.ts';
import { packBlock, unpackBlock } from '../../core/block/packed-block.ts';
import { PackedContent } from '../../core/block/packed-content.ts';
import type { KeyStream } from '../../ports/ciphers.ts';
import { DiskFault } from '../../ports/disk.ts';
import { StoreFault } from './store.ts';

/** Files kept at once; each is at most as large as a block. */
const MOST_FILES = 6;

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

/** The file of a content, in the form that its block has: compressed only where that makes it smaller. */
export function packContent(
  content: Uint8Array,
  form: { readonly cipher: KeyStream | undefined; readonly packed: boolean },
): { readonly file: Uint8Array; readonly packed: boolean } {
  const { cipher } = form;
  const packed = form.packed ? packBlock(content) : undefined;
  const plain = packed ?? content;
  return { file: cipher === undefined ? plain : cipher(plain, 0), packed: packed !== undefined };
}

export class Unpacked {
  readonly #used = new Map<object, PackedContent>();

  /**
   * Reads the content of a holder's block, whose file is read by `file` when it is not here; returns how many bytes there were. Throws a
   * DiskFault where it is damaged.
   */
  read(holder: object, into: Uint8Array, offset: number, file: () => PackedFile): number {
    try {
      return this.#use(holder, file).read(into, offset);
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      throw new DiskFault('DAMAGED', '', `the compressed block is damaged: ${error.message}`, error);
    }
  }

  #use(holder: object, file: () => PackedFile): PackedContent {
    let content = this.#used.get(holder);
    if (content === undefined) {
      const { bytes, cipher } = file();
      content = new PackedContent(cipher === undefined ? bytes : cipher(bytes, 0));
    }
    this.#used.delete(holder);
    this.#used.set(holder, content);
    const [oldest] = this.#used.keys();
    if (this.#used.size > MOST_FILES && oldest !== undefined) this.#used.delete(oldest);
    return content;
  }

  drop(holder: object): void {
    this.#used.delete(holder);
  }
}
