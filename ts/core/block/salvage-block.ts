// What can be read of a compressed block's file that is damaged: chunks carry checksums of their own, so those that are whole are decoded as always,
// and of a damaged one what its bytes still say. Records carry checksums too: whoever reads the content finds out which are whole.
//
// What stays true: content has its place if that can be known, from what the file and the damaged chunks say about their lengths. Where it cannot
// be, there are more zeros than the smallest record is long.

import { ArchiveError } from '../archive/archive-error.ts';
import { decodeDamagedS2Block } from '../archive/s2-block-decode.ts';
import { chunk, chunkContent, chunkHead, chunkSum, concatBytes, mostBody, mostContent } from '../archive/s2-stream.ts';
import { plainEnd, readHead } from './packed-block.ts';

/** As long as the smallest record. */
const APART = 30;

/** What a stretch of the file is worth. */
interface Piece {
  readonly content: Uint8Array;
  /** Its checksum was right. */
  readonly isWhole: boolean;
}

class Salvage {
  readonly #file: Uint8Array;
  /** Where the stream of chunks ends. */
  readonly #end: number;
  readonly pieces: Piece[] = [];

  constructor(file: Uint8Array) {
    this.#file = file;
    this.#end = Math.max(0, file.length - plainEnd);
  }

  /** Bytes from a chunk's head to its end, as it says; undefined: it cannot be. */
  #lengthAt(at: number): number | undefined {
    const [, low = 0, middle = 0, high = 0] = this.#file.subarray(at, at + chunkHead);
    const body = low + (middle << 8) + (high << 16);
    return body <= mostBody && at + chunkHead + body <= this.#end ? chunkHead + body : undefined;
  }

  /** Whether a chunk may begin here, or the stream end. */
  #mayBegin(at: number): boolean {
    if (at === this.#end) return true;
    const type = this.#file[at] ?? 0;
    return (type <= chunk.stored || type >= chunk.firstSkipped) && this.#lengthAt(at) !== undefined;
  }

  #contentAs(kind: 'stored' | 'block', at: number, length: number): Uint8Array | undefined {
    try {
      return chunkContent(kind, this.#file.subarray(at + chunkHead, at + length));
    } catch (error) {
      if (error instanceof ArchiveError) return undefined;
      throw error;
    }
  }

  /** The length of the whole chunk at a place, its content kept; 0: there is none. */
  #takeWhole(at: number, isNext: boolean): number {
    const type = this.#file[at] ?? 0;
    if (!isNext && type > chunk.stored) return 0;
    const length = this.#lengthAt(at);
    if (length === undefined || !this.#mayBegin(at + length)) return 0;
    if (type >= chunk.firstSkipped) return length;
    const [kind, other] = type === chunk.stored ? (['stored', 'block'] as const) : (['block', 'stored'] as const);
    const content = this.#contentAs(kind, at, length) ?? (isNext ? this.#contentAs(other, at, length) : undefined);
    if (content === undefined) return 0;
    this.pieces.push({ content, isWhole: true });
    return length;
  }

  run(from: number): void {
    let damaged = from;
    for (let at = from; at < this.#end;) {
      const whole = this.#wouldTake(damaged, at);
      at += whole === 0 ? 1 : whole;
      if (whole > 0) damaged = at;
    }
    this.#guess(damaged, this.#end);
  }

  /** Takes a whole chunk and, before it, what is damaged in front of it. */
  #wouldTake(damaged: number, at: number): number {
    const before = this.pieces.length;
    const whole = this.#takeWhole(at, damaged === at);
    if (whole === 0 || damaged === at) return whole;
    const taken = this.pieces.splice(before);
    this.#guess(damaged, at);
    this.pieces.push(...taken);
    return whole;
  }

  /** What a damaged stretch still says, chunk by chunk. */
  #guess(from: number, to: number): void {
    for (let at = from; at + chunkHead + chunkSum < to;) {
      const said = this.#lengthAt(at);
      const end = said === undefined || at + said > to ? to : at + said;
      const body = this.#file.subarray(at + chunkHead + chunkSum, end);
      const content = this.#file[at] === chunk.stored ? body : decodeDamagedS2Block(body, mostContent);
      this.pieces.push({ content, isWhole: false });
      at = end;
    }
  }
}

/** The pieces one behind the other: `size` bytes if one of them can be made to fit, else with zeros behind each damaged one. */
function joined(pieces: readonly Piece[], size: number | undefined): Uint8Array {
  const damaged = pieces.filter(({ isWhole }) => !isWhole);
  const [only] = damaged;
  if (only === undefined) return concatBytes(pieces.map(({ content }) => content));
  const others = pieces.reduce((sum, { content }) => sum + content.length, 0) - only.content.length;
  const exact = damaged.length === 1 && size !== undefined ? size - others : -1;
  return concatBytes(
    pieces.flatMap(({ content, isWhole }) => {
      if (isWhole) return [content];
      if (exact < 0 || exact > mostContent) return [content, new Uint8Array(APART)];
      return [content.subarray(0, exact), new Uint8Array(Math.max(0, exact - content.length))];
    }),
  );
}

/** The content of a damaged block's file, zeros and rubbish where it cannot be read. */
export function salvageBlock(file: Uint8Array): Uint8Array {
  let head: { readonly size: number; readonly at: number } | undefined;
  try {
    head = readHead(file);
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
  }
  const salvage = new Salvage(file);
  salvage.run(head?.at ?? 0);
  const content = joined(salvage.pieces, head === undefined ? undefined : head.size - plainEnd);
  return concatBytes([content, file.subarray(-plainEnd)]);
}
