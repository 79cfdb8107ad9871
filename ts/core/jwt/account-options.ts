// Account claims as the options of an account, so that limits, exports, imports, mappings and JetStream of signed accounts are those of
// configured ones.
// Kept true: an import whose export wants a token is `activated` only where the token was checked.

import { unlimitedJetStream } from '../config/options-auth.ts';
import type { AccountOptions, ExportOptions, ImportOptions } from '../config/options-auth.ts';
import { isSubsetMatch, isValidLiteral } from '../subject/subject.ts';
import { isActivated } from './activation.ts';
import type { AccountClaims, ClaimExport, ClaimImport } from './account-claims.ts';
import type { TokenPorts } from './token.ts';
import { permissionsOf } from './user-claims.ts';

const responseTypes: Readonly<Record<string, ExportOptions['responseType']>> = { Stream: 'stream', Chunked: 'chunked' };

function exportOptions(row: ClaimExport): ExportOptions {
  return {
    kind: row.type === 'service' ? 'service' : 'stream',
    subject: row.subject,
    accounts: [],
    tokenRequired: row.tokenRequired,
    accountTokenPosition: row.accountTokenPosition,
    responseType: responseTypes[row.responseType] ?? 'singleton',
    responseThresholdMs: row.responseThresholdMs,
    ...(row.latency !== undefined && { latency: { subject: row.latency.results, sampling: row.latency.sampling } }),
    allowTrace: row.allowTrace,
  };
}

/** The exported subject an import asks for. */
function exportedSubject({ type, subject, to, localSubject }: ClaimImport): string {
  return type === 'service' && localSubject === '' && to !== '' ? to : subject;
}

function importOptions(row: ClaimImport, activated: boolean): ImportOptions {
  const isService = row.type === 'service';
  // A service's deprecated `to` is the exporter's subject, a stream's a prefix here.
  const local = row.localSubject || (isService && row.to !== '' ? row.subject : '');
  return {
    kind: isService ? 'service' : 'stream',
    account: row.account,
    subject: exportedSubject(row),
    to: local,
    prefix: isService ? '' : row.to,
    share: row.share,
    allowTrace: row.allowTrace,
    activated,
  };
}

/** Checks the token of an import with the exporting account's claims; without those nothing is activated. */
function activates(
  row: ClaimImport,
  importer: string,
  exporter: AccountClaims | undefined,
  nowMs: number,
  ports: TokenPorts,
): boolean {
  const subject = exportedSubject(row);
  const exported = exporter?.exports.find((one) => one.type === row.type && isSubsetMatch(subject, one.subject));
  return exporter !== undefined && exported !== undefined && isActivated(row, importer, exporter, exported, nowMs, ports);
}

/** Where there are tiers, `jetstream` is that of streams with one replica. */
function jetstreamOf({ limits: { jetstream } }: AccountClaims): Pick<AccountOptions, 'jetstream' | 'jetstreamTiers'> {
  const plain = jetstream[''];
  if (plain !== undefined) return { jetstream: plain };
  if (Object.keys(jetstream).length === 0) return {};
  const none = { ...unlimitedJetStream(), maxMemory: 0, maxStore: 0 };
  return { jetstream: jetstream['R1'] ?? none, jetstreamTiers: jetstream };
}

/** `accounts`: the claims of all known accounts. */
export function accountOptions(
  claims: AccountClaims,
  accounts: ReadonlyMap<string, AccountClaims>,
  nowMs: number,
  ports: TokenPorts,
): AccountOptions {
  const permissions = permissionsOf(claims.defaultPermissions);
  const { limits, trace } = claims;
  return {
    name: claims.subject,
    nkey: claims.subject,
    users: [],
    ...(permissions !== undefined && { defaultPermissions: permissions }),
    limits: {
      maxConnections: limits.conn,
      maxSubscriptions: limits.subs,
      maxPayload: limits.payload,
      maxLeafnodes: limits.leaf,
    },
    ...jetstreamOf(claims),
    clusterTraffic: claims.clusterTraffic,
    mappings: claims.mappings.map(({ source, destinations }) => ({
      source,
      destinations: destinations.map((one) => ({ ...one })),
    })),
    exports: claims.exports.map(exportOptions),
    imports: claims.imports.map((row) =>
      importOptions(row, activates(row, claims.subject, accounts.get(row.account), nowMs, ports)),
    ),
    ...(trace !== undefined &&
      isValidLiteral(trace.dest) && {
        messageTrace: { dest: trace.dest, sampling: trace.sampling <= 0 || trace.sampling > 100 ? 100 : trace.sampling },
      }),
  };
}
