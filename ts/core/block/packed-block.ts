// A compressed block file:
//
//   "cmp" | u8 algorithm (1: S2) | uvarint length of the content | S2 stream of the content but its last 8 bytes | those 8 bytes
//
// The last 8 bytes, the checksum of the last record, are plain so that the file ends as the content does. No record begins with "cmp": it would
// be longer than any may be.

import { ArchiveError } from '../archive/archive-error.ts';
import { concatBytes, decodeS2, encodeS2, openingBytes, openings } from '../archive/s2-stream.ts';

/** Bytes at the end of the content that are not compressed. */
export const plainEnd = 8;
const S2 = 1;
const MAGIC = [0x63, 0x6d, 0x70] as const;
/** Where the length of the content begins. */
const LENGTH_AT = MAGIC.length + 1;
const LARGEST = 1 << 30;

/** Whether a file's bytes are those of a compressed block. */
export function isPacked(file: Uint8Array): boolean {
  return file.length > MAGIC.length && MAGIC.every((byte, at) => file[at] === byte);
}

function uvarint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  bytes.push(rest);
  return bytes;
}

/** The file of a content; undefined when it would not be smaller. */
export function packBlock(content: Uint8Array): Uint8Array | undefined {
  if (content.length <= plainEnd) return undefined;
  const head = Uint8Array.of(...MAGIC, S2, ...uvarint(content.length));
  const packed = concatBytes([head, encodeS2(content.subarray(0, -plainEnd)), content.subarray(-plainEnd)]);
  return packed.length < content.length ? packed : undefined;
}

/** The content of a file that is packed. Throws an ArchiveError when it is damaged. */
export function unpackBlock(file: Uint8Array): Uint8Array {
  try {
    return unpack(file);
  } catch (error) {
    if (error instanceof ArchiveError) throw new ArchiveError(`the compressed block is damaged: ${error.message}`);
    throw error;
  }
}

/** The length of the content, and where its stream begins. Throws an ArchiveError. */
export function readHead(file: Uint8Array): { readonly size: number; readonly at: number } {
  if (!isPacked(file)) throw new ArchiveError('it does not begin as one');
  if (file[MAGIC.length] !== S2) throw new ArchiveError(`algorithm ${file[MAGIC.length] ?? 'missing'} is not known`);
  return readLength(file);
}

/** What `readHead` gives, whatever stands in front of the length. Throws an ArchiveError. */
function readLength(file: Uint8Array): { readonly size: number; readonly at: number } {
  let size = 0;
  let at = LENGTH_AT;
  for (let scale = 1; ; scale *= 128) {
    const byte = file[at++];
    if (byte === undefined || size > LARGEST) throw new ArchiveError('its length is missing');
    size += (byte & 127) * scale;
    if (byte < 128) return { size, at };
  }
}

/** What the beginning of a file still says when it is damaged. */
export interface DamagedHead {
  /** Most of what is the same in all compressed blocks is there. */
  readonly isPacked: boolean;
  /** Where the stream most likely begins. */
  readonly at: number;
  /** The length of the content; undefined when it cannot be right. */
  readonly size: number | undefined;
}

function alike(file: Uint8Array, at: number, bytes: readonly number[] | Uint8Array): number {
  let count = 0;
  for (const [i, byte] of bytes.entries()) if (file[at + i] === byte) count++;
  return count;
}

/** Reads the head of a file that is damaged. */
export function readDamagedHead(file: Uint8Array): DamagedHead {
  let at = LENGTH_AT + 4;
  let most = 0;
  for (let begin = LENGTH_AT + 1; begin <= LENGTH_AT + 5; begin++) {
    const count = Math.max(...openings.map((opening) => alike(file, begin, opening)));
    if (count > most) [at, most] = [begin, count];
  }
  const same = [...MAGIC, S2];
  const isPacked = (alike(file, 0, same) + most) * 2 > same.length + openingBytes;
  try {
    const head = readLength(file);
    return { isPacked, at, size: head.at === at && head.size <= LARGEST ? head.size : undefined };
  } catch (error) {
    if (error instanceof ArchiveError) return { isPacked, at, size: undefined };
    throw error;
  }
}

function unpack(file: Uint8Array): Uint8Array {
  const { size, at } = readHead(file);
  if (file.length - at < plainEnd) throw new ArchiveError('it is cut');
  const content = concatBytes([decodeS2(file.subarray(at, -plainEnd)), file.subarray(-plainEnd)]);
  if (content.length !== size) throw new ArchiveError('it has not the length that it says');
  return content;
}
