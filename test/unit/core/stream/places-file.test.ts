// The places of sources as bytes: what was written comes back, and what is broken is as good as nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodePlaces, encodePlaces } from '../../../../ts/core/stream/places-file.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('places come back as they were written', () => {
  const places = new Map([
    ['a', 1],
    ['b', 2 ** 53 - 1],
  ]);
  assert.deepEqual(decodePlaces(encodePlaces(places)), places);
});

test('what is broken, of another version or no place is left out', () => {
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{"version":2,"places":{"a":1}}',
    '{"version":1}',
    '{"version":1,"places":{"a":-1}}',
  ])
    assert.equal(decodePlaces(bytes(text)).size, 0, text);
  assert.deepEqual(decodePlaces(bytes('{"version":1,"places":{"a":"x","b":7}}')), new Map([['b', 7]]));
});
