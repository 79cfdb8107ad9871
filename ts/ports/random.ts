// The random port: the only source of chance. Tests give a seeded one, so that a run can be repeated.

export interface Random {
  /** `length` bytes fit for nonces and keys. */
  bytes(length: number): Uint8Array;
  /** A uniform integer in 0..limit-1; `limit` is at least 1. */
  below(limit: number): number;
}
