// Activation tokens: an account lets another one import what it exports. The token is signed by the exporting account or by one of its
// signing keys, is about one importing account, and covers the imported subject.

import { isSubsetMatch } from '../subject/subject.ts';
import { isRevoked } from './account-claims.ts';
import type { AccountClaims, ClaimExport, ClaimImport } from './account-claims.ts';
import { TokenError, textOf } from './fields.ts';
import { decodeKind, isOutOfTime } from './token.ts';
import type { Claims, TokenPorts } from './token.ts';

/** Who signed an activation must be the exporting account, or a key of it that the token names it for. */
function isSignedBy(exporter: AccountClaims, activation: Claims): boolean {
  const named = textOf(activation.nats, 'issuer_account');
  if (named === '') return activation.issuer === exporter.subject;
  return named === exporter.subject && (activation.issuer === named || exporter.signingKeys.has(activation.issuer));
}

/** When a token runs out, in seconds since 1970, as it says itself; 0: never, or it is none. */
export function activationEnd({ token }: ClaimImport, ports: TokenPorts): number {
  if (token === '') return 0;
  try {
    return decodeKind(token, 'activation', ports).expires;
  } catch (error) {
    if (error instanceof TokenError) return 0;
    throw error;
  }
}

/** Whether the token of an import opens an export to the importing account. */
export function isActivated(
  wanted: ClaimImport,
  importer: string,
  exporter: AccountClaims,
  exported: ClaimExport,
  nowMs: number,
  ports: TokenPorts,
): boolean {
  if (wanted.token === '') return false;
  try {
    const activation = decodeKind(wanted.token, 'activation', ports);
    const subject = wanted.type === 'service' && wanted.to !== '' ? wanted.to : wanted.subject;
    return (
      activation.subject === importer &&
      textOf(activation.nats, 'kind') === wanted.type &&
      isSubsetMatch(subject, textOf(activation.nats, 'subject')) &&
      isSignedBy(exporter, activation) &&
      !isOutOfTime(activation, nowMs) &&
      !isRevoked(exported.revocations, activation.subject, activation.issuedAt)
    );
  } catch (error) {
    if (error instanceof TokenError) return false;
    throw error;
  }
}
