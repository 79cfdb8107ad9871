/**
 * What the disk refuses: nothing is acknowledged that is not synced, and a stream whose file failed stops writing and stays readable.
 */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, test } from 'node:test';
import type { StreamStore } from '../../../../ts/engine/store/store.ts';
import { NodeClock } from '../../../../ts/node/clock.ts';
import type { OpenFile } from '../../../../ts/ports/disk.ts';
import { HeldDisk } from '../../../support/held-disk.ts';
import { openTestStore, synced } from '../../../support/store.ts';
import type { TestStore } from '../../../support/store.ts';
import { temporaryFolder } from '../../../support/temporary.ts';

const encoder = new TextEncoder();
const textOf = (stream: StreamStore, seq: number): string => Buffer.from(stream.get(seq)?.payload ?? []).toString();

/** Resolves when the stream writes again: it looks once a second. */
async function writesAgain(stream: StreamStore): Promise<void> {
  while (stream.fault !== undefined) await new Promise((resolve) => setTimeout(resolve, 20));
}

interface Bench {
  readonly root: string;
  readonly disk: HeldDisk;
  readonly server: TestStore;
  readonly stream: StreamStore;
  readonly block: string;
  put(payload: string): void;
}

function bench(): Bench {
  const root = temporaryFolder();
  const disk = new HeldDisk();
  const server = openTestStore(root, disk);
  const stream = server.store.create(server.options('S'), '{}');
  const put = (payload: string): void =>
    server.turn(() => {
      stream.append({ subject: 'a', payload: encoder.encode(payload) });
    });
  return { root, disk, server, stream, put, block: join(root, '$G/streams/S/msgs/1.blk') };
}

describe('group commit', () => {
  test('shows nothing before it is synced, and everything that arrived meanwhile rides the next sync', async () => {
    const { disk, server, stream, put } = bench();
    await synced(stream);
    disk.holding = true;
    put('one');
    const before = disk.rounds;
    for (let n = 0; n < 50; n++) put(`more ${n}`);
    assert.equal(disk.rounds, before, 'one sync is under way, no other has begun');
    assert.equal(stream.syncedSeq, 0);
    disk.release();
    await synced(stream);
    assert.equal(stream.syncedSeq, 51);
    assert.equal(disk.rounds, before + 1, 'fifty messages took one sync');
    await server.stop();
  });

  test('a stream does not wait for the sync of another', async () => {
    const { disk, server, stream, put } = bench();
    const other = server.store.create(server.options('T'), '{}');
    await Promise.all([synced(stream), synced(other)]);
    disk.holding = true;
    put('held');
    disk.holding = false;
    server.turn(() => {
      other.append({ subject: 'b', payload: encoder.encode('not held') });
    });
    await synced(other);
    assert.deepEqual([stream.syncedSeq, other.syncedSeq], [0, 1]);
    disk.release();
    await synced(stream);
    await server.stop();
  });

  test('a stream that is removed does not wait until other streams rest', async () => {
    const { disk, server, stream, put } = bench();
    const other = server.store.create(server.options('T'), '{}');
    await Promise.all([synced(stream), synced(other)]);
    disk.holding = true;
    put('keeps the store busy');
    const removed = other.remove();
    while (disk.held.length < 2) await nextTurn();
    disk.held.pop()?.();
    await removed;
    disk.release();
    await server.stop();
  });

  test('with a sync interval a message counts once it is written', async () => {
    const root = temporaryFolder();
    const disk = new HeldDisk();
    const server = openTestStore(root, disk, 60_000);
    const stream = server.store.create(server.options('S'), '{}');
    disk.holding = true;
    server.turn(() => {
      stream.append({ subject: 'a', payload: encoder.encode('x') });
    });
    assert.equal(stream.syncedSeq, 1);
    disk.release();
    await server.stop();
  });
});

