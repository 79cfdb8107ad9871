// What is wrong with claims beside their signature, in nats-server's words. Claims with a problem are not used at all; what is only out of
// time is said apart, because an account that is out of time may still be stored.

import { parseAddress } from '../../lib/ip-address.ts';
import { isSubsetMatch } from '../subject/subject.ts';
import type { AccountClaims, ClaimExport, ClaimImport } from './account-claims.ts';
import { isOutOfTime, isPublicNkey } from './token.ts';
import type { Claims } from './token.ts';
import type { ClaimPermissions, UserBounds, UserClaims } from './user-claims.ts';

const timeOfDay = /^([01]?\d|2[0-3]):[0-5]\d:[0-5]\d$/;

/** Undefined: the claim is valid now. */
export function timeProblem(claims: Claims, nowMs: number): string | undefined {
  if (!isOutOfTime(claims, nowMs)) return undefined;
  return claims.expires > 0 && nowMs / 1000 > claims.expires ? 'claim is expired' : 'claim is not yet valid';
}

function subjectProblem(subject: string): string | undefined {
  if (subject === '') return 'subject cannot be empty';
  const shown = JSON.stringify(subject);
  if (subject.includes(' ')) return `subject ${shown} cannot have spaces`;
  if (subject.startsWith('.') || subject.endsWith('.')) return `subject ${shown} cannot start or end with a \`.\``;
  return subject.includes('..') ? `subject ${shown} cannot contain consecutive \`.\`` : undefined;
}

function permissionProblem(entry: string, mayHaveQueue: boolean): string | undefined {
  const [subject = '', queue, ...more] = entry.split(' ');
  if (more.length > 0) return `Permission Subject "${entry}" contains too many spaces`;
  if (queue !== undefined && !mayHaveQueue) return `Permission Subject "${entry}" is not allowed to contain queue`;
  return subjectProblem(subject) ?? (queue === undefined ? undefined : subjectProblem(queue));
}

function permissionProblems(claim: ClaimPermissions): (string | undefined)[] {
  return [
    ...[...claim.subscribeAllow, ...claim.subscribeDeny].map((entry) => permissionProblem(entry, true)),
    ...[...claim.publishAllow, ...claim.publishDeny].map((entry) => permissionProblem(entry, false)),
  ];
}

/** The address and how many of its bits count; undefined where the text is no CIDR. */
export function parseCidr(text: string): { readonly bytes: readonly number[]; readonly bits: number } | undefined {
  const [address = '', length = '', ...more] = text.split('/');
  const bytes = parseAddress(address);
  const bits = Number(length);
  if (bytes === undefined || more.length > 0 || !/^\d{1,3}$/.test(length) || bits > bytes.length * 8) return undefined;
  return { bytes, bits };
}

function isTimeZone(name: string): boolean {
  try {
    return name === '' || Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== '';
  } catch {
    return false;
  }
}

function boundProblems({ permissions, sources, times, timeZone }: UserBounds): (string | undefined)[] {
  const source = sources.find((one) => parseCidr(one) === undefined);
  const range = times.find(({ start, end }) => !timeOfDay.test(start) || !timeOfDay.test(end));
  return [
    ...permissionProblems(permissions),
    source === undefined ? undefined : `invalid cidr ${JSON.stringify(source)} in user src limits`,
    range === undefined ? undefined : `time range is invalid "${range.start}" to "${range.end}"`,
    isTimeZone(timeZone) ? undefined : `could not parse iana time zone by name: unknown time zone ${timeZone}`,
  ];
}

const said = (problem: string | undefined): problem is string => problem !== undefined;

export function userProblem(claims: UserClaims): string | undefined {
  const account = claims.issuerAccount;
  const wrongAccount = account !== '' && !isPublicNkey('account', account);
  return [...boundProblems(claims.bounds), wrongAccount ? 'account_id is not an account public key' : undefined].find(said);
}

function exportProblem(row: ClaimExport): string | undefined {
  const isService = row.type === 'service';
  if (!isService && row.type !== 'stream') return `invalid export type: ${JSON.stringify(row.type)}`;
  if (isService && !['', 'Singleton', 'Stream', 'Chunked'].includes(row.responseType))
    return `invalid response type for service: ${JSON.stringify(row.responseType)}`;
  if (!isService && row.responseType !== '') return `invalid response type for stream: ${JSON.stringify(row.responseType)}`;
  if (!isService && row.latency !== undefined) return 'latency tracking only permitted for services';
  if (row.latency !== undefined && (row.latency.sampling < 0 || row.latency.sampling > 100))
    return 'sampling percentage needs to be between 1-100';
  const position = row.accountTokenPosition;
  if (position < 0 || (position > 0 && row.subject.split('.')[position - 1] !== '*'))
    return `Account Token Position ${position} must match a * in: ${row.subject}`;
  return subjectProblem(row.subject);
}

