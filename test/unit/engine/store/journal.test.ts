/** Rounds that go by way of the journal: what is synced, what is left, what becomes of faults, and what is put back after a crash. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StreamStore } from '../../../../ts/engine/store/store.ts';
import { HeldDisk } from '../../../support/held-disk.ts';
import { JournaledStore, logsOf, textOf } from '../../../support/journaled-store.ts';
import { synced } from '../../../support/store.ts';

/** A store with a stream whose last message, `journaled`, is in the journal, and how long its block was before. */
async function journaled(
  disk = new HeldDisk(),
): Promise<{ store: JournaledStore; stream: StreamStore; length: number; block: string }> {
  const store = new JournaledStore(undefined, disk);
  const stream = store.create('S');
  await store.warm(stream);
  const block = store.blockOf(stream);
  const { size: length } = statSync(block);
  store.put(stream, 'journaled');
  await synced(stream);
  assert.ok(store.logged.includes('journaled'));
  return { store, stream, length, block };
}

async function noLogs(root: string): Promise<void> {
  while (logsOf(root).length > 0) await nextTurn();
}

const warnings = ({ server }: JournaledStore): string[] => server.log.lines.filter((line) => !line.startsWith('INF'));

describe('a round that goes by way of the journal', () => {
  test('is one sync of one file, whatever the number of its streams', async () => {
    const store = new JournaledStore();
    const streams = Array.from({ length: 30 }, (_, n) => store.create(`S${n}`));
    for (const stream of streams) await store.warm(stream);
    for (const stream of streams) {
      store.put(stream, 'the first one makes the block');
      await synced(stream);
    }
    const paths: string[] = [];
    store.disk.onSync = (files) => paths.push(...files.map(({ path }) => path));
    store.server.turn(() => streams.forEach((stream) => store.put(stream, 'one of many')));
    for (const stream of streams) await synced(stream);
    assert.equal(paths.length, 1, paths.join(' '));
    assert.match(paths[0] ?? '', /\.journal$/);
    await store.server.stop();
  });

  test('leaves nothing behind a clean stop', async () => {
    const { store } = await journaled();
    await store.server.stop();
    assert.deepEqual(logsOf(store.root), []);
    assert.deepEqual(warnings(store), []);
  });

  test('syncs a new block, and what a change of an index takes away, in their own files', async () => {
    const { store, stream } = await journaled();
    await store.server.stop();
    const again = new JournaledStore(store.root);
    const [other, back] = [again.create('T'), await again.recover('S')];
    await again.warm(other);
    const paths: string[] = [];
    again.disk.onSync = (files) => paths.push(...files.map(({ path }) => path));
    again.put(back, 'behind an index');
    await synced(back);
    const msgs = join(again.root, '$G/streams/S/msgs');
    assert.ok(paths.includes(msgs) && paths.includes(again.blockOf(stream)), paths.join(' '));
    assert.ok(!again.logged.includes('behind an index'));
    await again.server.stop();
  });
});

describe('what is erased', () => {
  test('is in no file when that is promised, neither in a block nor in a log', async () => {
    const { store, stream } = await journaled();
    const seq = stream.state.lastSeq;
    store.put(stream, 'stays');
    await synced(stream);
    store.server.turn(() => assert.ok(stream.delete(seq, true)));
    await synced(stream);
    for (const name of readdirSync(store.root, { recursive: true, encoding: 'utf8' })) {
      const path = join(store.root, name);
      if (statSync(path).isFile()) assert.ok(!readFileSync(path).includes('journaled'), name);
    }
    assert.equal(textOf(stream, seq + 1), 'stays');
    await store.server.stop();
  });
});

