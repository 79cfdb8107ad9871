// The tables of configuration keys themselves: they cover all options, can be documented, and the page of them is up to date.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { configurationPage } from '../../../../ts/core/config/document.ts';
import type { KeyTable } from '../../../../ts/core/config/key-table.ts';
import { topTable } from '../../../../ts/core/config/keys/top.ts';
import { defaultOptions } from '../../../../ts/core/config/options.ts';
import { editDistance, nearest } from '../../../../ts/core/config/reader.ts';

function tables(table: KeyTable): KeyTable[] {
  return [table, ...table.rows.flatMap((row) => (row.table === undefined ? [] : tables(row.table)))];
}

test('every option is filled by some key', () => {
  const filled = new Set(topTable.rows.flatMap((row) => row.fields));
  const always = ['configFile', 'configDigest'];
  const missing = Object.keys(defaultOptions()).filter((field) => !filled.has(field) && !always.includes(field));
  assert.deepEqual(missing, []);
});

test('every key says in a sentence what it does', () => {
  for (const { name, rows } of tables(topTable)) {
    for (const row of rows) {
      assert.match(row.doc, /^[A-Z`].*\.$/, `${name}.${row.key}`);
      assert.match(row.key, /^[a-z0-9_]+$/);
    }
  }
});

test('docs/configuration.md is the page of the tables (UPDATE_DOCS=1 writes it)', () => {
  const path = new URL('../../../../docs/configuration.md', import.meta.url);
  if (process.env['UPDATE_DOCS'] !== undefined) writeFileSync(path, configurationPage());
  assert.equal(readFileSync(path, 'utf8'), configurationPage(), 'run the test again with UPDATE_DOCS=1');
});

test('the nearest name is suggested only when it is near', () => {
  const known = ['port', 'max_payload', 'max_pending', 'jetstream'];
  assert.equal(nearest('max_paylaod', known), 'max_payload');
  assert.equal(nearest('JetSteam', known), 'jetstream');
  assert.equal(nearest('prot', known), 'port');
  assert.equal(nearest('zzz', known), undefined);
  assert.equal(editDistance('ab', 'ba'), 1);
});
