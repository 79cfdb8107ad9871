// Pull requests against the consumer machine, with virtual time: what is delivered, and every status a request can end with.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench } from './bench.ts';

const ms = (count: number): number => count * 1e6;

test('a request gets what is there and then what comes, up to its batch', () => {
  const bench = new Bench();
  bench.publish(2);
  bench.pull({ batch: 4 });
  assert.deepEqual(bench.seqs, [1, 2]);
  bench.publish(5);
  assert.deepEqual(bench.seqs, [1, 2, 3, 4]);
  assert.deepEqual(bench.statuses, []);
});

test('an empty request asks for one message and a number for so many', () => {
  const bench = new Bench();
  bench.publish(5);
  bench.pull();
  bench.pull('3');
  assert.deepEqual(bench.seqs, [1, 2, 3, 4]);
});

test('no_wait with nothing pending is answered at once', () => {
  const bench = new Bench();
  bench.pull({ batch: 3, no_wait: true });
  assert.deepEqual(bench.statuses, ['in: 404 No Messages']);
});

test('no_wait takes what is there and ends', () => {
  const bench = new Bench();
  bench.publish(2);
  bench.pull({ batch: 3, no_wait: true });
  assert.deepEqual(bench.seqs, [1, 2]);
  assert.deepEqual(bench.statuses, ['in: 404 No Messages']);
});

test('no_wait with expires waits for a first message, and without one times out', () => {
  const bench = new Bench();
  bench.pull({ batch: 3, no_wait: true, expires: ms(1000) });
  bench.publish(1);
  assert.deepEqual(bench.statuses, ['in: 404 No Messages']);
  bench.pull({ batch: 3, no_wait: true, expires: ms(1000) });
  bench.pass(1000);
  assert.deepEqual(bench.statuses.slice(1), ['in: 408 Request Timeout Nats-Pending-Messages=3 Nats-Pending-Bytes=0']);
});

test('no_wait held back by max_ack_pending ends with the next heartbeat or expiry', () => {
  const bench = new Bench({ max_ack_pending: 2 });
  bench.publish(5);
  bench.pull({ batch: 5, no_wait: true, expires: ms(1000), idle_heartbeat: ms(100) });
  assert.deepEqual(bench.seqs, [1, 2]);
  bench.pass(99);
  assert.deepEqual(bench.statuses, []);
  bench.pass(1);
  assert.deepEqual(bench.statuses, ['in: 404 No Messages']);
});

test('no_wait is refused while other requests want more than there is', () => {
  const bench = new Bench({ max_ack_pending: 1 });
  bench.publish(3);
  bench.pull({ batch: 10 }, 'first');
  bench.pull({ batch: 1, no_wait: true }, 'second');
  assert.deepEqual(bench.statuses, ['second: 408 Requests Pending']);
});

test('a request ends when it expires, with what it still wanted', () => {
  const bench = new Bench();
  bench.publish(1);
  bench.pull({ batch: 3, expires: ms(2000), max_bytes: 1000 });
  bench.pass(1999);
  assert.deepEqual(bench.statuses, []);
  bench.pass(1);
  assert.deepEqual(bench.statuses, ['in: 408 Request Timeout Nats-Pending-Messages=2 Nats-Pending-Bytes=900']);
});

test('heartbeats come while a request waits, and start anew after a message', () => {
  const bench = new Bench();
  bench.pull({ batch: 3, expires: ms(1000), idle_heartbeat: ms(300) });
  bench.pass(300);
  assert.deepEqual(bench.statuses, ['in: 100 Idle Heartbeat Nats-Last-Consumer=0 Nats-Last-Stream=0']);
  bench.pass(200);
  bench.publish(1);
  bench.pass(200);
  assert.equal(bench.statuses.length, 1);
  bench.pass(100);
  assert.deepEqual(bench.statuses.slice(1), ['in: 100 Idle Heartbeat Nats-Last-Consumer=1 Nats-Last-Stream=1']);
});

test('max_bytes ends a request before the message that does not fit, and after a batch with bytes left', () => {
  const bench = new Bench();
  bench.publish(5);
  bench.pull({ batch: 5, max_bytes: 250 });
  assert.deepEqual(bench.seqs, [1, 2]);
  assert.deepEqual(bench.statuses, ['in: 409 Message Size Exceeds MaxBytes Nats-Pending-Messages=3 Nats-Pending-Bytes=50']);
  bench.pull({ batch: 1, max_bytes: 250 });
  assert.deepEqual(bench.statuses.slice(1), ['in: 409 Batch Completed Nats-Pending-Messages=0 Nats-Pending-Bytes=150']);
  bench.pull({ batch: 5, max_bytes: 200 });
  assert.deepEqual(bench.seqs, [1, 2, 3, 4, 5]);
  assert.equal(bench.statuses.length, 2, 'a request whose bytes are used up exactly ends without a word');
});

