// The test report is what everybody looks at: counts must be right, failures whole, and the closing lines last.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { root } from '../../../scripts/root.mjs';
import report from '../../../scripts/test-reporter.mjs';

type Event = Parameters<typeof report>[0] extends AsyncIterable<infer Item> ? Item : never;

async function reported(events: readonly Event[]): Promise<string> {
  async function* source() {
    yield* events;
  }
  let text = '';
  for await (const part of report(source())) text += part;
  return text;
}

const passed = (file: string, name: string, more: object = {}): Event => ({
  type: 'test:pass',
  data: { name, file: join(root, file), nesting: 0, details: { duration_ms: 2 }, ...more },
});

const failed = (file: string, name: string, error: object): Event => ({
  type: 'test:fail',
  data: { name, file: join(root, file), nesting: 0, details: { duration_ms: 3, error } },
});

test('each file has one line with its counts', async () => {
  const text = await reported([
    passed('test/a.test.ts', 'one'),
    passed('test/a.test.ts', 'two', { skip: true }),
    passed('test/b.test.ts', 'three'),
  ]);
  assert.match(text, /^ok {5}test\/a\.test\.ts {2}1 passed, 1 skipped {2}4 ms$/m);
  assert.match(text, /^ok {5}test\/b\.test\.ts {2}1 passed {2}2 ms$/m);
});

test('a suite is not counted as a test, and its failure through a test in it is told once', async () => {
  const text = await reported([
    failed('test/a.test.ts', 'inner', { cause: new Error('wrong answer') }),
    failed('test/a.test.ts', 'outer', { failureType: 'subtestsFailed' }),
    passed('test/a.test.ts', 'suite', { details: { type: 'suite', duration_ms: 1 } }),
  ]);
  assert.match(text, /^FAILED test\/a\.test\.ts {2}0 passed, 1 failed/m);
  assert.match(text, /wrong answer/);
  assert.doesNotMatch(text, /outer/);
});

test('what a test printed is shown with a failure and not without', async () => {
  const printed = (file: string): Event => ({ type: 'test:stdout', data: { file: join(root, file), message: 'a clue\n' } });
  const quiet = await reported([printed('test/a.test.ts'), passed('test/a.test.ts', 'one')]);
  assert.doesNotMatch(quiet, /a clue/);
  const loud = await reported([printed('test/a.test.ts'), failed('test/a.test.ts', 'one', { cause: new Error('no') })]);
  assert.match(loud, /^ {4}\| a clue$/m);
});

test('failures are named again behind everything, then the closing counts', async () => {
  const counts = ['tests 2', 'pass 1', 'fail 1'].map((message): Event => ({
    type: 'test:diagnostic',
    data: { message, nesting: 0 },
  }));
  const text = await reported([
    failed('test/a.test.ts', 'one', { cause: new Error('no') }),
    passed('test/b.test.ts', 'two'),
    ...counts,
  ]);
  assert.ok(text.endsWith('\nnot ok - test/a.test.ts: one\n\n# tests 2\n# pass 1\n# fail 1\n'), text);
});
