/**
 * The embeddable matcher against the oracle's list, with alphabets small enough that subjects meet and shapes many enough
 * that the trie takes over.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createMatcher } from '../../ts/matcher/index.ts';
import type { Matcher } from '../../ts/matcher/index.ts';
import { holds } from '../oracle/check.ts';
import type { Effort } from '../oracle/check.ts';
import { Matcher as Oracle, isSubscribable } from '../oracle/matcher.ts';
import type { Entry } from '../oracle/matcher.ts';

export type Action = { readonly add: string } | { readonly remove: number } | { readonly match: string };

const tokens = fc.constantFrom('a', 'b', 'c', '', 'long-token-beyond-sixteen');
const words = (token: fc.Arbitrary<string>, most: number): fc.Arbitrary<string> =>
  fc.array(token, { minLength: 1, maxLength: most }).map((parts) => parts.join('.'));

export function actions(patterns: fc.Arbitrary<string>, subjects: fc.Arbitrary<string>, most: number): fc.Arbitrary<Action[]> {
  return fc.array(
    fc.oneof(
      { weight: 4, arbitrary: patterns.map((add): Action => ({ add })) },
      { weight: 2, arbitrary: fc.nat(most).map((remove): Action => ({ remove })) },
      { weight: 4, arbitrary: subjects.map((match): Action => ({ match })) },
    ),
    { maxLength: most },
  );
}

function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function sorted(ids: readonly number[]): number[] {
  return [...ids].sort((one, other) => one - other);
}

/** Does the same with matcher and oracle and wants the same; leaves the matcher empty. */
export function agree(matcher: Matcher<string>, steps: readonly Action[]): void {
  const oracle = new Oracle<number>();
  const entries = new Map<number, Entry<number>>();
  for (const step of steps) {
    if ('add' in step) {
      if (!isSubscribable(step.add) || /[\t\n\f\r ]/.test(step.add)) {
        assert.throws(() => matcher.add(step.add, step.add), RangeError);
        continue;
      }
      const id = matcher.add(step.add, step.add);
      assert.ok(!entries.has(id), 'an id is given to one subscription at a time');
      const entry = { subject: bytesOf(step.add), queue: null, value: id };
      oracle.insert(entry);
      entries.set(id, entry);
    } else if ('remove' in step) {
      const entry = entries.get(step.remove);
      assert.equal(matcher.remove(step.remove), entry !== undefined);
      if (entry !== undefined) oracle.remove(entry);
      entries.delete(step.remove);
    } else {
      const expected = sorted(oracle.match(bytesOf(step.match)).plain);
      assert.deepEqual(sorted(matcher.matchIds(step.match)), expected, `match ${JSON.stringify(step.match)}`);
      assert.equal(matcher.matches(step.match), expected.length > 0);
    }
    assert.equal(matcher.size, oracle.size);
  }
  for (const id of entries.keys()) matcher.remove(id);
}

/** Alternates between few shapes and many. Returns how many sequences were tried. */
export function matcherAgrees(effort: Effort): number {
  const matcher = createMatcher<string>();
  const wild = fc.oneof(
    { weight: 3, arbitrary: tokens },
    { weight: 2, arbitrary: fc.constant('*') },
    { weight: 1, arbitrary: fc.constant('>') },
  );
  const few = actions(words(wild, 3), words(tokens, 4), 100);
  const many = actions(words(wild, 12), words(tokens, 12), 400);
  return holds(
    fc.property(fc.oneof(few, many), (steps) => agree(matcher, steps)),
    effort,
  );
}
