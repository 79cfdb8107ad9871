// One S2 block, decoded. A Snappy block is one too.
//
//   uvarint length of the content, then elements; the low two bits of a tag say which:
//   00  literal: tag >> 2 is length - 1; 60..63: the length - 1 is in the next 1..4 bytes
//   01  copy: length (tag >> 2 & 7) + 4, offset (tag >> 5) << 8 | next byte.
//       Offset 0: the last offset again; with L the three length bits, the length is L + 4 for L < 5,
//       next byte + 8 for 5, next 2 bytes + 260 for 6, next 3 bytes + 65540 for 7
//   10  copy: length (tag >> 2) + 1, offset in the next 2 bytes
//   11  copy: length (tag >> 2) + 1, offset in the next 4 bytes
//
// Kept true: every read and write is inside of its array, whatever the input says, and each element moves on, so decoding ends.

import { ArchiveError } from './archive-error.ts';

function corrupt(): never {
  throw new ArchiveError('s2: corrupt input');
}

class BlockReader {
  readonly #from: Uint8Array;
  at: number;

  constructor(from: Uint8Array) {
    this.#from = from;
    this.at = 0;
  }

  get done(): boolean {
    return this.at >= this.#from.length;
  }

  /** An unsigned number of 1 to 4 bytes. */
  number(bytes: number): number {
    if (this.at + bytes > this.#from.length) corrupt();
    let value = 0;
    for (let index = bytes - 1; index >= 0; index--) value = value * 256 + (this.#from[this.at + index] ?? 0);
    this.at += bytes;
    return value;
  }

  take(length: number): Uint8Array {
    if (length > this.#from.length - this.at) corrupt();
    this.at += length;
    return this.#from.subarray(this.at - length, this.at);
  }

  /** The block's first number. */
  contentLength(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const byte = this.number(1);
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    return corrupt();
  }
}

function repeatLength(code: number, reader: BlockReader): number {
  if (code < 5) return code + 4;
  if (code === 5) return reader.number(1) + 8;
  return code === 6 ? reader.number(2) + 260 : reader.number(3) + 65540;
}

function literalLength(tag: number, reader: BlockReader): number {
  const code = tag >> 2;
  return 1 + (code < 60 ? code : reader.number(code - 59));
}

/** Copies from what was decoded; overlapping its own output means repetition. */
function copyBack(out: Uint8Array, at: number, offset: number, length: number): void {
  if (offset >= length) {
    out.copyWithin(at, at - offset, at - offset + length);
    return;
  }
  for (let end = at + length, to = at; to < end; to++) out[to] = out[to - offset] ?? 0;
}

/**
 * Decodes elements up to the end of the block and gives what came out. In a damaged block a copy from nowhere is taken for zeros of its length,
 * so that what follows stays in its place, and an element that cannot be at all ends it.
 */
class ElementDecoder {
  readonly #reader: BlockReader;
  readonly #out: Uint8Array;
  #offset = 0;
  at = 0;

  constructor(reader: BlockReader, out: Uint8Array) {
    this.#reader = reader;
    this.#out = out;
  }

  run(isDamaged: boolean): void {
    while (!this.#reader.done) {
      const tag = this.#reader.number(1);
      if ((tag & 3) === 0) this.#literal(tag);
      else this.#copy(tag, isDamaged);
    }
  }

  #literal(tag: number): void {
    const length = literalLength(tag, this.#reader);
    if (length > this.#out.length - this.at) corrupt();
    this.#out.set(this.#reader.take(length), this.at);
    this.at += length;
  }

  #copy(tag: number, isDamaged: boolean): void {
    const length = this.#copyHead(tag);
    if (length > this.#out.length - this.at) corrupt();
    const isFromSomewhere = this.#offset > 0 && this.#offset <= this.at;
    if (isFromSomewhere) copyBack(this.#out, this.at, this.#offset, length);
    else if (!isDamaged) corrupt();
    this.at += length;
  }

  /** Sets the offset and gives the length. */
  #copyHead(tag: number): number {
    const reader = this.#reader;
    if ((tag & 3) !== 1) {
      this.#offset = reader.number((tag & 3) === 2 ? 2 : 4);
      return (tag >> 2) + 1;
    }
    const given = ((tag & 0xe0) << 3) | reader.number(1);
    const code = (tag >> 2) & 7;
    if (given === 0) return repeatLength(code, reader);
    this.#offset = given;
    return code + 4;
  }
}

/** Decodes a block whose content is at most `mostBytes` long. Throws an ArchiveError. */
export function decodeS2Block(block: Uint8Array, mostBytes: number): Uint8Array {
  const reader = new BlockReader(block);
  const size = reader.contentLength();
  if (size > mostBytes) throw new ArchiveError(`s2: a block of ${size} bytes, more than ${mostBytes}`);
  const out = new Uint8Array(size);
  const elements = new ElementDecoder(reader, out);
  elements.run(false);
  if (elements.at !== size) corrupt();
  return out;
}

/** What can be made of a damaged block: as long as it says, if that can be; wrong or zero where it is damaged. */
export function decodeDamagedS2Block(block: Uint8Array, mostBytes: number): Uint8Array {
  const reader = new BlockReader(block);
  const out = new Uint8Array(mostBytes);
  const elements = new ElementDecoder(reader, out);
  let size = 0;
  try {
    size = reader.contentLength();
    elements.run(true);
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
  }
  const isSaid = size >= elements.at && size <= mostBytes;
  return out.slice(0, isSaid ? size : elements.at);
}
