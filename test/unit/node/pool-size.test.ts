/** How many threads libuv's pool gets: what the environment says, or what a round over many streams wants. */
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { sizePool } from '../../../ts/node/pool-size.ts';

const before = process.env['UV_THREADPOOL_SIZE'];

afterEach(() => {
  if (before === undefined) delete process.env['UV_THREADPOOL_SIZE'];
  else process.env['UV_THREADPOOL_SIZE'] = before;
});

test('the pool has more threads than there are processors, since they wait for the disk', () => {
  delete process.env['UV_THREADPOOL_SIZE'];
  sizePool();
  assert.equal(process.env['UV_THREADPOOL_SIZE'], '32');
});

test('the pool has the size that the environment gives it', () => {
  process.env['UV_THREADPOOL_SIZE'] = '7';
  sizePool();
  assert.equal(process.env['UV_THREADPOOL_SIZE'], '7');
});
