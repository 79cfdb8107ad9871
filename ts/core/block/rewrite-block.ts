// A block's file in another form: less of its content, compressed or not.

import { isPacked, packBlock, unpackBlock } from './packed-block.ts';

export interface NewForm {
  /** Offset and length of each stretch of the content that stays; absent: all of it. */
  readonly keep?: Uint32Array;
  /** Compressed, where that makes it smaller; absent: as it was. */
  readonly pack?: boolean;
}

export interface NewBlock {
  readonly file: Uint8Array;
  /** Length of the content. */
  readonly size: number;
  readonly packed: boolean;
}

/** The stretches of a content, one behind the other. */
function stretchesOf(content: Uint8Array, keep: Uint32Array): Uint8Array {
  let size = 0;
  for (let i = 1; i < keep.length; i += 2) size += keep[i] ?? 0;
  const kept = new Uint8Array(size);
  let at = 0;
  for (let i = 0; i < keep.length; i += 2) {
    const offset = keep[i] ?? 0;
    const stretch = content.subarray(offset, offset + (keep[i + 1] ?? 0));
    kept.set(stretch, at);
    at += stretch.length;
  }
  return kept;
}

/** Throws an ArchiveError when the file is compressed and damaged. */
export function rewriteBlock(file: Uint8Array, { keep, pack }: NewForm): NewBlock {
  const wasPacked = isPacked(file);
  const whole = wasPacked ? unpackBlock(file) : file;
  if (keep === undefined && (pack ?? wasPacked) === wasPacked) return { file, size: whole.length, packed: wasPacked };
  const content = keep === undefined ? whole : stretchesOf(whole, keep);
  const packed = (pack ?? wasPacked) ? packBlock(content) : undefined;
  return { file: packed ?? content, size: content.length, packed: packed !== undefined };
}
