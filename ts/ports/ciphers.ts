// The ciphers port: what encryption at rest is made of. Key streams are seekable: the same key and nonce give the same stream, from any
// offset. Keys are 32 bytes; how long a nonce is depends on the cipher.

/** `chacha`: XChaCha20 and XChaCha20-Poly1305. `aes`: AES-256 in counter mode and AES-256-GCM. */
export type CipherName = 'chacha' | 'aes';

/** Bytes of a cipher's nonce. */
export const nonceBytes: Readonly<Record<CipherName, number>> = { chacha: 24, aes: 16 };

/** What names a key stream. It crosses threads as it is. */
export interface ContentKey {
  readonly cipher: CipherName;
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
}

/** XORs bytes that lie at an offset of a content with its key stream: encrypts plain text and decrypts what was encrypted. */
export type KeyStream = (bytes: Uint8Array, offset: number) => Uint8Array;

export interface Ciphers {
  randomBytes(length: number): Uint8Array;
  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array;
  /** Encrypted and authenticated, the tag behind it. */
  seal(key: ContentKey, plain: Uint8Array): Uint8Array;
  /** Undefined: it was not sealed with this key, or was changed since. */
  unseal(key: ContentKey, sealed: Uint8Array): Uint8Array | undefined;
  keyStream(key: ContentKey): KeyStream;
}
