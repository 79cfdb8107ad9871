// Which block files have no message left and may be removed.

/** What the decision needs to know of a stream's blocks. */
export interface SweptBlocks {
  /** In order. */
  readonly numbers: readonly number[];
  /** The block that is appended to: never removed. */
  readonly tail: number;
  messages(number: number): number;
  hasTombstones(number: number): boolean;
}

/**
 * Blocks without messages. One with tombstones stays while there are earlier blocks, whose messages they may delete. `oldest` looks at the
 * front only, where limits remove.
 */
export function emptyBlocks({ numbers, tail, messages, hasTombstones }: SweptBlocks, sweep: 'all' | 'oldest'): number[] {
  const empty: number[] = [];
  let earlier = false;
  for (const number of numbers) {
    if (number >= tail) break;
    if (messages(number) === 0 && !(hasTombstones(number) && earlier)) empty.push(number);
    else if (sweep === 'oldest') break;
    else earlier = true;
  }
  return empty;
}
