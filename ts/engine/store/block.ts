// A block of a stream as the store knows it: its number and size, the form of its file, and where in it records end.
//
// Offsets and sizes are those of a block's content, whatever form its file has: plain, encrypted, or compressed.

import type { ContentKey, KeyStream } from '../../ports/ciphers.ts';
import type { OpenFile } from '../../ports/disk.ts';

/** The form of a block's file. */
export interface BlockForm {
  /** Undefined: it is not encrypted. */
  readonly key: ContentKey | undefined;
  readonly cipher: KeyStream | undefined;
  /** It is compressed. */
  readonly packed: boolean;
}

/** A block and what is held of it. */
export interface Block {
  readonly number: number;
  size: number;
  file: OpenFile | undefined;
  /** Has tombstones: they may stand for messages of earlier blocks. */
  tombstones: boolean;
  form: BlockForm;
  /** Rises when anything but an append changes the file. */
  version: number;
}

/** Neither encrypted nor compressed. */
export const plainForm: BlockForm = { key: undefined, cipher: undefined, packed: false };

/** Where a stream's records end. */
export interface BlockEnd {
  readonly block: number;
  readonly offset: number;
}

/** A block as an archive has it. */
export interface ListedBlock extends BlockForm {
  readonly number: number;
  readonly size: number;
  /** How often something in it was overwritten. */
  readonly changes: () => number;
}

/** What is written for records at an offset. */
export function enciphered({ cipher }: BlockForm, views: readonly Uint8Array[], offset: number): readonly Uint8Array[] {
  if (cipher === undefined) return views;
  let at = offset;
  return views.map((view) => {
    const from = at;
    at += view.length;
    return cipher(view, from);
  });
}
