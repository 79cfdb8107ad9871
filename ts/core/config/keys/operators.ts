// `operator`: JWTs of operators, written out or in files, read at once so that what is wrong with one is told with its place.

import type { OperatorClaims } from '../../jwt/operator-claims.ts';
import type { ValueType } from '../key-table.ts';
import type { Options } from '../options.ts';
import { texts } from '../value-types.ts';
import { emptyResolver } from './trust.ts';
import { messageOf } from '../../../lib/message-of.ts';

export const operators: ValueType<OperatorClaims[]> = {
  name: 'JWT, file or list',
  read(value, reader, key) {
    const { readOperator } = reader.checks;
    const claims: OperatorClaims[] = [];
    for (const one of texts.read(value, reader, key) ?? []) {
      try {
        if (readOperator === undefined) throw new Error('no operator can be read here');
        claims.push(readOperator(one));
      } catch (error) {
        reader.report(value.at, `error parsing operator JWT: ${messageOf(error)}`);
      }
    }
    return claims;
  },
};

/** What the one operator's JWT says where the configuration says nothing. */
export function fillFromOperator(options: Options): void {
  const [operator, ...others] = options.operators;
  if (operator === undefined || others.length > 0) return;
  const { accountServerUrl, systemAccount } = operator;
  if (options.resolver === undefined && accountServerUrl !== '') {
    options.resolver = emptyResolver('url', `${accountServerUrl.replace(/\/$/, '')}/accounts`);
  }
  if (options.systemAccount === '') options.systemAccount = systemAccount;
}
