// The eight characters that nats-server makes of a SHA-256 where a name would be too long or must not be one.

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export function shortHash(sha256: Uint8Array): string {
  return Array.from(sha256.subarray(0, 8), (byte) => digits[byte % digits.length]).join('');
}
