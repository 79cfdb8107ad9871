/** Messages under way against a plain map, over any order of additions and removals. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InFlight } from '../../../../ts/core/consumer/in-flight.ts';

type Step = { readonly is: 'add' | 'remove' | 'touch'; readonly by: number };

const steps = fc.array(
  fc.record({ is: fc.constantFrom('add', 'add', 'remove', 'remove', 'touch'), by: fc.nat(30) }) as fc.Arbitrary<Step>,
  { maxLength: 400 },
);

test('messages under way are those added and not removed, the lowest first', () => {
  fc.assert(
    fc.property(steps, (todo) => {
      const messages = new InFlight();
      const model = new Map<number, [consumerSeq: number, sentAtMs: number]>();
      let last = 0;
      for (const [now, { is, by }] of todo.entries()) {
        const seq = is === 'add' ? last + 1 + by : last - by;
        if (is === 'add') {
          last = seq;
          messages.add(seq, now, now);
          model.set(seq, [now, now]);
        } else if (is === 'remove') {
          assert.equal(messages.remove(seq), model.get(seq)?.[0]);
          model.delete(seq);
        } else {
          const row = model.get(seq);
          assert.equal(messages.touch(seq, now), row !== undefined);
          if (row !== undefined) row[1] = now;
        }
        assert.equal(messages.size, model.size);
        assert.equal(messages.lowest(), model.keys().next().value);
      }
      const found: [number, [number, number]][] = [];
      messages.each((seq, consumerSeq, sentAtMs) => found.push([seq, [consumerSeq, sentAtMs]]));
      assert.deepEqual(found, [...model]);
      const inParts: number[] = [];
      for (let from: number | undefined = 0; from !== undefined;) from = messages.some(from, 3, (seq) => inParts.push(seq));
      assert.deepEqual(inParts, [...model.keys()]);
      assert.deepEqual(
        messages.between(10, 60),
        [...model.keys()].filter((seq) => seq >= 10 && seq <= 60),
      );
    }),
  );
});
