/** Streams in memory: no file, nothing after a restart, bytes counted as nats-server counts a memory stream's, and otherwise like any stream. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import type { StreamStore } from '../../../../ts/engine/store/store.ts';
import { MemoryDisk } from '../../../../ts/engine/store/memory-disk.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { effort, holdsInTime } from '../../../oracle/check.ts';
import { noLimits, openTestStore, synced, type TestStore } from '../../../support/store.ts';
import { temporaryFolder } from '../../../support/temporary.ts';

const encoder = new TextEncoder();
const upkeep = { lookMs: 1, bytesPerSecond: 1e12 };
const headers = encoder.encode('NATS/1.0\r\nA: b\r\n\r\n');

function create(server: TestStore, limits = noLimits): StreamStore {
  return server.store.create(server.options('M', { storage: 'memory', limits }), '{}');
}

test('nothing of it is on disk, and nothing is there after a restart', async () => {
  const root = temporaryFolder();
  const server = openTestStore(root);
  const stream = create(server);
  stream.writeConsumer('C', '{"name":"C"}');
  server.turn(() => {
    for (let n = 0; n < 50; n++) stream.append({ subject: 'a', payload: new Uint8Array(1000) });
  });
  await synced(stream);
  assert.equal(stream.syncedSeq, 50);
  assert.deepEqual(readdirSync(root), []);
  await server.stop();
  assert.ok(existsSync(root));
  const again = openTestStore(root);
  assert.deepEqual(again.store.find('$G'), []);
  assert.equal(create(again).state.messages, 0);
  await again.stop();
});

test('a message counts 16 bytes, its subject, headers and payload', async () => {
  const server = openTestStore(temporaryFolder());
  const stream = create(server);
  server.turn(() => {
    stream.append({ subject: 'abcd', payload: encoder.encode('12345') });
    stream.append({ subject: 'abcd', payload: encoder.encode('12345'), headers });
    stream.append({ subject: 'e', payload: new Uint8Array(0) });
  });
  const [first, second, third] = [16 + 4 + 5, 16 + 4 + 5 + headers.length, 16 + 1];
  assert.equal(stream.state.bytes, first + second + third);
  server.turn(() => stream.delete(2));
  assert.equal(stream.state.bytes, first + third);
  stream.setLimits({ ...noLimits, maxBytes: third });
  assert.deepEqual([stream.state.messages, stream.state.bytes], [1, third]);
  await server.stop();
});

test('what it was granted is used up by what messages count', async () => {
  const server = openTestStore(temporaryFolder());
  const stream = create(server);
  const reasons: string[] = [];
  stream.setSubjects(['m']);
  stream.onPublish(({ reason }) => reasons.push(reason));
  stream.grant(2 * (16 + 1 + 5) + 16);
  server.turn(() => {
    for (let n = 0; n < 3; n++) server.kernel.publish(server.account, 'm', '', undefined, encoder.encode('12345'));
  });
  assert.equal(stream.state.messages, 2);
  assert.deepEqual(reasons, ['room']);
  await server.stop();
});

test('what it holds reads back whole while messages come, go, and their blocks are written anew', async () => {
  await holdsInTime(
    fc.asyncProperty(fc.array(fc.nat(99), { maxLength: 300 }), async (choices) => {
      const server = openTestStore(temporaryFolder(), undefined, 0, { upkeep });
      const stream = create(server, { ...noLimits, maxBytes: 100_000 });
      const live = new Map<number, string>();
      for (const choice of choices) {
        server.turn(() => {
          const oldest = [...live.keys()];
          const seq = oldest[choice % Math.max(1, oldest.length)];
          if (choice < 60 || seq === undefined) {
            const payload = `${choice}`.repeat(choice * 4);
            live.set(stream.append({ subject: `s.${choice % 5}`, payload: encoder.encode(payload) }), payload);
          } else {
            assert.ok(stream.delete(seq, choice % 2 === 0));
            live.delete(seq);
          }
        });
        for (const seq of live.keys()) if (seq < stream.state.firstSeq) live.delete(seq);
        if (choice % 10 === 0) await synced(stream);
      }
      await synced(stream);
      for (const [seq, payload] of live) assert.equal(Buffer.from(stream.get(seq)?.payload ?? []).toString(), payload);
      assert.equal(stream.state.messages, live.size);
      await server.stop();
    }),
    effort(20),
  );
});

test('memory of messages that are gone is given back, also between others that stay', async () => {
  const server = openTestStore(temporaryFolder(), undefined, 0, { upkeep });
  const stream = create(server, { ...noLimits, maxBytes: 120_000 });
  server.turn(() => {
    for (let n = 0; n < 100; n++) stream.append({ subject: 'a', payload: new Uint8Array(1000).fill(n) });
  });
  await synced(stream);
  const sizes = async (): Promise<number> => {
    const archive = await stream.archive(() => ({ meta: '{}', consumers: [] }));
    const blocks = archive.members.filter(({ name }) => name.endsWith('.blk'));
    archive.close();
    return blocks.reduce((sum, { size }) => sum + size, 0);
  };
  const before = await sizes();
  server.turn(() => {
    for (let seq = 1; seq <= 90; seq++) if (seq % 10 > 0) stream.delete(seq);
  });
  await synced(stream);
  while ((await sizes()) > before / 2) await nextTurn();
  assert.deepEqual(stream.get(20)?.payload, new Uint8Array(1000).fill(19));
  await server.stop();
});

test('the disk in memory keeps directories and files as a disk does', () => {
  const disk = new MemoryDisk(new VirtualClock());
  disk.makeDirectory('/a/b/c');
  disk.writeWhole('/a/b/c/one', encoder.encode('1'));
  disk.writeWhole('/a/b/two', encoder.encode('22'));
  const byName = (path: string): string[] => disk.list(path).map(({ name, directory }) => (directory ? `${name}/` : name));
  assert.deepEqual(byName('/a/b'), ['c/', 'two']);
  disk.rename('/a/b', '/a/d');
  assert.deepEqual([byName('/a'), byName('/a/d/c')], [['d/'], ['one']]);
  assert.equal(Buffer.from(disk.readWhole('/a/d/c/one') ?? []).toString(), '1');
  disk.removeTree('/a/d');
  assert.ok(!disk.exists('/a/d/c/one') && disk.exists('/a'));
});
