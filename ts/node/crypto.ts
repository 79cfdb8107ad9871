// The crypto port on node:crypto; bcrypt by bcryptjs, on threads of its own.
// Kept true: nothing a peer sends makes these throw.
import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { KeyPair } from '@nats-io/nkeys';
import { base32, decodeSigningNkey, encodeNkey, encodeNkeySeed } from '../lib/nkey.ts';
import type { TokenPorts } from '../core/jwt/token.ts';
import type { Crypto, ServerKeys } from '../ports/crypto.ts';
import { BcryptThreads } from './bcrypt.ts';

/** What stands before the 32 bytes of an ed25519 public key in its DER form. */
const ed25519DerPrefix = Buffer.from('302a300506032b6570032100', 'hex');
const SIGNATURE_BYTES = 64;

function ed25519Key(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([ed25519DerPrefix, raw]), format: 'der', type: 'spki' });
}

function verifyNkey(nkey: string, message: Uint8Array, signature: Uint8Array): boolean {
  const raw = decodeSigningNkey(nkey);
  if (raw === undefined || signature.length !== SIGNATURE_BYTES) return false;
  try {
    return verify(null, message, ed25519Key(raw), signature);
  } catch {
    return false;
  }
}

/** One set of threads a process, however many servers live in it. */
const bcryptThreads = new BcryptThreads();

/** JWTs with node:crypto. */
export const nodeTokens: TokenPorts = {
  decodeText: (base64url) => Buffer.from(base64url, 'base64url').toString('utf8'),
  encodeText: (text) => Buffer.from(text, 'utf8').toString('base64url'),
  verify: (nkey, signed, signature) => verifyNkey(nkey, Buffer.from(signed, 'utf8'), Buffer.from(signature, 'base64url')),
  digest: (text) => base32(createHash('sha512-256').update(text, 'utf8').digest()),
};

export const nodeCrypto: Crypto = {
  tokens: nodeTokens,
  sha256: (bytes) => createHash('sha256').update(bytes).digest(),
  verifyNkey,
  compareBcrypt: (password, hash) => bcryptThreads.compare(password, hash),
};

/** The last bytes of a key's DER form are the key itself. */
const raw = (der: Buffer): Uint8Array => der.subarray(-32);

/** nkeys' own code opens and seals; it is loaded when first needed. */
async function curveOf(secret: Uint8Array): Promise<KeyPair> {
  const { fromCurveSeed } = await import('@nats-io/nkeys');
  return fromCurveSeed(new TextEncoder().encode(encodeNkeySeed('curve', secret)));
}

/** New keys for a server that starts. */
export function createServerKeys(): ServerKeys {
  const signing = generateKeyPairSync('ed25519');
  const curve = generateKeyPairSync('x25519');
  const secret = raw(curve.privateKey.export({ format: 'der', type: 'pkcs8' }));
  let pair: Promise<KeyPair> | undefined;
  const opened = (): Promise<KeyPair> => (pair ??= curveOf(secret));
  return {
    serverId: encodeNkey('server', raw(signing.publicKey.export({ format: 'der', type: 'spki' }))),
    xkey: encodeNkey('curve', raw(curve.publicKey.export({ format: 'der', type: 'spki' }))),
    sign: (text) => sign(null, Buffer.from(text, 'utf8'), signing.privateKey).toString('base64url'),
    seal: async (plain, recipient) => (await opened()).seal(plain, recipient),
    open: async (sealed, sender) => {
      try {
        return (await opened()).open(sealed, sender) ?? undefined;
      } catch {
        return undefined;
      }
    },
  };
}
