// Properties of the configuration language: what is written can be read back, and nothing that is read does any harm.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../../../../ts/core/config/config-error.ts';
import { memoryPorts, parsed, read } from './memory-ports.ts';
import { parseConfig } from '../../../../ts/core/config/config-parser.ts';

type Value = string | number | boolean | Value[] | { [key: string]: Value };

const key = fc.stringMatching(/^[a-z_][a-z0-9_.-]{0,8}$/).filter((name) => name !== 'include' && !name.startsWith('__'));
const value = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.integer(),
    fc.boolean(),
    fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0') && text.isWellFormed()),
    fc.array(tie('value') as fc.Arbitrary<Value>, { maxLength: 4 }),
    fc.dictionary(key, tie('value') as fc.Arbitrary<Value>, { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;
const document = fc.dictionary(key, value, { maxKeys: 5, noNullPrototype: true });

/** Draws one of several spellings for everything. */
function written(from: Value, choose: () => number): string {
  if (typeof from === 'string') return choose() % 2 === 0 && !from.includes("'") ? `'${from}'` : quoted(from);
  if (Array.isArray(from)) {
    const separator = choose() % 2 === 0 ? ', ' : ' # next\n ';
    return `[ ${from.map((item) => written(item, choose)).join(separator)} ]`;
  }
  if (typeof from !== 'object') return String(from);
  return `{ ${writtenEntries(from, choose)} }`;
}

function writtenEntries(from: { [key: string]: Value }, choose: () => number): string {
  const between = [': ', ' = ', ' ', ':'];
  const after = [', ', '\n', '; ', ' // end\n'];
  return Object.entries(from)
    .map(
      ([name, one]) =>
        `${choose() % 2 === 0 ? name : `"${name}"`}${between[choose() % 4] ?? ' '}${written(one, choose)}${after[choose() % 4] ?? '\n'}`,
    )
    .join('');
}

function quoted(text: string): string {
  const escaped = text.replace(
    /["\\\n\t\r]/g,
    (char) => ({ '"': '\\"', '\\': '\\\\', '\n': '\\n', '\t': '\\t', '\r': '\\r' })[char] ?? char,
  );
  return `"${escaped}"`;
}

test('a value written in any of its spellings is read as itself', () => {
  fc.assert(
    fc.property(document, fc.nat(), (from, seed) => {
      let state = seed;
      const text = writtenEntries(from, () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) >>> 28);
      assert.deepEqual(parsed(text), from, text);
    }),
    { numRuns: 300 },
  );
});

test('JSON is read as it is, but for escapes that the language does not have', () => {
  fc.assert(
    fc.property(document, (from) => {
      const text = JSON.stringify(from, undefined, 2)
        .replace(/\\u00([0-9a-f]{2})/g, '\\x$1')
        .replace(/\\b/g, '\\x08')
        .replace(/\\f/g, '\\x0c');
      assert.deepEqual(parsed(text), from, text);
    }),
    { numRuns: 300 },
  );
});

const pieces = [
  'a',
  'port',
  '=',
  ':',
  ' ',
  '\n',
  '\r',
  '{',
  '}',
  '[',
  ']',
  '(',
  ')',
  ',',
  ';',
  "'",
  '"',
  '\\',
  '\\x41',
  '$X',
  '$',
  '#',
  '//',
  '1',
  '.',
  '-',
  'k',
  'include ',
  'true',
  'é',
  '\0',
  '\n)\n',
];
const hostile = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 200 }),
);

test('hostile text gives a value or a ConfigError, and nothing else', () => {
  const env = { X: '$X [' };
  const ports = { ...memoryPorts({ env }), readFile: (path: string) => `include ${path}x` };
  fc.assert(
    fc.property(hostile, (text) => {
      try {
        parseConfig(text, 'f', ports);
        read(text, { env });
      } catch (error) {
        assert.ok(error instanceof ConfigError, `${JSON.stringify(text)} gave ${String(error)}`);
      }
    }),
    { numRuns: 2_000 },
  );
});