const refusals: readonly (readonly [config: object, request: unknown, status: string])[] = [
  [{ deliver_subject: 'd' }, '', '409 Consumer is push based'],
  [{ max_batch: 5 }, { batch: 6 }, '409 Exceeded MaxRequestBatch of 5'],
  [{ max_batch: 5 }, '6', '409 Exceeded MaxRequestBatch of 5'],
  [{ max_expires: 1_000_000_000n }, { batch: 1, expires: ms(1001) }, '409 Exceeded MaxRequestExpires of 1s'],
  [{ max_bytes: 10 }, { batch: 1, max_bytes: 11 }, '409 Exceeded MaxRequestMaxBytes of 10'],
  [{}, { batch: 1, expires: ms(100), idle_heartbeat: ms(51) }, '400 Bad Request - heartbeat value too large'],
  [
    {},
    '{"batch":"x"}',
    '400 Bad Request - json: cannot unmarshal string into Go struct field JSApiConsumerGetNextRequest.batch of type int',
  ],
];

for (const [config, request, status] of refusals) {
  test(`a request is refused: ${status}`, () => {
    const bench = new Bench(config);
    bench.publish(1);
    bench.pull(request);
    assert.deepEqual(bench.statuses, [`in: ${status}`]);
    assert.deepEqual(bench.seqs, []);
  });
}

test('a full queue refuses a request, silently when it has a heartbeat', () => {
  const bench = new Bench({ max_waiting: 1 });
  bench.pull({ batch: 1 }, 'a');
  bench.pull({ batch: 1 }, 'b');
  bench.pull({ batch: 1, expires: ms(1000), idle_heartbeat: ms(100) }, 'c');
  assert.deepEqual(bench.statuses, ['b: 409 Exceeded MaxWaiting']);
});

test('requests that wait share what comes', () => {
  const bench = new Bench();
  bench.pull({ batch: 10 }, 'a');
  bench.pull({ batch: 10 }, 'b');
  bench.publish(6);
  const got = (to: string): number => bench.deliveries.filter((delivery) => delivery.to === to).length;
  assert.deepEqual([got('a'), got('b')], [3, 3]);
});

test('a request whose inbox is gone is dropped and the next one served', () => {
  const bench = new Bench();
  bench.pull({ batch: 10 }, 'a');
  bench.pull({ batch: 10 }, 'b');
  bench.deaf.add('a');
  bench.publish(2);
  assert.deepEqual(
    bench.deliveries.map(({ to }) => to),
    ['b', 'b'],
  );
  assert.equal(bench.machine.info().waiting, 1);
});

test('max_ack_pending holds new messages back until some are acknowledged', () => {
  const bench = new Bench({ max_ack_pending: 2 });
  bench.publish(5);
  bench.pull({ batch: 5, no_wait: true });
  assert.deepEqual(bench.seqs, [1, 2]);
  assert.deepEqual(bench.statuses, [], 'a request that does not wait is not ended by the limit');
  bench.ack(bench.last());
  assert.deepEqual(bench.seqs, [1, 2, 3]);
});

test('an unused consumer is given up after its threshold, a waiting request keeps it', () => {
  const bench = new Bench({ durable_name: '', inactive_threshold: 5_000_000_000n });
  bench.pull({ batch: 1, expires: ms(8000) });
  bench.pass(8000);
  assert.ok(!bench.outputs.some(({ is }) => is === 'inactive'));
  bench.pass(10_100);
  assert.ok(bench.outputs.some(({ is }) => is === 'inactive'));
});

test('a request whose client is gone does not keep a consumer', () => {
  const bench = new Bench({ inactive_threshold: 5_000_000_000n });
  bench.pull({ batch: 1 });
  bench.pass(20_000);
  assert.ok(!bench.outputs.some(({ is }) => is === 'inactive'));
  bench.deaf.add('in');
  bench.pass(6000);
  assert.ok(bench.outputs.some(({ is }) => is === 'inactive'));
});

test('messages that may still be worked on keep a consumer', () => {
  const bench = new Bench({ inactive_threshold: 1_000_000_000n, ack_wait: 60_000_000_000n });
  bench.publish(1);
  bench.pull({ batch: 1 });
  bench.pass(61_000);
  assert.ok(!bench.outputs.some(({ is }) => is === 'inactive'));
  bench.pass(200);
  assert.ok(bench.outputs.some(({ is }) => is === 'inactive'));
});

test('a paused consumer delivers nothing until its time has come', () => {
  const bench = new Bench({ pause_until: { seconds: 1002, nanos: 0 } });
  bench.publish(1);
  bench.pull({ batch: 1 });
  assert.deepEqual(bench.seqs, []);
  bench.pass(1999);
  assert.deepEqual(bench.seqs, []);
  bench.nowMs = 1_002_000;
  bench.run();
  assert.deepEqual(bench.seqs, [1]);
});
