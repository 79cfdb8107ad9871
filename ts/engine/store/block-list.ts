// Which blocks a stream has, in order, and what is known of each without its file.

import { plainForm, type Block, type BlockEnd, type BlockForm, type ListedBlock } from './block.ts';

export class BlockList {
  protected readonly blocks = new Map<number, Block>();
  /** The highest number there was. Blocks below it are complete: runs are written in order. */
  protected newest = 0;

  /** Enters a block that exists. */
  add(number: number, size: number, tombstones: boolean, form: BlockForm = plainForm): void {
    this.blocks.set(number, { number, size, file: undefined, tombstones, form, version: 0 });
    this.newest = Math.max(this.newest, number);
  }

  numbers(): number[] {
    return [...this.blocks.keys()].sort((a, b) => a - b);
  }

  /** The blocks up to where records end, and how long each is. */
  upTo(end: BlockEnd): ListedBlock[] {
    const found = [...this.blocks.values()].filter(({ number }) => number <= end.block).sort((a, b) => a.number - b.number);
    return found.map((block) => ({
      number: block.number,
      size: block.number === end.block ? Math.min(block.size, end.offset) : block.size,
      changes: () => block.version,
      ...block.form,
    }));
  }

  hasTombstones(number: number): boolean {
    return this.blocks.get(number)?.tombstones ?? false;
  }

  noteTombstones(number: number): void {
    const block = this.blocks.get(number);
    if (block !== undefined) block.tombstones = true;
  }

  /** Rises when a block changes, appends aside; undefined: there is no such block. */
  versionOf(number: number): number | undefined {
    return this.blocks.get(number)?.version;
  }

  sizeOf(number: number): number {
    return this.blocks.get(number)?.size ?? 0;
  }

  isPacked(number: number): boolean | undefined {
    return this.blocks.get(number)?.form.packed;
  }
}
