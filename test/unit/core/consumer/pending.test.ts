/** The queue of messages to be delivered again, against a plain list. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PendingMessages } from '../../../../ts/core/consumer/pending.ts';

const steps = fc.array(fc.tuple(fc.constantFrom('enqueue', 'enqueue', 'unqueue', 'take'), fc.nat(40)), {
  minLength: 200,
  maxLength: 3000,
});

test('messages come again in the order they were queued in, each once, also from a queue that is never empty', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 30 }), (list, backlog) => {
      const pending = new PendingMessages();
      let plain: number[] = [];
      const enqueue = (seq: number): void => {
        if (!plain.includes(seq)) plain.push(seq);
        pending.enqueue(seq);
      };
      const unqueue = (seq: number): void => {
        plain = plain.filter((other) => other !== seq);
        pending.unqueue(seq);
      };
      for (let seq = 0; seq < backlog; seq++) enqueue(seq);
      for (const [step, seq] of list) {
        if (step === 'enqueue') enqueue(seq);
        else if (step === 'unqueue') unqueue(seq);
        else {
          const next = pending.peekQueued();
          assert.equal(next, plain[0]);
          if (next === undefined) continue;
          unqueue(next);
          if (plain.length < backlog) enqueue(next);
        }
        assert.equal(pending.queued, plain.length);
      }
    }),
    { numRuns: 60 },
  );
});
