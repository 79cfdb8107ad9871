// Acknowledgements and redelivery of the consumer machine, with virtual time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PullRequests } from '../../../../ts/core/consumer/pull-request.ts';
import { Bench, type Delivery } from './bench.ts';

const floors = (bench: Bench): number[] => {
  const { ackFloor, delivered } = bench.machine.info();
  return [ackFloor.consumer, ackFloor.stream, delivered.consumer, delivered.stream];
};

function taken(bench: Bench, seq: number): Delivery {
  const delivery = bench.deliveries.findLast((one) => one.seq === seq);
  assert.ok(delivery, `${seq} was never delivered`);
  return delivery;
}

test('the floor follows the lowest message that is not acknowledged', () => {
  const bench = new Bench();
  bench.publish(4);
  bench.pull({ batch: 4 });
  bench.ack(taken(bench, 2));
  assert.deepEqual(floors(bench), [0, 0, 4, 4]);
  bench.ack(taken(bench, 1));
  assert.deepEqual(floors(bench), [2, 2, 4, 4]);
  bench.ack(taken(bench, 4));
  bench.ack(taken(bench, 3));
  assert.deepEqual(floors(bench), [4, 4, 4, 4]);
  assert.equal(bench.machine.info().ackPending, 0);
});

test('a purge ends what it takes of the pending messages, and the floor follows each of them', () => {
  const bench = new Bench();
  bench.publish(6);
  bench.pull({ batch: 5 });
  bench.purge([2, 3], 1);
  assert.deepEqual(floors(bench), [3, 0, 5, 5], 'a subject among those of the consumer: what is before it is still pending');
  assert.equal(bench.machine.info().ackPending, 3);
  bench.purge([1, 4], 5);
  assert.deepEqual(floors(bench), [4, 4, 5, 5]);
  bench.purge([5, 6], 7);
  assert.deepEqual(floors(bench), [5, 6, 5, 6], 'all of them: the floor is what was delivered');
});

test('with ack all, one acknowledgement settles everything before it', () => {
  const bench = new Bench({ ack_policy: 'all' });
  bench.publish(4);
  bench.pull({ batch: 4 });
  bench.ack(taken(bench, 3));
  assert.deepEqual(floors(bench), [3, 3, 4, 4]);
  assert.equal(bench.machine.info().ackPending, 1);
});

test('with ack none, nothing is pending and the floor is what was delivered', () => {
  const bench = new Bench({ ack_policy: 'none', ack_wait: 0n });
  bench.publish(3);
  bench.pull({ batch: 2 });
  assert.deepEqual(floors(bench), [2, 2, 2, 2]);
  bench.ack(taken(bench, 1), { is: 'ack' }, 'reply');
  assert.ok(!bench.outputs.some(({ is }) => is === 'confirm'));
});

test('what is not acknowledged in time is delivered again, before anything new', () => {
  const bench = new Bench({ ack_wait: 1_000_000_000n });
  bench.publish(3);
  bench.pull({ batch: 2 });
  bench.ack(taken(bench, 1));
  bench.pass(1000);
  bench.pull({ batch: 2 });
  assert.deepEqual(
    bench.deliveries.map(({ seq, consumerSeq, deliveries }) => [seq, consumerSeq, deliveries]),
    [
      [1, 1, 1],
      [2, 2, 1],
      [2, 3, 2],
      [3, 4, 1],
    ],
  );
  assert.equal(bench.machine.info().redelivered, 1);
  bench.ack(taken(bench, 2));
  assert.equal(bench.machine.info().redelivered, 0);
});

test('very many that were not acknowledged in time are queued some at a time, and nothing new goes out before the last of them', () => {
  const count = 12_000;
  const bench = new Bench({ ack_wait: 1_000_000_000n, max_ack_pending: -1 });
  bench.publish(count);
  bench.pull({ batch: count });
  bench.nowMs += 1000;
  bench.machine.tick(bench.nowMs);
  bench.lastSeq += 1;
  const request = new PullRequests(bench.config).read(new TextEncoder().encode(JSON.stringify({ batch: count + 1 })));
  bench.machine.step({ is: 'pull', reply: 'in', request }, bench.nowMs);
  const again: number[] = [];
  const parts: number[] = [];
  for (;;) {
    for (let work = bench.machine.ready(bench.nowMs); work !== undefined; work = bench.machine.ready(bench.nowMs)) {
      const { fromSeq } = work;
      again.push(fromSeq);
      const went = { messages: 1, bytes: 1, nextSeq: fromSeq + 1, seqs: [fromSeq], picked: 1 };
      bench.machine.delivered(work, { ...went, stopped: 'messages' }, bench.nowMs);
    }
    parts.push(again.length);
    if (again.at(-1) === count + 1) break;
    assert.ok(bench.machine.nextTickMs() <= bench.nowMs, 'the rest is looked for in the next turn');
    bench.machine.tick(bench.nowMs);
  }
  assert.deepEqual(parts, [5_000, 10_000, count + 1]);
  assert.deepEqual(
    again,
    Array.from({ length: count + 1 }, (_, index) => index + 1),
  );
});

