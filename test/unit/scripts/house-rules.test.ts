// The rules that hold the house must themselves hold: each is shown a file that keeps it and one that breaks it.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkAssemblyScript, checkNames, checkShape } from '../../../scripts/house-rules.mjs';

const messages = (findings: readonly { message: string; line: number }[]) =>
  findings.map(({ line, message }) => `${line}: ${message}`);

describe('names', () => {
  test('a folder or file named for nothing in particular is found', () => {
    assert.equal(checkNames('ts/core/utils/text.ts').length, 1);
    assert.equal(checkNames('ts/engine/stream-manager.ts').length, 1);
    assert.equal(checkNames('wasm/lib/helpers.ts').length, 1);
  });

  test('a name that only contains such a word is left alone', () => {
    assert.deepEqual(checkNames('ts/core/utilisation/commonality.ts'), []);
  });
});

describe('shape', () => {
  test('a file opens with a comment, a shebang before it aside', () => {
    assert.deepEqual(checkShape('a.ts', '// What it is.\nexport const a = 1;\n'), []);
    assert.deepEqual(checkShape('a.mjs', '#!/usr/bin/env node\n// What it is.\n'), []);
    assert.match(messages(checkShape('a.ts', 'export const a = 1;\n')).join(), /opens without a comment/);
  });

  test('the 501st line is one too many', () => {
    const text = (lines: number) => `// What it is.\n${'export {};\n'.repeat(lines - 1)}`;
    assert.deepEqual(checkShape('a.ts', text(500)), []);
    assert.match(messages(checkShape('a.ts', text(501))).join(), /^501: 501 lines/);
  });

  test('unfinished work is found with its line', () => {
    assert.deepEqual(messages(checkShape('a.ts', '// What it is.\n\n// TODO later\n')), ['3: TODO: finish it, or open an issue']);
  });
});

describe('AssemblyScript', () => {
  test('an export without a comment is found, decorated or not', () => {
    assert.deepEqual(messages(checkAssemblyScript('a.ts', '// A.\n\nexport function f(): void {}\n')), [
      '3: export f has no comment above it',
    ]);
    assert.deepEqual(messages(checkAssemblyScript('a.ts', '// A.\n\n@inline export const N: i32 = 1;\n')), [
      '3: export N has no comment above it',
    ]);
    assert.deepEqual(messages(checkAssemblyScript('a.ts', '// A.\n\n@unmanaged\nexport class C {}\n')), [
      '4: export C has no comment above it',
    ]);
  });

  test('a comment counts above decorators, as a block, and behind the line', () => {
    const text = [
      '// A.',
      '',
      '/** Adds. */',
      '@inline',
      'export function add(a: i32): i32 {',
      '  return a;',
      '}',
      '',
      '/**',
      ' * Two lines.',
      ' */',
      '// @ts-ignore: decorator',
      '@unmanaged export class C {}',
      '',
      'export const N: i32 = 1; // how many',
      '',
    ];
    assert.deepEqual(checkAssemblyScript('a.ts', text.join('\n')), []);
  });

  test('a row of constants shares the comment over its first', () => {
    const row = [
      '// A.',
      '',
      '/** Kinds. */',
      '@inline export const A: u8 = 0;',
      'export const B: u8 = 1;',
      '',
      'export const C: u8 = 2;',
      '',
    ];
    assert.deepEqual(messages(checkAssemblyScript('a.ts', row.join('\n'))), ['7: export C has no comment above it']);
  });

  test('a line wider than 130 and a function longer than 70 lines are found', () => {
    assert.match(messages(checkAssemblyScript('a.ts', `// ${'x'.repeat(128)}\n`)).join(), /^1: 131 characters/);
    const body = (lines: number) => `/** F. */\nexport function f(): void {\n${'  g();\n'.repeat(lines - 2)}}\n`;
    assert.deepEqual(checkAssemblyScript('a.ts', body(70)), []);
    assert.deepEqual(messages(checkAssemblyScript('a.ts', body(71))), ['2: function f has 71 lines; at most 70']);
  });
});
