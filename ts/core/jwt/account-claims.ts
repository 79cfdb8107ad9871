// Account claims: limits, what the account exports and imports, who signs its users, whom it has revoked.
// Kept true: a member that is absent allows nothing where it is a number; JetStream is off where both storages are 0.

import type { AccountJetStreamLimits } from '../config/options-auth.ts';
import {
  TokenError,
  durationMsOf,
  flagOf,
  hasMember,
  integerOf,
  isMembers,
  listOf,
  membersOf,
  objectsOf,
  textOf,
  textsOf,
  timesOf,
} from './fields.ts';
import type { JsonMembers } from './fields.ts';
import { decodeKind } from './token.ts';
import type { Claims, TokenPorts } from './token.ts';
import { boundsOf, claimPermissions } from './user-claims.ts';
import type { ClaimPermissions, UserBounds } from './user-claims.ts';

export interface ClaimExport {
  readonly subject: string;
  readonly type: string;
  readonly tokenRequired: boolean;
  readonly revocations: ReadonlyMap<string, number>;
  readonly responseType: string;
  readonly responseThresholdMs: number;
  readonly latency: { readonly sampling: number; readonly results: string } | undefined;
  readonly accountTokenPosition: number;
  readonly allowTrace: boolean;
}

export interface ClaimImport {
  readonly subject: string;
  readonly type: string;
  readonly account: string;
  readonly token: string;
  /** Deprecated, the other side's view. */
  readonly to: string;
  readonly localSubject: string;
  readonly share: boolean;
  readonly allowTrace: boolean;
}

export interface ClaimLimits {
  readonly subs: number;
  readonly payload: number;
  readonly imports: number;
  readonly exports: number;
  readonly wildcards: boolean;
  readonly disallowBearer: boolean;
  readonly conn: number;
  readonly leaf: number;
  /** By tier, `R1` and so on; the empty name where there are no tiers. Empty: no JetStream. */
  readonly jetstream: Readonly<Record<string, AccountJetStreamLimits>>;
}

export interface ClaimMapping {
  readonly source: string;
  readonly destinations: readonly { readonly subject: string; readonly weight: number; readonly cluster: string }[];
}

/** A service of the account's own decides who comes in. */
export interface ExternalAuthorization {
  readonly authUsers: readonly string[];
  readonly allowedAccounts: readonly string[];
  readonly xkey: string;
}

export interface AccountClaims extends Claims {
  readonly limits: ClaimLimits;
  readonly exports: readonly ClaimExport[];
  readonly imports: readonly ClaimImport[];
  /** By public key; a scope where the key signs users of one kind only. */
  readonly signingKeys: ReadonlyMap<string, UserBounds | undefined>;
  readonly revocations: ReadonlyMap<string, number>;
  readonly defaultPermissions: ClaimPermissions;
  readonly mappings: readonly ClaimMapping[];
  readonly authorization: ExternalAuthorization;
  readonly trace: { readonly dest: string; readonly sampling: number } | undefined;
  readonly clusterTraffic: string;
}

function latencyOf(row: JsonMembers): ClaimExport['latency'] {
  if (!hasMember(row, 'service_latency')) return undefined;
  const latency = membersOf(row, 'service_latency');
  const sampling = String(latency['sampling']).toLowerCase() === 'headers' ? 0 : integerOf(latency, 'sampling');
  return { sampling, results: textOf(latency, 'results') };
}

function exportOf(row: JsonMembers): ClaimExport {
  return {
    subject: textOf(row, 'subject'),
    type: textOf(row, 'type'),
    tokenRequired: flagOf(row, 'token_req'),
    revocations: timesOf(row, 'revocations'),
    responseType: textOf(row, 'response_type'),
    responseThresholdMs: durationMsOf(row, 'response_threshold'),
    latency: latencyOf(row),
    accountTokenPosition: integerOf(row, 'account_token_position'),
    allowTrace: flagOf(row, 'allow_trace'),
  };
}

function importOf(row: JsonMembers): ClaimImport {
  return {
    subject: textOf(row, 'subject'),
    type: textOf(row, 'type'),
    account: textOf(row, 'account'),
    token: textOf(row, 'token'),
    to: textOf(row, 'to'),
    localSubject: textOf(row, 'local_subject'),
    share: flagOf(row, 'share'),
    allowTrace: flagOf(row, 'allow_trace'),
  };
}

const unlessZero = (value: number): number => (value > 0 ? value : -1);

