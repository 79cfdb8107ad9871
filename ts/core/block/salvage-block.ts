// What can be read of a compressed block's file that is damaged: chunks carry checksums of their own, so those that are whole are decoded as always,
// and of a damaged one what its bytes still say. Records carry checksums too: whoever reads the content finds out which are whole.
//
// What stays true: a chunk is whole when its checksum says so, whatever the bytes around it have become. Content has its place if that can be
// known, from what the file and the damaged chunks say about their lengths. Where it cannot be, there are as many zeros as the smallest record is long.

import { ArchiveError } from '../archive/archive-error.ts';
import { decodeDamagedS2Block } from '../archive/s2-block-decode.ts';
import {
  chunk,
  chunkContent,
  chunkHead,
  chunkSum,
  concatBytes,
  mostBody,
  mostContent,
  openingBytes,
} from '../archive/s2-stream.ts';
import { plainEnd, readDamagedHead } from './packed-block.ts';

/** Bytes of the smallest record: a shorter stretch cannot be filled. */
export const smallestRecord = 30;
/** What a chunk of nats-server holds. One that holds more than those before it is looked for only where another may begin behind it. */
const EXPECTED_CONTENT = 1 << 20;
/** Bytes in which a chunk is looked for in vain, before that ends: some seconds, far more than one damaged chunk takes. A file of rubbish may look like many. */
const MOST_TRIED = 4 * 2 ** 30;
/** The chunk that fills up. */
const PADDING = 0xfe;

/** What a stretch of the file is worth. */
interface Piece {
  readonly content: Uint8Array;
  /** Its checksum was right. */
  readonly isWhole: boolean;
}

type Kind = 'stored' | 'block';

class Salvage {
  readonly #file: Uint8Array;
  /** Where the stream of chunks ends. */
  readonly #end: number;
  readonly pieces: Piece[] = [];
  /** The most that a whole chunk holds; 0: there was none so far. */
  mostHeld = 0;
  /** Bytes that may still be tried in vain. */
  #tries = MOST_TRIED;

  constructor(file: Uint8Array) {
    this.#file = file;
    this.#end = Math.max(0, file.length - plainEnd);
  }

  /** Bytes from a chunk's head to its end, as it says; undefined: it cannot be. */
  #lengthAt(at: number): number | undefined {
    const body = (this.#file[at + 1] ?? 0) + ((this.#file[at + 2] ?? 0) << 8) + ((this.#file[at + 3] ?? 0) << 16);
    return body <= mostBody && at + chunkHead + body <= this.#end ? chunkHead + body : undefined;
  }

  /** Whether a chunk may begin here, or the stream end. */
  #mayBegin(at: number): boolean {
    if (at === this.#end) return true;
    const type = this.#file[at] ?? 0;
    return (type <= chunk.stored || type >= chunk.firstSkipped) && this.#lengthAt(at) !== undefined;
  }

  #contentAs(kind: Kind, from: number, to: number): Uint8Array | undefined {
    try {
      return chunkContent(kind, this.#file.subarray(from + chunkHead, to));
    } catch (error) {
      if (error instanceof ArchiveError) return undefined;
      throw error;
    }
  }

