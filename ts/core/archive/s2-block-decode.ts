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
  if (offset === 0 || offset > at || length > out.length - at) corrupt();
  if (offset >= length) {
    out.copyWithin(at, at - offset, at - offset + length);
    return;
  }
  for (let end = at + length, to = at; to < end; to++) out[to] = out[to - offset] ?? 0;
}

/** Decodes a block whose content is at most `mostBytes` long. Throws an ArchiveError. */
export function decodeS2Block(block: Uint8Array, mostBytes: number): Uint8Array {
  const reader = new BlockReader(block);
  const size = reader.contentLength();
  if (size > mostBytes) throw new ArchiveError(`s2: a block of ${size} bytes, more than ${mostBytes}`);
  const out = new Uint8Array(size);
  let at = 0;
  let offset = 0;
  while (!reader.done) {
    const tag = reader.number(1);
    let length: number;
    if ((tag & 3) === 0) {
      length = literalLength(tag, reader);
      if (length > size - at) corrupt();
      out.set(reader.take(length), at);
      at += length;
      continue;
    }
    if ((tag & 3) === 1) {
      const given = ((tag & 0xe0) << 3) | reader.number(1);
      const code = (tag >> 2) & 7;
      length = given === 0 ? repeatLength(code, reader) : code + 4;
      if (given !== 0) offset = given;
    } else {
      length = (tag >> 2) + 1;
      offset = reader.number((tag & 3) === 2 ? 2 : 4);
    }
    copyBack(out, at, offset, length);
    at += length;
  }
  if (at !== size) corrupt();
  return out;
}
