// The configuration language: what texts mean, and where and why the others are refused. Everything here was seen on nats-server
// first, except the rows that say otherwise.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../../ts/core/config/config-parser.ts';
import { memoryPorts, mistakes, parsed, read } from './memory-ports.ts';

const meanings: readonly (readonly [text: string, value: unknown])[] = [
  ['', {}],
  ['# only a comment', {}],
  ['a=1', { a: 1 }],
  ['a 1', { a: 1 }],
  ['a:1, b:2; c:3', { a: 1, b: 2, c: 3 }],
  ['a\n=1', { a: 1 }],
  ['a\n\n b', { a: 'b' }],
  ['a=', { a: '' }],
  ['{a:1}\nb:2', { a: 1, b: 2 }],
  ['{"a": [{"b": 1}, {"c": "d"}], "e": 10}', { a: [{ b: 1 }, { c: 'd' }], e: 10 }],
  ['a:1}', { a: 1 }],
  ['a {b:1}', { a: { b: 1 } }],
  ['a{b:1}', { 'a{b': 1 }],
  ['a={b:\n1}', { a: { b: 1 } }],
  ['a={b:1,}', { a: { b: 1 } }],
  ['a={b:1;c:2}', { a: { b: 1, c: 2 } }],
  ['a=[1,2,3,]', { a: [1, 2, 3] }],
  ['a=[foo\n bar]', { a: ['foo', 'bar'] }],
  ['a=[\'x\', # one\n // two\n "y"]', { a: ['x', 'y'] }],
  ['a=[{b:1}\n{c:2}]', { a: [{ b: 1 }, { c: 2 }] }],
  ['a=[1k]', { a: ['1k'] }],
  ["'a b'=1", { 'a b': 1 }],
  ['"a"=1', { a: 1 }],
  ["'a'b=1", { a: 'b=1' }],
  ['a=b=c', { a: 'b=c' }],
  ['a:b:c', { a: 'b:c' }],
  ['a=TRUE, b=oFF, c=Yes', { a: true, b: false, c: true }],
  ['a=trueish', { a: 'trueish' }],
  ['a=constructor, b=toString', { a: 'constructor', b: 'toString' }],
  ['a=1.5', { a: 1.5 }],
  ['a=-1.5', { a: -1.5 }],
  ['a=-1k', { a: -1000 }],
  ['a=1k, b=1kb, c=1KiB, d=1Ki', { a: 1000, b: 1024, c: 1024, d: 1024 }],
  ['a=1e, b=1t, c=1gib', { a: 1e18, b: 1e12, c: 2 ** 30 }],
  ['a=00012', { a: 12 }],
  ['a=1x, b=1kbx, c=10s, d=+1, e=0x10, f=1_000', { a: '1x', b: '1kbx', c: '10s', d: '+1', e: '0x10', f: '1_000' }],
  ['a=10.0.0.1:4222', { a: '10.0.0.1:4222' }],
  ['a=127.0.0.1:-1', { a: '127.0.0.1:-1' }],
  ['a=2024-01-02T03:04:05Z', { a: '2024-01-02T03:04:05Z' }],
  ['a=nats://u:p@h:4222/x', { a: 'nats://u:p@h:4222/x' }],
  ['a=x // c', { a: 'x' }],
  ['a=x//c', { a: 'x//c' }],
  ['a=1#c', { a: '1#c' }],
  ["a='x'#c", { a: 'x' }],
  ["a='it\nis'", { a: 'it\nis' }],
  ["a='\\n'", { a: '\\n' }],
  ['a="\\n\\t\\r\\\\\\"\\x41"', { a: '\n\t\r\\"A' }],
  ['a="\\xc3\\xa9"', { a: 'é' }],
  ['a=foo\\x41', { a: 'fooA' }],
  ['a=\\x74rue', { a: 'true' }],
  ['a=(\nfoo\n  )\n)\nb=1', { a: '\nfoo\n  )\n', b: 1 }],
  ['a=1\r\nb=2\r\n', { a: 1, b: 2 }],
  ['a=é\n ééé=1', { a: 'é', ééé: 1 }],
  ['a\u00a0=1', { a: 1 }],
  ['a=1\na=2', { a: 2 }],
  ['includes = 1', { includes: 1 }],
  ['include: 1', { include: 1 }],
  // Refused by nats-server, which reads the bracket as part of the number.
  ['a=[1, 2]', { a: [1, 2] }],
  // nats-server keeps the closing parenthesis when no line end follows it.
  ['a=(\nfoo\n)', { a: '\nfoo\n' }],
];

