// The crypto port: hashes and signature checks, so that no pure code depends on an implementation and tests can answer at once.

import type { TokenPorts } from '../core/jwt/token.ts';

export interface Crypto {
  /** What reading and making JWTs takes. */
  readonly tokens: TokenPorts;
  sha256(bytes: Uint8Array): Uint8Array;
  /** True when `signature` is the ed25519 signature of `message` by the public nkey, of any kind that signs. Never throws. */
  verifyNkey(nkey: string, message: Uint8Array, signature: Uint8Array): boolean;
  /** Takes tens of milliseconds, off the event loop's critical path; a malformed hash is false. */
  compareBcrypt(password: string, hash: string): Promise<boolean>;
}

/** What identifies one server process, with the secret halves behind functions. */
export interface ServerKeys {
  /** Public server nkey, `N...`. */
  readonly serverId: string;
  /** Public curve key, `X...`. */
  readonly xkey: string;
  /** The signature of a text, in base64url. */
  sign(text: string): string;
  /** Encrypts for the owner of a public curve key, in nkeys' sealed form. */
  seal(plain: Uint8Array, recipient: string): Promise<Uint8Array>;
  /** Undefined: it was not sealed by the sender for this server. */
  open(sealed: Uint8Array, sender: string): Promise<Uint8Array | undefined>;
}
