// Variables and includes of the configuration language: what they see, and how they fail.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../../../ts/core/config/config-parser.ts';
import { memoryPorts, mistakes, parsed, read } from './memory-ports.ts';

const env = {
  X: 'env',
  NUM: '12',
  BOOL: 'true',
  LIST: '[a,b]',
  MAP: '{x:1}',
  EMPTY: '',
  QUOTED: '"a b"',
  SIZE: '10mb',
  OTHER: '$NUM',
  SELF: '$SELF',
  ONE: '$TWO',
  TWO: '$ONE',
  WORDS: 'a b',
};

const meanings: readonly (readonly [text: string, value: unknown])[] = [
  ['X=1\na=$X', { X: 1, a: 1 }],
  ['X=1\na=[$X]', { X: 1, a: [1] }],
  ['X=1\na={X=2\nb=$X}', { X: 1, a: { X: 2, b: 2 } }],
  ['X=1\na={b=$X\nX=2}', { X: 1, a: { X: 2, b: 1 } }],
  ['X={y:1}\na={b={c=$X}}', { X: { y: 1 }, a: { b: { c: { y: 1 } } } }],
  ['a={X=1}\nb=$X', { a: { X: 1 }, b: 'env' }],
  ['a=$X\nX=1', { a: 'env', X: 1 }],
  ['X=1\na=\'$X\', b="$X", c=b$X', { X: 1, a: '$X', b: '$X', c: 'b$X' }],
  ['a=$NUM, b=$BOOL, c=$LIST, d=$MAP', { a: 12, b: true, c: ['a', 'b'], d: { x: 1 } }],
  ['a=$EMPTY, b=$QUOTED, c=$SIZE, d=$OTHER', { a: '', b: 'a b', c: 10 * 2 ** 20, d: 12 }],
  ['a=$2a$11$abc', { a: '$2a$11$abc' }],
  ['a=[$2a$11$abc]', { a: ['$2a$11$abc'] }],
  ['$X=1', { $X: 1 }],
];

for (const [text, value] of meanings) {
  test(`${JSON.stringify(text)} means ${JSON.stringify(value)}`, () => assert.deepEqual(parsed(text, { env }), value));
}

const refused: readonly (readonly [text: string, problem: RegExp])[] = [
  ['a=$NOPE', /variable reference for 'NOPE' on line 1 can not be found/],
  ['\n\na=$x', /variable reference for 'x' on line 3 can not be found/],
  ['a=$a', /variable reference for 'a' on line 1 can not be found/],
  ['a=$toString', /can not be found/],
  ['a=$2b$foo', /variable reference for '2b\$foo'/],
  ['a=$SELF', /reference cycle for 'SELF'/],
  ['a=$ONE', /reference cycle for 'ONE'/],
  ['a=$WORDS', /variable reference for 'WORDS' on line 1 could not be parsed: Parse error on line 1/],
];

for (const [text, problem] of refused) {
  test(`${JSON.stringify(text)} fails with ${problem.source}`, () => {
    assert.match(mistakes(() => parsed(text, { env })).join('\n'), problem);
  });
}

test('a key that a variable referred to needs no meaning, any other does', () => {
  assert.equal(read('P = 4333\nport: $P').options.port, 4333);
  assert.deepEqual(
    mistakes(() => read('P = 4333\nQ = 1\nport: $P')),
    ['test.conf:2:1: unknown field "Q"'],
  );
});

test('an include merges its keys where it stands, relative to the including file', () => {
  const files = { 'sub/a.conf': 'include "b.conf"\nport: 4333\n', 'sub/b.conf': 'max_payload: 2kb\nport: 1\n' };
  assert.deepEqual(parsed('port: 2\nInclude sub/a.conf\nhost: h', { files }), { max_payload: 2048, port: 4333, host: 'h' });
  assert.deepEqual(parsed("a { include 'sub/b.conf'\n x: y }", { files }), { a: { max_payload: 2048, port: 1, x: 'y' } });
  assert.deepEqual(parsed('include sub/../sub/b.conf; host: h', { files }), { max_payload: 2048, port: 1, host: 'h' });
});

test('variables of an included file are seen after it, those before it are not seen in it', () => {
  assert.equal(read('include v.conf\nport: $P', { files: { 'v.conf': 'P = 4333' } }).options.port, 4333);
  const problems = mistakes(() => read('P = 1\ninclude v.conf', { files: { 'v.conf': 'port: $P' } }));
  assert.deepEqual(problems, ["v.conf:1:0: variable reference for 'P' on line 1 can not be found"].map(withColumn));
});

/** The value's own place: column 6 of the first line. */
function withColumn(line: string): string {
  return line.replace(':1:0:', ':1:6:');
}

test('mistakes in an included file carry its name', () => {
  const files = { 'sub/a.conf': 'port: 1\n  foo: 2', 'bad.conf': 'a = [' };
  assert.deepEqual(
    mistakes(() => read('include sub/a.conf\nbar: 1', { files })),
    ['sub/a.conf:2:3: unknown field "foo"', 'test.conf:2:1: unknown field "bar"'],
  );
  assert.match(mistakes(() => read('include bad.conf', { files })).join(), /^bad\.conf:1:\d+: Parse error on line 1/);
});

test('a missing include and one that includes itself are mistakes with a place', () => {
  assert.deepEqual(
    mistakes(() => parsed('\n include nope.conf')),
    ["test.conf:2:10: error parsing include file 'nope.conf', open nope.conf: no such file or directory"],
  );
  const files = { 'a.conf': 'include b.conf', 'b.conf': 'include a.conf' };
  assert.match(mistakes(() => parsed('include a.conf', { files })).join(), /include file 'a\.conf' includes itself/);
});

test('variables of variables and includes of includes that multiply are stopped', () => {
  const lines = Array.from({ length: 60 }, (_, at) => `v${at + 1} = [$v${at}, $v${at}, ]`);
  assert.match(mistakes(() => parsed(`v0 = x\n${lines.join('\n')}`)).join(), /variables stand for more than/);
  const deeper = Array.from({ length: 5_000 }, (_, at) => `v${at + 1} = [$v${at}, ]`);
  assert.match(mistakes(() => parsed(`v0 = x\n${deeper.join('\n')}`)).join(), /more than 256 levels of nesting/);
  const ports = { ...memoryPorts(), readFile: (path: string) => `include '${path}x'\ninclude '${path}y'` };
  assert.match(mistakes(() => parseConfig('include a', 'f', ports)).join(), /more than 64 files|more than 1000 includes/);
});
