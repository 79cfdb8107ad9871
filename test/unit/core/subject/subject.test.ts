// Validity and relations of subjects: tables, and the relations against brute force over a small alphabet.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  hasWildcard,
  isSubsetMatch,
  isValidLiteral,
  isValidSubject,
  matchesLiteral,
  subjectsOverlap,
  tokens,
} from '../../../../ts/core/subject/subject.ts';

test('what may be subscribed to and what may be published to', () => {
  const cases: readonly (readonly [subject: string, subscribe: boolean, publish: boolean])[] = [
    ['a', true, true],
    ['a.b.c', true, true],
    ['', false, false],
    ['.', false, false],
    ['a.', false, false],
    ['.a', false, false],
    ['a..b', false, false],
    ['a b', false, false],
    ['a\tb', false, false],
    ['a\r', false, false],
    ['*', true, false],
    ['>', true, false],
    ['a.*.b', true, false],
    ['a.>', true, false],
    ['a.>.b', false, false],
    ['>.a', false, false],
    ['a*', true, true],
    ['a.b>', true, true],
    ['**', true, true],
    ['\u{1F600}.\u00e9', true, true],
  ];
  for (const [subject, subscribe, publish] of cases) {
    assert.equal(isValidSubject(subject), subscribe, `subscribe ${JSON.stringify(subject)}`);
    assert.equal(isValidLiteral(subject), publish, `publish ${JSON.stringify(subject)}`);
  }
});

test('wildcards are whole tokens', () => {
  assert.deepEqual(['a.*', '>', 'a*', 'a.>b', 'a.b'].map(hasWildcard), [true, true, false, false, false]);
});

test('subset and overlap by example', () => {
  const cases: readonly (readonly [a: string, b: string, subset: boolean, overlap: boolean])[] = [
    ['foo.bar', 'foo.*', true, true],
    ['foo.*', 'foo.bar', false, true],
    ['foo.>', 'foo.*', false, true],
    ['foo.*', 'foo.>', true, true],
    ['foo.*.>', 'foo.>', true, true],
    ['foo.>', 'foo.*.>', false, true],
    ['foo', 'foo.>', false, false],
    ['*.*', '>', true, true],
    ['>', '*', false, true],
    ['a.*.c', '*.b.*', false, true],
    ['a.*.c', 'a.b', false, false],
    ['a.b', 'b.*', false, false],
    ['ab.c', 'a.c', false, false],
    ['a.b', 'a.bc', false, false],
    ['a.b', 'a.b.c', false, false],
    ['a.*', 'a.*.c', false, false],
    ['a.*b', 'a.*', true, true],
    ['*.a', '*.b', false, false],
  ];
  for (const [a, b, subset, overlap] of cases) {
    assert.equal(isSubsetMatch(a, b), subset, `${a} within ${b}`);
    assert.equal(subjectsOverlap(a, b), overlap, `${a} with ${b}`);
    assert.equal(subjectsOverlap(b, a), overlap, `${b} with ${a}`);
  }
});

const letters = ['a', 'b'];
/** Every literal of up to four tokens: enough to tell patterns of up to three apart. */
const literals = [1, 2, 3, 4].flatMap((length) => combinations(length));

function combinations(length: number): string[][] {
  if (length === 0) return [[]];
  return combinations(length - 1).flatMap((start) => [...letters, 'z'].map((letter) => [...start, letter]));
}

const pattern = fc
  .tuple(fc.array(fc.constantFrom(...letters, '*'), { maxLength: 2 }), fc.constantFrom('a', 'b', '*', '>'))
  .map(([start, last]) => [...start, last].join('.'));

test('subset and overlap are what the literals say', () => {
  fc.assert(
    fc.property(pattern, pattern, (a, b) => {
      const inA = literals.filter((literal) => matchesLiteral(literal, tokens(a)));
      const inB = new Set(literals.filter((literal) => matchesLiteral(literal, tokens(b))));
      assert.equal(
        isSubsetMatch(a, b),
        inA.every((literal) => inB.has(literal)),
        `${a} within ${b}`,
      );
      assert.equal(
        subjectsOverlap(a, b),
        inA.some((literal) => inB.has(literal)),
        `${a} with ${b}`,
      );
    }),
    { numRuns: 500 },
  );
});
