// What a user's claims mean inside its account: which bounds hold, until when it may stay, what it is granted. For users that show a JWT of
// their own as for those that a callout's service lets in.

import type { ConnectionType, Permissions as PermissionOptions } from '../config/options.ts';
import type { AccountClaims } from '../jwt/account-claims.ts';
import { TokenError } from '../jwt/fields.ts';
import { allowedForMs } from '../jwt/places-and-times.ts';
import { fillTemplate } from '../jwt/template.ts';
import { isUnbounded, permissionsOf } from '../jwt/user-claims.ts';
import type { UserBounds, UserClaims } from '../jwt/user-claims.ts';
import type { AuthDecision, SignedUser } from './decide.ts';
import type { Permissions } from './permissions.ts';

/** An account whose claims were checked, as decisions need it. */
export interface TrustedAccount {
  readonly claims: AccountClaims;
  /** Its JWT has run out. */
  readonly expired: boolean;
  /** The account's own key signs no users: its operator wants signing keys to be used. */
  readonly strict: boolean;
}

export type CompilePermissions = (options: PermissionOptions | undefined) => Permissions | undefined;

/** Whose claims are asked for, and what is decided when they are there. */
export interface AccountQuestion {
  readonly kind: 'account';
  readonly account: string;
  decided(account: TrustedAccount | undefined): AuthDecision;
}

/** A refusal that says why to the log only. */
export class Refusal extends Error {}

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
  return types.length === 0 || types.some((one) => one.toUpperCase() === type);
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
    accountTag: claims.name,
    signer: user.issuer,
    issuedAt: user.issuedAt,
    maxSubs: bounds.maxSubs,
    maxPayload: bounds.maxPayload,
    bearer: bounds.bearer,
    scope: claims.signingKeys.get(user.issuer),
    usesDefaults: own === undefined,
  };
}
