// Operator mode: who a client is by its user JWT. The user's claims must be signed by its account or one of the account's signing keys, the
// account's by a trusted operator; the client proves by a signature of the nonce that it holds the user's key, unless it is a bearer.
// The order of the checks is nats-server's. The account may have to be fetched, so the decision about it is handed back as a question.

import { isRevoked } from '../jwt/account-claims.ts';
import type { AccountClaims } from '../jwt/account-claims.ts';
import { timeProblem, userProblem } from '../jwt/check-claims.ts';
import { TokenError } from '../jwt/fields.ts';
import { allowedForMs, isFromAllowedPlace } from '../jwt/places-and-times.ts';
import { fillTemplate } from '../jwt/template.ts';
import type { TokenPorts } from '../jwt/token.ts';
import { decodeUser, isUnbounded, permissionsOf } from '../jwt/user-claims.ts';
import type { UserBounds, UserClaims } from '../jwt/user-claims.ts';
import type { ConnectionType, Permissions as PermissionOptions } from '../config/options.ts';
import type { AuthDecision, AuthPorts, AuthRequest, Granted, Refused, SignedUser, VerifyNkey, VouchedRequest } from './decide.ts';
import type { Permissions } from './permissions.ts';

/** An account whose claims were checked, as decisions need it. */
export interface TrustedAccount {
  readonly claims: AccountClaims;
  /** Its JWT has run out. */
  readonly expired: boolean;
  /** The account's own key signs no users: its operator wants signing keys to be used. */
  readonly strict: boolean;
}

export interface OperatorRules {
  readonly trustedKeys: ReadonlySet<string>;
  /** Undefined: any. */
  readonly pinnedAccounts: ReadonlySet<string> | undefined;
  readonly defaultSentinel: string;
  /** Equal permissions are one object. */
  readonly compile: CompilePermissions;
}

export type CompilePermissions = (options: PermissionOptions | undefined) => Permissions | undefined;

/** Whose claims are asked for, and what is decided when they are there. */
export interface AccountQuestion {
  readonly kind: 'account';
  readonly account: string;
  decided(account: TrustedAccount | undefined): AuthDecision;
}

const KNOWN_TYPES: ReadonlySet<string> = new Set([
  'STANDARD',
  'WEBSOCKET',
  'LEAFNODE',
  'LEAFNODE_WS',
  'MQTT',
  'MQTT_WS',
  'IN_PROCESS',
]);

/** `gone`: the key that signed is none of the account's any more, or signs others now. */
export type Review = 'stays' | 'accountExpired' | 'revoked' | 'refused' | 'gone' | 'exhausted';

/** Looks at a user that is in once more, when its account's claims have changed. */
export function reviewUser(signed: SignedUser, { claims, expired, strict }: TrustedAccount): Review {
  if (expired) return 'accountExpired';
  if (signed.bearer && claims.limits.disallowBearer) return 'refused';
  if (isRevoked(claims.revocations, signed.nkey, signed.issuedAt)) return 'revoked';
  const isKnown = claims.signingKeys.has(signed.signer) || (signed.signer === claims.subject && !strict);
  const sameScope = JSON.stringify(claims.signingKeys.get(signed.signer)) === JSON.stringify(signed.scope);
  if (!isKnown || !sameScope) return 'gone';
  return claims.limits.subs === 0 ? 'exhausted' : 'stays';
}

function refuse(why: string): Refused {
  return { kind: 'refused', why };
}

/** A refusal that says why to the log only. */
class Refusal extends Error {}

function decoded(jwt: string, ports: TokenPorts): UserClaims | undefined {
  try {
    return decodeUser(jwt, ports);
  } catch (error) {
    if (error instanceof TokenError) return undefined;
    throw error;
  }
}

/** The bounds of a user: its own, or those of the scoped key that signed it. */
export function boundsUnder(user: UserClaims, { claims, strict }: TrustedAccount): UserBounds {
  const isOwnKey = user.issuer === claims.subject && !strict;
  if (!isOwnKey && !claims.signingKeys.has(user.issuer)) throw new Refusal('User JWT issuer is not known');
  const scope = claims.signingKeys.get(user.issuer);
  if (scope === undefined) return user.bounds;
  if (!isUnbounded(user.bounds)) throw new Refusal('User JWT is not valid: scoped users require no permissions or limits set');
  try {
    return { ...scope, permissions: fillTemplate(scope.permissions, user, claims) };
  } catch (error) {
    if (error instanceof TokenError) throw new Refusal('User JWT generated invalid permissions');
    throw error;
  }
}

/** Unknown types are passed over, but a list of nothing else is not an empty one. */
export function admitsType(types: readonly string[], type: ConnectionType): boolean {
  const known = types.map((one) => one.toUpperCase()).filter((one) => KNOWN_TYPES.has(one));
  return types.length === 0 || known.includes(type);
}

