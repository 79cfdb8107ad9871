// The pace of a consumer: rate limit and original replay, with virtual time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench } from './bench.ts';

const push = { deliver_subject: 'd', ack_policy: 'none' } as const;

test('a rate limit lets a burst out and then what time earns', () => {
  // 800 bits are 100 bytes a second, one message; the burst of 1024 bytes is ten messages and one on credit.
  const bench = new Bench({ ...push, rate_limit_bps: 800 });
  bench.listen(true);
  bench.publish(20);
  assert.equal(bench.seqs.length, 11);
  bench.pass(1000);
  assert.equal(bench.seqs.length, 12);
  bench.pass(4000);
  assert.equal(bench.seqs.length, 16);
});

test('original replay keeps the pauses between messages until it has caught up', () => {
  const bench = new Bench({ ...push, replay_policy: 'original' });
  bench.publish(1);
  bench.pass(3000);
  bench.publish(2);
  bench.pass(500);
  bench.publish(1);
  bench.pass(60_000);
  bench.reopen();
  bench.listen(true);
  assert.deepEqual(bench.seqs, [1]);
  bench.pass(2999);
  assert.deepEqual(bench.seqs, [1]);
  bench.pass(1);
  assert.deepEqual(bench.seqs, [1, 2, 3]);
  bench.pass(500);
  assert.deepEqual(bench.seqs, [1, 2, 3, 4]);
  bench.pass(10_000);
  bench.publish(1);
  assert.deepEqual(bench.seqs, [1, 2, 3, 4, 5], 'what comes later goes at once');
});

test('a paused consumer tells when it goes on, once', () => {
  const bench = new Bench({ pause_until: { seconds: 1010, nanos: 0 } });
  bench.publish(1);
  bench.pull({ batch: 1 });
  bench.pass(9999);
  assert.deepEqual(bench.seqs, []);
  bench.pass(1);
  assert.deepEqual(bench.seqs, [1]);
  bench.pass(100_000);
  assert.equal(bench.outputs.filter(({ is }) => is === 'resumed').length, 1);
});
