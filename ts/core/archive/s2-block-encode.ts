// One block of at most 64 KiB, encoded: literals and copies of the kinds that Snappy has too, found by a table of hashes of four bytes.
// Where nothing repeats the search takes longer and longer steps.

/** The most one block holds, so that every offset fits two bytes. */
export const blockBytes = 65536;

const tableBits = 14;
const hashFactor = 0x1e35a7bd;
const leastInput = 16;
const mostCopy = 64;

type Bytes = { readonly [at: number]: number };

function load(bytes: Bytes, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** Bytes an encoded block can take at most. */
function mostEncoded(length: number): number {
  return 32 + length + Math.floor(length / 6);
}

export class S2BlockEncoder {
  readonly #table = new Uint16Array(1 << tableBits);
  #out: Uint8Array = new Uint8Array(mostEncoded(blockBytes));
  #end = 0;

  /** The block for up to 64 KiB; valid until the next call. */
  encode(input: Uint8Array): Uint8Array {
    this.#end = 0;
    this.#length(input.length);
    if (input.length < leastInput) this.#literal(input, 0, input.length);
    else this.#search(input);
    return this.#out.subarray(0, this.#end);
  }

  #length(value: number): void {
    let rest = value;
    for (; rest >= 128; rest >>>= 7) this.#out[this.#end++] = (rest & 127) | 128;
    this.#out[this.#end++] = rest;
  }

  #search(input: Uint8Array): void {
    const table = this.#table.fill(0);
    const bytes = input as Bytes;
    const last = input.length - 4;
    let literalFrom = 0;
    let at = 1;
    let misses = 32;
    while (at <= last) {
      const word = load(bytes, at);
      const slot = Math.imul(word, hashFactor) >>> (32 - tableBits);
      const candidate = table[slot] ?? 0;
      table[slot] = at;
      if (candidate >= at || load(bytes, candidate) !== word) {
        at += misses++ >> 5;
        continue;
      }
      misses = 32;
      let end = at + 4;
      for (const ahead = at - candidate; end < input.length && bytes[end] === bytes[end - ahead];) end++;
      this.#literal(input, literalFrom, at);
      this.#copy(at - candidate, end - at);
      if (end - 1 <= last) table[Math.imul(load(bytes, end - 1), hashFactor) >>> (32 - tableBits)] = end - 1;
      at = end;
      literalFrom = end;
    }
    this.#literal(input, literalFrom, input.length);
  }

  #literal(input: Uint8Array, from: number, to: number): void {
    if (from >= to) return;
    const code = to - from - 1;
    if (code < 60) {
      this.#out[this.#end++] = code << 2;
    } else if (code < 256) {
      this.#out[this.#end++] = 60 << 2;
      this.#out[this.#end++] = code;
    } else {
      this.#out[this.#end++] = 61 << 2;
      this.#out[this.#end++] = code & 255;
      this.#out[this.#end++] = code >> 8;
    }
    this.#out.set(input.subarray(from, to), this.#end);
    this.#end += to - from;
  }

  #copy(offset: number, length: number): void {
    let rest = length;
    while (rest > 0) {
      const part = Math.min(rest, mostCopy);
      if (part >= 4 && part < 12 && offset < 2048) {
        this.#out[this.#end++] = ((offset >> 8) << 5) | ((part - 4) << 2) | 1;
        this.#out[this.#end++] = offset & 255;
      } else {
        this.#out[this.#end++] = ((part - 1) << 2) | 2;
        this.#out[this.#end++] = offset & 255;
        this.#out[this.#end++] = offset >> 8;
      }
      rest -= part;
    }
  }
}
