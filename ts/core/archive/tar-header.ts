// The 512 bytes before each member of a tar, read and written.
//
//   0    name 100    100 mode 8    108 uid 8    116 gid 8    124 size 12    136 time 12    148 sum 8    156 type 1
//   157  link 100    257 "ustar" 0 "00"         265 owner 32               297 group 32   345 prefix 155
//
// Numbers are octal texts; a number too large for its field has bit 7 of its first byte set and is binary, most significant byte first.
// The sum counts all bytes, its own as blanks.

import { ArchiveError } from './archive-error.ts';

export const tarBlock = 512;

/** Types that are read; others are refused. */
export const tarType = { file: '0', oldFile: '\0', pax: 'x', paxGlobal: 'g', longName: 'L' } as const;

export interface TarHeader {
  readonly name: string;
  readonly size: number;
  readonly type: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const field = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  time: [136, 12],
  sum: [148, 8],
  type: [156, 1],
  magic: [257, 8],
  owner: [265, 32],
  group: [297, 32],
  prefix: [345, 155],
} as const;

type FieldName = keyof typeof field;

function part(block: Uint8Array, name: FieldName): Uint8Array {
  const [at, length] = field[name];
  return block.subarray(at, at + length);
}

function textOf(block: Uint8Array, name: FieldName): string {
  const bytes = part(block, name);
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

function numberOf(block: Uint8Array, name: FieldName): number {
  const bytes = part(block, name);
  const first = bytes[0] ?? 0;
  if ((first & 0x80) === 0) {
    const digits = textOf(block, name).trim();
    if (!/^[0-7]*$/.test(digits)) throw new ArchiveError(`tar: invalid header: ${name}`);
    return digits === '' ? 0 : Number.parseInt(digits, 8);
  }
  let value = first & 0x7f;
  for (const byte of bytes.subarray(1)) value = value * 256 + byte;
  if (value > Number.MAX_SAFE_INTEGER) throw new ArchiveError(`tar: invalid header: ${name}`);
  return value;
}

function sumOf(block: Uint8Array): number {
  const [at, length] = field.sum;
  let sum = 32 * length;
  for (const [index, byte] of block.entries()) if (index < at || index >= at + length) sum += byte;
  return sum;
}

/** Undefined: the block of zeros that ends a tar. */
export function readTarHeader(block: Uint8Array): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  if (numberOf(block, 'sum') !== sumOf(block)) throw new ArchiveError('tar: invalid header: checksum');
  const prefix = textOf(block, 'magic') === 'ustar' ? textOf(block, 'prefix') : '';
  const name = textOf(block, 'name');
  const type = String.fromCharCode(part(block, 'type')[0] ?? 0);
  return { name: prefix === '' ? name : `${prefix}/${name}`, size: numberOf(block, 'size'), type };
}

/** The header of a member owned by `nats`, readable by its owner only. Name and size must fit their fields. */
export function writeTarHeader({ name, size, type }: TarHeader, seconds: number): Uint8Array {
  const block = new Uint8Array(tarBlock);
  const put = (to: FieldName, text: string): void => part(block, to).set(encoder.encode(text));
  const octal = (to: FieldName, value: number): void => put(to, `${value.toString(8).padStart(field[to][1] - 1, '0')}\0`);
  put('name', name);
  octal('mode', 0o600);
  octal('uid', 0);
  octal('gid', 0);
  octal('size', size);
  octal('time', seconds);
  put('type', type);
  put('magic', 'ustar\x0000');
  put('owner', 'nats');
  put('group', 'nats');
  put('sum', `${sumOf(block).toString(8).padStart(6, '0')}\0 `);
  return block;
}
