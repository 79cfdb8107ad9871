// Mappings of imports: what is refused, the pieces the kernel gets, and the way back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyPieces, compileImportMapping, reverseMapping } from '../../../../ts/core/subject/import-mapping.ts';
import type { ImportMapping } from '../../../../ts/core/subject/import-mapping.ts';

function compiled(source: string, destination: string): ImportMapping {
  const result = compileImportMapping(source, destination);
  assert.ok(result.ok, result.ok ? '' : result.problem);
  return result.mapping;
}

test('a mapping puts the wildcards where its placeholders stand', () => {
  for (const [source, destination, subject, mapped] of [
    ['a.*.*', 'b.$2.x.$1', 'a.one.two', 'b.two.x.one'],
    ['a.*.*', 'b.{{wildcard(2)}}.{{Wildcard(1)}}', 'a.one.two', 'b.two.one'],
    ['a.*', 'b.*', 'a.one', 'b.one'],
    ['a.>', 'deep.in.a.>', 'a.one.two', 'deep.in.a.one.two'],
    ['>', 'from.>', 'a.b', 'from.a.b'],
    ['a.*.>', '$1.a.>', 'a.one.two.three', 'one.a.two.three'],
  ] as const) {
    assert.equal(applyPieces(compiled(source, destination).pieces, subject), mapped, `${source} to ${destination}`);
  }
});

test('the pattern of a mapping has stars for its placeholders', () => {
  assert.equal(compiled('a.*.*.>', 'b.$2.x.{{wildcard(1)}}.>').pattern, 'b.*.x.*.>');
});

test('the way back undoes two wildcards that changed places, also in subjects with wildcards', () => {
  const back = reverseMapping(compiled('w.*.*.>', 'x.$2.y.$1.>'));
  assert.equal(applyPieces(back.pieces, 'x.one.y.two.three'), 'w.two.one.three');
  assert.equal(applyPieces(back.pieces, 'x.*.y.two.>'), 'w.two.*.>');
});

test('a mapping that cannot be turned around is refused in the words of nats-server', () => {
  for (const [source, destination, problem] of [
    ['s.*.*', 'p.$1', 'invalid mapping destination: not using all of the token wildcard(s) in p.$1'],
    ['s.*.*', 'p.*', 'invalid mapping destination: not using all of the token wildcard(s) in p.$1'],
    [
      's.*.*',
      'p.{{partition(3,1)}}.$1.$2',
      'invalid mapping destination: the only mapping function allowed for import transforms is {{Wildcard()}} in {{partition(3,1)}}',
    ],
    ['s.*.*', 'p.$3.$1.$2', 'invalid mapping destination: wildcard index out of range in $3: [3]'],
    ['t.>', 'p.x', 'invalid subject'],
    ['t.>', 'p..q.t.>', 'invalid subject'],
  ] as const) {
    const result = compileImportMapping(source, destination);
    assert.deepEqual(result, { ok: false, problem }, `${source} to ${destination}`);
  }
});
