// The content of a compressed block's file, read where it is needed: the file is a row of chunks, each compressed by itself, so that a record costs
// the chunk or two that it lies in, and not the block.
//
//   file     head | chunk | chunk | ... | the last 8 bytes of the content
//   content  what each chunk holds, one behind the other, and those 8 bytes
//
// What stays true: a damaged chunk costs what it holds. Behind a chunk whose length cannot be right nothing is read.

import { ArchiveError } from '../archive/archive-error.ts';
import { chunk, chunkContent, chunkHead, chunkSum, mostContent } from '../archive/s2-stream.ts';
import { plainEnd, readHead } from './packed-block.ts';

/** Bytes of decoded chunks kept: a few records in a row are mostly in one. */
const MOST_KEPT = 2 << 20;
const NOTHING = new Uint8Array(0);

interface Place {
  readonly kind: 'stored' | 'block';
  /** Where its body lies in the file. */
  readonly from: number;
  readonly to: number;
  /** Where its content begins and ends. */
  readonly begin: number;
  readonly end: number;
}

/** The number in front of an S2 block: how long its content is. */
function saidLength(file: Uint8Array, at: number): number {
  let value = 0;
  for (let i = 0; i < 5; i++) {
    const byte = file[at + i] ?? 0;
    value += (byte & 127) * 128 ** i;
    if (byte < 128) break;
  }
  return value;
}

function placesOf(file: Uint8Array): Place[] {
  const places: Place[] = [];
  const end = file.length - plainEnd;
  let begin = 0;
  for (let at = readHead(file).at; at + chunkHead + chunkSum <= end;) {
    const type = file[at] ?? 0;
    const from = at + chunkHead;
    const to = from + (file[at + 1] ?? 0) + ((file[at + 2] ?? 0) << 8) + ((file[at + 3] ?? 0) << 16);
    if (to > end || (type > chunk.stored && type < chunk.firstSkipped)) break;
    if (type <= chunk.stored) {
      const kind = type === chunk.stored ? 'stored' : 'block';
      const length = kind === 'stored' ? to - from - chunkSum : saidLength(file, from + chunkSum);
      if (length < 0 || length > mostContent) break;
      places.push({ kind, from, to, begin, end: begin + length });
      begin += length;
    }
    at = to;
  }
  return places;
}

export class PackedContent {
  readonly #file: Uint8Array;
  readonly #places: readonly Place[];
  /** Where the last bytes begin that are not compressed, and where the content ends. */
  readonly #plainFrom: number;
  readonly #size: number;
  readonly #decoded = new Map<Place, Uint8Array>();
  #kept = 0;

  /** `file` is as it was before it was encrypted. Throws an ArchiveError when it does not even begin as a compressed block. */
  constructor(file: Uint8Array) {
    this.#file = file;
    this.#places = placesOf(file);
    this.#size = readHead(file).size;
    this.#plainFrom = this.#size - plainEnd;
  }

  /** Fills `into` with the content from `offset` on, up to a damage. Returns how many bytes there are; throws an ArchiveError when there are none. */
  read(into: Uint8Array, offset: number): number {
    const to = Math.min(this.#size, offset + into.length);
    let at = offset;
    while (at < to) {
      const [piece, begin] = this.#pieceAt(at, at > offset);
      const part = piece.subarray(at - begin, to - begin);
      if (part.length === 0) break;
      into.set(part, at - offset);
      at += part.length;
    }
    return Math.max(0, at - offset);
  }

  /** The decoded piece that has a byte of the content, and where it begins. */
  #pieceAt(at: number, mayBeDamaged: boolean): readonly [Uint8Array, number] {
    if (at >= this.#plainFrom) return [this.#file.subarray(-plainEnd), this.#plainFrom];
    try {
      const place = this.#placeAt(at);
      return [this.#decoded.get(place) ?? this.#decode(place), place.begin];
    } catch (error) {
      if (mayBeDamaged && error instanceof ArchiveError) return [NOTHING, at];
      throw error;
    }
  }

  #placeAt(offset: number): Place {
    let low = 0;
    let high = this.#places.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#places[middle]?.end ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    const place = this.#places[low];
    if (place === undefined) throw new ArchiveError('the compressed block is damaged in front of this');
    return place;
  }

  #decode(place: Place): Uint8Array {
    const content = chunkContent(place.kind, this.#file.subarray(place.from, place.to));
    for (const [oldest, bytes] of this.#decoded) {
      if (this.#kept + content.length <= MOST_KEPT) break;
      this.#decoded.delete(oldest);
      this.#kept -= bytes.length;
    }
    this.#decoded.set(place, content);
    this.#kept += content.length;
    return content;
  }
}
