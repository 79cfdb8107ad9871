// The decision about one CONNECT: who this is and what they may do, or that they may not come in. Pure: signatures are verified by
// an injected function, and a bcrypt comparison, which takes tens of milliseconds, is handed back as a question.
// The order is nats-server's: nkey, then users (by certificate or password), then the listener's single credential; a
// no_auth_user stands in for clients that bring nothing.
import type { ConnectionType } from '../config/options.ts';
import { GLOBAL_ACCOUNT } from '../config/options.ts';
import { bringsNoCredentials } from '../session/connect.ts';
import type { ConnectOptions } from '../session/connect.ts';
import { userOfCertificate } from './certificate.ts';
import type { CertificateNames } from './certificate.ts';
import type { Permissions } from './permissions.ts';
import type { AuthTable, User } from './table.ts';

export interface Granted {
  readonly kind: 'granted';
  readonly account: string;
  /** As monitoring shows it: the user's name, the nkey, or empty. */
  readonly user: string;
  /** As the log shows it behind the account: `user:bob`, `nkey:U...`, `token`, or empty. */
  readonly label: string;
  /** One of the users or nkeys in the table, which a reload may remove. */
  readonly listed: boolean;
  readonly permissions: Permissions | undefined;
}

export interface Refused {
  readonly kind: 'refused';
}

/** Compare, then go on with `decided`. */
export interface Question {
  readonly kind: 'question';
  readonly password: string;
  readonly hash: string;
  decided(equal: boolean): Granted | Refused;
}

export type AuthDecision = Granted | Refused | Question;

export interface AuthRequest {
  readonly connect: ConnectOptions;
  readonly nonce: string;
  readonly connectionType: ConnectionType;
  readonly certificate: CertificateNames | undefined;
}

/** True when `signature` (base64, url or std alphabet) over the nonce is `nkey`'s. Never throws. */
export type VerifyNkey = (nkey: string, nonce: string, signature: string) => boolean;

const refused: Refused = { kind: 'refused' };
const bcryptHash = /^\$2[abxy]\$/;

export function isBcrypt(password: string): boolean {
  return bcryptHash.test(password);
}

/** Compares without telling by its duration where two texts differ. */
export function equalTexts(left: string, right: string): boolean {
  let difference = left.length ^ right.length;
  for (let at = 0; at < right.length; at++) difference |= left.charCodeAt(at % (left.length || 1)) ^ right.charCodeAt(at);
  return difference === 0;
}

function comparing(stored: string, given: string, granted: Granted): AuthDecision {
  if (!isBcrypt(stored)) return equalTexts(stored, given) ? granted : refused;
  return { kind: 'question', password: given, hash: stored, decided: (equal) => (equal ? granted : refused) };
}

export function grantedTo(user: User, connect: ConnectOptions, isNkey: boolean): Granted {
  const label = isNkey || connect.nkey !== '' ? `nkey:${connect.nkey || user.name}` : `user:${user.name}`;
  return { kind: 'granted', account: user.account, user: user.name, label, listed: true, permissions: user.permissions };
}

function admits(user: User, type: ConnectionType): boolean {
  return (user.connectionTypes === undefined || user.connectionTypes.has(type)) && !user.proxyRequired;
}

function byNkey(table: AuthTable, request: AuthRequest, verify: VerifyNkey): AuthDecision {
  const { nkey, sig } = request.connect;
  const user = table.nkeys.get(nkey);
  if (user === undefined || !admits(user, request.connectionType)) return refused;
  return sig !== '' && verify(nkey, request.nonce, sig) ? grantedTo(user, request.connect, true) : refused;
}

function byUser(table: AuthTable, request: AuthRequest): AuthDecision | undefined {
  const { connect, certificate, connectionType } = request;
  if (table.mapCertificate) {
    const user = certificate && userOfCertificate(certificate, table.users);
    if (user === undefined || !admits(user, connectionType)) return refused;
    return comparing(user.password, connect.pass, grantedTo(user, connect, false));
  }
  if (connect.user === '') return undefined;
  const user = table.users.get(connect.user);
  if (user === undefined || !admits(user, connectionType)) return refused;
  return comparing(user.password, connect.pass, grantedTo(user, connect, false));
}

function bySingle(table: AuthTable, connect: ConnectOptions): AuthDecision {
  const { single } = table;
  if (single === undefined) return refused;
  const common = { kind: 'granted', account: GLOBAL_ACCOUNT, listed: false, permissions: undefined } as const;
  if (single.kind === 'token') return comparing(single.token, connect.authToken, { ...common, user: '', label: 'token' });
  if (connect.user !== single.user) return refused;
  return comparing(single.pass, connect.pass, { ...common, user: single.user, label: `user:${single.user}` });
}

export function decide(table: AuthTable, request: AuthRequest, verify: VerifyNkey): AuthDecision {
  const { connect } = request;
  if (!table.required) return anonymous(connect);
  if (table.proxyRequired || table.locked) return refused;
  const stands = table.noAuthUser;
  const signed = connect.nkey !== '' && table.nkeys.size > 0;
  if (!signed && stands !== undefined && bringsNoCredentials(connect) && !table.mapCertificate) {
    return admits(stands, request.connectionType) ? grantedTo(stands, connect, false) : refused;
  }
  if (signed) return byNkey(table, request, verify);
  if (table.users.size > 0) {
    const decision = byUser(table, request);
    if (decision !== undefined) return decision;
  }
  return bySingle(table, connect);
}

/** False when the user that was let in is not in the table any more. */
export function isStillListed(table: AuthTable, granted: Granted): boolean {
  return !granted.listed || table.users.has(granted.user) || table.nkeys.has(granted.user);
}

/** Where nobody must authenticate: the global account, and the name the client gave for the log only. */
export function anonymous(connect: ConnectOptions): Granted {
  const label = connect.nkey === '' ? '' : `nkey:${connect.nkey}`;
  return { kind: 'granted', account: GLOBAL_ACCOUNT, user: '', label, listed: false, permissions: undefined };
}
