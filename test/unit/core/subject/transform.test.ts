// Transforms: what nats-server 2.14.5 made of the same mappings (recorded), its words for bad ones, and properties of each function.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fnv1a32, partitionOf } from '../../../../ts/core/subject/partition.ts';
import { compileMapping, compileStreamTransform, compileTransform } from '../../../../ts/core/subject/transform.ts';
import type { Transform } from '../../../../ts/core/subject/transform.ts';

function compiled(source: string, destination: string): Transform {
  const result = compileTransform(source, destination);
  assert.ok(result.ok, `${source} -> ${destination}: ${result.ok ? '' : result.problem}`);
  return result.transform;
}

const never = (): number => assert.fail('no chance was asked for');

test('destinations become what nats-server makes of them', () => {
  const cases: readonly (readonly [
    source: string,
    destination: string,
    ...pairs: (readonly [subject: string, mapped: string])[],
  ])[] = [
    ['foo.*.*', 'bar.{{wildcard(2)}}.{{wildcard(1)}}', ['foo.a.b', 'bar.b.a']],
    ['foo.*.*', 'bar.$2.$1', ['foo.a.b', 'bar.b.a']],
    ['foo.*.>', 'bar.$1.>', ['foo.a.b.c', 'bar.a.b.c']],
    ['foo.*.>', 'bar.>', ['foo.a.b.c', 'bar.b.c']],
    ['>', 'p.>', ['foo', 'p.foo'], ['a.b', 'p.a.b']],
    ['foo.*', 'p.{{partition(10,1)}}', ['foo.a', 'p.0'], ['foo.b', 'p.7'], ['foo.hello', 'p.3'], ['foo.zzz', 'p.1']],
    ['foo.*.*', 'p.{{partition(5,1,2)}}', ['foo.a.b', 'p.1'], ['foo.ab.c', 'p.1'], ['foo.a.bc', 'p.1']],
    ['foo.*.*', 'p.{{partition(5)}}', ['foo.a.b', 'p.4'], ['foo.ab.c', 'p.3']],
    ['foo', 'p.{{partition(5)}}', ['foo', 'p.1']],
    ['foo.*', 'p.{{partition(0,1)}}', ['foo.a', 'p.0']],
    ['foo.*', 'p.{{partition(-1)}}', ['foo.1', 'p.2186506494']],
    ['*.*', 'p.{{partition(3,2,1)}}.{{wildcard(2)}}', ['foo.1', 'p.0.1'], ['1.foo', 'p.1.foo']],
    ['foo.*', 'p.{{split(1,-)}}', ['foo.a-b-c', 'p.a.b.c'], ['foo.-a--b-', 'p.a.b'], ['foo.abc', 'p.abc']],
    [
      'foo.*',
      'p.{{splitFromLeft(1,3)}}',
      ['foo.12345', 'p.123.45'],
      ['foo.123', 'p.123'],
      ['foo.12', 'p.12'],
      ['foo.1234', 'p.123.4'],
    ],
    ['foo.*', 'p.{{SplitFromRight(1,3)}}', ['foo.12345', 'p.12.345'], ['foo.123', 'p.123'], ['foo.12', 'p.12']],
    ['foo.*', 'p.{{splitfromleft(1,0)}}', ['foo.12345', 'p.12345']],
    ['foo.*', 'p.{{sliceFromLeft(1,3)}}', ['foo.1234567890', 'p.123.456.789.0'], ['foo.12', 'p.12'], ['foo.123456', 'p.123.456']],
    [
      'foo.*',
      'p.{{slicefromright(1,3)}}',
      ['foo.1234567890', 'p.1.234.567.890'],
      ['foo.12', 'p.12'],
      ['foo.123456', 'p.123.456'],
    ],
    ['foo.*', 'p.{{SliceFromLeft(1,0)}}', ['foo.1234567890', 'p.1234567890']],
    ['foo.*', 'p.{{left(1,3)}}.{{ Right( 1, 2 ) }}', ['foo.12345', 'p.123.45'], ['foo.1', 'p.1.1']],
    ['foo.*', 'p.{{wildcard(0)}}', ['foo.1', 'p.foo']],
    ['foo.*', 'p.$0', ['foo.1', 'p.foo']],
    ['foo.*', 'p.{{random(0)}}', ['foo.1', 'p.0']],
    ['foo.*', 'p.x{{wildcard(1)}}', ['foo.1', 'p.x{{wildcard(1)}}']],
    ['foo.*', 'p.{{wildcard(1)}}x', ['foo.1', 'p.{{wildcard(1)}}x']],
    ['foo.*', 'p.{{split(1,.)}}', ['foo.1', 'p.{{split(1,.)}}']],
    ['foo.*', 'p.{{wildcard(1)', ['foo.12', 'p.{{wildcard(1)']],
    ['foo.*', 'p.wildcard(1)', ['foo.12', 'p.wildcard(1)']],
  ];
  for (const [source, destination, ...pairs] of cases) {
    const transform = compiled(source, destination);
    for (const [subject, mapped] of pairs)
      assert.equal(transform.apply(subject, never), mapped, `${subject}: ${source} -> ${destination}`);
  }
});

