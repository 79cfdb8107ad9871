/** Work on many messages at once does not need memory for all of them, and a stream that does not fit into the memory is left alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamStore } from '../../../../ts/engine/store/store.ts';
import { noLimits, openTestStore, synced, type TestStore } from '../../../support/store.ts';
import { temporaryFolder } from '../../../support/temporary.ts';

const payload = new Uint8Array(4);
/** More tombstones than may wait to be written. */
const messages = 300_000;

async function fill(server: TestStore, name: string, subject: (n: number) => string, count = messages): Promise<StreamStore> {
  const stream = server.store.create(server.options(name), '{}');
  for (let n = 0; n < count;) {
    server.turn(() => {
      for (let k = 0; k < 50_000 && n < count; k++) stream.append({ subject: subject(n++), payload });
    });
    await synced(stream);
  }
  return stream;
}

test('a purge of very many messages, and a lower limit, go in pieces and to their end', async () => {
  const root = temporaryFolder();
  const server = openTestStore(root);
  const bySubject = await fill(server, 'SUBJECTS', (n) => `a.${n % 3}`);
  const before = server.kernel.exports.liveBytes();
  let most = 0;
  server.turn(() => {
    assert.equal(
      bySubject.purge({ filter: 'a.1', seq: messages - 10 }) + bySubject.purge({ filter: 'a.*', keep: 50 }),
      messages - 50,
    );
    most = server.kernel.exports.liveBytes() - before;
  });
  await synced(bySubject);
  assert.equal(bySubject.state.messages, 50);
  assert.ok(most < 10 << 20, `${most} bytes more`);
  const limited = await fill(server, 'LIMITED', () => 'a');
  server.turn(() => limited.setLimits({ ...noLimits, maxMessagesPerSubject: 7 }));
  await new Promise((free) => limited.works.whenFree(free));
  assert.equal(limited.state.messages, 7);
  await synced(limited);
  await server.stop();
  const again = openTestStore(root);
  assert.equal((await again.store.recover(again.options('SUBJECTS'))).state.messages, 50);
  assert.equal((await again.store.recover(again.options('LIMITED'))).state.messages, 7);
  await again.stop();
});

test('a stream whose index does not fit into the memory is left alone, and others open', async () => {
  const root = temporaryFolder();
  const server = openTestStore(root);
  await fill(server, 'LARGE', (n) => `subject.number.${n}`);
  await fill(server, 'SMALL', () => 'a', 100);
  await server.stop();
  const again = openTestStore(root, undefined, 0, { maximumPages: 512 });
  await assert.rejects(again.store.recover(again.options('LARGE')), /no room for the index/);
  assert.equal((await again.store.recover(again.options('SMALL'))).state.messages, 100);
  await again.stop();
  const third = openTestStore(root);
  assert.equal((await third.store.recover(third.options('LARGE'))).state.messages, messages);
  await third.stop();
});
