/**
 * Records of a block file written and read with DataView, as the layout says: the twin of wasm/record/record.ts and scan.ts.
 */
import { createHash } from 'node:crypto';
import { highwayHash } from './highwayhash.ts';

export type PlainRecord =
  | {
      readonly is: 'message';
      readonly seq: number;
      readonly time: bigint;
      readonly subject: string;
      readonly headers: string;
      readonly payload: string;
    }
  | { readonly is: 'tombstone' | 'erased'; readonly seq: number; readonly time: bigint };

const HEADERS = 0x8000_0000;
const ERASED = 1n << 63n;
const TOMBSTONE = 1n << 62n;
const BITS = ERASED | TOMBSTONE;

export function blockKey(stream: string, block: number): Uint8Array {
  return createHash('sha256').update(`${stream}-${block}`).digest();
}

export function encodeRecord(key: Uint8Array, record: PlainRecord): Buffer {
  const [subject, headers, payload] =
    record.is === 'message' ? [record.subject, record.headers, record.payload].map((text) => Buffer.from(text)) : [];
  const parts = [subject ?? Buffer.alloc(0), headers ?? Buffer.alloc(0), payload ?? Buffer.alloc(0)] as const;
  const head = Buffer.alloc(22);
  const length = 30 + parts[0].length + parts[1].length + parts[2].length + (parts[1].length > 0 ? 4 : 0);
  const bit = record.is === 'tombstone' ? TOMBSTONE : record.is === 'erased' ? ERASED : 0n;
  head.writeUInt32LE(parts[1].length > 0 ? length + HEADERS : length, 0);
  head.writeBigUInt64LE(BigInt(record.seq) | bit, 4);
  head.writeBigInt64LE(record.time, 12);
  head.writeUInt16LE(parts[0].length, 20);
  const headerLength = Buffer.alloc(parts[1].length > 0 ? 4 : 0);
  if (headerLength.length > 0) headerLength.writeUInt32LE(parts[1].length);
  const sum = Buffer.alloc(8);
  sum.writeBigUInt64LE(highwayHash(key, Buffer.concat([head.subarray(4, 20), ...parts])));
  return Buffer.concat([head, parts[0], headerLength, parts[1], parts[2], sum]);
}

/** The record at an offset; undefined when it is damaged or not whole. */
export function decodeRecord(
  key: Uint8Array,
  block: Buffer,
  offset: number,
): (PlainRecord & { readonly length: number }) | undefined {
  if (block.length - offset < 30) return undefined;
  const word = block.readUInt32LE(offset);
  const length = word % HEADERS;
  const subjectLength = block.readUInt16LE(offset + 20);
  const from = offset + 22 + subjectLength + (word >= HEADERS ? 4 : 0);
  if (length < 30 || length > block.length - offset || length > 32 << 20 || from > offset + length - 8) return undefined;
  const headerLength = word >= HEADERS ? block.readUInt32LE(from - 4) : 0;
  if (headerLength > offset + length - 8 - from) return undefined;
  const subject = block.subarray(offset + 22, offset + 22 + subjectLength);
  const data = block.subarray(from, offset + length - 8);
  const sum = highwayHash(key, Buffer.concat([block.subarray(offset + 4, offset + 20), subject, data]));
  if (sum !== block.readBigUInt64LE(offset + length - 8)) return undefined;
  const bits = block.readBigUInt64LE(offset + 4);
  const common = { seq: Number(bits & ~BITS), time: block.readBigInt64LE(offset + 12), length };
  if (bits & TOMBSTONE) return { is: 'tombstone', ...common };
  if (bits & ERASED || common.seq === 0) return { is: 'erased', ...common };
  return {
    is: 'message',
    ...common,
    subject: subject.toString(),
    headers: data.subarray(0, headerLength).toString(),
    payload: data.subarray(headerLength).toString(),
  };
}

export interface PlainScan {
  readonly records: readonly (PlainRecord & { readonly length: number; readonly offset: number })[];
  readonly goodEnd: number;
  readonly damaged: number;
}

/** Reads a block record by record; behind a bad one it goes on at the next good one with a higher sequence. */
export function scan(key: Uint8Array, block: Buffer): PlainScan {
  const records: (PlainRecord & { length: number; offset: number })[] = [];
  let goodEnd = 0;
  let damaged = 0;
  let highest = 0;
  for (let offset = 0; offset < block.length;) {
    const record = decodeRecord(key, block, offset);
    const fits = offset === goodEnd || record === undefined || record.is === 'tombstone' || record.seq > highest;
    if (record === undefined || !fits) {
      offset++;
      continue;
    }
    damaged += offset - goodEnd;
    records.push({ ...record, offset });
    if (record.is !== 'tombstone') highest = Math.max(highest, record.seq);
    offset += record.length;
    goodEnd = offset;
  }
  return { records, goodEnd, damaged };
}
