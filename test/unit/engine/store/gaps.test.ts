// Sequences given out without a message, as a mirror does where its origin has none.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTestStore, synced } from '../../../support/store.ts';
import { temporaryFolder } from '../../../support/temporary.ts';

const payload = new TextEncoder().encode('x');

test('messages appended under sequences of their own leave gaps that survive', async () => {
  const root = temporaryFolder();
  const first = openTestStore(root);
  const stream = first.store.create(first.options('S'), '{}');
  const seqs = [3, 4, 9000, 20_000_000];
  first.turn(() => {
    for (const seq of seqs) assert.equal(stream.append({ subject: `s.${seq % 2}`, payload, seq }), seq);
  });
  await synced(stream);
  const expected = { messages: 4, firstSeq: 3, lastSeq: 20_000_000, numDeleted: 19_999_994 };
  const shown = ({ messages, firstSeq, lastSeq, numDeleted }: typeof stream.state) => ({
    messages,
    firstSeq,
    lastSeq,
    numDeleted,
  });
  assert.deepEqual(shown(stream.state), expected);
  await first.stop();
  const second = openTestStore(root);
  const again = await second.store.recover(second.options('S'));
  assert.deepEqual(shown(again.state), expected);
  assert.deepEqual(
    [0, 4, 5, 9001, 20_000_001].map((from) => again.nextSeq([], from)),
    [3, 4, 9000, 20_000_000, 0],
  );
  assert.equal(again.nextSeq(['s.1', 's.7'], 1), 3);
  assert.equal(again.nextSeq(['s.1'], 4), 0);
  assert.equal(again.get(9000)?.subject, 's.0');
  await second.stop();
});

test('skipped sequences are remembered, in a new stream and behind messages', async () => {
  const root = temporaryFolder();
  const first = openTestStore(root);
  const fresh = first.store.create(first.options('NEW'), '{}');
  const used = first.store.create(first.options('USED'), '{}');
  first.turn(() => {
    fresh.skip(9);
    used.append({ subject: 's', payload });
    used.skip(9);
  });
  await synced(used);
  assert.deepEqual([fresh.state.firstSeq, fresh.state.lastSeq, used.state.firstSeq, used.state.lastSeq], [10, 9, 1, 9]);
  await first.stop();
  const second = openTestStore(root);
  for (const name of ['NEW', 'USED']) {
    const stream = await second.store.recover(second.options(name));
    second.turn(() => assert.equal(stream.append({ subject: 's', payload }), 10, name));
    await synced(stream);
  }
  await second.stop();
});
