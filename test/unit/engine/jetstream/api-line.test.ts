// Requests that come at once are served in slices, in their order, and others have their turn in between.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiLine } from '../../../../ts/engine/jetstream/api-line.ts';
import { unlimited } from '../../../support/jetstream-limits.ts';
import type { Timer } from '../../../../ts/ports/clock.ts';
import { FakeBroker } from './fake-broker.ts';
import { FakeClock } from './fake-clock.ts';
import { apiSession } from './session.ts';

/** A clock whose time passes while requests are served; each timer that fires is told. */
class BusyClock extends FakeClock {
  fired = (): void => {};
  #busyMs = 0;

  override monotonicMs(): number {
    return super.monotonicMs() + this.#busyMs;
  }

  override after(delayMs: number, call: () => void): Timer {
    return super.after(delayMs, () => {
      this.fired();
      call();
    });
  }

  spend(ms: number): void {
    this.#busyMs += ms;
  }
}

/** What happens: who is served, and `|` where another turn begins. */
interface Bench {
  readonly clock: BusyClock;
  readonly broker: FakeBroker;
  readonly line: ApiLine;
  readonly log: string[];
  ask(name: string, ms: number): void;
}

function bench(): Bench {
  const clock = new BusyClock();
  const broker = new FakeBroker();
  const guarded = (call: () => void) => (): void => {
    try {
      call();
    } catch {
      log.push('failed');
    }
  };
  const line = new ApiLine({ clock, soon: (call) => broker.soon(guarded(call)) });
  const log: string[] = [];
  clock.fired = () => log.push('|');
  const ask = (name: string, ms: number): void =>
    line.take(() => {
      log.push(name);
      clock.spend(ms);
    });
  return { clock, broker, line, log, ask };
}

test('requests of one turn are served for some milliseconds, the others in the turns behind it', () => {
  const { clock, broker, log, ask } = bench();
  broker.turn(() => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) ask(name, 2);
  });
  broker.turn(() => ask('f', 2));
  assert.deepEqual(log.join(''), 'ab', 'nobody overtakes those that wait');
  clock.advance(0);
  assert.deepEqual(log.join(''), 'ab|cd|ef');
  broker.turn(() => ask('g', 2));
  assert.deepEqual(log.join(''), 'ab|cd|efg', 'who finds nobody in front is served at once');
});

test('a request that fails takes nobody with it', () => {
  const { clock, broker, line, log, ask } = bench();
  broker.turn(() => {
    ask('a', 5);
    line.take(() => {
      throw new Error('a mistake');
    });
    ask('b', 1);
  });
  clock.advance(0);
  assert.deepEqual(log.join(' '), 'a | failed | b');
});

test('who stands in the line of a server that stops is not served any more', () => {
  const { clock, broker, line, log, ask } = bench();
  broker.turn(() => {
    ask('a', 5);
    ask('b', 5);
  });
  line.stop();
  clock.advance(10);
  assert.deepEqual(log, ['a']);
});

test('many API requests at once are answered in slices', async () => {
  const clock = new BusyClock();
  const session = await apiSession(unlimited, clock);
  const answers = session.listen('in');
  const slices: number[] = [];
  clock.fired = () => slices.push(answers.length);
  const account = session.jetstream.accounts.get('$G');
  assert.ok(account);
  const sorted = account.sorted.bind(account);
  account.sorted = () => {
    clock.spend(1);
    return sorted();
  };
  session.broker.turn(() => {
    for (let n = 0; n < 10; n++) session.broker.publish(0, '$JS.API.STREAM.NAMES', 'in', undefined, new Uint8Array(0));
  });
  clock.advance(10);
  assert.deepEqual(slices, [4, 8]);
  assert.equal(answers.length, 10);
  await session.stop();
});

test('what is asked of a stream that is at work waits for its end, in order; what is asked of others does not', async () => {
  const session = await apiSession();
  for (const name of ['S', 'T'])
    await session.request(`$JS.API.STREAM.CREATE.${name}`, `{"name":"${name}","subjects":["${name}"]}`);
  session.publish('S');
  const store = session.store.streams.get('S');
  assert.ok(store);
  const waiting: (() => void)[] = [];
  store.works = { any: true, whenFree: (call) => void waiting.push(call) };
  const answers = session.listen('in.*');
  const ask = (name: string, subject: string, payload = ''): void => {
    session.broker.publish(0, `$JS.API.${subject}`, `in.${name}`, undefined, new TextEncoder().encode(payload));
  };
  ask('delete', 'STREAM.MSG.DELETE.S', '{"seq":1}');
  ask('create', 'CONSUMER.DURABLE.CREATE.S.C', '{"stream_name":"S","config":{"durable_name":"C","ack_policy":"explicit"}}');
  ask('other', 'STREAM.INFO.T');
  assert.deepEqual(
    answers.map(({ subject }) => subject),
    ['in.other'],
  );
  store.works = { any: false, whenFree: (call) => call() };
  for (const call of waiting) call();
  assert.deepEqual(
    answers.map(({ subject }) => subject),
    ['in.other', 'in.delete', 'in.create'],
  );
  await session.stop();
});