function jetstreamOf(limits: JsonMembers): AccountJetStreamLimits {
  return {
    maxMemory: integerOf(limits, 'mem_storage'),
    maxStore: integerOf(limits, 'disk_storage'),
    maxStreams: integerOf(limits, 'streams'),
    maxConsumers: integerOf(limits, 'consumer'),
    maxAckPending: unlessZero(integerOf(limits, 'max_ack_pending')),
    memMaxStreamBytes: unlessZero(integerOf(limits, 'mem_max_stream_bytes')),
    diskMaxStreamBytes: unlessZero(integerOf(limits, 'disk_max_stream_bytes')),
    maxBytesRequired: flagOf(limits, 'max_bytes_required'),
  };
}

function tiersOf(limits: JsonMembers): ClaimLimits['jetstream'] {
  const tiers = membersOf(limits, 'tiered_limits');
  const names = Object.keys(tiers);
  const all = names.length === 0 ? { '': limits } : Object.fromEntries(names.map((name) => [name, membersOf(tiers, name)]));
  const rows = Object.entries(all).map(([name, row]) => [name, jetstreamOf(row)] as const);
  const isOn = rows.some(([, { maxMemory, maxStore }]) => maxMemory !== 0 || maxStore !== 0);
  return isOn ? Object.fromEntries(rows) : {};
}

function limitsOf(nats: JsonMembers): ClaimLimits {
  const limits = membersOf(nats, 'limits');
  return {
    subs: integerOf(limits, 'subs'),
    payload: integerOf(limits, 'payload'),
    imports: integerOf(limits, 'imports'),
    exports: integerOf(limits, 'exports'),
    wildcards: flagOf(limits, 'wildcards'),
    disallowBearer: flagOf(limits, 'disallow_bearer'),
    conn: integerOf(limits, 'conn'),
    leaf: integerOf(limits, 'leaf'),
    jetstream: tiersOf(limits),
  };
}

function signingKeysOf(nats: JsonMembers): AccountClaims['signingKeys'] {
  const keys = new Map<string, UserBounds | undefined>();
  for (const one of listOf(nats, 'signing_keys')) {
    if (typeof one === 'string') keys.set(one, undefined);
    else if (!isMembers(one) || textOf(one, 'kind') !== 'user_scope') throw new TokenError('unknown signing key scope ""');
    else keys.set(textOf(one, 'key'), boundsOf(membersOf(one, 'template'), -1));
  }
  return keys;
}

function mappingsOf(nats: JsonMembers): readonly ClaimMapping[] {
  const mappings = membersOf(nats, 'mappings');
  return Object.keys(mappings).map((source) => ({
    source,
    destinations: objectsOf(mappings, source).map((row) => ({
      subject: textOf(row, 'subject'),
      weight: integerOf(row, 'weight') || 100,
      cluster: textOf(row, 'cluster'),
    })),
  }));
}

/** Throws a TokenError. */
export function decodeAccount(token: string, ports: TokenPorts): AccountClaims {
  return accountClaims(decodeKind(token, 'account', ports));
}

export function accountClaims(claims: Claims): AccountClaims {
  const { nats } = claims;
  const authorization = membersOf(nats, 'authorization');
  const trace = membersOf(nats, 'trace');
  return {
    ...claims,
    limits: limitsOf(nats),
    exports: objectsOf(nats, 'exports').map(exportOf),
    imports: objectsOf(nats, 'imports').map(importOf),
    signingKeys: signingKeysOf(nats),
    revocations: timesOf(nats, 'revocations'),
    defaultPermissions: claimPermissions(membersOf(nats, 'default_permissions')),
    mappings: mappingsOf(nats),
    authorization: {
      authUsers: textsOf(authorization, 'auth_users'),
      allowedAccounts: textsOf(authorization, 'allowed_accounts'),
      xkey: textOf(authorization, 'xkey'),
    },
    trace: hasMember(nats, 'trace') ? { dest: textOf(trace, 'dest'), sampling: integerOf(trace, 'sampling') } : undefined,
    clusterTraffic: textOf(nats, 'cluster_traffic'),
  };
}

/** True when a list of revocations covers a claim about `key` that was issued at a time. */
export function isRevoked(revocations: ReadonlyMap<string, number>, key: string, issuedAt: number): boolean {
  const at = revocations.get(key) ?? -Infinity;
  const all = revocations.get('*') ?? -Infinity;
  return at >= issuedAt || all >= issuedAt;
}
