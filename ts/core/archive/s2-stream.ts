// The framed stream of S2 blocks, in both directions and piece by piece. Snappy's framed stream is read too.
//
//   chunks: u8 type, u24 length, body
//   ff      "S2sTwO" or "sNaPpY"; begins every stream
//   00      masked CRC-32C of the content, then an S2 block
//   01      masked CRC-32C of the content, then the content as it is
//   80..fe  skipped; 02..7f are from a later format and refused
//
// Kept true: a reader keeps at most one chunk, and a chunk that says it is larger than any may be is refused before it is kept.

import { ArchiveError } from './archive-error.ts';
import { maskedCrc32c } from './crc32c.ts';
import { decodeS2Block } from './s2-block-decode.ts';
import { blockBytes, S2BlockEncoder } from './s2-block-encode.ts';

/** Bytes in front of a chunk's body. */
export const chunkHead = 4;
/** Bytes of the checksum a body begins with. */
export const chunkSum = 4;
/** Types of chunks. */
export const chunk = { block: 0x00, stored: 0x01, firstSkipped: 0x80, identifier: 0xff } as const;
/** The most a chunk holds. */
export const mostContent = 4 << 20;
/** A block of the largest content whose every byte is a literal. */
export const mostBody = chunkSum + mostContent + Math.floor(mostContent / 6) + 32;
const identifiers = ['S2sTwO', 'sNaPpY'];

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Bytes of the chunk that a stream begins with. */
export const openingBytes = 10;
/** The chunks a stream may begin with, the one written here first. */
export const openings: readonly Uint8Array[] = identifiers.map((name) =>
  Uint8Array.of(chunk.identifier, name.length, 0, 0, ...encoder.encode(name)),
);

function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}

export class S2Decoder {
  readonly #head = new Uint8Array(chunkHead);
  #headFilled = 0;
  #body: Uint8Array | undefined;
  #bodyFilled = 0;
  #skip = 0;
  #begun = false;
  #content: Uint8Array | undefined;

  /**
   * Takes the next piece of the stream and gives what comes out of it, chunk by chunk: little input may be much content. Throws an
   * ArchiveError; then the stream is over.
   */
  *push(piece: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < piece.length;) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, piece.length - at);
        this.#skip -= skipped;
        at += skipped;
      } else if (this.#headFilled < chunkHead) {
        this.#head[this.#headFilled++] = piece[at++] ?? 0;
        if (this.#headFilled === chunkHead) this.#beginBody();
      } else {
        at += this.#fill(piece.subarray(at));
      }
      const content = this.#takeContent();
      if (content !== undefined) yield content;
    }
  }

  #takeContent(): Uint8Array | undefined {
    const content = this.#content;
    this.#content = undefined;
    return content;
  }

  /** The stream has ended. */
  end(): void {
    if (this.#headFilled > 0 || this.#skip > 0) throw new ArchiveError('s2: the stream ends within a chunk');
    if (!this.#begun) throw new ArchiveError('s2: the stream is empty');
  }

  #beginBody(): void {
    const [type = 0, ...length] = this.#head;
    const size = readU32(Uint8Array.from([...length, 0]), 0);
    if (!this.#begun && type !== chunk.identifier) throw new ArchiveError('s2: corrupt input');
    if (type >= chunk.firstSkipped && type !== chunk.identifier) {
      this.#headFilled = 0;
      this.#skip = size;
      return;
    }
    const known = type === chunk.block || type === chunk.stored || type === chunk.identifier;
    if (!known) throw new ArchiveError(`s2: unsupported chunk type ${type}`);
    if (size > (type === chunk.identifier ? 6 : mostBody)) throw new ArchiveError('s2: corrupt input');
    this.#body = new Uint8Array(size);
    this.#bodyFilled = 0;
    if (size === 0) this.#finish(this.#body);
  }

  #fill(piece: Uint8Array): number {
    const body = this.#body ?? new Uint8Array(0);
    const taken = Math.min(piece.length, body.length - this.#bodyFilled);
    body.set(piece.subarray(0, taken), this.#bodyFilled);
    this.#bodyFilled += taken;
    if (this.#bodyFilled === body.length) this.#finish(body);
    return taken;
  }

  #finish(body: Uint8Array): void {
    const type = this.#head[0];
    this.#headFilled = 0;
    this.#body = undefined;
    if (type === chunk.identifier) {
      if (!identifiers.includes(decoder.decode(body))) throw new ArchiveError('s2: corrupt input');
      this.#begun = true;
      return;
    }
    const content = chunkContent(type === chunk.stored ? 'stored' : 'block', body);
    if (content.length > 0) this.#content = content;
  }
}

/** The content of a chunk. Throws an ArchiveError. */
export function chunkContent(kind: 'stored' | 'block', body: Uint8Array): Uint8Array {
  if (body.length < chunkSum) throw new ArchiveError('s2: corrupt input');
  const rest = body.subarray(chunkSum);
  const content = kind === 'stored' ? rest : decodeS2Block(rest, mostContent);
  if (content.length > mostContent) throw new ArchiveError('s2: corrupt input');
  if (maskedCrc32c(content) !== readU32(body, 0)) throw new ArchiveError('s2: checksum mismatch');
  return content;
}

/** All of a stream that is in memory. */
export function decodeS2(stream: Uint8Array): Uint8Array {
  const reader = new S2Decoder();
  const pieces = [...reader.push(stream)];
  reader.end();
  return concatBytes(pieces);
}

export function concatBytes(pieces: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

export class S2Encoder {
  readonly #blocks = new S2BlockEncoder();
  readonly #pending = new Uint8Array(blockBytes);
  #filled = 0;
  #begun = false;

  /** Takes content and gives the chunks that are complete. */
  push(content: Uint8Array): Uint8Array[] {
    const out = this.#open();
    for (let at = 0; at < content.length;) {
      const taken = Math.min(blockBytes - this.#filled, content.length - at);
      this.#pending.set(content.subarray(at, at + taken), this.#filled);
      this.#filled += taken;
      at += taken;
      if (this.#filled === blockBytes) out.push(this.#chunk());
    }
    return out;
  }

  /** The rest. */
  end(): Uint8Array[] {
    const out = this.#open();
    if (this.#filled > 0) out.push(this.#chunk());
    return out;
  }

  #open(): Uint8Array[] {
    if (this.#begun) return [];
    this.#begun = true;
    return openings.slice(0, 1);
  }

  #chunk(): Uint8Array {
    const content = this.#pending.subarray(0, this.#filled);
    this.#filled = 0;
    const block = this.#blocks.encode(content);
    const worth = block.length < content.length - (content.length >> 3);
    const body = worth ? block : content;
    const out = new Uint8Array(chunkHead + chunkSum + body.length);
    const size = chunkSum + body.length;
    const sum = maskedCrc32c(content);
    out.set([worth ? chunk.block : chunk.stored, size & 255, (size >> 8) & 255, size >> 16]);
    out.set([sum & 255, (sum >>> 8) & 255, (sum >>> 16) & 255, sum >>> 24], chunkHead);
    out.set(body, chunkHead + chunkSum);
    return out;
  }
}

/** A whole stream of content that is in memory. */
export function encodeS2(content: Uint8Array): Uint8Array {
  const writer = new S2Encoder();
  return concatBytes([...writer.push(content), ...writer.end()]);
}