/** When a user's time is over, in ms since 1970; undefined: never. Undefined in the first place: it is not its time. */
export function endOfUser(
  user: UserClaims,
  bounds: UserBounds,
  nowMs: number,
): { readonly atMs: number | undefined } | undefined {
  const leftMs = allowedForMs(bounds, nowMs);
  if (leftMs === undefined) return undefined;
  const atMs = Math.min(user.expires > 0 ? user.expires * 1000 : Infinity, nowMs + leftMs);
  return { atMs: atMs === Infinity ? undefined : atMs };
}

/** What the account gives a user that has shown who it is. */
export function grantUser(
  user: UserClaims,
  bounds: UserBounds,
  { claims }: TrustedAccount,
  compile: CompilePermissions,
): Omit<SignedUser, 'endsAtMs' | 'jwt'> & { readonly permissions: Permissions | undefined } {
  const own = permissionsOf(bounds.permissions);
  return {
    permissions: compile(own ?? permissionsOf(claims.defaultPermissions)),
    nkey: user.subject,
    name: user.name,
    tags: user.tags,
    issuer: claims.subject,
    signer: user.issuer,
    issuedAt: user.issuedAt,
    maxSubs: bounds.maxSubs,
    maxPayload: bounds.maxPayload,
    bearer: bounds.bearer,
    scope: claims.signingKeys.get(user.issuer),
    usesDefaults: own === undefined,
  };
}

function decideWith(
  user: UserClaims,
  jwt: string,
  account: TrustedAccount,
  { compile }: OperatorRules,
  request: AuthRequest,
  verify: VerifyNkey,
): Granted | Refused {
  const { connect, nonce, nowMs } = request;
  const { claims } = account;
  const bounds = boundsUnder(user, account);
  if (account.expired) throw new Refusal('Account JWT has expired');
  if (bounds.bearer && claims.limits.disallowBearer) throw new Refusal('Account does not allow bearer tokens');
  if (!admitsType(bounds.connectionTypes, request.connectionType)) throw new Refusal('Connection type not allowed');
  if (!bounds.bearer && connect.sig === '') throw new Refusal('Signature missing');
  if (!bounds.bearer && !verify(user.subject, nonce, connect.sig)) throw new Refusal('Signature not verified');
  if (isRevoked(claims.revocations, user.subject, user.issuedAt)) throw new Refusal('User authentication revoked');
  if (!isFromAllowedPlace(bounds, request.clientIp)) throw new Refusal(`Bad src Ip ${request.clientIp}`);
  const end = endOfUser(user, bounds, nowMs);
  if (end === undefined) throw new Refusal('Outside connect times');
  if (bounds.maxSubs === 0 || claims.limits.subs === 0) return { kind: 'refused', error: 'noSubscriptions' };
  const { permissions, ...signed } = grantUser(user, bounds, account, compile);
  const { nkey, user: name } = connect;
  const label = nkey !== '' ? `nkey:${nkey}` : name !== '' ? `user:${name}` : `jwt:${user.subject}`;
  return {
    kind: 'granted',
    account: claims.subject,
    user: nkey || name || user.subject,
    label,
    listed: false,
    permissions,
    signed: { ...signed, jwt, endsAtMs: end.atMs },
  };
}

/** The decision about a CONNECT where operators are trusted. */
export function decideByToken(
  rules: OperatorRules,
  request: VouchedRequest,
  { verify, tokens: ports }: AuthPorts,
): Refused | AccountQuestion {
  const { connect, nowMs } = request;
  const brought = decoded(connect.jwt, ports) === undefined ? rules.defaultSentinel : connect.jwt;
  if (brought === '') return refuse('Authentication requires a user JWT');
  const user = decoded(brought, ports);
  if (user === undefined) return refuse('User JWT not valid');
  const problem = userProblem(user) ?? timeProblem(user, nowMs);
  if (problem !== undefined) return refuse(`User JWT no longer valid: ${problem}`);
  if (user.bounds.proxyRequired && !request.viaTrustedProxy) {
    return { kind: 'refused', error: 'proxyRequired', why: 'proxy connection required' };
  }
  const name = user.issuerAccount || user.issuer;
  if (rules.pinnedAccounts?.has(name) === false) return refuse(`Account ${name} not listed as operator pinned account`);
  return {
    kind: 'account',
    account: name,
    decided: (account) => {
      if (account === undefined) return refuse('Account JWT lookup error');
      if (!rules.trustedKeys.has(account.claims.issuer)) return refuse('Account JWT not signed by trusted operator');
      try {
        return decideWith(user, brought, account, rules, request, verify);
      } catch (error) {
        if (error instanceof Refusal) return refuse(error.message);
        throw error;
      }
    },
  };
}
