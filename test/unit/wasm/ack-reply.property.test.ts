/** The reply subjects of deliveries, which the kernel counts on in place: against the numbers they are to say, over gaps, seconds and lengths. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { flag } from '../../../ts/kernel/constants.ts';
import { openTestStore, synced } from '../../support/store.ts';
import type { TestStore } from '../../support/store.ts';
import { temporaryFolder } from '../../support/temporary.ts';

/** What is next to a number that gets another digit, and others. */
const border = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: -12, max: 3 })).map(([n, by]) => Math.max(1, 10 ** n + by)),
  fc.integer({ min: 1, max: 2_000_000 }),
);

const arrangement = fc.record({
  firstSeq: border,
  firstConsumerSeq: border,
  pending: border,
  deliveries: fc.constantFrom(1, 2, 10, 99),
  firstSecond: fc.constantFrom(0, 3, 1_700_000_000),
  messages: fc.array(
    fc.record({
      gap: fc.oneof({ arbitrary: fc.constant(0), weight: 8 }, { arbitrary: fc.integer({ min: 1, max: 200 }), weight: 1 }),
      later: fc.oneof({ arbitrary: fc.integer({ min: 0, max: 300_000_000 }), weight: 8 }, { arbitrary: fc.nat(3e9), weight: 1 }),
    }),
    { minLength: 1, maxLength: 60 },
  ),
});

function subscriber({ kernel, account }: TestStore): () => string[] {
  const index = kernel.open(1 << 20, 4096, 64 << 20);
  kernel.bind(index, { account, flags: flag.headers, maxPayload: 1 << 20, maxSubs: 0, maxControlLine: 4096 });
  const text = 'SUB _INBOX.me 1\r\n';
  kernel.inbound.set(Buffer.from(text));
  kernel.ingest(index, 0, text.length);
  return () => {
    let said = '';
    for (let chunks = kernel.takeOut(index); chunks.length > 0; chunks = kernel.takeOut(index)) {
      said += Buffer.concat(chunks).toString('latin1');
      kernel.outDone(index);
    }
    return [...said.matchAll(/^MSG s 1 (\S+) 1\r\n/gm)].map(([, reply]) => reply ?? '');
  };
}

test('each reply says its message, whatever the one before it said', async () => {
  const server = openTestStore(temporaryFolder());
  const receive = subscriber(server);
  let streams = 0;
  const property = fc.asyncProperty(arrangement, async (given) => {
    const name = `S${++streams}`;
    const stream = server.store.create(server.options(name, { storage: 'memory', firstSeq: given.firstSeq }), '{}');
    let nanos = BigInt(given.firstSecond) * 1_000_000_000n;
    const expected: string[] = [];
    server.turn(() => {
      for (const [i, { gap, later }] of given.messages.entries()) {
        if (gap > 0) stream.skip(stream.state.lastSeq + gap);
        nanos += BigInt(later);
        const ts = { seconds: Number(nanos / 1_000_000_000n), nanos: Number(nanos % 1_000_000_000n) };
        const seq = stream.append({ subject: 's', payload: new Uint8Array(1).fill(0x78), ts });
        const pending = Math.max(0, given.pending - 1 - i);
        expected.push(`$JS.ACK.S.C.${given.deliveries}.${seq}.${given.firstConsumerSeq + i}.${nanos}.${pending}`);
      }
    });
    await synced(stream);
    const { firstConsumerSeq, deliveries: deliveredCount, pending: pendingBefore, firstSeq: fromSeq } = given;
    const numbers = { fromSeq, firstConsumerSeq, deliveredCount, pendingBefore };
    const texts = { deliverSubject: '_INBOX.me', ackPrefix: '$JS.ACK.S.C.', headersOnly: false };
    stream.deliver({ ...numbers, ...texts, maxMessages: 100, maxBytes: 1 << 20 });
    assert.deepEqual(receive(), expected);
    await stream.remove();
  });
  await fc.assert(property, { numRuns: 300 });
  await server.stop();
});
