// Imports of a configuration, compiled: subjects on both sides, which export an import comes from, and everything that forbids one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileImports } from '../../../../ts/core/account/imports.ts';
import type { AccountOptions } from '../../../../ts/core/config/options-auth.ts';
import { readConfigText } from '../../../../ts/core/config/read-config.ts';
import { memoryPorts, mistakes } from '../config/memory-ports.ts';

function accountsOf(text: string): ReadonlyMap<string, AccountOptions> {
  return readConfigText(`accounts { ${text} }`, 'i.conf', memoryPorts()).options.accounts;
}

const exporter =
  'A { exports: [ {stream: "s.*.*"}, {stream: "t.>"}, {service: "w.*.*"}, {service: v, response: stream, threshold: 5s} ] }';

test('a service import knows the reply rules of the export it comes from', () => {
  const { accounts } = compileImports(accountsOf(`${exporter}, B { imports: [ {service: {account: A, subject: v}, to: x} ] }`));
  const [service] = accounts.get('B')?.services ?? [];
  assert.equal(service?.local, 'x');
  assert.equal(service?.to, 'v');
  assert.equal(service?.exported.responseType, 'stream');
  assert.equal(service?.exported.thresholdMs, 5000);
});

test('what forbids an import is told in the words of nats-server', () => {
  const b = (imports: string): string => `${exporter}, B { imports: [ ${imports} ] }`;
  for (const [text, problem] of [
    [
      b('{stream: {account: A, subject: "s.*.*"}, to: "p.$1"}'),
      'error adding stream import "s.*.*": failed to create mapping transform for stream import subject from "s.*.*" to "p.$1": invalid mapping destination: not using all of the token wildcard(s) in p.$1',
    ],
    [
      b('{stream: {account: A, subject: "t.>"}, prefix: "p.*"}'),
      'error adding stream import "t.>": stream import prefix can not contain wildcard tokens',
    ],
    [
      b('{stream: {account: A, subject: "t.>"}}, {stream: {account: A, subject: "t.>"}, prefix: z}'),
      'error adding stream import "t.>": stream import already exists',
    ],
    [
      b('{service: {account: A, subject: v}}, {service: {account: A, subject: v}}'),
      'duplicate service import subject "v", previously used in import for account "A", subject "v"',
    ],
    [
      b('{service: {account: A, subject: "w.*.*"}, to: "q.$1"}'),
      'error adding service import "w.*.*": failed to create mapping transform for service import subject from "q.$1" to "w.*.*": invalid mapping destination: not using all of the token wildcard(s) in q.$1',
    ],
    [b('{service: {account: A, subject: "w.a.b"}, to: "q..x"}'), 'error adding service import "w.a.b": sublist: invalid subject'],
    [
      'A { exports: [{service: q}], imports: [{service: {account: B, subject: r}, to: q}] }, B { exports: [{service: r}], imports: [{service: {account: A, subject: q}, to: r}] }',
      'error adding service import "q": import forms a cycle',
    ],
    [
      'A { exports: [{stream: q}], imports: [{stream: {account: B, subject: q}}] }, B { exports: [{stream: q}], imports: [{stream: {account: A, subject: q}}] }',
      'error adding stream import "q": import forms a cycle',
    ],
    [
      'A { exports: [{service: "a.*", account_token_position: 2}] }, B { imports: [{service: {account: A, subject: a.C}}] }',
      'error adding service import "a.C": service import not authorized',
    ],
  ] as const) {
    const said = mistakes(() => accountsOf(text));
    assert.ok(said[0]?.includes(problem), `${text} should say: ${problem}\nsays: ${said.join('\n')}`);
  }
});

test('an account may import from itself, as in nats-server', () => {
  const { problems } = compileImports(
    accountsOf('A { exports: [{service: q}], imports: [{service: {account: A, subject: q}, to: r}] }'),
  );
  assert.deepEqual(problems, []);
});
