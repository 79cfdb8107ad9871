// What the system account's requests about claims need: JWTs of accounts are pushed, listed, deleted and compared through here.

export interface ClaimsAnswer {
  /** Empty: about none in particular. */
  readonly account: string;
  readonly message: string;
  /** Undefined: it is done. */
  readonly problem?: string;
}

/** JWTs in a directory, as other servers and tools see it. */
export interface ClaimsStore {
  /** `full` answers for accounts it has, `cache` only keeps copies. */
  readonly kind: 'full' | 'cache';
  /** Time between comparisons with other servers. */
  readonly intervalMs: number;
  /** How long other servers may take to answer. */
  readonly timeoutMs: number;
  readonly hash: Uint8Array;
  lookup(key: string): string | undefined;
  all(): readonly (readonly [key: string, jwt: string])[];
  /** `request`: a JWT by which the operator names accounts. */
  delete(request: string): ClaimsAnswer;
  /** Takes lines `key|jwt` of another server; throws what is wrong with them. */
  merge(lines: string): void;
  /** Asks other servers where this one has no account; set by whoever can. */
  ask: ((key: string) => Promise<string>) | undefined;
}

export interface ClaimsDoor {
  /** Undefined where JWTs are not kept: then only accounts in use are updated. */
  readonly store: ClaimsStore | undefined;
  /** `key`: the account named by the request's subject, if it names one. */
  update(key: string | undefined, jwt: string): ClaimsAnswer;
}