describe('a disk that fails', () => {
  test('a bad sector under a read costs the messages on it: they are reported, the others are read, and publishing goes on', async () => {
    const { disk, server, stream, put } = bench();
    const large = 'x'.repeat(1 << 20);
    for (const start of ['a', 'b', 'c']) put(start + large);
    await synced(stream);
    disk.badByte = 1.5 * (1 << 20);
    assert.equal(stream.get(2), undefined);
    assert.ok(server.log.lines.some((line) => line.startsWith('ERR') && /message 2 .*1\.blk.*i\/o error/.test(line)));
    assert.equal(textOf(stream, 1), `a${large}`);
    assert.equal(textOf(stream, 3), `c${large}`);
    put('after');
    await synced(stream);
    assert.equal(textOf(stream, 4), 'after');
    assert.equal(stream.fault, undefined);
    await server.stop();
  });

  test('a failed sync stops the stream: no promise is kept open, what was synced stays readable', async () => {
    const { disk, server, stream, put, block } = bench();
    put('kept');
    await synced(stream);
    const { size } = statSync(block);
    disk.failSync = true;
    put('lost');
    await assert.rejects(synced(stream), /i\/o error/);
    assert.match(stream.fault ?? '', /i\/o error/);
    assert.equal(stream.syncedSeq, 1);
    assert.equal(stream.state.messages, 1);
    assert.equal(statSync(block).size, size, 'what was not promised is cut off');
    assert.equal(Buffer.from(stream.get(1)?.payload ?? []).toString(), 'kept');
    assert.throws(() => put('refused'), /i\/o error/);
    assert.ok(server.log.lines.some((line) => line.startsWith('ERR') && line.includes('stopped writing')));
    await server.stop();
  });

  for (const how of ['ENOSPC', 'SHORT'] as const) {
    test(`a write that fails with ${how} leaves the block as long as its records`, async () => {
      const { disk, server, stream, put, block } = bench();
      put('kept');
      await synced(stream);
      const { size } = statSync(block);
      const content = readFileSync(block);
      disk.failWrite = how;
      put('lost');
      await assert.rejects(synced(stream), /no space left/);
      assert.equal(statSync(block).size, size);
      assert.deepEqual(readFileSync(block), content);
      assert.equal(stream.state.lastSeq, 1);
      await server.stop();
    });
  }

  for (const [how, change] of [
    ['grew', (path: string) => appendFileSync(path, 'somebody else')],
    ['was cut', (path: string) => truncateSync(path, 20)],
  ] as const) {
    test(`a block that ${how} under us is noticed before it is written to, and left as it is`, async () => {
      const { server, stream, put, block } = bench();
      put('kept');
      await synced(stream);
      change(block);
      const content = readFileSync(block);
      put('lost');
      await assert.rejects(synced(stream), /was changed by another program/);
      assert.match(stream.fault ?? '', /changed by another program/);
      assert.deepEqual(readFileSync(block), content);
      assert.equal(stream.syncedSeq, 1);
      await server.stop();
      assert.deepEqual(readFileSync(block), content);
    });
  }
});

describe('a stream whose disk takes files again', () => {
  test('goes on without a restart: what failed is not there, what it deleted in vain is', async () => {
    const { root, disk, server, stream, put } = bench();
    for (const payload of ['one', 'two', 'three']) put(payload);
    await synced(stream);
    disk.failWrite = 'ENOSPC';
    stream.ids.resize(120_000);
    server.turn(() => {
      const seq = stream.append({ subject: 'a', payload: encoder.encode('lost') });
      stream.ids.add('an id', seq, new NodeClock().wallInstant());
      stream.delete(2, true);
    });
    await assert.rejects(synced(stream), /no space left/);
    assert.match(stream.fault ?? '', /takes messages again when there is room/);
    assert.equal(stream.refusal?.err_code, 10047);
    assert.equal(textOf(stream, 1), 'one', 'what is stored stays readable');
    assert.equal(stream.ids.find('an id'), undefined);
    disk.failWrite = undefined;
    await writesAgain(stream);
    assert.deepEqual(
      [1, 2, 3].map((seq) => textOf(stream, seq)),
      ['one', 'two', 'three'],
    );
    put('four');
    await synced(stream);
    assert.deepEqual([textOf(stream, 4), stream.state.messages, stream.syncedSeq], ['four', 4, 4]);
    server.turn(() => void stream.delete(2, true));
    await synced(stream);
    await server.stop();
    const again = openTestStore(root);
    const after = await again.store.recover(again.options('S'));
    assert.deepEqual(
      [1, 2, 3, 4].map((seq) => textOf(after, seq)),
      ['one', '', 'three', 'four'],
    );
    await again.stop();
  });

  test('begins a new block after a failed sync, and syncs the promised part of the old one by a new descriptor', async () => {
    const { disk, server, stream, put, block } = bench();
    put('kept');
    await synced(stream);
    const failed = new Set<OpenFile>();
    const syncedAgain: OpenFile[] = [];
    const newly: string[] = [];
    disk.onSync = (files) => {
      for (const file of files) {
        if (disk.failSync) failed.add(file);
        else if (failed.has(file)) syncedAgain.push(file);
        else newly.push(file.path);
      }
    };
    disk.failSync = true;
    put('lost');
    await assert.rejects(synced(stream), /i\/o error/);
    disk.failSync = false;
    await writesAgain(stream);
    put('new');
    await synced(stream);
    assert.deepEqual([textOf(stream, 1), textOf(stream, 2)], ['kept', 'new']);
    assert.deepEqual(syncedAgain, []);
    assert.ok(newly.includes(block));
    assert.ok(readFileSync(block.replace('1.blk', '2.blk')).includes('new'));
    await server.stop();
  });
});
