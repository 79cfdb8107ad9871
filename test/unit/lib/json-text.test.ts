// JSON text: members in the order given, also where their keys look like numbers and a bigint stands beside.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonPieces, jsonText, LaterItems, orderedMembers, WrittenJson, type JsonInput } from '../../../ts/lib/json-text.ts';

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

const later = (...items: JsonInput[]): LaterItems => new LaterItems(() => items);

test('lists whose items are made later are written as others are, whole or in pieces, and left out when they have none', () => {
  const documents: [given: JsonInput, meant: JsonInput][] = [
    [
      { a: 1, list: later('x', { y: 'line\nbreak', inner: later(1n, []), none: later() }), b: {} },
      { a: 1, list: ['x', { y: 'line\nbreak', inner: [1n, []] }], b: {} },
    ],
    [{ data: { list: later(1, 2), c: undefined } }, { data: { list: [1, 2] } }],
    [{ none: later() }, {}],
    [later(1, [2], { three: 3 }), [1, [2], { three: 3 }]],
    ['<text>', '<text>'],
    [{ written: new WrittenJson('{"9":1}') }, { written: { '9': 1 } }],
  ];
  for (const [given, meant] of documents) {
    assert.equal(jsonText(given), jsonText(meant));
    assert.equal([...jsonPieces(given)].join(''), jsonText(meant));
    if (!JSON.stringify(meant, (_key, value: unknown) => (typeof value === 'bigint' ? 1 : value)).includes('written')) {
      assert.equal(jsonText(given, '  '), jsonText(meant, '  '));
      assert.equal([...jsonPieces(given, '  ')].join(''), jsonText(meant, '  '));
    }
  }
  const made: number[] = [];
  const pieces = jsonPieces({
    list: new LaterItems(function* () {
      for (let n = 0; n < 3; n++) {
        made.push(n);
        yield n;
      }
    }),
  });
  while (made.length < 2) pieces.next();
  assert.deepEqual(made, [0, 1], 'an item is made when its turn has come');
});
