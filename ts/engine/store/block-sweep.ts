// Which block files have no message left and may be removed, and removing them.

import { DiskFault } from '../../ports/disk.ts';
import type { FileStreamParts } from './file-stream-parts.ts';

/** What the decision needs to know of a stream's blocks. */
export interface SweptBlocks {
  /** In order. */
  readonly numbers: readonly number[];
  /** The block that is appended to: never removed. */
  readonly tail: number;
  /** The block that says which sequence was given out last: never removed either. */
  readonly last: number;
  messages(number: number): number;
  hasTombstones(number: number): boolean;
}

/**
 * Blocks without messages. One with tombstones stays while there are earlier blocks, whose messages they may delete. `oldest` looks at the
 * front only, where limits remove.
 */
function emptyBlocks({ numbers, tail, last, messages, hasTombstones }: SweptBlocks, sweep: 'all' | 'oldest'): number[] {
  const empty: number[] = [];
  let earlier = false;
  for (const number of numbers) {
    if (number >= tail) break;
    if (number !== last && messages(number) === 0 && !(hasTombstones(number) && earlier)) empty.push(number);
    else if (sweep === 'oldest') break;
    else earlier = true;
  }
  return empty;
}

type Parts = Pick<FileStreamParts, 'handle' | 'files' | 'reader' | 'streams' | 'log'>;

/** The blocks of a stream that are empty now. */
export function sweepBlocks({ handle, files, streams }: Parts, sweep: 'all' | 'oldest'): number[] {
  const blocks = {
    numbers: files.numbers(),
    tail: streams.numbers(handle).block,
    last: streams.exports.lastBlock(handle),
    messages: (number: number) => streams.exports.blockMessages(handle, number),
    hasTombstones: (number: number) => files.hasTombstones(number),
  };
  return emptyBlocks(blocks, sweep);
}

/** True: there were some to remove. One that the disk does not let go stays until the next start. */
export function removeBlocks({ files, reader, log }: Parts, name: string, numbers: readonly number[]): boolean {
  try {
    for (const number of numbers) {
      files.remove(number);
      reader.forget(number);
    }
    if (numbers.length > 0) files.noteDirectory();
  } catch (error) {
    if (!(error instanceof DiskFault)) throw error;
    log.warn(`Stream '${name}': an empty block stays until the next start: ${error.message}`);
  }
  return numbers.length > 0;
}
