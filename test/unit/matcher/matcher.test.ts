/**
 * The embeddable matcher against the oracle's list: any sequence of adding, removing and matching gives the same ids, with
 * few shapes of wildcards (hash probes) and with many (the trie), and memory comes back.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createMatcher } from '../../../ts/matcher/index.ts';
import { anySubject, pattern, subject } from '../../oracle/arbitraries.ts';
import { actions, agree } from '../../fuzz/matcher.ts';
import { effort, holds } from '../../oracle/check.ts';

/** Patterns of every shape that eight tokens can have, so that some hundred of them exceed what is probed one by one. */
const manyShapes = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '*'), { minLength: 1, maxLength: 8 }), fc.boolean())
  .map(([tokens, full]) => [...tokens, ...(full ? ['>'] : [])].join('.'));
const manyTokens = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 9 }).map((tokens) => tokens.join('.'));
const longOnes = fc.nat(80).map((count) => `${'a.'.repeat(count)}*`);

describe('the matcher', () => {
  test('finds what the oracle finds, with colliding subjects', () => {
    const matcher = createMatcher<string>();
    const base = matcher.memory.liveBytes;
    const patterns = fc.oneof({ weight: 3, arbitrary: pattern }, { weight: 2, arbitrary: anySubject });
    const subjects = fc.oneof({ weight: 3, arbitrary: subject }, { weight: 1, arbitrary: anySubject });
    holds(
      fc.property(actions(patterns, subjects, 80), (steps) => agree(matcher, steps)),
      effort(400),
    );
    assert.equal(matcher.size, 0);
    // What stays: tables at their smallest, the result cache, lists that grew.
    assert.ok(matcher.memory.liveBytes - base < 400_000, `${matcher.memory.liveBytes - base} bytes stay`);
  });

  test('finds what the oracle finds when there are more shapes than are probed', () => {
    const matcher = createMatcher<string>();
    const patterns = fc.oneof({ weight: 20, arbitrary: manyShapes }, { weight: 1, arbitrary: longOnes });
    const subjects = fc.oneof({ weight: 20, arbitrary: manyTokens }, { weight: 1, arbitrary: longOnes });
    holds(
      fc.property(actions(patterns, subjects, 300), (steps) => agree(matcher, steps)),
      effort(150),
    );
  });

  test('finds the same for subjects that differ in their last token only, unless a pattern names that', () => {
    const matcher = createMatcher<string>();
    matcher.add('_INBOX.a.*', 'inbox');
    matcher.add('_INBOX.>', 'all');
    const found = (subject: string): string[] => matcher.match(subject).sort();
    for (const last of ['1', '2', '3', 'longer than before']) assert.deepEqual(found(`_INBOX.a.${last}`), ['all', 'inbox']);
    assert.deepEqual(found('_INBOX.a.1.2'), ['all']);
    assert.deepEqual(found('_INBOX.b.1'), ['all']);
    const id = matcher.add('*.a.2', 'named');
    assert.deepEqual(found('_INBOX.a.1'), ['all', 'inbox']);
    assert.deepEqual(found('_INBOX.a.2'), ['all', 'inbox', 'named']);
    assert.deepEqual(found('_INBOX.a.3'), ['all', 'inbox']);
    matcher.remove(id);
    assert.deepEqual(found('_INBOX.a.2'), ['all', 'inbox']);
    const long = `_INBOX.${'x'.repeat(300)}`;
    for (const last of ['1', '2']) assert.deepEqual(found(`${long}.${last}`), ['all']);
  });

  test('gives ids and memory of removed subscriptions out again', () => {
    const matcher = createMatcher();
    const round = (): number => {
      const ids = Array.from({ length: 20_000 }, (_, index) => matcher.add(`a.${index % 7 === 0 ? '*' : 'b'}.${index}`, index));
      assert.equal(matcher.size, 20_000);
      for (const id of ids) assert.ok(matcher.remove(id));
      return Math.max(...ids);
    };
    round();
    const { liveBytes, reservedBytes } = matcher.memory;
    for (let i = 0; i < 5; i++) assert.ok(round() < 20_000);
    assert.equal(matcher.memory.liveBytes, liveBytes);
    assert.equal(matcher.memory.reservedBytes, reservedBytes);
  });

  test('keeps two matchers of one process apart', () => {
    const one = createMatcher<string>();
    const other = createMatcher<string>();
    one.add('a.*', 'one');
    other.add('a.>', 'other');
    assert.deepEqual(one.match('a.b'), ['one']);
    assert.deepEqual(other.match('a.b'), ['other']);
  });

  test('stops at its memory limit, and goes on below it', () => {
    const matcher = createMatcher({ maximumBytes: 24 * 1024 * 1024 });
    let added = 0;
    assert.throws(() => {
      for (; added < 1_000_000; added++) matcher.add(`subject.${added}`, added);
    });
    assert.ok(added > 50_000, `${added} subscriptions in 24 MiB`);
    assert.ok(matcher.memory.reservedBytes <= 24 * 1024 * 1024);
  });

  test('gives back values, also undefined and objects', () => {
    const matcher = createMatcher<object | undefined>();
    const value = { name: 'x' };
    const id = matcher.add('ünï.*', value);
    matcher.add('ünï.code', undefined);
    assert.deepEqual(new Set(matcher.match('ünï.code')), new Set([value, undefined]));
    assert.equal(matcher.value(id), value);
    matcher.remove(id);
    assert.equal(matcher.value(id), undefined);
  });

  test('refuses subjects that are too long without taking harm', () => {
    const matcher = createMatcher();
    assert.throws(() => matcher.add('x'.repeat(100_000), 1), RangeError);
    assert.throws(() => matcher.add('é'.repeat(60_000), 1), RangeError);
    assert.deepEqual(matcher.match('x'.repeat(100_000)), []);
    assert.equal(matcher.add('a', 1), 0);
    assert.equal(matcher.size, 1);
  });
});

test(
  'the package exports the matcher under its own name',
  { skip: existsSync('dist/matcher.js') ? false : 'dist/ is not built' },
  () => {
    const program = `
    import { createMatcher } from 'slipstream-server/matcher';
    const matcher = createMatcher();
    matcher.add('a.*', 'found');
    process.stdout.write(matcher.match('a.b').join());`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    assert.equal(stdout, 'found', stderr);
  },
);
