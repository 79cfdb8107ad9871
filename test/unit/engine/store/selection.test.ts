/** Selections over many subjects against the plain twin: what a new consumer counts, from anywhere in the stream, and where "last per subject" begins. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matches } from '../../../oracle/stream.ts';
import { openTestStore } from '../../../support/store.ts';
import { temporaryFolder } from '../../../support/temporary.ts';

const filters = ['>', 't.>', 't.*.*', 't.*', '*.1.*', 't.3.*', 't.3.17', 't.*.17', 't.7.>', '*.*.*.x', 't.12.*', 'u.>', 'none'];
const nothing = new Uint8Array(0);

/** Few messages of many subjects, in tokens that share beginnings; most are one level deeper than `t.*`. */
const published = fc.array(fc.tuple(fc.constantFrom('t', 't', 't', 'u'), fc.nat(13), fc.nat(40), fc.boolean()), {
  minLength: 1,
  maxLength: 1200,
});

function subjectOf([first, second, third, deep]: readonly [string, number, number, boolean]): string {
  return `${first}.${second}${deep ? `.${third}${third % 11 === 0 ? '.x' : ''}` : ''}`;
}

test('messages of filters are counted exactly from every sequence, and the last ones come in order, each once', async () => {
  await fc.assert(
    fc.asyncProperty(
      published,
      fc.array(fc.nat(1200), { maxLength: 40 }),
      fc.array(fc.array(fc.constantFrom(...filters), { minLength: 1, maxLength: 4 }), { minLength: 4, maxLength: 8 }),
      async (messages, deletes, selections) => {
        const server = openTestStore(temporaryFolder());
        const stream = server.store.create(server.options('S', { storage: 'memory' }), '{}');
        const stored = new Map<number, string>();
        server.turn(() => {
          for (const message of messages) {
            const subject = subjectOf(message);
            stored.set(stream.append({ subject, headers: nothing, payload: nothing }), subject);
          }
          for (const seq of deletes) if (stream.delete(seq)) stored.delete(seq);
        });
        const last = stream.state.lastSeq;
        for (const wanted of selections) {
          const chosen = [...stored].filter(([, subject]) => wanted.some((filter) => matches(filter, subject)));
          for (const from of [1, 2, last >> 2, last >> 1, last - (last >> 3), last, last + 1]) {
            const selection = stream.select(wanted);
            assert.equal(selection.count(from), chosen.filter(([seq]) => seq >= from).length, `${wanted.join(' ')} from ${from}`);
            selection.close();
          }
          for (const upTo of [last, last >> 1]) {
            const lasts = new Map(chosen.filter(([seq]) => seq <= upTo).map(([seq, subject]) => [subject, seq]));
            assert.deepEqual(
              [...stream.lastSeqs(wanted, upTo)],
              [...lasts.values()].sort((a, b) => a - b),
              `last of ${wanted.join(' ')} up to ${upTo}`,
            );
          }
        }
        await server.stop();
      },
    ),
    { numRuns: 60 },
  );
});

/** Beginnings that differ early, late, and further behind than one node of the tree reaches. */
const beginning = fc.constantFrom('a', 'b', 'ab', 'long'.repeat(8), `${'long'.repeat(8)}a`, 'long'.repeat(12));
const alike = fc.array(fc.array(beginning, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 8 });

test('a wildcard at the end takes one token, in whichever order subjects of one beginning come and go', async () => {
  const server = openTestStore(temporaryFolder());
  await fc.assert(
    fc.asyncProperty(alike, fc.array(fc.nat(7), { maxLength: 3 }), async (messages, deletes) => {
      const stream = server.store.create(server.options('S', { storage: 'memory' }), '{}');
      const stored = new Map<number, string>();
      server.turn(() => {
        for (const tokens of messages) {
          const subject = tokens.join('.');
          stored.set(stream.append({ subject, headers: nothing, payload: nothing }), subject);
        }
        for (const at of deletes) if (stream.delete(at + 1)) stored.delete(at + 1);
      });
      for (const tokens of messages) {
        for (const filter of ['*', ...tokens.map((_, at) => [...tokens.slice(0, at + 1), '*'].join('.'))]) {
          const selection = stream.select([filter]);
          assert.equal(selection.count(1), [...stored.values()].filter((subject) => matches(filter, subject)).length, filter);
          selection.close();
        }
      }
      await stream.remove();
    }),
    { numRuns: 500 },
  );
  await server.stop();
});

test('the next message on matching subjects is found however far it is, and past deleted ones', async () => {
  const server = openTestStore(temporaryFolder());
  const stream = server.store.create(server.options('S', { storage: 'memory' }), '{}');
  const near = [1, 2, 700, 1023, 1024, 1025, 1026, 2049, 2050, 5000];
  const subjectAt = (seq: number): string => (near.includes(seq) ? `a.${seq % 3}` : `b.${seq % 7}`);
  server.turn(() => {
    for (let seq = 1; seq <= 6000; seq++) stream.append({ subject: subjectAt(seq), headers: nothing, payload: nothing });
    stream.delete(1025);
  });
  const left = near.filter((seq) => seq !== 1025);
  for (const from of [1, 2, 3, 701, 1024, 1025, 1027, 2050, 2051, 3976, 5000, 5001, 6001]) {
    const next = left.find((seq) => seq >= from) ?? 0;
    for (const filters of [['a.*'], ['a.>'], ['c.>', 'a.*']])
      assert.equal(stream.nextSeq(filters, from), next, `${filters.join(' ')} from ${from}`);
    const exact = left.find((seq) => seq >= from && seq % 3 === 1) ?? 0;
    assert.equal(stream.nextSeq(['a.1'], from), exact);
  }
  await server.stop();
});
