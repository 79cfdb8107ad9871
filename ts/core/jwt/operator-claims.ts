// Operator claims: whose signature makes an account trusted.

import { flagOf, textOf, textsOf } from './fields.ts';
import { decodeKind } from './token.ts';
import type { TokenPorts } from './token.ts';

/** Plain data, so that it can be part of the options. */
export interface OperatorClaims {
  readonly jwt: string;
  readonly subject: string;
  readonly issuer: string;
  readonly audience: string;
  readonly name: string;
  readonly issuedAt: number;
  readonly expires: number;
  readonly signingKeys: readonly string[];
  readonly accountServerUrl: string;
  readonly systemAccount: string;
  readonly assertServerVersion: string;
  /** The operator's own key signs no accounts, accounts' own keys no users. */
  readonly strictSigningKeyUsage: boolean;
}

export function decodeOperator(jwt: string, ports: TokenPorts): OperatorClaims {
  const { subject, issuer, audience, name, issuedAt, expires, nats } = decodeKind(jwt, 'operator', ports);
  return {
    jwt,
    subject,
    issuer,
    audience,
    name,
    issuedAt,
    expires,
    signingKeys: textsOf(nats, 'signing_keys'),
    accountServerUrl: textOf(nats, 'account_server_url'),
    systemAccount: textOf(nats, 'system_account'),
    assertServerVersion: textOf(nats, 'assert_server_version'),
    strictSigningKeyUsage: flagOf(nats, 'strict_signing_key_usage'),
  };
}

/** The keys whose signature makes an account trusted. */
export function operatorKeys({ subject, signingKeys, strictSigningKeyUsage }: OperatorClaims): readonly string[] {
  return strictSigningKeyUsage ? signingKeys : [subject, ...signingKeys];
}