  /** What the checksum of a stretch says is its content, whatever its head has become. */
  #contentOf(from: number, to: number): Uint8Array | undefined {
    const [kind, other]: [Kind, Kind] = this.#file[from] === chunk.stored ? ['stored', 'block'] : ['block', 'stored'];
    return this.#contentAs(kind, from, to) ?? this.#contentAs(other, from, to);
  }

  #keepWhole(content: Uint8Array): void {
    this.mostHeld = Math.max(this.mostHeld, content.length);
    this.pieces.push({ content, isWhole: true });
  }

  /** The content of a whole chunk that begins somewhere behind a damage. */
  #foundAt(at: number, length: number): Uint8Array | undefined {
    const type = this.#file[at] ?? 0;
    const body = length - chunkHead;
    if (type > chunk.stored || body <= chunkSum || this.#tries < body) return undefined;
    if (body - chunkSum > (this.mostHeld || EXPECTED_CONTENT) && !this.#mayBegin(at + length)) return undefined;
    const content = this.#contentAs(type === chunk.stored ? 'stored' : 'block', at, at + length);
    if (content === undefined) this.#tries -= body;
    return content;
  }

  /** The file's head says that the first chunk with content begins at `first`. */
  run(first: number): void {
    let damaged = first;
    for (let at = 0; at < this.#end;) {
      const length = this.#lengthAt(at);
      if (length === undefined) {
        at++;
        continue;
      }
      const isNext = at === damaged;
      const content = isNext ? this.#contentOf(at, at + length) : this.#foundAt(at, length);
      if (content !== undefined) {
        this.#guess(damaged, at);
        this.#keepWhole(content);
      } else if (!isNext || !this.#isSkipped(at, length)) {
        at++;
        continue;
      }
      at += length;
      damaged = at;
    }
    this.#guess(damaged, this.#end);
  }

  /** Whether a chunk has no content: no flipped bit makes such a type of one that has. */
  #isSkipped(at: number, length: number): boolean {
    return (this.#file[at] ?? 0) >= PADDING && this.#mayBegin(at + length);
  }

  /** What a damaged stretch still says: all of it is one chunk whose head is damaged, or it goes chunk by chunk. */
  #guess(from: number, to: number): void {
    const asOne = from < to ? this.#contentOf(from, to) : undefined;
    if (asOne !== undefined) {
      this.#keepWhole(asOne);
      return;
    }
    for (let at = from; at + chunkHead + chunkSum < to;) {
      const end = this.#saidEnd(at, to);
      const whole = this.#contentOf(at, end);
      if (whole === undefined) this.#guessChunk(at, end);
      else this.#keepWhole(whole);
      at = end;
    }
  }

  /** Where a chunk of a damaged stretch ends, as it says. */
  #saidEnd(at: number, to: number): number {
    const length = this.#lengthAt(at);
    return length !== undefined && length > chunkHead + chunkSum && at + length <= to ? at + length : to;
  }

  #guessChunk(from: number, to: number): void {
    const body = this.#file.subarray(from + chunkHead + chunkSum, to);
    const content =
      this.#file[from] === chunk.stored ? body : decodeDamagedS2Block(body, Math.max(this.mostHeld, EXPECTED_CONTENT));
    this.pieces.push({ content, isWhole: false });
  }
}

/** The pieces one behind the other: `size` bytes if one of them can be made to fit, else with zeros behind each damaged one. */
function joined({ pieces, mostHeld }: Salvage, size: number | undefined): Uint8Array {
  const damaged = pieces.filter(({ isWhole }) => !isWhole);
  const [only] = damaged;
  if (only === undefined) return concatBytes(pieces.map(({ content }) => content));
  const others = pieces.reduce((sum, { content }) => sum + content.length, 0) - only.content.length;
  const exact = damaged.length === 1 && size !== undefined ? size - others : -1;
  return concatBytes(
    pieces.flatMap(({ content, isWhole }) => {
      if (isWhole) return [content];
      if (exact < 0 || exact > (mostHeld || mostContent)) return [content, new Uint8Array(smallestRecord)];
      return [content.subarray(0, exact), new Uint8Array(Math.max(0, exact - content.length))];
    }),
  );
}

/** The content of a damaged block's file, zeros and rubbish where it cannot be read. */
export function salvageBlock(file: Uint8Array): Uint8Array {
  const { at, size } = readDamagedHead(file);
  const salvage = new Salvage(file);
  salvage.run(at + openingBytes);
  const content = joined(salvage, size === undefined ? undefined : size - plainEnd);
  return concatBytes([content, file.subarray(-plainEnd)]);
}

/** A content in which each of the stretches that are no records is at least as long as the smallest record. */
export function withRoom(
  content: Uint8Array,
  stretches: readonly { readonly offset: number; readonly length: number }[],
): Uint8Array {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const { offset, length } of stretches) {
    pieces.push(content.subarray(at, offset + length), new Uint8Array(Math.max(0, smallestRecord - length)));
    at = offset + length;
  }
  return concatBytes([...pieces, content.subarray(at)]);
}
