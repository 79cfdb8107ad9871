// The tree of owned subjects against a plain list of them: whoever a pairwise comparison finds, the tree finds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SubjectOwners } from '../../../../ts/core/subject/subject-owners.ts';
import { isValidSubject, subjectsOverlap, tokens } from '../../../../ts/core/subject/subject.ts';
import { effort, holds } from '../../../oracle/check.ts';

const subject = fc
  .array(fc.constantFrom('a', 'b', '*', '>'), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join('.'))
  .filter(isValidSubject);
const owner = fc.constantFrom('S', 'T', 'U');

test('a subject overlaps with what others own exactly when it overlaps with one of their subjects', () => {
  const step = fc.record({ owner, subject, adds: fc.boolean() });
  holds(
    fc.property(fc.array(step, { maxLength: 20 }), subject, owner, (steps, asked, except) => {
      const tree = new SubjectOwners();
      const list: (readonly [owner: string, subject: string])[] = [];
      for (const { owner: whose, subject: added, adds } of steps) {
        const at = list.findIndex(([one, theirs]) => one === whose && theirs === added);
        if (adds) {
          tree.add(whose, tokens(added));
          list.push([whose, added]);
        } else {
          tree.remove(whose, tokens(added));
          if (at >= 0) list.splice(at, 1);
        }
      }
      const expected = list.some(([whose, theirs]) => whose !== except && subjectsOverlap(asked, theirs));
      assert.equal(tree.overlaps(tokens(asked), except), expected, `${asked} in ${JSON.stringify(list)}`);
    }),
    effort(2000),
  );
});

test('what nobody owns any more overlaps with nothing', () => {
  const tree = new SubjectOwners();
  tree.add('S', tokens('orders.*.new'));
  tree.add('S', tokens('orders.>'));
  assert.equal(tree.overlaps(tokens('orders.eu.new'), ''), true);
  tree.remove('S', tokens('orders.>'));
  assert.equal(tree.overlaps(tokens('orders.eu'), ''), false);
  assert.equal(tree.overlaps(tokens('orders.eu.new'), ''), true);
  assert.equal(tree.overlaps(tokens('orders.eu.new'), 'S'), false);
  tree.remove('S', tokens('orders.*.new'));
  assert.equal(tree.overlaps(tokens('>'), ''), false);
});
