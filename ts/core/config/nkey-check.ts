// Is a text a well-formed nkey? Configuration holds public keys and seeds; a mistyped one is found by its checksum while reading.
// Kept true: this checks form only (base32, kind, CRC-16); no key is ever used for anything here.

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

const PREFIX_BYTES = { account: 0, cluster: 2 << 3, server: 13 << 3, operator: 14 << 3, user: 20 << 3, curve: 23 << 3 } as const;
const SEED_BYTE = 18 << 3;

export type NkeyKind = keyof typeof PREFIX_BYTES;

function decodeBase32(text: string): Uint8Array | undefined {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const char of text) {
    const digit = ALPHABET.indexOf(char);
    if (digit === -1) return undefined;
    held = ((held << 5) | digit) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 0xff);
    }
  }
  return Uint8Array.from(bytes);
}

/** CRC-16/XMODEM. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

/** The bytes before the checksum, when it is right. */
function checkedBytes(text: string, length: number): Uint8Array | undefined {
  const bytes = decodeBase32(text);
  if (bytes === undefined || bytes.length !== length) return undefined;
  const body = bytes.subarray(0, length - 2);
  const sum = (bytes[length - 2] ?? 0) | ((bytes[length - 1] ?? 0) << 8);
  return crc16(body) === sum ? body : undefined;
}

export function isPublicNkey(text: string, kind: NkeyKind): boolean {
  return checkedBytes(text, 35)?.[0] === PREFIX_BYTES[kind];
}

/** A seed: what signs, instead of what is shown. */
export function isSeedNkey(text: string, kind: NkeyKind): boolean {
  const body = checkedBytes(text, 36);
  if (body === undefined) return false;
  const [first = 0, second = 0] = body;
  return (first & 0xf8) === SEED_BYTE && (((first & 7) << 5) | ((second & 0xf8) >> 3)) === PREFIX_BYTES[kind];
}
