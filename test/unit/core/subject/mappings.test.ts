// Mappings of an account: which source decides, how weights are rolled, what a cluster changes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileMappings } from '../../../../ts/core/subject/mappings.ts';
import type { MappingDestination, SubjectMapping } from '../../../../ts/core/config/options.ts';

type Row = readonly [subject: string, weight: number, cluster?: string];

function mapping(source: string, ...rows: Row[]): SubjectMapping {
  const destinations: MappingDestination[] = rows.map(([subject, weight, cluster = '']) => ({ subject, weight, cluster }));
  return { source, destinations };
}

const rolls = (...values: number[]): { below(limit: number): number } => ({ below: () => values.shift() ?? 0 });

/** How often each subject comes out when every roll comes up once. */
function spread(mappings: SubjectMapping[], subject: string, cluster = ''): Record<string, number> {
  const counts: Record<string, number> = {};
  const all = Array.from({ length: 100 }, (_, roll) => roll);
  const { map } = compileMappings(mappings, cluster, rolls(...all));
  for (const _ of all) {
    const mapped = map(subject) ?? '(dropped)';
    counts[mapped] = (counts[mapped] ?? 0) + 1;
  }
  return counts;
}

test('what no source matches stays as it is', () => {
  const { map, sources } = compileMappings([mapping('a.*', ['b.$1', 100])], '', rolls());
  assert.deepEqual(sources, ['a.*']);
  assert.equal(map('c.d'), 'c.d');
  assert.equal(map('a.d'), 'b.d');
});

test('a source without wildcards goes before one with, then the order of the configuration', () => {
  const rows = [mapping('foo.*', ['w.$1', 100]), mapping('*.a', ['u.$1', 100]), mapping('foo.a', ['lit', 100])];
  const { map } = compileMappings(rows, '', rolls());
  assert.deepEqual([map('foo.a'), map('foo.b'), map('x.a')], ['lit', 'w.b', 'u.x']);
});

test('weights share the rolls, and the rest keeps the subject', () => {
  assert.deepEqual(spread([mapping('foo', ['bar', 50], ['baz', 20])], 'foo'), { bar: 50, baz: 20, foo: 30 });
  assert.deepEqual(spread([mapping('foo', ['bar', 0])], 'foo'), { foo: 100 });
  assert.deepEqual(spread([mapping('foo.*', ['bar.$1', 50], ['foo.$1', 20])], 'foo.a'), { 'bar.a': 50, 'foo.a': 50 });
});

test('the rest is dropped when the source itself is a destination', () => {
  assert.deepEqual(spread([mapping('foo', ['foo', 10])], 'foo'), { foo: 10, '(dropped)': 90 });
});

test("destinations of the server's cluster replace the general ones", () => {
  const rows = [mapping('foo', ['bar', 50], ['ccc', 30, 'c1'])];
  assert.deepEqual(spread(rows, 'foo', 'c1'), { ccc: 30, foo: 70 });
  assert.deepEqual(spread(rows, 'foo', 'c2'), { bar: 50, foo: 50 });
  assert.deepEqual(spread(rows, 'foo'), { bar: 50, foo: 50 });
});

test('destinations only for another cluster map nothing', () => {
  const { sources, map } = compileMappings([mapping('foo', ['bar', 100, 'c1'])], '', rolls());
  assert.deepEqual([sources, map('foo')], [[], 'foo']);
});

test('a destination that does not compile names its mapping', () => {
  assert.throws(
    () => compileMappings([mapping('foo', ['p.$1', 100])], '', rolls()),
    /Error adding mapping for "foo" to "p\.\$1" : invalid mapping destination: wildcard index out of range in \$1/,
  );
});