describe('faults of the disk', () => {
  test('a log that cannot be synced is used no more: the files are synced, and everything is acknowledged', async () => {
    const { store, stream } = await journaled();
    store.disk.failsAt = /\.journal$/;
    store.disk.failSync = true;
    store.put(stream, 'by its own file');
    await synced(stream);
    assert.equal(stream.fault, undefined);
    store.disk.failSync = false;
    await noLogs(store.root);
    store.put(stream, 'after');
    await synced(stream);
    assert.ok(warnings(store).some((line) => /\.journal is not used any more: .*i\/o error/.test(line)));
    await store.server.stop();
  });

  test('a log for which there is no room is used no more either', async () => {
    const { store, stream } = await journaled();
    store.disk.failsAt = /\.journal$/;
    store.disk.failWrite = 'SHORT';
    store.put(stream, 'by its own file');
    await synced(stream);
    await noLogs(store.root);
    store.disk.failWrite = undefined;
    await store.server.stop();
    const again = new JournaledStore(store.root);
    const back = await again.recover('S');
    assert.equal(textOf(back, back.state.lastSeq), 'by its own file');
    await again.server.stop();
  });

  test('a file that cannot be synced behind the journal stops its stream, which goes on with all that was promised', async () => {
    const { store, stream, block } = await journaled();
    const other = store.create('T');
    store.put(other, 'of another stream');
    await synced(other);
    store.put(other, 'journaled too');
    await synced(other);
    const seq = stream.state.lastSeq;
    store.disk.failsAt = /S\/msgs\/1\.blk$/;
    store.disk.failSync = true;
    await other.stop();
    assert.match(stream.fault ?? '', /i\/o error/);
    assert.equal(textOf(stream, seq), 'journaled');
    assert.ok(
      store.logged.includes('journaled') && !store.logged.includes('journaled too'),
      'the log keeps what is not in its place',
    );
    // What the failed sync has lost.
    const content = readFileSync(block);
    const lost = content.fill(0, content.length - 20);
    writeFileSync(block, lost);
    store.disk.failSync = false;
    while (stream.fault !== undefined) await new Promise((resolve) => setTimeout(resolve, 20));
    await noLogs(store.root);
    assert.equal(textOf(stream, seq), 'journaled');
    store.put(stream, 'goes on');
    await synced(stream);
    await store.server.stop();
    const again = new JournaledStore(store.root);
    const back = await again.recover('S');
    assert.deepEqual([textOf(back, seq), textOf(back, seq + 1)], ['journaled', 'goes on']);
    await again.server.stop();
  });
});

