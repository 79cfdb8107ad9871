// The open descriptors of a stream's block files. The block that is appended to stays open; others are opened when they are used, and closed again
// when many are open. A descriptor that a sync has, or is to have, stays until that is through.

import type { Disk, OpenFile } from '../../ports/disk.ts';
import type { Block } from './block.ts';
import type { Maps } from './maps.ts';
import type { Unpacked } from './unpacked.ts';
import type { UnsyncedFiles } from './unsynced-files.ts';

/** Blocks of one stream kept open. */
const MOST_OPEN = 32;

export interface BlockPorts {
  readonly disk: Disk;
  /** Shared by all streams. */
  readonly maps: Maps;
  readonly unpacked: Unpacked;
}

export class OpenBlocks {
  readonly #ports: BlockPorts;
  readonly #directory: string;
  readonly #unsynced: UnsyncedFiles;
  /** Blocks whose files are open, the one used least recently first. */
  readonly #open = new Set<Block>();

  constructor(ports: BlockPorts, directory: string, unsynced: UnsyncedFiles) {
    this.#ports = ports;
    this.#directory = directory;
    this.#unsynced = unsynced;
  }

  path(number: number): string {
    return `${this.#directory}/${number}.blk`;
  }

  /** The file of a block. Throws a DiskFault. */
  use(block: Block): OpenFile {
    this.#open.delete(block);
    this.#open.add(block);
    block.file ??= this.#ports.disk.open(this.path(block.number), false);
    const [oldest] = this.#open;
    if (this.#open.size > MOST_OPEN && oldest !== undefined) this.#retire(oldest);
    return block.file;
  }

  /** Makes the file of a new block. Throws a DiskFault. */
  make(block: Block): OpenFile {
    block.file = this.#ports.disk.open(this.path(block.number), true);
    this.#open.add(block);
    return block.file;
  }

  #retire(block: Block): void {
    if (block.file !== undefined && this.#unsynced.has(block.file)) return;
    this.#open.delete(block);
    if (block.file !== undefined) this.#unsynced.retire(block.file);
    block.file = undefined;
  }

  /** Gives back what is held of a block's file. */
  letGo(block: Block): void {
    this.#open.delete(block);
    if (block.file !== undefined) this.#unsynced.retire(block.file);
    block.file = undefined;
    this.dropContent(block);
  }

  /** Closes a block's file; only when no sync is under way. */
  close(block: Block): void {
    this.#open.delete(block);
    this.dropContent(block);
    if (block.file !== undefined) this.#ports.disk.close(block.file);
    block.file = undefined;
  }

  /** Gives back what was mapped or unpacked of a block. */
  dropContent(block: Block): void {
    const { maps, unpacked } = this.#ports;
    maps.drop(block);
    unpacked.drop(block);
  }
}
