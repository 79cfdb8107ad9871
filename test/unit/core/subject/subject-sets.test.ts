/** Lists of subjects against what comparing every pair says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { firstOverlap, hasCovered } from '../../../../ts/core/subject/subject-sets.ts';
import { isSubsetMatch, subjectsOverlap } from '../../../../ts/core/subject/subject.ts';

const subject = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '*'), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([parts, full]) => [...parts, ...(full ? ['>'] : [])].join('.'));
const subjects = fc.array(fc.oneof(subject, fc.constant('>')), { maxLength: 6 });

test('the first subject that overlaps a later one is the one that comparing all pairs finds', () => {
  fc.assert(
    fc.property(subjects, (list) => {
      const slow = list.findIndex((one, at) => list.slice(at + 1).some((later) => subjectsOverlap(one, later)));
      assert.equal(firstOverlap(list), slow);
    }),
  );
});

test('a list has a covered subject when comparing all pairs finds one', () => {
  fc.assert(
    fc.property(subjects, (list) => {
      const slow = list.some((one, at) => list.some((other, index) => index !== at && isSubsetMatch(one, other)));
      assert.equal(hasCovered(list), slow);
    }),
  );
});

test('ten thousands of subjects are no matter of seconds', () => {
  let looked = 0;
  const counting = Array.from({ length: 20_000 }, (_, i) => ({
    toString: () => `s.${i}`,
    split: () => (looked++, ['s', `${i}`]),
  })) as unknown as string[];
  assert.equal(firstOverlap(counting), -1);
  assert.equal(hasCovered(counting), false);
  assert.equal(looked, 40_000, 'each is cut into its tokens once a question');
});
