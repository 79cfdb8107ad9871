/**
 * The consumer machine against its plain twin (test/oracle/consumer.ts): random publishes, requests, acknowledgements of every kind, time,
 * restarts, removals and changes of configuration, in every acknowledgement mode. Besides agreeing with the twin, floors never go back,
 * nothing acknowledged comes again, and everything is delivered at least once until it is acknowledged.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AckVerb } from '../../../../ts/core/consumer/ack.ts';
import { effort, holds } from '../../../oracle/check.ts';
import { PlainConsumer, type PlainSettings } from '../../../oracle/consumer.ts';
import { Bench, type Delivery } from './bench.ts';

type Change = { readonly [K in 'max_ack_pending' | 'max_deliver' | 'ack_wait' | 'paused' | 'filters']?: number };

type Step =
  | { readonly is: 'publish'; readonly subject: string }
  | { readonly is: 'pull'; readonly count: number }
  | { readonly is: 'ack' | 'terminate' | 'nak' | 'progress'; readonly which: number; readonly delayMs: number | undefined }
  | { readonly is: 'pass'; readonly ms: number }
  | { readonly is: 'restart' }
  | { readonly is: 'remove'; readonly which: number }
  | { readonly is: 'configure'; readonly change: Change };

const subjects = ['a', 'b', 'c'];
const filterSets: readonly (readonly string[])[] = [[], ['a'], ['a', 'c']];

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ max_ack_pending: fc.constantFrom(-1, 1, 3) }),
  fc.record({ max_deliver: fc.constantFrom(-1, 1, 2, 3) }),
  fc.record({ ack_wait: fc.constantFrom(500, 2000) }),
  fc.record({ paused: fc.constantFrom(0, 700, 5000) }),
  fc.record({ filters: fc.nat(2) }),
);
const which = fc.nat(30);
const verb = (is: 'ack' | 'terminate' | 'nak' | 'progress'): fc.Arbitrary<Step> =>
  fc.record({ is: fc.constant(is), which, delayMs: fc.constantFrom(undefined, undefined, 300, 1500) });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ is: fc.constant('publish' as const), subject: fc.constantFrom(...subjects) }) },
  { weight: 5, arbitrary: fc.record({ is: fc.constant('pull' as const), count: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 5, arbitrary: verb('ack') },
  { weight: 1, arbitrary: verb('terminate') },
  { weight: 3, arbitrary: verb('nak') },
  { weight: 1, arbitrary: verb('progress') },
  { weight: 4, arbitrary: fc.record({ is: fc.constant('pass' as const), ms: fc.constantFrom(1, 100, 499, 1000, 2500) }) },
  { weight: 1, arbitrary: fc.constant<Step>({ is: 'restart' }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('remove' as const), which }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('configure' as const), change }) },
);

interface Mode {
  readonly ackPolicy: PlainSettings['ackPolicy'];
  readonly backoff: boolean;
  readonly maxDeliver: number;
  readonly maxAckPending: number;
  readonly filters: number;
}

const mode: fc.Arbitrary<Mode> = fc.record({
  ackPolicy: fc.constantFrom('none', 'all', 'explicit', 'explicit', 'explicit'),
  backoff: fc.boolean(),
  maxDeliver: fc.constantFrom(-1, -1, 1, 3),
  maxAckPending: fc.constantFrom(1000, 1000, 2),
  filters: fc.nat(2),
});

/** Both sides of a comparison. */
class Pair {
  readonly bench: Bench;
  readonly plain: PlainConsumer;
  readonly #acknowledged = new Set<number>();
  #floor = { consumer: 0, stream: 0 };
  #seen = 0;
  /** Filters did not change: what they select was selected all the time. */
  #steadyFilters = true;

  constructor({ ackPolicy, backoff, maxDeliver, maxAckPending, filters }: Mode) {
    const backoffMs = backoff && maxDeliver !== 1 ? [500, 1500, 2500] : [];
    this.bench = new Bench({
      ack_policy: ackPolicy,
      ack_wait: BigInt(backoffMs[0] ?? 1000) * 1_000_000n,
      backoff: backoffMs.map((ms) => BigInt(ms) * 1_000_000n),
      max_deliver: maxDeliver,
      max_ack_pending: maxAckPending,
      filter_subjects: filterSets[filters] ?? [],
    });
    this.plain = new PlainConsumer(this.#plainSettings(), this.bench.nowMs);
  }

  #plainSettings(): PlainSettings {
    const { config } = this.bench;
    return {
      ackPolicy: config.ack_policy as PlainSettings['ackPolicy'],
      ackWaitMs: Number(config.ack_wait) / 1e6,
      backoffMs: config.backoff.map((wait) => Number(wait) / 1e6),
      maxDeliver: Math.max(0, config.max_deliver),
      maxAckPending: config.ack_policy === 'none' ? 0 : Math.max(0, config.max_ack_pending),
      filters: config.filter_subjects,
      pausedUntilMs: config.pause_until === undefined ? 0 : config.pause_until.seconds * 1000 + config.pause_until.nanos / 1e6,
    };
  }

