// Block files that are not there although nobody removed them. Two things tell of them: the index that the last clean stop left, which lists
// every block; and, without it, a gap in the numbers of the blocks with a gap in the sequences over it, in a stream that never deletes in
// its middle.

import type { StreamIndex } from '../../core/stream-index/index-db.ts';
import type { SegmentFacts } from '../../kernel/streams.ts';

export interface MissingBlock {
  /** The first and the last of a row of them. */
  readonly block: number;
  readonly toBlock: number;
  /** Messages that were in them, as ranges. */
  readonly from: number;
  readonly to: number;
  /** Sequences of that range that had been deleted before. */
  readonly deleted: readonly { readonly from: number; readonly to: number }[];
}

/** What an index lists and `there` has not; `isLast`: nothing was written behind the index, so that nothing was removed since either. */
export function missingOfIndex(index: StreamIndex, there: readonly number[]): MissingBlock[] {
  const found = new Set(there);
  const isLast = there.every((number) => number <= index.lastBlock);
  if (!isLast) return [];
  return index.blocks
    .filter(({ number, firstSeq, lastSeq }) => !found.has(number) && firstSeq <= lastSeq)
    .map(({ number, firstSeq, lastSeq, deleted }) => ({ block: number, toBlock: number, from: firstSeq, to: lastSeq, deleted }));
}

/** Gaps in the numbers of blocks that took sequences with them. */
export function missingBetween(
  segments: readonly Pick<SegmentFacts, 'block' | 'first' | 'count'>[],
  there: readonly number[],
): MissingBlock[] {
  const missing: MissingBlock[] = [];
  for (const [at, { block, first }] of segments.entries()) {
    const before = segments[at - 1];
    if (before === undefined || block - before.block < 2) continue;
    if (there.some((number) => number > before.block && number < block)) continue;
    const from = before.first + before.count;
    if (from < first) missing.push({ block: before.block + 1, toBlock: block - 1, from, to: first - 1, deleted: [] });
  }
  return missing;
}

/** The sequences that went with them, at most so many. */
export function sequencesOf({ from, to, deleted }: MissingBlock, most: number): number[] {
  const lost: number[] = [];
  const isGone = (seq: number): boolean => deleted.some((range) => seq >= range.from && seq <= range.to);
  for (let seq = from; seq <= to && lost.length < most; seq++) if (!isGone(seq)) lost.push(seq);
  return lost;
}