test('what cannot be compiled is explained in the words operators know', () => {
  const inDestination = 'invalid mapping destination: ';
  const cases: readonly (readonly [source: string, destination: string, problem: string])[] = [
    ['foo.*', 'p.{{random(1,2)}}', `${inDestination}not enough arguments passed to the function in {{random(1,2)}}`],
    ['foo.*', 'p.{{wildcard(2)}}', `${inDestination}wildcard index out of range in {{wildcard(2)}}: [2]`],
    ['foo.*', 'p.{{bogus(2)}}', `${inDestination}unknown function in {{bogus(2)}}`],
    ['foo.*', 'p.{{WILDCARD(1)}}', `${inDestination}unknown function in {{WILDCARD(1)}}`],
    ['foo.*', 'p.{{wildcard()}}', `${inDestination}not enough arguments passed to the function in {{wildcard()}}`],
    ['foo.*', 'p.{{wildcard(a)}}', `${inDestination}function argument is invalid or in the wrong format in {{wildcard(a)}}`],
    ['foo.*', 'p.{{wildcard(1,2)}}', `${inDestination}too many arguments passed to the function in {{wildcard(1,2)}}`],
    ['foo.*', 'p.{{split(1)}}', `${inDestination}not enough arguments passed to the function in {{split(1)}}`],
    [
      'foo.*',
      'p.{{partition(2147483648)}}',
      `${inDestination}function argument is invalid or in the wrong format in {{partition(2147483648)}}`,
    ],
    ['foo.*', 'p.{{partition(3,2)}}', `${inDestination}wildcard index out of range in {{partition(3,2)}}: [2]`],
    ['foo.*', 'p.$3', `${inDestination}wildcard index out of range in $3: [3]`],
    ['foo', 'p.$1', `${inDestination}wildcard index out of range in $1`],
    ['foo', 'p.{{wildcard(1)}}', `${inDestination}wildcard index out of range in {{wildcard(1)}}`],
    ['>', 'p.{{wildcard(1)}}.>', `${inDestination}wildcard index out of range in {{wildcard(1)}}: [1]`],
    ['foo.*', 'p.{{wildcard}}', `${inDestination}unknown function in {{wildcard}}`],
    ['foo.*', 'p..x', 'invalid subject'],
    ['foo.*', 'p.*', 'invalid subject'],
    ['foo.>', 'p', 'invalid subject'],
    ['foo', 'p.>', 'invalid subject'],
  ];
  for (const [source, destination, problem] of cases) {
    assert.deepEqual(compileTransform(source, destination), { ok: false, problem }, `${source} -> ${destination}`);
  }
});

test('destinations of mappings are looked at before they are compiled; of a stream they may not use what nats-server overlooks', () => {
  const refused = (problem: string): object => ({ ok: false, problem: `invalid mapping destination: ${problem}` });
  for (const compileChecked of [compileMapping, compileStreamTransform]) {
    assert.deepEqual(compileChecked('foo.*', 'p..$1'), refused('invalid transform'));
    assert.deepEqual(compileChecked('foo.*', 'p q.$1'), refused('invalid transform'));
    assert.deepEqual(compileChecked('foo.*', 'p.>.q'), refused('invalid transform in q'));
    assert.deepEqual(compileChecked('foo.*', '*.{{bogus(1)}}'), refused('unknown function in {{bogus(1)}}'));
  }
  for (const destination of ['p.{{left(1,2)}}', 'p.{{Right(1,2)}}']) {
    assert.equal(compileMapping('foo.*', destination).ok, true, destination);
    assert.deepEqual(compileStreamTransform('foo.*', destination), refused(`unknown function in ${destination.slice(2)}`));
  }
});

test('random asks for a number below its argument', () => {
  const limits: number[] = [];
  const mapped = compiled('foo.*', 'p.{{random(7)}}').apply('foo.x', (limit) => {
    limits.push(limit);
    return 6;
  });
  assert.deepEqual([mapped, limits], ['p.6', [7]]);
});

const token = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom('a', 'b', '-', '7') });

test('slicing and splitting lose no character, whatever the sizes', () => {
  const names = ['sliceFromLeft', 'sliceFromRight', 'splitFromLeft', 'splitFromRight'];
  fc.assert(
    fc.property(token, fc.constantFrom(...names), fc.integer({ min: 0, max: 14 }), (word, name, size) => {
      const mapped = compiled('s.*', `{{${name}(1,${size})}}`).apply(`s.${word}`, never);
      const pieces = mapped.split('.');
      assert.equal(pieces.join(''), word, `${name} ${size}`);
      assert.ok(
        pieces.every((piece) => piece !== ''),
        mapped,
      );
      if (name.startsWith('slice') && size > 0)
        assert.ok(
          pieces.every((piece) => piece.length <= size),
          mapped,
        );
      if (name.startsWith('split')) assert.ok(pieces.length <= 2, mapped);
    }),
  );
});

test('a partition is always one of those there are, and the same for the same text', () => {
  assert.equal(fnv1a32(''), 0x811c9dc5);
  assert.equal(fnv1a32('foobar'), 0xbf9cf968);
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 1_000 }), (text, count) => {
      const partition = partitionOf(text, count);
      assert.ok(partition >= 0 && partition < count);
      assert.equal(partition, partitionOf(text, count));
    }),
  );
});
