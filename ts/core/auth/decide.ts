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
import { underCallout } from './callout.ts';
import type { CalloutQuestion } from './callout.ts';
import { decideByToken } from './operator.ts';
import type { AccountQuestion } from './signed-user.ts';
import type { Permissions } from './permissions.ts';
import type { TokenPorts } from '../jwt/token.ts';
import type { UserBounds } from '../jwt/user-claims.ts';
import type { WireError } from '../session/errors.ts';
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
  /** Who came in by a token. */
  readonly signed?: SignedUser;
}

/** What a user's claims say of it; -1 is no limit. */
export interface SignedUser {
  /** Empty where a callout let the user in. */
  readonly jwt: string;
  /** Public key. */
  readonly nkey: string;
  readonly name: string;
  readonly tags: readonly string[];
  /** The account's key and name. */
  readonly issuer: string;
  readonly accountTag: string;
  /** The key that signed: the account's or a signing key of it. */
  readonly signer: string;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  readonly maxSubs: number;
  readonly maxPayload: number;
  readonly bearer: boolean;
  /** What the key that signed gives all its users; undefined: the user's own bounds count. */
  readonly scope: UserBounds | undefined;
  /** The account's default permissions stand in for the user's. */
  readonly usesDefaults: boolean;
  /** In ms since 1970; undefined: never. */
  readonly endsAtMs: number | undefined;
}

export interface Refused {
  readonly kind: 'refused';
  /** What the client is told and why it is closed; absent: `authorization`. */
  readonly error?: WireError;
  /** For the log, at the level of warnings where a service is what is wrong. */
  readonly why?: string;
  readonly warns?: boolean;
}

/** Compare, then go on with `decided`. */
export interface Question {
  readonly kind: 'question';
  readonly password: string;
  readonly hash: string;
  decided(equal: boolean): AuthDecision;
}

export type AuthDecision = Granted | Refused | Question | AccountQuestion | CalloutQuestion;

export interface AuthRequest {
  readonly connect: ConnectOptions;
  readonly nonce: string;
  readonly connectionType: ConnectionType;
  readonly certificate: CertificateNames | undefined;
  readonly clientIp: string;
  /** Wall clock. */
  readonly nowMs: number;
}

/** A request of which it is known whether a trusted proxy vouches for it. */
export interface VouchedRequest extends AuthRequest {
  readonly viaTrustedProxy: boolean;
}

export interface AuthPorts {
  readonly verify: VerifyNkey;
  readonly tokens: TokenPorts;
}

/** True when `signature` (base64, url or std alphabet) over the nonce is that of the public key `nkey`. Never throws. */
export type VerifyNkey = (nkey: string, nonce: string, signature: string) => boolean;

const refused: Refused = { kind: 'refused' };
const wantsProxy: Refused = { kind: 'refused', error: 'proxyRequired', why: 'proxy connection required' };
const wrongProxy: Refused = { kind: 'refused', error: 'proxyNotTrusted', why: 'proxy is not trusted' };
const bcryptHash = /^\$2[abxy]\$/;

function isBcrypt(password: string): boolean {
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
  return user.connectionTypes === undefined || user.connectionTypes.has(type);
}

function byNkey(table: AuthTable, request: VouchedRequest, verify: VerifyNkey): AuthDecision {
  const { nkey, sig } = request.connect;
  const user = table.nkeys.get(nkey);
  if (user === undefined || !admits(user, request.connectionType)) return refused;
  if (user.proxyRequired && !request.viaTrustedProxy) return wantsProxy;
  return sig !== '' && verify(nkey, request.nonce, sig) ? grantedTo(user, request.connect, true) : refused;
}

function byUser(table: AuthTable, request: VouchedRequest): AuthDecision | undefined {
  const { connect, certificate, connectionType } = request;
  if (table.mapCertificate) {
    const user = certificate && userOfCertificate(certificate, table.users);
    if (user === undefined || !admits(user, connectionType)) return refused;
    if (user.proxyRequired && !request.viaTrustedProxy) return wantsProxy;
    return comparing(user.password, connect.pass, grantedTo(user, connect, false));
  }
  if (connect.user === '') return undefined;
  const user = table.users.get(connect.user);
  if (user === undefined || !admits(user, connectionType)) return refused;
  if (user.proxyRequired && !request.viaTrustedProxy) return wantsProxy;
  return comparing(user.password, connect.pass, grantedTo(user, connect, false));
}

function bySingle(table: AuthTable, connect: ConnectOptions): AuthDecision {
  const { single } = table;
  // Nobody has to say who it is, but the proxy has vouched.
  if (single === undefined)
    return table.proxyRequired && table.users.size + table.nkeys.size === 0 ? anonymous(connect) : refused;
  const common = { kind: 'granted', account: GLOBAL_ACCOUNT, listed: false, permissions: undefined } as const;
  if (single.kind === 'token') return comparing(single.token, connect.authToken, { ...common, user: '', label: 'token' });
  if (connect.user !== single.user) return refused;
  return comparing(single.pass, connect.pass, { ...common, user: single.user, label: `user:${single.user}` });
}

/** Whether a trusted proxy vouches for the client; undefined: a proxy says that the client is its, and is none that is trusted. */
function vouched(table: AuthTable, request: AuthRequest, verify: VerifyNkey): boolean | undefined {
  const { proxySig } = request.connect;
  const claims = proxySig !== '' && table.trustedProxies.length > 0;
  const viaTrustedProxy = claims && table.trustedProxies.some((key) => verify(key, request.nonce, proxySig));
  return claims && !viaTrustedProxy ? undefined : viaTrustedProxy;
}

export function decide(table: AuthTable, given: AuthRequest, ports: AuthPorts): AuthDecision {
  const { verify } = ports;
  const viaTrustedProxy = vouched(table, given, verify);
  if (viaTrustedProxy === undefined) return wrongProxy;
  if (!table.required) return anonymous(given.connect);
  const request = { ...given, viaTrustedProxy };
  if (table.operator !== undefined) return decideByToken(table.operator, request, ports);
  const decision = byCredentials(table, request, verify);
  return table.callout === undefined ? decision : underCallout(table.callout, request, decision, ports);
}

function byCredentials(table: AuthTable, request: VouchedRequest, verify: VerifyNkey): AuthDecision {
  const { connect } = request;
  const stands = table.noAuthUser;
  const signed = connect.nkey !== '' && table.nkeys.size > 0;
  if (!signed && stands !== undefined && bringsNoCredentials(connect) && !table.mapCertificate) {
    if (stands.proxyRequired && !request.viaTrustedProxy) return wantsProxy;
    return admits(stands, request.connectionType) ? grantedTo(stands, connect, false) : refused;
  }
  if (signed) return byNkey(table, request, verify);
  if (table.users.size > 0) {
    const decision = byUser(table, request);
    if (decision !== undefined) return decision;
  }
  if (table.proxyRequired && !request.viaTrustedProxy) return wantsProxy;
  return bySingle(table, connect);
}

/** False when the user that was let in is not in the table any more. */
export function isStillListed(table: AuthTable, granted: Granted): boolean {
  return !granted.listed || table.users.has(granted.user) || table.nkeys.has(granted.user);
}

const anybody: Granted = { kind: 'granted', account: GLOBAL_ACCOUNT, user: '', label: '', listed: false, permissions: undefined };

/** Where nobody must authenticate: the global account, and the name the client gave for the log only. */
export function anonymous(connect: ConnectOptions): Granted {
  return connect.nkey === '' ? anybody : { ...anybody, label: `nkey:${connect.nkey}` };
}
