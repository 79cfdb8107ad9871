// The pace of a lame duck: everybody gone within the time, nobody pushed faster than needed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lameDuckPace } from '../../../../ts/core/session/lame-duck.ts';

test('pauses between clients', () => {
  assert.deepEqual(lameDuckPace(3, 120_000, 10_000), { clientsAtOnce: 1, pauseMs: 1_000 });
  assert.deepEqual(lameDuckPace(1_000, 110_000, 10_000), { clientsAtOnce: 1, pauseMs: 100 });
  assert.deepEqual(lameDuckPace(100_000, 30_000, 10_000), { clientsAtOnce: 5, pauseMs: 1 });
  assert.deepEqual(lameDuckPace(7, 1_000, 1_000), { clientsAtOnce: 7, pauseMs: 1 });
});

test('all clients are closed within the time there is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 600_000 }), (clients, timeMs) => {
      const { clientsAtOnce, pauseMs } = lameDuckPace(clients, timeMs + 10, 10);
      const rounds = Math.ceil(clients / clientsAtOnce);
      assert.ok(rounds * pauseMs <= timeMs * 1.000_001, `${clients} clients in ${timeMs} ms: ${rounds} rounds of ${pauseMs} ms`);
    }),
  );
});
