// A tar of regular files, written piece by piece: plain ustar headers, with an extended (PAX) header before a name or size that does not fit.

import { tarBlock, tarType, writeTarHeader } from './tar-header.ts';

const encoder = new TextEncoder();
const mostName = 100;
const mostSize = 8 ** 11 - 1;
const paxName = 'PaxHeaders.0/member';

/** A record counts itself, its own number included. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = encoder.encode(rest).length;
  let length = bytes + 1;
  while (String(length).length + bytes !== length) length = String(length).length + bytes;
  return `${length}${rest}`;
}

/** Zeros that fill the last block of so many bytes. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array((tarBlock - (size % tarBlock)) % tarBlock);
}

/** What stands before a member's content. */
export function tarMemberHead(name: string, size: number, seconds: number): Uint8Array[] {
  const plain = /^[\x20-\x7e]*$/.test(name) && name.length <= mostName;
  const records = `${plain ? '' : paxRecord('path', name)}${size <= mostSize ? '' : paxRecord('size', String(size))}`;
  const header = {
    name: plain ? name : name.replace(/[^\x20-\x7e]/g, '_').slice(0, mostName),
    size: size <= mostSize ? size : 0,
    type: tarType.file,
  };
  if (records === '') return [writeTarHeader(header, seconds)];
  const extension = encoder.encode(records);
  const extended = writeTarHeader({ name: paxName, size: extension.length, type: tarType.pax }, seconds);
  return [extended, extension, tarPadding(extension.length), writeTarHeader(header, seconds)];
}

/** What ends a tar. */
export function tarEnd(): Uint8Array {
  return new Uint8Array(2 * tarBlock);
}
