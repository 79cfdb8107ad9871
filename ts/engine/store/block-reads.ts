// Reading from a stream's block files, whatever form they have: through a map, from the file, deciphered, or unpacked.

import { copyBytes } from '../../kernel/copy.ts';
import type { MappedFile } from '../../ports/disk.ts';
import type { Block } from './block.ts';
import type { BlockPorts, OpenBlocks } from './open-blocks.ts';
import type { PackedFile } from './unpacked.ts';

/** Reads of fewer bytes are not done through a map. */
const MAP_FROM = 16 << 10;

export class BlockReads {
  readonly #ports: BlockPorts;
  readonly #open: OpenBlocks;

  constructor(ports: BlockPorts, open: OpenBlocks) {
    this.#ports = ports;
    this.#open = open;
  }

  /**
   * Reads into `into` from an offset: from the map of a plain block where it may, else from the file. So is a small read, which costs less than
   * looking whether the file is whole. It may not where the block is not full (there is no later one), nor for a batch that goes on and on: each
   * page of a map is touched once then, and what is mapped counts as memory that V8 should collect. Returns how many bytes there were.
   */
  read(block: Block, into: Uint8Array, offset: number, mayMap: boolean): number {
    const length = Math.min(into.length, block.size - offset);
    if (length <= 0) return 0;
    if (block.form.packed) {
      return this.#ports.unpacked.read(block, into.subarray(0, length), offset, () => this.packedFile(block));
    }
    const { cipher } = block.form;
    const isMapped = mayMap && cipher === undefined && length >= MAP_FROM;
    const mapped = isMapped ? this.#mapOf(block) : undefined;
    if (mapped !== undefined) {
      copyBytes(into, mapped.bytes.subarray(offset, offset + length));
      return length;
    }
    const have = this.#ports.disk.read(this.#open.use(block), length === into.length ? into : into.subarray(0, length), offset);
    if (cipher !== undefined) copyBytes(into, cipher(into.subarray(0, have), offset));
    return have;
  }

  /** Fills `bytes` with a block as its file has it: encrypted where that is. Of a compressed block, with its content. */
  stored(block: Block, bytes: Uint8Array, offset: number): void {
    if (block.form.packed) this.read(block, bytes, offset, false);
    else this.#ports.disk.read(this.#open.use(block), bytes, offset);
  }

  /** The file of a compressed block. */
  packedFile(block: Block): PackedFile {
    const file = this.#open.use(block);
    const bytes = new Uint8Array(this.#ports.disk.size(file));
    const have = this.#ports.disk.read(file, bytes, 0);
    return { path: file.path, bytes: bytes.subarray(0, have), cipher: block.form.cipher };
  }

  /** The map of a block, unless its file was cut: touching what is missing there would be a signal, and a read of it is an error. */
  #mapOf(block: Block): MappedFile | undefined {
    const file = this.#open.use(block);
    if (this.#ports.disk.size(file) >= block.size)
      return this.#ports.maps.use(block, () => this.#ports.disk.map(file, block.size));
    this.#ports.maps.drop(block);
    return undefined;
  }
}
