// What is damaged in a stream's blocks, as their scans come in, and which sequences nothing else is known of: those between the records around a
// damage, in whatever block they lie, except what a tombstone behind it says was deleted.

import { scanEntry, scannedTombstone } from '../../kernel/scan-entry.ts';
import type { ScanResult } from '../../ports/jobs.ts';

/** Sequences named in the stream's state as lost. */
const MOST_NAMED = 1000;

/** A stretch of a block's content that is no record. */
export interface Harm {
  readonly offset: number;
  readonly length: number;
  /** Sequences that nothing else is known of. */
  readonly lost: readonly number[];
}

export interface HarmedBlock {
  readonly scan: ScanResult;
  readonly harms: readonly Harm[];
}

/** The records in front of and behind a stretch: sequences, undefined where that is not known. */
interface Gap {
  readonly offset: number;
  readonly length: number;
  readonly before: number | undefined;
  behind: number | undefined;
}

interface Noted {
  readonly scan: ScanResult;
  readonly gaps: readonly Gap[];
}

function entriesOf({ entries }: ScanResult): DataView {
  return new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
}

function sequenceAt(view: DataView, entry: number): number {
  return view.getUint32(entry + scanEntry.sequence + 4, true) * 2 ** 32 + view.getUint32(entry + scanEntry.sequence, true);
}

function isTombstone(view: DataView, entry: number): boolean {
  return view.getUint32(entry + scanEntry.kind, true) === scannedTombstone;
}

/** The first record of a block that has a sequence of its own. */
function firstSequence(scan: ScanResult): number | undefined {
  const view = entriesOf(scan);
  for (let entry = 0; entry < view.byteLength; entry += scanEntry.bytes) {
    if (!isTombstone(view, entry) && sequenceAt(view, entry) > 0) return sequenceAt(view, entry);
  }
  return undefined;
}

/** The damaged stretches of a block; `highest` is the last sequence in front of it. */
function gapsOf(scan: ScanResult, highest: number | undefined): Gap[] {
  const { damages, goodEnd, size } = scan;
  const stretches = damages.map(({ offset, length }) => ({ offset, length }));
  if (goodEnd < size) stretches.push({ offset: goodEnd, length: size - goodEnd });
  const view = entriesOf(scan);
  let before = highest;
  let entry = 0;
  return stretches.map((stretch) => {
    for (; entry < view.byteLength && view.getUint32(entry + scanEntry.offset, true) < stretch.offset; entry += scanEntry.bytes) {
      if (!isTombstone(view, entry)) before = Math.max(before ?? 0, sequenceAt(view, entry));
    }
    let next = entry;
    while (next < view.byteLength && (isTombstone(view, next) || sequenceAt(view, next) === 0)) next += scanEntry.bytes;
    return { ...stretch, before, behind: next < view.byteLength ? sequenceAt(view, next) : undefined };
  });
}

export class Survey {
  readonly #noted: Noted[] = [];
  readonly #deleted = new Set<number>();

  /** Blocks in order; `highest` is the last sequence before this one. */
  add(scan: ScanResult, highest: number): void {
    const first = firstSequence(scan);
    if (first !== undefined) for (const { gaps } of this.#noted) for (const gap of gaps) gap.behind ??= first;
    if (scan.damages.length > 0 || scan.goodEnd < scan.size || scan.salvaged !== undefined) {
      const before = highest > 0 || scan.block === 1 ? highest : undefined;
      this.#noted.push({ scan, gaps: gapsOf(scan, before) });
    }
    if (this.#noted.length > 0 && scan.tombstones > 0) this.#noteDeleted(scan);
  }

  #noteDeleted(scan: ScanResult): void {
    const view = entriesOf(scan);
    for (let entry = 0; entry < view.byteLength; entry += scanEntry.bytes) {
      if (isTombstone(view, entry)) this.#deleted.add(sequenceAt(view, entry));
    }
  }

  #lostIn({ before, behind }: Gap): number[] {
    const lost: number[] = [];
    if (before === undefined || behind === undefined) return lost;
    for (let seq = before + 1; seq < behind && lost.length < MOST_NAMED; seq++) if (!this.#deleted.has(seq)) lost.push(seq);
    return lost;
  }

  /** What is damaged, when all blocks are in. */
  harmed(): HarmedBlock[] {
    return this.#noted.map(({ scan, gaps }) => ({
      scan,
      harms: gaps.map((gap) => ({ offset: gap.offset, length: gap.length, lost: this.#lostIn(gap) })),
    }));
  }
}
