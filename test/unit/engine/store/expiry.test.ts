/** max_age: messages go when they are due, not before, and the timer rests while there is nothing to wait for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Expiry } from '../../../../ts/engine/store/expiry.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

function aging(clock: VirtualClock): { readonly times: number[]; readonly expiry: Expiry } {
  const times: number[] = [];
  const expiry = new Expiry(clock, (work) => work(), {
    firstTime: () => {
      const [first] = times;
      if (first === undefined) return undefined;
      const seconds = Math.floor(first / 1000);
      return { seconds, nanos: (first - seconds * 1000) * 1e6 };
    },
    dropFirst: () => times.shift(),
    dropOlder: () => true,
    dropped: () => {},
  });
  return { times, expiry };
}

test('messages go in order, each when it is old enough', () => {
  const clock = new VirtualClock();
  const { times, expiry } = aging(clock);
  const start = clock.wallMs();
  times.push(start, start + 100, start + 5_000);
  expiry.limit(1_000);
  clock.advance(990);
  assert.equal(times.length, 3, 'none is due yet');
  clock.advance(20);
  assert.equal(times.length, 2);
  clock.advance(100);
  assert.equal(times.length, 1);
  clock.advance(4_900);
  assert.equal(times.length, 0);
});

test('a stream without messages waits for its first', () => {
  const clock = new VirtualClock();
  const { times, expiry } = aging(clock);
  expiry.limit(500);
  clock.advance(10_000);
  times.push(clock.wallMs());
  expiry.wake();
  clock.advance(600);
  assert.equal(times.length, 0);
});

test('without a limit, or with it lifted, nothing goes', () => {
  const clock = new VirtualClock();
  const { times, expiry } = aging(clock);
  times.push(clock.wallMs());
  expiry.limit(500);
  expiry.limit(0);
  clock.advance(10_000);
  assert.equal(times.length, 1);
});

test('of many that are due a thousand go in one turn, and the next right behind it', () => {
  const clock = new VirtualClock();
  const { times, expiry } = aging(clock);
  for (let n = 0; n < 1_500; n++) times.push(clock.wallMs());
  clock.advance(5_000);
  expiry.limit(1_000);
  assert.equal(times.length, 500);
  clock.advance(1);
  assert.equal(times.length, 0);
});

test('what goes without being read goes in turns, too', () => {
  const clock = new VirtualClock();
  let left = 50_000;
  let turns = 0;
  const expiry = new Expiry(clock, (work) => work(), {
    firstTime: () => undefined,
    dropFirst: () => assert.fail('nothing is read'),
    dropOlder: (_at, most) => {
      left -= Math.min(left, most);
      return left === 0;
    },
    dropped: () => turns++,
  });
  expiry.limit(1_000);
  assert.equal(turns, 1);
  assert.ok(left > 0);
  clock.advance(10);
  assert.equal(left, 0);
  assert.equal(turns, 3);
});