test('backoff spaces the deliveries, its last value repeating', () => {
  const bench = new Bench({ backoff: [1_000_000_000n, 3_000_000_000n], ack_wait: 1_000_000_000n, max_deliver: 4 });
  bench.publish(1);
  bench.pull({ batch: 10 });
  const times = [bench.nowMs];
  for (let guard = 0; guard < 100 && bench.deliveries.length < 4; guard++) {
    const before = bench.deliveries.length;
    bench.pass(500);
    if (bench.deliveries.length > before) times.push(bench.nowMs);
  }
  assert.deepEqual(
    times.slice(1).map((at, index) => at - (times[index] ?? 0)),
    [1000, 3000, 3000],
  );
});

test('after max_deliver deliveries a message is given up with an advisory, once', () => {
  const bench = new Bench({ ack_wait: 1_000_000_000n, max_deliver: 2 });
  bench.publish(2);
  bench.pull({ batch: 10 });
  bench.ack(taken(bench, 2));
  bench.pass(5000);
  assert.deepEqual(bench.seqs, [1, 2, 1]);
  assert.deepEqual(bench.advisories(), [['maxDeliveries', { stream_seq: 1, deliveries: 2 }]]);
  assert.equal(bench.machine.info().ackPending, 0);
  assert.deepEqual(floors(bench), [0, 0, 3, 2], 'the floor waits for an acknowledgement');
  bench.publish(1);
  bench.ack(bench.last());
  assert.deepEqual(floors(bench), [4, 3, 4, 3]);
});

test('a nak brings a message back at once, a nak with delay after the delay', () => {
  const bench = new Bench();
  bench.publish(2);
  bench.pull({ batch: 4 });
  bench.ack(taken(bench, 1), { is: 'nak', delayMs: undefined });
  assert.deepEqual(bench.seqs, [1, 2, 1]);
  bench.ack(taken(bench, 2), { is: 'nak', delayMs: 500 });
  bench.pass(499);
  assert.deepEqual(bench.seqs, [1, 2, 1]);
  bench.pass(1);
  assert.deepEqual(bench.seqs, [1, 2, 1, 2]);
  assert.equal(bench.advisories().length, 2);
});

test('progress moves the deadline, terminate ends a message with an advisory', () => {
  const bench = new Bench({ ack_wait: 1_000_000_000n });
  bench.publish(2);
  bench.pull({ batch: 4 });
  bench.pass(900);
  bench.ack(taken(bench, 1), { is: 'progress' });
  bench.ack(taken(bench, 2), { is: 'terminate', reason: 'broken' }, 'reply');
  bench.pass(900);
  assert.deepEqual(bench.seqs, [1, 2]);
  bench.pass(100);
  assert.deepEqual(bench.seqs, [1, 2, 1]);
  assert.deepEqual(bench.advisories(), [
    ['messageTerminated', { consumer_seq: 2, stream_seq: 2, deliveries: 1, reason: 'broken' }],
  ]);
  assert.ok(bench.outputs.some((output) => output.is === 'confirm' && output.to === 'reply'));
});

test('acknowledgements are sampled as often as asked', () => {
  const bench = new Bench({ sample_freq: '50%' });
  bench.publish(4);
  bench.pull({ batch: 4 });
  bench.pass(20);
  for (const seq of [1, 2, 3, 4]) bench.ack(taken(bench, seq));
  assert.deepEqual(bench.advisories(), [
    ['consumerAck', { consumer_seq: 2, stream_seq: 2, ack_time: 20_000_000n, deliveries: 1 }],
    ['consumerAck', { consumer_seq: 4, stream_seq: 4, ack_time: 20_000_000n, deliveries: 1 }],
  ]);
});

test('acknowledging twice or out of the blue changes nothing', () => {
  const bench = new Bench();
  bench.publish(2);
  bench.pull({ batch: 1 });
  bench.ack(taken(bench, 1));
  const before = floors(bench);
  bench.ack(taken(bench, 1));
  bench.ack({ to: '', seq: 99, consumerSeq: 99, deliveries: 1 }, { is: 'ack' }, 'reply');
  assert.deepEqual(floors(bench), before);
  assert.ok(!bench.outputs.some(({ is }) => is === 'confirm'), 'a message never delivered is not confirmed');
});

