// CONNECT's JSON as nats-server 2.14.5 reads it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { defaultConnect, parseConnect } from '../../../../ts/core/session/connect.ts';
import type { ConnectOptions } from '../../../../ts/core/session/connect.ts';

test('what a CONNECT means', () => {
  const cases: readonly (readonly [json: string, means: Partial<ConnectOptions> | 'refused'])[] = [
    ['{}', {}],
    ['null', {}],
    ['{"verbose":false,"pedantic":false,"echo":false}', { verbose: false, pedantic: false, echo: false }],
    ['{"Verbose":false,"USER":"a"}', { verbose: false, user: 'a' }],
    ['{"verbose":false,"verbose":true}', {}],
    ['{"verbose":null,"user":null}', {}],
    ['{"no_responders":true,"headers":true,"protocol":1}', { noResponders: true, headers: true, protocol: 1 }],
    ['{"protocol":-1}', { protocol: -1 }],
    ['{"unknown":{"a":[1]},"name":"n","lang":"go","version":"1"}', { name: 'n', lang: 'go', version: '1' }],
    ['{"__proto__":{"user":"x"}}', {}],
    [' { "user" : "a" } ', { user: 'a' }],
    ['', 'refused'],
    ['{', 'refused'],
    ['{bad', 'refused'],
    ['[]', 'refused'],
    ['1', 'refused'],
    ['"x"', 'refused'],
    ['{} x', 'refused'],
    ['{"user":1}', 'refused'],
    ['{"verbose":"yes"}', 'refused'],
    ['{"protocol":1.5}', 'refused'],
    ['{"protocol":"1"}', 'refused'],
  ];
  for (const [json, means] of cases) {
    const result = parseConnect(json);
    assert.deepEqual(result.ok ? result.connect : 'refused', means === 'refused' ? means : { ...defaultConnect, ...means }, json);
  }
});

test('equal texts are read once, unless they bring a secret', () => {
  const read = (json: string): ConnectOptions | undefined => {
    const result = parseConnect(json);
    return result.ok ? result.connect : undefined;
  };
  const plain = '{"verbose":false,"name":"n","nkey":"U"}';
  const first = read(plain);
  assert.equal(read(plain), first);
  for (const secret of ['"user":"a","pass":"b"', '"auth_token":"t"', '"jwt":"j"', '"sig":"s"', '"proxy_sig":"s"']) {
    const json = `{${secret}}`;
    assert.deepEqual(read(json), read(json));
    assert.notEqual(read(json), read(json), json);
  }
  assert.equal(read(plain), first, 'what brought a secret took no place');
  assert.equal(parseConnect('{bad').ok, false);
  assert.equal(parseConnect('{bad').ok, false);
});

test('a CONNECT behind another is read over what that one said, though a fresh connection said the same', () => {
  const json = '{"verbose":false}';
  parseConnect(json);
  const before = { ...defaultConnect, name: 'n', user: 'a' };
  const result = parseConnect(json, before);
  assert.deepEqual(result.ok && result.connect, { ...before, verbose: false });
});

test('any text is read or refused, and what is read is whole', () => {
  const value = fc.oneof(fc.boolean(), fc.string(), fc.integer(), fc.constant(null));
  const json = fc.oneof(
    fc.string(),
    fc.dictionary(fc.constantFrom('verbose', 'user', 'protocol', 'Headers', 'x'), value).map((row) => JSON.stringify(row)),
  );
  fc.assert(
    fc.property(json, (text) => {
      const result = parseConnect(text);
      if (!result.ok) return assert.match(result.problem, /^invalid CONNECT/);
      for (const [name, sample] of Object.entries(defaultConnect)) {
        assert.equal(typeof result.connect[name as keyof ConnectOptions], typeof sample, name);
      }
    }),
  );
});
