/** Operators, accounts and users for tests: keys, and JWTs as `nsc` makes them. Made by the client library's keys, not by the server's code. */
import { createHash } from 'node:crypto';
import { createAccount, createOperator, createUser, type KeyPair } from '@nats-io/nkeys';

type Members = Record<string, unknown>;

const seconds = (): number => Math.floor(Date.now() / 1000);
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

/** A JWT with these members, signed. */
export function jwt(signer: KeyPair, claims: Members): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const id = createHash('sha256').update(JSON.stringify(claims)).digest('hex');
  const body = part({ jti: id, iat: seconds(), iss: signer.getPublicKey(), ...claims });
  const signed = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${body}`;
  return `${signed}.${Buffer.from(signer.sign(Buffer.from(signed))).toString('base64url')}`;
}

const unlimited = {
  subs: -1,
  data: -1,
  payload: -1,
  imports: -1,
  exports: -1,
  wildcards: true,
  conn: -1,
  leaf: -1,
};

/** JetStream without bounds, for the limits of an account. */
export const jetstreamLimits = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };

export class TestOperator {
  readonly keys = createOperator();

  /** `nats`: further members of the claim. */
  jwt(nats: Members = {}): string {
    const subject = this.keys.getPublicKey();
    return jwt(this.keys, { name: 'OP', sub: subject, nats: { ...nats, type: 'operator', version: 2 } });
  }
}

export interface TestUser {
  readonly key: string;
  readonly jwt: string;
  readonly seed: string;
}

export class TestAccount {
  readonly keys = createAccount();
  readonly name: string;
  readonly #operator: TestOperator;

  constructor(operator: TestOperator, name: string) {
    this.#operator = operator;
    this.name = name;
  }

  get key(): string {
    return this.keys.getPublicKey();
  }

  /** `limits` are put over those of an account without limits; `top` are members beside `nats`. */
  jwt(nats: Members = {}, limits: Members = {}, top: Members = {}): string {
    const claim = { ...nats, limits: { ...unlimited, ...limits }, type: 'account', version: 2 };
    return jwt(this.#operator.keys, { name: this.name, sub: this.key, ...top, nats: claim });
  }

  /** `signer`: a signing key of the account. */
  user(nats: Members = {}, { signer, top = {} }: { signer?: KeyPair; top?: Members } = {}): TestUser {
    const keys = createUser();
    const issuer = signer === undefined ? {} : { issuer_account: this.key };
    const claim = { subs: -1, data: -1, payload: -1, ...nats, ...issuer, type: 'user', version: 2 };
    const token = jwt(signer ?? this.keys, { name: 'U', sub: keys.getPublicKey(), ...top, nats: claim });
    return { key: keys.getPublicKey(), jwt: token, seed: text(keys.getSeed()) };
  }

  /** A user of a scoped key brings no bounds of its own. */
  scopedUser(signer: KeyPair, top: Members = {}, nats: Members = {}): TestUser {
    const keys = createUser();
    const claim = { ...nats, issuer_account: this.key, type: 'user', version: 2 };
    const token = jwt(signer, { name: 'U', sub: keys.getPublicKey(), ...top, nats: claim });
    return { key: keys.getPublicKey(), jwt: token, seed: text(keys.getSeed()) };
  }
}

/** What `nsc` writes into a `.creds` file. */
export function credsFile({ jwt: token, seed }: TestUser): string {
  return [
    '-----BEGIN NATS USER JWT-----',
    token,
    '------END NATS USER JWT------',
    '',
    '-----BEGIN USER NKEY SEED-----',
    seed,
    '------END USER NKEY SEED------',
    '',
  ].join('\n');
}