describe('after a crash', () => {
  test('what blocks have lost is put back', async () => {
    const { store, stream, length, block } = await journaled();
    const { lastSeq } = stream.state;
    const again = new JournaledStore(store.crashed(new Map([[block, length]])));
    const back = await again.recover('S');
    assert.deepEqual([back.state.lastSeq, textOf(back, lastSeq)], [lastSeq, 'journaled']);
    assert.deepEqual(logsOf(again.root), []);
    assert.deepEqual(warnings(again), []);
    for (const { server } of [store, again]) await server.stop();
  });

  test('a stream that was made again under the name of another gets nothing of the old one', async () => {
    const { store, stream, block } = await journaled();
    await stream.remove();
    const anew = store.create('S');
    store.put(anew, 'new');
    await synced(anew);
    const again = new JournaledStore(store.crashed());
    const back = await again.recover('S');
    assert.deepEqual([back.state.messages, textOf(back, 1)], [1, 'new']);
    assert.deepEqual(warnings(again), []);
    assert.ok(store.logged.includes('journaled') && !existsSync(block), 'nobody waited for the log');
    for (const { server } of [store, again]) await server.stop();
  });

  test('a stream that was restored under the name of another gets nothing of the old one either', async () => {
    const { store, stream } = await journaled();
    await stream.remove();
    const staging = store.server.store.stage('$G', 'again');
    staging.begin('msgs/1.blk', 0);
    staging.finish();
    await staging.complete();
    await staging.vacated('S');
    assert.deepEqual(logsOf(store.root), []);
    staging.discard();
    await store.server.stop();
  });

  const changes: readonly (readonly [name: string, change: (block: string) => void, why: RegExp])[] = [
    [
      'nats-server left its index',
      (block) => {
        cutTo(block, -20);
        writeFileSync(block.replace('1.blk', 'index.db'), 'an index');
      },
      /nats-server has written the stream since/,
    ],
    ['the block ends before', (block) => cutTo(block, 10), /the file ends in front of them/],
  ];
  for (const [name, change, why] of changes)
    test(`nothing is written where somebody else wrote since (${name}): it is kept aside and reported`, async () => {
      const { store, block } = await journaled();
      const root = store.crashed();
      const left = block.replace(store.root, root);
      change(left);
      const before = readFileSync(left);
      const again = new JournaledStore(root);
      await again.recover('S').then((stream) => stream.stop());
      const msgs = join(root, '$G/streams/S/msgs');
      const kept = readdirSync(msgs).filter((file) => file.startsWith('1.journal-'));
      assert.ok(kept.some((file) => readFileSync(join(msgs, file)).includes('journaled')));
      assert.ok(again.server.log.lines.some((line) => line.startsWith('WRN') && line.includes(`Stream 'S'`) && why.test(line)));
      assert.ok(readFileSync(left).length <= before.length);
      for (const { server } of [store, again]) await server.stop();
    });

  test('nor where another record is, and the stream opens as it is', async () => {
    const { store, stream, length, block } = await journaled();
    const root = store.crashed(new Map([[block, length]]));
    const logs = logsOf(root).map((name) => [name, readFileSync(join(root, name))] as const);
    // Somebody who does not know the journal goes on where the block ends.
    for (const [name] of logs) writeFileSync(join(root, name), '');
    const foreign = new JournaledStore(root);
    const theirs = await foreign.recover('S');
    foreign.put(theirs, 'of somebody else');
    await synced(theirs);
    const crashed = foreign.crashed();
    for (const [name, content] of logs) writeFileSync(join(crashed, name), content);
    const again = new JournaledStore(crashed);
    const back = await again.recover('S');
    assert.equal(textOf(back, stream.state.lastSeq), 'of somebody else');
    assert.ok(again.server.log.lines.some((line) => /another record is there: they are kept in 1\.journal-/.test(line)));
    for (const { server } of [store, foreign, again]) await server.stop();
  });

  test('a stream that does not take what belongs to it stays closed and loses nothing; the others open', async () => {
    const { store, stream, length, block } = await journaled();
    const { lastSeq } = stream.state;
    const other = store.create('T');
    await synced(other);
    const root = store.crashed(new Map([[block, length]]));
    const full = new HeldDisk();
    full.failsAt = /S\/msgs/;
    full.failWrite = 'ENOSPC';
    const again = new JournaledStore(root, full);
    await assert.rejects(again.recover('S'), /could not be written to its blocks, and stays there: .*no space left/);
    await again.recover('T');
    await again.server.stop();
    assert.equal(logsOf(root).length, 1);
    const last = new JournaledStore(root);
    const back = await last.recover('S');
    assert.equal(textOf(back, lastSeq), 'journaled');
    assert.deepEqual(logsOf(root), []);
    for (const { server } of [store, last]) await server.stop();
  });

  test('a log that is damaged in its middle is reported and kept, and the rest of it put back', async () => {
    const { store, stream, length, block } = await journaled();
    const other = store.create('T');
    store.put(other, 'makes a block');
    await synced(other);
    store.put(other, 'whole');
    await synced(other);
    assert.ok(store.logged.includes('whole'));
    const [log = ''] = logsOf(store.root);
    const root = store.crashed(new Map([[block, length]]));
    const content = readFileSync(join(root, log));
    const at = content.indexOf('journaled');
    content[at] = (content[at] ?? 0) ^ 1;
    writeFileSync(join(root, log), content);
    const again = new JournaledStore(root);
    const [back, next] = [await again.recover('S'), await again.recover('T')];
    assert.equal(textOf(next, 2), 'whole');
    assert.equal(back.state.lastSeq, stream.state.lastSeq - 1);
    assert.ok(
      again.server.log.lines.some((line) => /\.journal has \d+ damaged bytes at \d+; kept in .*\.journal\.damaged/.test(line)),
    );
    assert.deepEqual(readFileSync(join(root, `${log}.damaged`)), content);
    for (const { server } of [store, again]) await server.stop();
  });
});

/** Cuts a file to a length, or by one. */
function cutTo(path: string, length: number): void {
  const content = readFileSync(path);
  writeFileSync(path, content.subarray(0, length));
}