test('messages that left the stream are no longer pending', () => {
  const bench = new Bench({ ack_wait: 1_000_000_000n });
  bench.publish(3);
  bench.pull({ batch: 10 });
  bench.messages.delete(2);
  bench.pass(1000);
  assert.deepEqual(bench.seqs, [1, 2, 3, 1, 3]);
  assert.equal(bench.machine.info().ackPending, 2);
  for (const seq of [1, 3]) bench.messages.delete(seq);
  bench.machine.step({ is: 'first', firstSeq: 4 }, bench.nowMs);
  assert.equal(bench.machine.info().ackPending, 0);
  assert.equal(bench.machine.info().ackFloor.stream, 3);
});

type Step =
  | { readonly do: 'publish'; readonly count: number }
  | { readonly do: 'pull'; readonly count: number }
  | { readonly do: 'pass'; readonly count: number }
  | { readonly do: 'ack'; readonly pick: number }
  | { readonly do: 'nak'; readonly pick: number }
  | { readonly do: 'terminate'; readonly pick: number }
  | { readonly do: 'restart' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({ do: fc.constant('publish' as const), count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ do: fc.constant('pull' as const), count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ do: fc.constant('pass' as const), count: fc.integer({ min: 1, max: 1500 }) }),
    fc.record({ do: fc.constant('ack' as const), pick: fc.nat(1000) }),
    fc.record({ do: fc.constant('nak' as const), pick: fc.nat(1000) }),
    fc.record({ do: fc.constant('terminate' as const), pick: fc.nat(1000) }),
    fc.record({ do: fc.constant('restart' as const) }),
  ),
  { maxLength: 60 },
);

function take(bench: Bench, step: Step, done: Set<number>): void {
  if (step.do === 'publish') bench.publish(step.count);
  else if (step.do === 'pull') bench.pull({ batch: step.count, expires: 60e9 });
  else if (step.do === 'pass') bench.pass(step.count);
  else if (step.do === 'restart') bench.restart();
  else {
    const delivery = bench.deliveries[step.pick % Math.max(1, bench.deliveries.length)];
    if (delivery === undefined) return;
    if (step.do === 'nak') return bench.ack(delivery, { is: 'nak', delayMs: undefined });
    bench.ack(delivery, step.do === 'ack' ? { is: 'ack' } : { is: 'terminate', reason: '' });
    done.add(delivery.seq);
  }
}

test('whatever happens: floors never go back, nothing comes again once acknowledged, everything else comes in the end', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 8 }), (script, maxAckPending) => {
      const bench = new Bench({ ack_wait: 1_000_000_000n, max_ack_pending: maxAckPending });
      const done = new Set<number>();
      let before = floors(bench);
      for (const step of script) {
        const seen = bench.deliveries.length;
        const settled = new Set(done);
        take(bench, step, done);
        const now = floors(bench);
        assert.ok(
          now.every((value, index) => value >= (before[index] ?? 0)),
          `floors went from ${before.join()} to ${now.join()} by ${JSON.stringify(step)}`,
        );
        for (const { seq } of bench.deliveries.slice(seen)) assert.ok(!settled.has(seq), `${seq} came after its ack`);
        before = now;
      }
      let seen = bench.deliveries.length;
      for (let guard = 0; guard < 1000 && done.size < bench.lastSeq; guard++) {
        bench.pass(1000);
        bench.pull({ batch: 5 });
        for (let delivery = bench.deliveries[seen]; delivery !== undefined; delivery = bench.deliveries[++seen]) {
          done.add(delivery.seq);
          bench.ack(delivery);
        }
      }
      assert.equal(done.size, bench.lastSeq, 'some message never came');
      const { ackFloor, ackPending } = bench.machine.info();
      assert.deepEqual([ackFloor.stream, ackPending], [bench.lastSeq, 0]);
    }),
    { numRuns: 300 },
  );
});

test('a state that is older than its stream loses what is pending before the stream begins, as in nats-server', () => {
  const bench = new Bench();
  const state = {
    ackFloor: { consumer: 24, stream: 6 },
    delivered: { consumer: 27, stream: 33 },
    pending: [
      { stream: 7, consumer: 4, seconds: 0 },
      { stream: 9, consumer: 5, seconds: 0 },
      { stream: 30, consumer: 25, seconds: 0 },
    ],
    redelivered: [{ stream: 7, count: 2 }],
  };
  const begun = (firstSeq: number): number[] => {
    bench.restart(firstSeq, state);
    return [...floors(bench).slice(0, 2), bench.machine.info().ackPending, bench.machine.info().redelivered];
  };
  assert.deepEqual(begun(1), [24, 6, 3, 1]);
  assert.deepEqual(begun(8), [24, 7, 2, 0]);
  assert.deepEqual(begun(30), [24, 9, 1, 0]);
  assert.deepEqual(begun(31), [27, 33, 0, 0], 'with nothing pending the floor is what was delivered');
});
