// The ciphers port on node:crypto. XChaCha20 is ChaCha20 under a key that HChaCha20 makes of the first 16 bytes of the nonce; the rest of the
// nonce follows four zero bytes.
//
// OpenSSL's key streams run at 4 GB/s here, about five times what WebAssembly's vectors reach, and cost 2 us a call: that is why they are not
// in the kernel.

import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { CipherName, Ciphers, ContentKey, KeyStream } from '../ports/ciphers.ts';
import { messageOf } from '../lib/message-of.ts';

const TAG = 16;
const CHACHA_BLOCK = 64;
const AES_BLOCK = 16;
/** "expand 32-byte k". */
const SIGMA = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;
const ROUNDS = 10;

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function quarterRound(state: Int32Array, a: number, b: number, c: number, d: number): void {
  let [va, vb, vc, vd] = [state[a] ?? 0, state[b] ?? 0, state[c] ?? 0, state[d] ?? 0];
  va = (va + vb) | 0;
  vd = rotate(vd ^ va, 16);
  vc = (vc + vd) | 0;
  vb = rotate(vb ^ vc, 12);
  va = (va + vb) | 0;
  vd = rotate(vd ^ va, 8);
  vc = (vc + vd) | 0;
  vb = rotate(vb ^ vc, 7);
  state[a] = va;
  state[b] = vb;
  state[c] = vc;
  state[d] = vd;
}

/** The key for the second half of an extended nonce. */
export function hChaCha20(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const given = Buffer.concat([key, nonce.subarray(0, 16)]);
  const state = new Int32Array(16);
  SIGMA.forEach((word, i) => (state[i] = word));
  for (let i = 0; i < 12; i++) state[4 + i] = given.readInt32LE(4 * i);
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < 4; i++) quarterRound(state, i, 4 + i, 8 + i, 12 + i);
    for (let i = 0; i < 4; i++) quarterRound(state, i, 4 + ((i + 1) & 3), 8 + ((i + 2) & 3), 12 + ((i + 3) & 3));
  }
  const derived = Buffer.alloc(32);
  for (let i = 0; i < 4; i++) {
    derived.writeInt32LE(state[i] ?? 0, 4 * i);
    derived.writeInt32LE(state[12 + i] ?? 0, 16 + 4 * i);
  }
  return derived;
}

/** Key and nonce of 12 bytes for the plain ChaCha20. */
function narrow({ key, nonce }: ContentKey): { readonly key: Uint8Array; readonly nonce: Buffer } {
  return { key: hChaCha20(key, nonce), nonce: Buffer.concat([Buffer.alloc(4), nonce.subarray(16, 24)]) };
}

function sealer(content: ContentKey): { readonly name: 'chacha20-poly1305' | 'aes-256-gcm'; key: Uint8Array; nonce: Uint8Array } {
  if (content.cipher === 'aes') return { name: 'aes-256-gcm', key: content.key, nonce: content.nonce };
  return { name: 'chacha20-poly1305', ...narrow(content) };
}

function seal(content: ContentKey, plain: Uint8Array): Uint8Array {
  const { name, key, nonce } = sealer(content);
  const cipher = createCipheriv(name as 'aes-256-gcm', key, nonce, { authTagLength: TAG });
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function unseal(content: ContentKey, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < TAG) return undefined;
  const { name, key, nonce } = sealer(content);
  const cipher = createDecipheriv(name as 'aes-256-gcm', key, nonce, { authTagLength: TAG });
  cipher.setAuthTag(sealed.subarray(-TAG));
  try {
    return Buffer.concat([cipher.update(sealed.subarray(0, -TAG)), cipher.final()]);
  } catch {
    return undefined;
  }
}

/** The counter that a block of AES's key stream begins with: the nonce plus the number of blocks before it. */
function counterAt(nonce: Uint8Array, blocks: number): Buffer {
  const counter = Buffer.from(nonce);
  let carry = blocks;
  for (let i = counter.length - 1; i >= 0 && carry > 0; i--) {
    carry += counter[i] ?? 0;
    counter[i] = carry % 256;
    carry = Math.floor(carry / 256);
  }
  return counter;
}

function streamOf(name: string, blockBytes: number, key: Uint8Array, startAt: (blocks: number) => Uint8Array): KeyStream {
  return (bytes, offset) => {
    const cipher = createCipheriv(name, key, startAt(Math.floor(offset / blockBytes)));
    const skipped = offset % blockBytes;
    if (skipped > 0) cipher.update(Buffer.alloc(skipped));
    return cipher.update(bytes);
  };
}

function keyStream(content: ContentKey): KeyStream {
  if (content.cipher === 'aes') {
    const { key, nonce } = content;
    return streamOf('aes-256-ctr', AES_BLOCK, key, (blocks) => counterAt(nonce, blocks));
  }
  const { key, nonce } = narrow(content);
  return streamOf('chacha20', CHACHA_BLOCK, key, (blocks) => {
    const start = Buffer.concat([Buffer.alloc(4), nonce]);
    start.writeUInt32LE(blocks);
    return start;
  });
}

export const nodeCiphers: Ciphers = {
  randomBytes,
  hmacSha256: (key, data) => createHmac('sha256', key).update(data).digest(),
  seal,
  unseal,
  keyStream,
};

/** Where a cipher is not to be had (a FIPS build of OpenSSL has no ChaCha20), says so. */
export function cipherProblem(cipher: CipherName): string | undefined {
  const probe = { cipher, key: new Uint8Array(32), nonce: new Uint8Array(24).subarray(0, cipher === 'aes' ? 16 : 24) };
  try {
    seal(probe, new Uint8Array(1));
    keyStream(probe)(new Uint8Array(1), 0);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
