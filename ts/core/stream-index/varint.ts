// Variable-length numbers as Go's encoding/binary writes them: seven bits a byte, low ones first; signed ones zigzag. Values below 2^53 are
// plain numbers, times (nanoseconds) are bigints.
//
// What stays true: a cursor that ran past its bytes is `bad` and reads zeros, so that a reader checks once, at its end.

const SPLIT = 0x8000_0000;

export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  bad: boolean;
}

export function cursorOver(bytes: Uint8Array, at: number): Cursor {
  return { bytes, at, bad: false };
}

/** Reads an unsigned number; one above 2^53 makes the cursor bad. */
export function readUnsigned(cursor: Cursor): number {
  const { bytes } = cursor;
  let value = 0;
  for (let scale = 1; cursor.at < bytes.length; scale *= 128) {
    const byte = bytes[cursor.at++] ?? 0;
    value += (byte & 127) * scale;
    if (byte < 128) {
      if (Number.isSafeInteger(value)) return value;
      break;
    }
    if (scale > Number.MAX_SAFE_INTEGER) break;
  }
  cursor.bad = true;
  return 0;
}

/** Reads a signed number of 64 bits. */
export function readSigned(cursor: Cursor): bigint {
  const { bytes } = cursor;
  let value = 0n;
  for (let shift = 0n; shift < 70n && cursor.at < bytes.length; shift += 7n) {
    const byte = bytes[cursor.at++] ?? 0;
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
  }
  cursor.bad = true;
  return 0n;
}

/** Takes bytes as they are; the cursor is bad when there are not as many. */
export function readBytes(cursor: Cursor, length: number): Uint8Array {
  const taken = cursor.bytes.subarray(cursor.at, cursor.at + length);
  cursor.at += length;
  if (taken.length < length) cursor.bad = true;
  return taken;
}

export function putUnsigned(out: number[], value: number): void {
  let rest = value;
  for (; rest >= SPLIT; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  for (; rest > 127; rest >>>= 7) out.push((rest & 127) | 128);
  out.push(rest);
}

export function putSigned(out: number[], value: bigint): void {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
  out.push(Number(rest));
}
