// JSON text: members in the order given, also where their keys look like numbers and a bigint stands beside.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonText, orderedMembers } from '../../../ts/lib/json-text.ts';

test('members keep their order, whatever their keys look like', () => {
  const list = [
    ['10', 'a'],
    ['9', 1n],
    ['__proto__', { x: undefined, y: '<' }],
    ['a', undefined],
  ] as const;
  assert.equal(jsonText({ list: orderedMembers(list) }), '{"list":{"10":"a","9":1,"__proto__":{"y":"\\u003c"}}}');
  assert.equal(jsonText([orderedMembers([['2', 0]]), orderedMembers([])]), '[{"2":0},{}]');
  assert.equal(jsonText(orderedMembers([['2', 0]]), ' '), '{\n "2": 0\n}');
  assert.equal(
    jsonText(
      orderedMembers([
        ['b', 1],
        ['a', 2],
      ]),
    ),
    '{"b":1,"a":2}',
  );
});
