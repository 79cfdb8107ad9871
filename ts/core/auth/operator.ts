// Operator mode: who a client is by its user JWT. The user's claims must be signed by its account or one of the account's signing keys, the
// account's by a trusted operator; the client proves by a signature of the nonce that it holds the user's key, unless it is a bearer.
// The order of the checks is nats-server's. The account may have to be fetched, so the decision about it is handed back as a question.

import { isRevoked } from '../jwt/account-claims.ts';
import { timeProblem, userProblem } from '../jwt/check-claims.ts';
import { TokenError } from '../jwt/fields.ts';
import { isFromAllowedPlace } from '../jwt/places-and-times.ts';
import type { TokenPorts } from '../jwt/token.ts';
import { decodeUser } from '../jwt/user-claims.ts';
import type { UserClaims } from '../jwt/user-claims.ts';
import { underAccountCallout } from './callout.ts';
import type { AuthPorts, AuthRequest, Granted, Refused, SignedUser, VerifyNkey, VouchedRequest } from './decide.ts';
import { Refusal, admitsType, boundsUnder, endOfUser, grantUser } from './signed-user.ts';
import type { AccountQuestion, CompilePermissions, TrustedAccount } from './signed-user.ts';

export interface OperatorRules {
  readonly trustedKeys: ReadonlySet<string>;
  /** Undefined: any. */
  readonly pinnedAccounts: ReadonlySet<string> | undefined;
  readonly defaultSentinel: string;
  /** Equal permissions are one object. */
  readonly compile: CompilePermissions;
}

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

function decoded(jwt: string, ports: TokenPorts): UserClaims | undefined {
  try {
    return decodeUser(jwt, ports);
  } catch (error) {
    if (error instanceof TokenError) return undefined;
    throw error;
  }
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
export function decideByToken(rules: OperatorRules, request: VouchedRequest, ports: AuthPorts): Refused | AccountQuestion {
  const { connect, nowMs } = request;
  const { verify, tokens } = ports;
  const brought = decoded(connect.jwt, tokens) === undefined ? rules.defaultSentinel : connect.jwt;
  if (brought === '') return refuse('Authentication requires a user JWT');
  const user = decoded(brought, tokens);
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
        const decision = decideWith(user, brought, account, rules, request, verify);
        return decision.kind === 'granted' ? underAccountCallout(decision, account, request, rules.compile, ports) : decision;
      } catch (error) {
        if (error instanceof Refusal) return refuse(error.message);
        throw error;
      }
    },
  };
}