/** `$1` stands for a star. */
function starred(subject: string): string {
  return subject.replaceAll(/(^|(?<=\.))\$\d+(?=\.|$)/g, '*');
}

function localOf({ subject, to, localSubject }: ClaimImport): string {
  return to || starred(localSubject) || subject;
}

function importProblem(row: ClaimImport): string | undefined {
  if (row.type !== 'service' && row.type !== 'stream') return `invalid import type: ${JSON.stringify(row.type)}`;
  if (row.account === '') return 'account to import from is not specified';
  if (row.localSubject !== '' && row.to !== '') return 'Local Subject replaces To';
  return subjectProblem(row.subject) ?? (row.localSubject === '' ? undefined : subjectProblem(row.localSubject));
}

function overlapProblem(imports: readonly ClaimImport[]): string | undefined {
  const seen: { readonly account: string; readonly subject: string }[] = [];
  for (const row of imports) {
    if (row.type !== 'service') continue;
    const subject = localOf(row);
    const other = seen.find(
      (one) => one.account === row.account && (isSubsetMatch(subject, one.subject) || isSubsetMatch(one.subject, subject)),
    );
    if (other !== undefined)
      return `overlapping subject namespace for "${subject}" and "${other.subject}" in same account "${row.account}"`;
    seen.push({ account: row.account, subject });
  }
  return undefined;
}

function countProblems({ limits, imports, exports }: AccountClaims): (string | undefined)[] {
  const hasWildcards = exports.some(({ subject }) => /(^|\.)[*>](\.|$)/.test(subject));
  const isBounded = limits.exports !== -1;
  return [
    limits.imports !== -1 && imports.length > limits.imports
      ? 'the account contains more imports than allowed by the operator'
      : undefined,
    isBounded && exports.length > limits.exports ? 'the account contains more exports than allowed by the operator' : undefined,
    isBounded && !limits.wildcards && hasWildcards
      ? 'the account contains wildcard exports that are not allowed by the operator'
      : undefined,
  ];
}

function mappingProblem({ mappings }: AccountClaims): string | undefined {
  for (const { source, destinations } of mappings) {
    const problem = [source, ...destinations.map(({ subject }) => subject)].map(subjectProblem).find(said);
    if (problem !== undefined) return problem;
    const clusters = new Set(destinations.map(({ cluster }) => cluster));
    for (const cluster of clusters) {
      const weight = destinations.reduce((sum, one) => sum + (one.cluster === cluster ? one.weight : 0), 0);
      if (weight > 100) return `Mapping "${source}" exceeds 100% among all of it's weighted to mappings`;
    }
  }
  return undefined;
}

function authorizationProblem({ authorization: { authUsers, allowedAccounts, xkey } }: AccountClaims): string | undefined {
  if (allowedAccounts.length > 0 && authUsers.length === 0)
    return 'External authorization cannot have accounts without users specified';
  const user = authUsers.find((one) => !isPublicNkey('user', one));
  if (user !== undefined) return `AuthUser "${user}" is not a valid user public key`;
  if (allowedAccounts.includes('*') && allowedAccounts.length > 1) return 'AllowedAccounts can only be a list of accounts or "*"';
  const account = allowedAccounts.find((one) => one !== '*' && !isPublicNkey('account', one));
  if (account !== undefined) return `Account "${account}" is not a valid account public key`;
  return xkey !== '' && !isPublicNkey('curve', xkey) ? `XKey "${xkey}" is not a valid public xkey` : undefined;
}

/** All that is wrong with an account, its time apart. */
export function accountProblems(claims: AccountClaims): string[] {
  const badKey = [...claims.signingKeys.keys()].find((key) => !isPublicNkey('account', key));
  return [
    ...claims.imports.map(importProblem),
    overlapProblem(claims.imports),
    ...claims.exports.map(exportProblem),
    ...permissionProblems(claims.defaultPermissions),
    mappingProblem(claims),
    authorizationProblem(claims),
    ...countProblems(claims),
    badKey === undefined ? undefined : `"${badKey}" is not a valid account signing key`,
    ['', 'system', 'owner'].includes(claims.clusterTraffic)
      ? undefined
      : `unknown cluster traffic option: "${claims.clusterTraffic}"`,
  ].filter(said);
}
