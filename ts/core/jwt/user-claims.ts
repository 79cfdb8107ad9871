// User claims: what a user may do, from where and when. The same members are the template of a scoped signing key.
// Kept true: a member that is absent allows nothing where it is a number, as in nats-server: tools write -1 for "no limit".

import type { Permissions } from '../config/options-auth.ts';
import { durationMsOf, flagOf, hasMember, integerOf, membersOf, objectsOf, textOf, textsOf } from './fields.ts';
import type { JsonMembers } from './fields.ts';
import { decodeKind } from './token.ts';
import type { Claims, TokenPorts } from './token.ts';

export interface TimeRange {
  /** `15:04:05`. */
  readonly start: string;
  readonly end: string;
}

/** Bounds of a user; -1 is none. */
export interface UserBounds {
  readonly permissions: ClaimPermissions;
  readonly sources: readonly string[];
  readonly times: readonly TimeRange[];
  /** IANA name; empty: where the server is. */
  readonly timeZone: string;
  readonly maxSubs: number;
  readonly maxData: number;
  readonly maxPayload: number;
  readonly bearer: boolean;
  readonly proxyRequired: boolean;
  readonly connectionTypes: readonly string[];
}

export interface ClaimPermissions {
  readonly publishAllow: readonly string[];
  readonly publishDeny: readonly string[];
  readonly subscribeAllow: readonly string[];
  readonly subscribeDeny: readonly string[];
  readonly responses: { readonly max: number; readonly expiresMs: number } | undefined;
}

export interface UserClaims extends Claims {
  readonly bounds: UserBounds;
  /** Set where a signing key of the account signed. */
  readonly issuerAccount: string;
}

const DEFAULT_RESPONSES = 1;
const DEFAULT_RESPONSE_MS = 120_000;
export function claimPermissions(nats: JsonMembers): ClaimPermissions {
  const publish = membersOf(nats, 'pub');
  const subscribe = membersOf(nats, 'sub');
  const responses = membersOf(nats, 'resp');
  return {
    publishAllow: textsOf(publish, 'allow'),
    publishDeny: textsOf(publish, 'deny'),
    subscribeAllow: textsOf(subscribe, 'allow'),
    subscribeDeny: textsOf(subscribe, 'deny'),
    responses: hasMember(nats, 'resp')
      ? { max: integerOf(responses, 'max'), expiresMs: durationMsOf(responses, 'ttl') }
      : undefined,
  };
}

/** As the configuration writes them; undefined where the claim says nothing of permissions. */
export function permissionsOf(claim: ClaimPermissions): Permissions | undefined {
  const { publishAllow, publishDeny, subscribeAllow, subscribeDeny, responses } = claim;
  const says = (...lists: (readonly string[])[]): boolean => lists.some((list) => list.length > 0);
  const publishes = says(publishAllow, publishDeny);
  const subscribes = says(subscribeAllow, subscribeDeny);
  if (!publishes && !subscribes && responses === undefined) return undefined;
  return {
    ...(publishes && { publish: { allow: [...publishAllow], deny: [...publishDeny] } }),
    ...(subscribes && { subscribe: { allow: [...subscribeAllow], deny: [...subscribeDeny] } }),
    ...(responses !== undefined && {
      allowResponses: {
        max: responses.max || DEFAULT_RESPONSES,
        expiresMs: responses.expiresMs || DEFAULT_RESPONSE_MS,
      },
    }),
  };
}

/** A list, or one text with commas. */
function sourcesOf(nats: JsonMembers): readonly string[] {
  const value = nats['src'];
  if (typeof value !== 'string') return textsOf(nats, 'src');
  return [
    ...new Set(
      value
        .toLowerCase()
        .split(',')
        .map((one) => one.trim()),
    ),
  ].filter((one) => one !== '');
}

/** `absent`: what a limit is that is not there. */
export function boundsOf(nats: JsonMembers, absent = 0): UserBounds {
  return {
    permissions: claimPermissions(nats),
    sources: sourcesOf(nats),
    times: objectsOf(nats, 'times').map((range) => ({ start: textOf(range, 'start'), end: textOf(range, 'end') })),
    timeZone: textOf(nats, 'times_location'),
    maxSubs: integerOf(nats, 'subs', absent),
    maxData: integerOf(nats, 'data', absent),
    maxPayload: integerOf(nats, 'payload', absent),
    bearer: flagOf(nats, 'bearer_token'),
    proxyRequired: flagOf(nats, 'proxy_required'),
    connectionTypes: textsOf(nats, 'allowed_connection_types'),
  };
}

const empty = JSON.stringify(boundsOf({}));

/** A user of a scoped signing key must not bring bounds of its own. */
export function isUnbounded(bounds: UserBounds): boolean {
  return JSON.stringify(bounds) === empty;
}

export function decodeUser(token: string, ports: TokenPorts): UserClaims {
  const claims = decodeKind(token, 'user', ports);
  const isFirst = claims.version === 1;
  const issuerAccount = textOf(isFirst ? claims.whole : claims.nats, 'issuer_account');
  return { ...claims, bounds: boundsOf(claims.nats, isFirst ? -1 : 0), issuerAccount };
}
