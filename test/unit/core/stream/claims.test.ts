// What streams claim: subjects and reserved bytes, through creations, updates and deletes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Claims, type Claiming } from '../../../../ts/core/stream/claims.ts';

function stream(name: string, subjects: readonly string[], max_bytes = -1, storage: Claiming['storage'] = 'file'): Claiming {
  return { name, subjects, storage, max_bytes };
}

test('a stream stands in the way of others, and not in its own', () => {
  const claims = new Claims();
  claims.add(stream('S', ['a.*', 'b']));
  assert.equal(claims.overlaps(['c', 'a.x'], 'T'), true);
  assert.equal(claims.overlaps(['c', 'a.x'], 'S'), false);
  assert.equal(claims.overlaps(['c', 'a.x.y'], 'T'), false);
});

test('reserved bytes are summed by storage; a stream without an end reserves none', () => {
  const claims = new Claims();
  claims.add(stream('S', ['s'], 100));
  claims.add(stream('T', ['t'], 30));
  claims.add(stream('U', ['u']));
  claims.add(stream('M', ['m'], 5, 'memory'));
  assert.deepEqual([claims.reserved('file'), claims.reserved('memory')], [130, 5]);
});

test('what an update or a delete gives up is free', () => {
  const claims = new Claims();
  const before = stream('S', ['a'], 100);
  claims.add(before);
  claims.remove(before);
  const after = stream('S', ['b'], 10);
  claims.add(after);
  assert.deepEqual([claims.overlaps(['a'], 'T'), claims.overlaps(['b'], 'T'), claims.reserved('file')], [false, true, 10]);
  claims.remove(after);
  assert.deepEqual([claims.overlaps(['>'], 'T'), claims.reserved('file')], [false, 0]);
});
