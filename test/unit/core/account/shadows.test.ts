// Shadows against what they stand for: a subject of the exporting account is matched by a subscription's shadow exactly when what the import
// makes of it is matched by the subscription.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { StreamImport } from '../../../../ts/core/account/imports.ts';
import { compileImports } from '../../../../ts/core/account/imports.ts';
import { shadowSubjects } from '../../../../ts/core/account/shadows.ts';
import { emptyAccount } from '../../../../ts/core/config/options-auth.ts';
import { applyPieces } from '../../../../ts/core/subject/import-mapping.ts';
import { effort, holds } from '../../../oracle/check.ts';
import { covers } from '../../../oracle/matcher.ts';

/** The import of `subject` with a prefix or another name. */
function imported(subject: string, prefix: string, to: string): StreamImport | undefined {
  const exporter = emptyAccount('A');
  const importer = emptyAccount('B');
  const common = { kind: 'stream' as const, subject, allowTrace: false };
  exporter.exports.push({
    ...common,
    accounts: [],
    accountTokenPosition: 0,
    responseType: 'singleton',
    responseThresholdMs: 0,
  });
  importer.imports.push({ ...common, account: 'A', prefix, to, share: false });
  const { accounts } = compileImports(new Map([exporter, importer].map((account) => [account.name, account])));
  return accounts.get('B')?.streams[0];
}

function localOf(one: StreamImport, subject: string): string {
  return one.mapping === undefined ? subject : applyPieces(one.mapping.pieces, subject);
}

const token = fc.constantFrom('a', 'b', 'c');
const literal = fc.array(token, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
const pattern = fc
  .tuple(fc.array(fc.oneof(token, fc.constant('*')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([parts, rest]) => [...parts, ...(rest ? ['>'] : [])].join('.'));
const renaming = fc.constantFrom('same', 'prefix', 'turned');

/** A destination in which the first two stars of `subject` change places. */
function turned(subject: string): string {
  const stars = subject.split('.').filter((part) => part === '*');
  const names = stars.map((_star, i) => `$${stars.length < 2 || i > 1 ? i + 1 : 2 - i}`);
  return ['c', ...names.slice(0, 2), 'b', ...names.slice(2), ...(subject.endsWith('>') ? ['>'] : [])].join('.');
}

test('a shadow takes what its subscription would take of the imported stream, and nothing else', () => {
  const property = fc.property(
    pattern,
    pattern,
    renaming,
    fc.array(literal, { maxLength: 20 }),
    (exported, wanted, how, subjects) => {
      // Three wildcards that change places in a circle are not turned back, as in nats-server.
      const stars = exported.split('.').filter((part) => part === '*').length;
      const to = how === 'turned' && stars > 0 ? turned(exported) : '';
      const one = imported(exported, how === 'prefix' ? 'a' : '', to);
      if (one === undefined) return;
      const shadows = shadowSubjects(wanted, [one]);
      assert.ok(shadows.length <= 1);
      for (const subject of subjects.filter((subject) => covers(exported, subject))) {
        const taken = shadows.some((shadow) => covers(shadow.subject, subject));
        assert.equal(taken, covers(wanted, localOf(one, subject)), `${wanted} of ${exported} as ${one.local}: ${subject}`);
      }
    },
  );
  holds(property, effort(3000));
});