  act(todo: Step): void {
    const { bench, plain } = this;
    switch (todo.is) {
      case 'publish':
        bench.publish(1, todo.subject);
        plain.publish(bench.lastSeq, todo.subject);
        break;
      case 'pull':
        bench.pull({ batch: todo.count });
        plain.pull(todo.count);
        break;
      case 'pass':
        bench.pass(todo.ms);
        plain.pass(todo.ms);
        break;
      case 'restart':
        bench.restart();
        plain.restart();
        break;
      case 'remove': {
        const seq = [...bench.messages][todo.which];
        if (seq === undefined) break;
        bench.remove(seq);
        plain.remove(seq);
        break;
      }
      case 'configure':
        this.#configure(todo.change);
        break;
      default:
        this.#acknowledge(todo);
    }
    this.#compare();
  }

  #configure({ filters, paused, ack_wait, ...rest }: Change): void {
    const { bench, plain } = this;
    if (filters !== undefined) this.#steadyFilters = false;
    const until = bench.nowMs + (paused ?? 0);
    bench.configure({
      ...rest,
      ...(ack_wait === undefined || bench.config.backoff.length > 0 ? {} : { ack_wait: BigInt(ack_wait) * 1_000_000n }),
      ...(paused === undefined ? {} : { pause_until: { seconds: Math.floor(until / 1000), nanos: (until % 1000) * 1e6 } }),
      ...(filters === undefined ? {} : { filter_subjects: filterSets[filters] ?? [] }),
    });
    plain.configure(this.#plainSettings());
  }

  #acknowledge({ is, which: index, delayMs }: Step & { readonly which: number; readonly delayMs: number | undefined }): void {
    const delivery =
      this.bench.deliveries[this.bench.deliveries.length - 1 - (index % Math.max(1, this.bench.deliveries.length))];
    if (delivery === undefined) return;
    const verbs: Readonly<Record<string, AckVerb>> = {
      ack: { is: 'ack' },
      terminate: { is: 'terminate', reason: '' },
      nak: { is: 'nak', delayMs },
      progress: { is: 'progress' },
    };
    this.bench.ack(delivery, verbs[is]);
    if (is === 'nak') this.plain.nak(delivery, delayMs);
    else if (is === 'progress') this.plain.progress(delivery);
    else {
      this.plain.ack(delivery);
      this.#note(delivery);
    }
  }

  /** Acknowledged for good; up to a message where the policy says so. */
  #note({ seq }: Delivery): void {
    const { ack_policy } = this.bench.config;
    if (ack_policy === 'explicit') this.#acknowledged.add(seq);
    if (ack_policy === 'all' && this.bench.machine.info().ackFloor.stream === seq)
      for (const { seq: below } of this.bench.deliveries) if (below <= seq) this.#acknowledged.add(below);
  }

  #compare(): void {
    const { bench, plain } = this;
    const took = ({ seq, consumerSeq, deliveries }: Delivery | PlainConsumer['deliveries'][number]): number[] => [
      seq,
      consumerSeq,
      deliveries,
    ];
    assert.deepEqual(bench.deliveries.slice(this.#seen).map(took), plain.deliveries.slice(this.#seen).map(took), 'deliveries');
    const comeAgain = bench.deliveries.slice(this.#seen).filter(({ seq }) => this.#acknowledged.has(seq));
    assert.deepEqual(comeAgain, [], 'came again after it was acknowledged');
    const info = bench.machine.info();
    assert.deepEqual(info.delivered, plain.delivered, 'delivered');
    assert.deepEqual(info.ackFloor, plain.floor, 'ack floor');
    assert.equal(info.ackPending, plain.ackPending, 'ack pending');
    assert.equal(info.redelivered, plain.redelivered, 'redelivered');
    assert.equal(info.pending, plain.unseen, 'to be delivered');
    assert.ok(
      info.ackFloor.consumer >= this.#floor.consumer && info.ackFloor.stream >= this.#floor.stream,
      'the floor went back',
    );
    this.#floor = info.ackFloor;
    this.#seen = bench.deliveries.length;
  }

  /** A patient client takes and acknowledges everything. */
  finish(): void {
    const { bench } = this;
    this.act({ is: 'configure', change: { paused: 0, max_deliver: -1 } });
    let handled = bench.deliveries.length;
    for (let tries = 0; tries < 200; tries++) {
      this.act({ is: 'pull', count: 5 });
      this.act({ is: 'pass', ms: 3000 });
      for (const delivery of bench.deliveries.slice(handled)) {
        bench.ack(delivery);
        this.plain.ack(delivery);
        this.#note(delivery);
      }
      handled = bench.deliveries.length;
      const { pending, ackPending } = bench.machine.info();
      if (pending + ackPending === 0) break;
    }
    const { pending, ackPending } = bench.machine.info();
    assert.equal(pending + ackPending, 0, 'everything was delivered and acknowledged in the end');
    const filters = bench.config.filter_subjects;
    for (const seq of bench.messages)
      if (this.#steadyFilters && (filters.length === 0 || filters.includes(bench.subjects.get(seq) ?? '')))
        assert.ok(bench.seqs.includes(seq), `${seq} was never delivered`);
  }
}

test('the machine and its plain twin deliver the same, keep the same account, and lose nothing', () => {
  holds(
    fc.property(mode, fc.array(step, { maxLength: 80 }), (how, steps) => {
      const pair = new Pair(how);
      for (const todo of steps) pair.act(todo);
      pair.finish();
    }),
    effort(300),
  );
});
