// The head of nats-server's index.db: the counts it wrote last. The blocks are what we believe; from here two things are taken that blocks
// cannot say: what limits had removed from the front (there is no tombstone for it), and a last sequence above what the blocks give, because
// sequences must never be given out twice. Both hold even when the index is older than the blocks.
//
//   u8 11, u8 version 1..4, uvarint messages, uvarint bytes, uvarint first seq, varint first time, uvarint last seq, varint last time, ...
//   8 bytes: HighwayHash-64 of all before, keyed by the stream's name
//
// In an encrypted stream all but the hash is sealed.

import type { StreamKernel } from '../../kernel/streams.ts';

const MAGIC = 11;
const NEWEST = 4;
const SUM = 8;

export interface IndexHead {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly lastSeconds: number;
  readonly lastNanos: number;
}

/** Reads a varint; the value is exact as a bigint. */
function varint(bytes: Uint8Array, from: number): { readonly value: bigint; readonly next: number } {
  let value = 0n;
  let at = from;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = bytes[at++] ?? 0;
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return { value, next: at };
}

/** Undefined: not an index this server knows, or damaged. */
export function readIndexHead(
  kernel: StreamKernel,
  name: string,
  file: Uint8Array,
  unseal: (body: Uint8Array) => Uint8Array | undefined,
): IndexHead | undefined {
  const stored = file.subarray(0, -SUM);
  if (kernel.sum(name, stored) !== Buffer.from(file.subarray(-SUM)).toString('hex')) return undefined;
  const body = unseal(stored) ?? new Uint8Array(0);
  const version = body[1] ?? 0;
  if (body.length < 8 || body[0] !== MAGIC || version < 1 || version > NEWEST) return undefined;
  const numbers: bigint[] = [];
  for (let at = 2; numbers.length < 6;) {
    const { value, next } = varint(body, at);
    numbers.push(value);
    at = next;
  }
  const zigzag = numbers[5] ?? 0n;
  const nanos = zigzag & 1n ? 0n : zigzag >> 1n;
  return {
    firstSeq: Number(numbers[2]),
    lastSeq: Number(numbers[4]),
    lastSeconds: Number(nanos / 1_000_000_000n),
    lastNanos: Number(nanos % 1_000_000_000n),
  };
}
