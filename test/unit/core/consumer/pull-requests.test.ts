/** Requests of clients that ask for the same again and again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PullRequests } from '../../../../ts/core/consumer/pull-request.ts';
import { configOf } from './bench.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const reader = (): PullRequests => new PullRequests(configOf({ max_batch: 500 }));

test('a request that was read before is not read anew', () => {
  const requests = reader();
  const first = requests.read(bytes('{"batch":10,"expires":5000000000}'));
  assert.equal(requests.read(bytes('{"batch":10,"expires":5000000000}')), first);
  assert.notEqual(requests.read(bytes('{"batch":11,"expires":5000000000}')), first);
});

test('many different requests, refused ones among them, are each read as they are', () => {
  const requests = reader();
  for (const round of [1, 2]) {
    for (let batch = 1; batch <= 510; batch++) {
      const request = requests.read(bytes(`{"batch":${batch}}`));
      const expected = batch > 500 ? { status: '409 Exceeded MaxRequestBatch of 500' } : { batch };
      assert.deepEqual({ ...request, ...expected }, { ...request }, `batch ${batch} in round ${round}`);
    }
  }
});

test('a request as long as a message is read as well', () => {
  const long = `{"batch":3,"id":"${'x'.repeat(5000)}"}`;
  assert.deepEqual(reader().read(bytes(long)), { status: '400 Bad Request - Not a Pinned Client Priority consumer' });
});
