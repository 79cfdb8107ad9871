// CONNECT's JSON, read the way nats-server reads it: defaults first, names in any case, the last of equal names wins,
// null keeps the default, a value of the wrong type refuses the whole line. Unknown fields are ignored.
// Kept true: a `ConnectOptions` has every field filled, so nothing downstream asks whether one was sent.

import { messageOf } from '../../lib/message-of.ts';

export interface ConnectOptions {
  readonly verbose: boolean;
  readonly pedantic: boolean;
  readonly echo: boolean;
  readonly tlsRequired: boolean;
  readonly headers: boolean;
  readonly noResponders: boolean;
  readonly protocol: number;
  readonly authToken: string;
  readonly user: string;
  readonly pass: string;
  readonly jwt: string;
  readonly nkey: string;
  readonly sig: string;
  readonly proxySig: string;
  readonly name: string;
  readonly lang: string;
  readonly version: string;
  readonly account: string;
  readonly newAccount: boolean;
}

type Field = keyof ConnectOptions;
type FieldType = 'boolean' | 'string' | 'int';

/** What a connection is before it said CONNECT, and what a field left out means. */
export const defaultConnect: ConnectOptions = {
  verbose: true,
  pedantic: true,
  echo: true,
  tlsRequired: false,
  headers: false,
  noResponders: false,
  protocol: 0,
  authToken: '',
  user: '',
  pass: '',
  jwt: '',
  nkey: '',
  sig: '',
  proxySig: '',
  name: '',
  lang: '',
  version: '',
  account: '',
  newAccount: false,
};

const fields: ReadonlyMap<string, readonly [Field, FieldType]> = new Map<string, readonly [Field, FieldType]>([
  ['verbose', ['verbose', 'boolean']],
  ['pedantic', ['pedantic', 'boolean']],
  ['echo', ['echo', 'boolean']],
  ['tls_required', ['tlsRequired', 'boolean']],
  ['headers', ['headers', 'boolean']],
  ['no_responders', ['noResponders', 'boolean']],
  ['protocol', ['protocol', 'int']],
  ['auth_token', ['authToken', 'string']],
  ['user', ['user', 'string']],
  ['pass', ['pass', 'string']],
  ['jwt', ['jwt', 'string']],
  ['nkey', ['nkey', 'string']],
  ['sig', ['sig', 'string']],
  ['proxy_sig', ['proxySig', 'string']],
  ['name', ['name', 'string']],
  ['lang', ['lang', 'string']],
  ['version', ['version', 'string']],
  ['account', ['account', 'string']],
  ['new_account', ['newAccount', 'boolean']],
]);

export type ConnectResult =
  { readonly ok: true; readonly connect: ConnectOptions } | { readonly ok: false; readonly problem: string };

function hasType(value: unknown, type: FieldType): boolean {
  return type === 'int' ? Number.isSafeInteger(value) : typeof value === type;
}

/** The last text that brought no secret, and what it said: clients of one program connect by the thousand, and say the same. */
let known: { readonly json: string; readonly result: ConnectResult } | undefined;

/** The first CONNECT of a connection, or any where nothing was said before. */
function parseFirst(json: string): ConnectResult {
  if (known?.json === json) return known.result;
  const result = parseOver(json, defaultConnect);
  if (result.ok && bringsNoSecret(result.connect)) known = { json, result };
  return result;
}

/** `before`: what an earlier CONNECT of the same connection said; fields left out keep it, credentials too. */
export function parseConnect(json: string, before: ConnectOptions = defaultConnect): ConnectResult {
  return before === defaultConnect ? parseFirst(json) : parseOver(json, before);
}

function parseOver(json: string, before: ConnectOptions): ConnectResult {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    return { ok: false, problem: `invalid CONNECT: ${messageOf(error)}` };
  }
  if (parsed === null) return { ok: true, connect: before };
  if (typeof parsed !== 'object' || Array.isArray(parsed)) return { ok: false, problem: 'invalid CONNECT: not an object' };
  const connect: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(parsed)) {
    const field = fields.get(key) ?? fields.get(key.toLowerCase());
    if (field === undefined || value === null) continue;
    if (!hasType(value, field[1])) return { ok: false, problem: `invalid CONNECT: ${field[0]} is not of type ${field[1]}` };
    connect[field[0]] = value;
  }
  return { ok: true, connect: connect as unknown as ConnectOptions };
}

/** True when the client brought no name, password or token, so that a configured no_auth_user may stand in. */
export function bringsNoCredentials(connect: ConnectOptions): boolean {
  return connect.user === '' && connect.pass === '' && connect.authToken === '';
}

function bringsNoSecret(connect: ConnectOptions): boolean {
  return bringsNoCredentials(connect) && connect.jwt === '' && connect.sig === '' && connect.proxySig === '';
}
