// The last sequence given out is never given out again, whatever is deleted and whichever blocks go: also after a kill, which leaves no index.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noLimits, openTestStore, synced } from '../../../support/store.ts';
import { killedStore, temporaryFolder } from '../../../support/temporary.ts';

const payload = new TextEncoder().encode('x');
const smallBlocks = { limits: { ...noLimits, maxBytes: 100_000 } };
const messages = 2_500;

test('a stream whose last message was deleted long before all others remembers its sequence when it was killed', async () => {
  const root = temporaryFolder();
  const server = openTestStore(root);
  const stream = server.store.create(server.options('S', smallBlocks), '{}');
  server.turn(() => {
    for (let seq = 1; seq <= messages; seq++) stream.append({ subject: 's', payload });
  });
  await synced(stream);
  for (const some of [[messages], Array.from({ length: messages - 1 }, (_, i) => i + 1)]) {
    server.turn(() => {
      for (const seq of some) assert.ok(stream.delete(seq));
    });
    await synced(stream);
    await synced(stream);
  }
  const killed = killedStore(root);
  await server.stop();

  const second = openTestStore(killed);
  assert.equal((await second.store.recover(second.options('S', smallBlocks))).state.lastSeq, messages);
  const killedAgain = killedStore(killed);
  await second.stop();

  const third = openTestStore(killedAgain);
  const again = await third.store.recover(third.options('S', smallBlocks));
  assert.equal(again.state.messages, 0);
  third.turn(() => assert.equal(again.append({ subject: 's', payload }), messages + 1));
  await synced(again);
  await third.stop();
});
