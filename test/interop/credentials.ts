/**
 * The ways to authenticate that every client is tried with: the server's configuration, what a right client says, and what a wrong one says.
 * One row a way; nats.js, nats.py and the CLI read the same rows.
 */
import { hashSync } from 'bcryptjs';
import { createUser } from '@nats-io/nkeys';
import { join } from 'node:path';
import { repositoryRoot } from '../support/peers.ts';
import { temporaryFile } from '../support/temporary.ts';

export const certificates = join(repositoryRoot, 'test', 'support', 'certs');

export function certificate(name: string): string {
  return join(certificates, `${name}.pem`);
}

export interface Credentials {
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  /** Path of a file with the seed. */
  readonly nkeySeedFile?: string;
  readonly seed?: string;
  readonly tls?: { readonly ca: string; readonly cert?: string; readonly key?: string };
}

export interface Way {
  readonly name: string;
  readonly config: string;
  readonly right: Credentials;
  /** Absent where every client is welcome. */
  readonly wrong?: Credentials;
}

const pair = createUser();
const otherPair = createUser();

function seedOf(key: typeof pair): { seed: string; nkeySeedFile: string } {
  const seed = new TextDecoder().decode(key.getSeed());
  return { seed, nkeySeedFile: temporaryFile('user.nk', `${seed}\n`) };
}

const ca = certificate('ca');
const listenTls = `cert_file: "${certificate('server')}", key_file: "${certificate('server-key')}"`;
const withClientCertificate = { ca, cert: certificate('client'), key: certificate('client-key') };

export const ways: readonly Way[] = [
  { name: 'nothing', config: '', right: {} },
  {
    name: 'user and password',
    config: 'authorization { user: anna, password: secret }',
    right: { user: 'anna', pass: 'secret' },
    wrong: { user: 'anna', pass: 'guess' },
  },
  {
    name: 'one of several users',
    config: 'authorization { users: [ { user: anna, password: one }, { user: ben, password: two } ] }',
    right: { user: 'ben', pass: 'two' },
    wrong: { user: 'ben', pass: 'one' },
  },
  {
    name: 'a bcrypt password',
    config: `authorization { users: [ { user: anna, password: "${hashSync('secret', 4)}" } ] }`,
    right: { user: 'anna', pass: 'secret' },
    wrong: { user: 'anna', pass: 'guess' },
  },
  {
    name: 'a token',
    config: 'authorization { token: "t0ken" }',
    right: { token: 't0ken' },
    wrong: { token: 'other' },
  },
  {
    name: 'an nkey',
    config: `authorization { users: [ { nkey: ${pair.getPublicKey()} } ] }`,
    right: seedOf(pair),
    wrong: seedOf(otherPair),
  },
  {
    name: 'a user of an account',
    config: 'accounts { A { users: [ { user: anna, password: secret } ] }, B { users: [ { user: ben, password: secret } ] } }',
    right: { user: 'anna', pass: 'secret' },
    wrong: { user: 'carl', pass: 'secret' },
  },
  { name: 'TLS', config: `tls { ${listenTls} }`, right: { tls: { ca } } },
  {
    name: 'TLS with a verified client certificate',
    config: `tls { ${listenTls}, ca_file: "${ca}", verify: true }`,
    right: { tls: withClientCertificate },
    wrong: { tls: { ca } },
  },
  {
    name: 'a certificate mapped to a user by its address',
    config: `tls { ${listenTls}, ca_file: "${ca}", verify_and_map: true }\nauthorization { users: [ { user: "carol@example.com" } ] }`,
    right: { tls: withClientCertificate },
    wrong: { tls: { ca, cert: certificate('client-plain'), key: certificate('client-plain-key') } },
  },
  {
    name: 'a certificate mapped to a user by its subject',
    config: `tls { ${listenTls}, ca_file: "${ca}", verify_and_map: true }\nauthorization { users: [ { user: "CN=dave,OU=Team,O=Slipstream" } ] }`,
    right: { tls: { ca, cert: certificate('client-plain'), key: certificate('client-plain-key') } },
  },
];