for (const [text, value] of meanings) {
  test(`${JSON.stringify(text)} means ${JSON.stringify(value)}`, () => assert.deepEqual(parsed(text), value));
}

const refused: readonly (readonly [text: string, line: number])[] = [
  ['a', 1],
  ['\n  a\n', 3],
  ['a:1 b:2', 1],
  ['a=\n1', 2],
  ['=1', 1],
  [':1', 1],
  ['a=[1 2]', 1],
  ['a=[1,,3]', 1],
  ['a=[,1]', 1],
  ['a=[1', 1],
  ['a=[\n1\n', 3],
  ['a={', 1],
  ['a={b:1', 1],
  ['a={b:1 c:2}', 1],
  ['a={b', 1],
  ['{a:1', 1],
  ['a=1.', 1],
  ['a=.5', 1],
  ['a=1.5k', 1],
  ['a=1e5', 1],
  ['a=-', 1],
  ['a=-x', 1],
  ['a=99999999999999999999', 1],
  ['a=20-1', 1],
  ['a=2024-01-02', 1],
  ['a=2024-13-02T03:04:05Z', 1],
  ['a=2023-02-29T05:10:10Z', 1],
  ['a=10.0.0.1/16', 1],
  ['a="x', 1],
  ["a='x", 1],
  ["'a", 1],
  ['a="\\q"', 1],
  ['a="\\x4"', 1],
  ['a="\\u0041"', 1],
  ['a=foo\\', 1],
  ["a='x' 'y'", 1],
  ["a=x'y'", 1],
  ['a=x# c', 1],
  ['a=(foo)', 1],
  ['a=(\nfoo\n )\n', 1],
  ['a=1\n/ c', 2],
  ['a=foo]', 1],
  ['include', 1],
  ['include {a:1}', 1],
  // Taken by nats-server for something nobody can have meant.
  ['a={b=}', 1],
  ['a={b\n}', 2],
  ['a:1,, b:2', 1],
  ['a=10e', 1],
  ['{a=1\n', 2],
  ['a\0=1', 1],
];

for (const [text, line] of refused) {
  test(`${JSON.stringify(text)} is a parse error on line ${line}`, () => {
    const [first = ''] = mistakes(() => parsed(text));
    assert.match(first, new RegExp(`^test\\.conf:${line}:\\d+: Parse error on line ${line}: '`));
  });
}

test('columns count bytes, from 0 on the first line and from 1 on the others', () => {
  const { entries } = parseConfig('é: 1, foo: 2\n ééé: 1, "bar": 2', 'f', memoryPorts());
  const places = [...entries.values()].map(({ key, value: { at } }) => [key, at.line, at.column]);
  assert.deepEqual(places, [
    ['é', 1, 0],
    ['foo', 1, 7],
    ['ééé', 2, 2],
    ['bar', 2, 14],
  ]);
});

test('nesting without end is a mistake, not a stack overflow', () => {
  for (const open of ['[', '{b=', '{b ', '[{b:']) {
    assert.match(mistakes(() => parsed(`a=${open.repeat(100_000)}`)).join(), /more than 256 levels of nesting/);
  }
});

test('a megabyte on one line, a million digits and a very long unknown key take no time', () => {
  const entries = Array.from({ length: 50_000 }, (_, at) => `"key-${at}": "value-${at}"`);
  assert.equal(Object.keys(parsed(`{${entries.join(',')}}`) as object).length, 50_000);
  assert.match(
    mistakes(() => parsed(`a = ${'9'.repeat(1_000_000)}`))
      .join()
      .slice(-40),
    /is out of the range/,
  );
  assert.match(
    mistakes(() => read(`${'m'.repeat(1_000_000)}: 1`))
      .join()
      .slice(0, 60),
    /unknown field/,
  );
  assert.match(mistakes(() => parsed(`a = "${'\\n'.repeat(500_000)}`)).join(), /is not closed/);
});

test('names of inherited properties are ordinary keys and values', () => {
  const { options } = read('server_metadata { __proto__: x, constructor: y }\nserver_name: valueOf');
  assert.deepEqual(Object.entries(options.serverMetadata), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
  assert.equal(options.serverName, 'valueOf');
  assert.deepEqual(mistakes(() => read('hasOwnProperty: 1\nwrite_timeout: constructor')).length, 2);
});
