// The crypto port on node:crypto; bcrypt by bcryptjs, loaded when the first hashed password is compared.
// Kept true: nothing a peer sends makes these throw.
import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { decodeNkey, encodeNkey } from '../lib/nkey.ts';
import type { Crypto, ServerKeys } from '../ports/crypto.ts';

/** What stands before the 32 bytes of an ed25519 public key in its DER form. */
const ed25519DerPrefix = Buffer.from('302a300506032b6570032100', 'hex');
const SIGNATURE_BYTES = 64;

function ed25519Key(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([ed25519DerPrefix, raw]), format: 'der', type: 'spki' });
}

function verifyNkey(nkey: string, message: Uint8Array, signature: Uint8Array): boolean {
  const raw = decodeNkey('user', nkey);
  if (raw === undefined || signature.length !== SIGNATURE_BYTES) return false;
  try {
    return verify(null, message, ed25519Key(raw), signature);
  } catch {
    return false;
  }
}

async function compareBcrypt(password: string, hash: string): Promise<boolean> {
  const { compare } = await import('bcryptjs');
  // `$2x$` marks hashes of an implementation with a bug that ASCII passwords never met.
  return compare(password, hash.replace(/^\$2x\$/, '$2a$')).catch(() => false);
}

export const nodeCrypto: Crypto = {
  sha256: (bytes) => createHash('sha256').update(bytes).digest(),
  verifyNkey,
  compareBcrypt,
};

function rawPublicKey(type: 'ed25519' | 'x25519'): Uint8Array {
  const { publicKey } = type === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('x25519');
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
}

/** New keys for a server that starts. Only the public halves are kept: nothing is signed or opened with them yet. */
export function createServerKeys(): ServerKeys {
  return { serverId: encodeNkey('server', rawPublicKey('ed25519')), xkey: encodeNkey('curve', rawPublicKey('x25519')) };
}
