// Push consumers of the machine: interest, heartbeats, flow control, last per subject.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench } from './bench.ts';

const ordered = {
  deliver_subject: 'd',
  ack_policy: 'none',
  ack_wait: 0n,
  max_ack_pending: 0,
  flow_control: true,
  idle_heartbeat: 1_000_000_000n,
  durable_name: '',
  inactive_threshold: 5_000_000_000n,
} as const;

test('a push consumer delivers while somebody listens', () => {
  const bench = new Bench({ deliver_subject: 'd' });
  bench.publish(2);
  assert.deepEqual(bench.seqs, []);
  bench.listen(true);
  assert.deepEqual(bench.seqs, [1, 2]);
  bench.deaf.add('d');
  bench.publish(1);
  assert.equal(bench.machine.info().pushActive, false);
  bench.deaf.clear();
  bench.listen(true);
  assert.deepEqual(bench.seqs, [1, 2, 3]);
});

test('idle heartbeats tell the last sequences', () => {
  const bench = new Bench(ordered);
  bench.listen(true);
  bench.publish(3);
  bench.pass(2500);
  const beat = 'd: 100 Idle Heartbeat Nats-Last-Consumer=3 Nats-Last-Stream=3';
  assert.deepEqual(bench.statuses, [beat, beat]);
});

test('flow control is asked for at half the window, stalls at the whole and goes on when answered', () => {
  const bench = new Bench(ordered);
  bench.listen(true);
  bench.publish(50_000);
  const request = bench.outputs.find((output) => output.is === 'status' && output.status === '100 FlowControl Request');
  assert.ok(request?.is === 'status');
  assert.match(request.reply, /^\$JS\.FC\.S\.C\.[0-9a-z]{4}$/);
  const sent = bench.deliveries.length;
  assert.ok(sent * 100 > 2 ** 21 && sent * 100 < 2 ** 21 + 1000, `stalled after ${sent} messages of 100 bytes`);
  bench.pass(1000);
  assert.match(bench.statuses.at(-1) ?? '', /Nats-Consumer-Stalled=\$JS\.FC\.S\.C\./);
  bench.machine.step({ is: 'flow', subject: 'elsewhere' }, bench.nowMs);
  bench.run();
  assert.equal(bench.deliveries.length, sent);
  bench.machine.step({ is: 'flow', subject: request.reply }, bench.nowMs);
  bench.run();
  assert.ok(bench.deliveries.length > sent);
  assert.deepEqual(
    bench.seqs,
    bench.seqs.map((_, index) => index + 1),
  );
});

test('a push consumer nobody listens to is given up after its threshold', () => {
  const bench = new Bench(ordered);
  bench.listen(true);
  bench.pass(20_000);
  assert.ok(!bench.outputs.some(({ is }) => is === 'inactive'));
  bench.listen(false);
  bench.pass(5000);
  assert.ok(bench.outputs.some(({ is }) => is === 'inactive'));
});

test('last per subject delivers the chosen sequences, then everything behind', () => {
  const bench = new Bench({}, { firstSeq: 2, picks: Float64Array.of(2, 5), resumeAfterSeq: 6 });
  bench.publish(6);
  assert.equal(bench.machine.info().pending, 2);
  bench.pull({ batch: 1 });
  bench.ack(bench.last());
  bench.publish(2);
  assert.equal(bench.machine.info().pending, 3);
  bench.pull({ batch: 5 });
  assert.deepEqual(bench.seqs, [2, 5, 7, 8]);
});

test('a message larger than a batch is delivered all the same', () => {
  const bench = new Bench({ deliver_subject: 'd' });
  bench.listen(true);
  bench.publish(20_000);
  assert.equal(bench.deliveries.length, 1000);
});
