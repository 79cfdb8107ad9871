/** Shared configurations: each consumer's comes back as it went in, equal ones are kept once, and nothing is kept for longer than it is held. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConfigPool, configOf, ownConfig } from '../../../../ts/core/consumer/config-pool.ts';
import { configOf as configured } from './bench.ts';

const stream = { tellsSettled: false, maxMessageBytes: 1024 };

const given = fc.record({
  name: fc.constantFrom('', 'a', 'b'),
  durable_name: fc.constantFrom('', 'a', 'b'),
  description: fc.constantFrom('', 'a\nb', 'a b'),
  filter_subject: fc.constantFrom('', 'x', 'y.*'),
  filter_subjects: fc.constantFrom([], ['z'], ['z', 'x.>']),
  deliver_subject: fc.constantFrom('', 'd'),
  ack_wait: fc.constantFrom(0n, 9_007_199_254_740_992n, 9_007_199_254_740_993n),
  backoff: fc.constantFrom([], [1n], [1n, 2n]),
  max_deliver: fc.constantFrom(-1, 5),
  metadata: fc.constantFrom({}, { k: 'v' }, { k: 'w' }),
  pause_until: fc.constantFrom(undefined, { seconds: 5, nanos: 1 }),
});

test('each consumer has its own configuration again, and an empty pool is left when all are gone', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), given), { maxLength: 12 }), (all) => {
      const pool = new ConfigPool();
      const held = all.map(([name, fields]) => {
        const config = configured(fields);
        return { config, own: ownConfig(config, name), common: pool.hold(config, name, stream) };
      });
      for (const { config, own, common } of held) {
        // Both kinds of filters may be given by a store only; the first is then the single one.
        assert.deepEqual(configOf(common, own), config);
      }
      for (const { common } of held) pool.release(common);
      assert.equal(pool.size, 0);
    }),
  );
});

test('consumers that differ in name, filter and deliver subject share everything else', () => {
  const pool = new ConfigPool();
  for (const name of ['a', 'b', 'c'])
    pool.hold(configured({ name, durable_name: name, filter_subject: `s.${name}`, deliver_subject: `d.${name}` }), name, stream);
  assert.equal(pool.size, 1);
  pool.hold(
    configured({ name: 'd', durable_name: 'd', filter_subject: 's.d', deliver_subject: 'd.d', max_deliver: 3 }),
    'd',
    stream,
  );
  pool.hold(configured({ name: 'e', durable_name: 'e', filter_subject: 's.e', deliver_subject: 'd.e' }), 'e', {
    ...stream,
    tellsSettled: true,
  });
  assert.equal(pool.size, 3);
});
