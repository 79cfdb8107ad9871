// CRC-32C (Castagnoli), four bytes a step, and the mask under which S2 and Snappy streams store it.

const polynomial = 0x82f63b78;
const maskDelta = 0xa282ead8;

/** Four tables of 256: table k advances a byte by k more bytes of zeros. */
const tables = makeTables();

function makeTables(): Uint32Array {
  const out = new Uint32Array(4 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    out[byte] = crc;
  }
  for (let at = 256; at < out.length; at++) {
    const before = out[at - 256] ?? 0;
    out[at] = (before >>> 8) ^ (out[before & 0xff] ?? 0);
  }
  return out;
}

export function crc32c(bytes: Uint8Array): number {
  const table = tables as { readonly [at: number]: number };
  const input = bytes as { readonly [at: number]: number };
  let crc = ~0;
  let at = 0;
  for (const end = bytes.length - 3; at < end; at += 4) {
    crc ^= input[at]! | (input[at + 1]! << 8) | (input[at + 2]! << 16) | (input[at + 3]! << 24);
    crc =
      table[768 + (crc & 0xff)]! ^ table[512 + ((crc >>> 8) & 0xff)]! ^ table[256 + ((crc >>> 16) & 0xff)]! ^ table[crc >>> 24]!;
  }
  for (; at < bytes.length; at++) crc = table[(crc ^ input[at]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** The checksum as the streams carry it. */
export function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + maskDelta) >>> 0;
}
