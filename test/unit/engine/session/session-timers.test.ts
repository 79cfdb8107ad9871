// Timers of sessions: each at its own time, one of the clock for all of a delay.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TimerName } from '../../../../ts/core/session/session-types.ts';
import { SessionTimers } from '../../../../ts/engine/session/session-timers.ts';
import type { TimedSession } from '../../../../ts/engine/session/session-timers.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

class Bench {
  readonly clock = new VirtualClock();
  readonly due: string[] = [];
  turns = 0;
  readonly timers = new SessionTimers(this.clock, (work) => {
    this.turns++;
    work();
  });

  session(id: string, then: (timer: TimerName) => void = () => {}): TimedSession {
    return {
      timerDue: (timer) => {
        this.due.push(`${this.clock.monotonicMs()} ${id} ${timer}`);
        then(timer);
      },
    };
  }
}

test('timers of one delay share one of the clock, and each is due at its own time', () => {
  const bench = new Bench();
  bench.timers.set(bench.session('a'), 'ping', 100);
  bench.clock.advance(30);
  const cancelled = bench.timers.set(bench.session('b'), 'ping', 100);
  bench.timers.set(bench.session('c'), 'auth', 100);
  bench.timers.set(bench.session('d'), 'ping', 100);
  assert.equal(bench.clock.waiting, 1);
  bench.timers.set(bench.session('e'), 'auth', 50);
  assert.equal(bench.clock.waiting, 2);
  cancelled.cancel();
  bench.clock.advance(1000);
  assert.deepEqual(bench.due, ['80 e auth', '100 a ping', '130 c auth', '130 d ping']);
  assert.equal(bench.turns, 3, 'what is due together runs in one turn');
});

test('nothing is waited for when the last timer is cancelled or was due, so that nothing holds up the end of a process', () => {
  const bench = new Bench();
  const first = bench.timers.set(bench.session('a'), 'ping', 100);
  const second = bench.timers.set(bench.session('b'), 'ping', 100);
  second.cancel();
  first.cancel();
  first.cancel();
  assert.equal(bench.clock.waiting, 0);
  bench.timers.set(bench.session('c'), 'ping', 100);
  bench.clock.advance(100);
  assert.equal(bench.clock.waiting, 0);
  assert.deepEqual(bench.due, ['100 c ping']);
});

test('a timer that is set again in its own call waits its whole delay, though that be nothing', () => {
  for (const delayMs of [40, 0]) {
    const bench = new Bench();
    const session = bench.session('a', (timer) => {
      if (bench.due.length < 3) bench.timers.set(session, timer, delayMs);
    });
    bench.timers.set(session, 'ping', delayMs);
    bench.timers.set(bench.session('b'), 'ping', delayMs);
    bench.clock.advance(200);
    const [once, twice] = [40, 80].map((ms) => (delayMs === 0 ? 0 : ms));
    assert.deepEqual(bench.due.slice(0, 3), [`${once} a ping`, `${once} b ping`, `${delayMs === 0 ? 1 : twice} a ping`]);
  }
});

test('a session that fails takes nobody else along', () => {
  const bench = new Bench();
  const failing = bench.session('a', () => {
    throw new Error('no');
  });
  bench.timers.set(failing, 'ping', 100);
  bench.timers.set(bench.session('b'), 'ping', 100);
  assert.throws(() => bench.clock.advance(100), /no/);
  bench.clock.advance(100);
  assert.deepEqual(bench.due, ['100 a ping', '101 b ping']);
});

test('whatever is set and cancelled, what is due is what a timer of the clock for each would have been', () => {
  const step = fc.record({ passMs: fc.integer({ min: 0, max: 30 }), delayMs: fc.constantFrom(10, 25, 60), cancels: fc.nat(20) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const bench = new Bench();
      const wanted: { atMs: number; id: string }[] = [];
      const set = steps.map(({ passMs, delayMs, cancels }, index) => {
        bench.clock.advance(passMs);
        wanted.push({ atMs: bench.clock.monotonicMs() + delayMs, id: String(index) });
        return { timer: bench.timers.set(bench.session(String(index)), 'ping', delayMs), cancels };
      });
      const nowMs = bench.clock.monotonicMs();
      const gone = new Set<string>();
      for (const { cancels } of set) {
        if (set[cancels] === undefined || (wanted[cancels]?.atMs ?? 0) <= nowMs) continue;
        set[cancels].timer.cancel();
        gone.add(String(cancels));
      }
      bench.clock.advance(100);
      const left = wanted.filter(({ id }) => !gone.has(id)).map(({ atMs, id }) => `${atMs} ${id} ping`);
      assert.deepEqual(bench.due.toSorted(), left.toSorted());
      assert.equal(bench.clock.waiting, 0);
    }),
  );
});
