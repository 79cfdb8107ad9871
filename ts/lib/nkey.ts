// NKeys as text: a prefix byte, 32 bytes of public key and a CRC-16, in base32 without padding.
// Kept true: what `decodeNkey` returns was checked against its prefix and its checksum.

const nkeyPrefixes = { server: 104, cluster: 16, operator: 112, account: 0, user: 160, curve: 184 } as const;

export type NkeyKind = keyof typeof nkeyPrefixes;

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const KEY_BYTES = 32;
const TEXT_LENGTH = 56;

/** Seeds begin with two bytes: this one's five bits, then the eight of the kind of key, five zeros to follow. */
const SEED_PREFIX = 144;

/** XMODEM: polynomial 0x1021, start 0. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
    crc &= 0xffff;
  }
  return crc;
}

/** Without padding. */
export function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet.charAt((held >> bits) & 31);
    }
    held &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + alphabet.charAt((held << (5 - bits)) & 31);
}

function unbase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const char of text) {
    const value = alphabet.indexOf(char);
    if (value < 0) return undefined;
    held = (held << 5) | value;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at++] = held >> bits;
    held &= (1 << bits) - 1;
  }
  return bytes;
}

export function encodeNkey(kind: NkeyKind, key: Uint8Array): string {
  const bytes = new Uint8Array(1 + KEY_BYTES + 2);
  bytes[0] = nkeyPrefixes[kind];
  bytes.set(key, 1);
  const crc = crc16(bytes.subarray(0, 1 + KEY_BYTES));
  bytes[1 + KEY_BYTES] = crc & 0xff;
  bytes[2 + KEY_BYTES] = crc >> 8;
  return base32(bytes);
}

export function encodeNkeySeed(kind: NkeyKind, secret: Uint8Array): string {
  const bytes = new Uint8Array(2 + KEY_BYTES + 2);
  bytes[0] = SEED_PREFIX | (nkeyPrefixes[kind] >> 5);
  bytes[1] = (nkeyPrefixes[kind] & 31) << 3;
  bytes.set(secret, 2);
  const crc = crc16(bytes.subarray(0, 2 + KEY_BYTES));
  bytes[2 + KEY_BYTES] = crc & 0xff;
  bytes[3 + KEY_BYTES] = crc >> 8;
  return base32(bytes);
}

/** The 32 bytes of a public key of this kind, or undefined when the text is not one. */
export function decodeNkey(kind: NkeyKind, text: string): Uint8Array | undefined {
  const bytes = text.length === TEXT_LENGTH ? unbase32(text) : undefined;
  if (bytes === undefined || bytes[0] !== nkeyPrefixes[kind]) return undefined;
  const crc = (bytes[1 + KEY_BYTES] ?? 0) | ((bytes[2 + KEY_BYTES] ?? 0) << 8);
  return crc === crc16(bytes.subarray(0, 1 + KEY_BYTES)) ? bytes.slice(1, 1 + KEY_BYTES) : undefined;
}

/** The 32 bytes of any public key that signs. */
export function decodeSigningNkey(text: string): Uint8Array | undefined {
  for (const kind of ['user', 'account', 'operator', 'server', 'cluster'] as const) {
    const key = decodeNkey(kind, text);
    if (key !== undefined) return key;
  }
  return undefined;
}

/** The text is a well-formed seed of this kind of key. */
export function isNkeySeed(kind: NkeyKind, text: string): boolean {
  const bytes = unbase32(text);
  if (bytes === undefined || bytes.length !== KEY_BYTES + 4) return false;
  const [first = 0, second = 0] = bytes;
  if ((first & 0xf8) !== SEED_PREFIX || (((first & 7) << 5) | (second >> 3)) !== nkeyPrefixes[kind]) return false;
  const crc = (bytes[KEY_BYTES + 2] ?? 0) | ((bytes[KEY_BYTES + 3] ?? 0) << 8);
  return crc === crc16(bytes.subarray(0, KEY_BYTES + 2));
}
