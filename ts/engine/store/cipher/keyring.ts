// The configured keys and what they wrap. Every stream, every consumer and every block has a key of its own, random, in a key file beside it,
// sealed under a key that is made of the configured text, the account's name and what the key is for:
//
//   wrapping key   HMAC-SHA256(the configured text, account || context)
//   key file       nonce || sealed key of 32 bytes; 72 bytes with chacha, 64 with aes
//
// Small files are `nonce || sealed content`. A block's key stream has the nonce of its own key file.

import { nonceBytes, type CipherName, type Ciphers, type ContentKey } from '../../../ports/ciphers.ts';

const KEY_BYTES = 32;
const SEAL_BYTES = 16;
const encoder = new TextEncoder();

export interface EncryptionOptions {
  readonly key: string;
  /** What was configured before; empty: nothing. */
  readonly prevKey: string;
  readonly cipher: CipherName;
}

/** A key that was in a key file. */
export interface OpenedKey {
  readonly content: ContentKey;
  /** Why the file has to be replaced: it is sealed under the previous key (`key`), or made for another cipher (`cipher`). */
  readonly outdated?: 'key' | 'cipher';
}

export interface MadeKey {
  readonly file: Uint8Array;
  readonly content: ContentKey;
}

/** The cipher of a key file is known by its length. */
function cipherOf(file: Uint8Array): CipherName | undefined {
  const fits = (cipher: CipherName): boolean => file.length === nonceBytes[cipher] + KEY_BYTES + SEAL_BYTES;
  if (fits('chacha')) return 'chacha';
  return fits('aes') ? 'aes' : undefined;
}

export class Keyring {
  readonly cipher: CipherName;
  readonly #ciphers: Ciphers;
  readonly #key: Uint8Array;
  readonly #previous: Uint8Array | undefined;

  constructor({ key, prevKey, cipher }: EncryptionOptions, ciphers: Ciphers) {
    this.cipher = cipher;
    this.#ciphers = ciphers;
    this.#key = encoder.encode(key);
    this.#previous = prevKey === '' ? undefined : encoder.encode(prevKey);
  }

  #wrapping(configured: Uint8Array, account: string, context: string): Uint8Array {
    return this.#ciphers.hmacSha256(configured, encoder.encode(account + context));
  }

  /** A new key for a context. */
  make(account: string, context: string): MadeKey {
    const { cipher } = this;
    const key = this.#ciphers.randomBytes(KEY_BYTES);
    const content = { cipher, key, nonce: this.#ciphers.randomBytes(nonceBytes[cipher]) };
    return { file: this.wrap(account, context, content), content };
  }

  /** The key file of a key. */
  wrap(account: string, context: string, { cipher, key, nonce }: ContentKey): Uint8Array {
    const wrapping = { cipher, key: this.#wrapping(this.#key, account, context), nonce };
    return Buffer.concat([nonce, this.#ciphers.seal(wrapping, key)]);
  }

  /** The key in a key file; undefined: none of the configured keys opens it. */
  open(account: string, context: string, file: Uint8Array): OpenedKey | undefined {
    const cipher = cipherOf(file);
    if (cipher === undefined) return undefined;
    const nonce = file.subarray(0, nonceBytes[cipher]);
    const sealed = file.subarray(nonce.length);
    const unwrap = (configured: Uint8Array): Uint8Array | undefined =>
      this.#ciphers.unseal({ cipher, key: this.#wrapping(configured, account, context), nonce }, sealed);
    const current = unwrap(this.#key);
    const key = current ?? (this.#previous === undefined ? undefined : unwrap(this.#previous));
    if (key === undefined) return undefined;
    const content = { cipher, key, nonce };
    if (cipher !== this.cipher) return { content, outdated: 'cipher' };
    return current === undefined ? { content, outdated: 'key' } : { content };
  }

  /** A small file's bytes. */
  seal({ cipher, key }: ContentKey, plain: Uint8Array): Uint8Array {
    const nonce = this.#ciphers.randomBytes(nonceBytes[cipher]);
    return Buffer.concat([nonce, this.#ciphers.seal({ cipher, key, nonce }, plain)]);
  }

  /** The content of a small file; undefined: it was not sealed with this key. */
  unseal({ cipher, key }: ContentKey, file: Uint8Array): Uint8Array | undefined {
    const length = nonceBytes[cipher];
    if (file.length < length + SEAL_BYTES) return undefined;
    return this.#ciphers.unseal({ cipher, key, nonce: file.subarray(0, length) }, file.subarray(length));
  }

  get ciphers(): Ciphers {
    return this.#ciphers;
  }
}
