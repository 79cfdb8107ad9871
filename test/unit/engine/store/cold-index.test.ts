/** Streams whose index has no room in memory: whatever is asked of them, the answer is that of a stream whose index has. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { StreamStore } from '../../../../ts/engine/store/store.ts';
import { NodeDisk } from '../../../../ts/node/disk.ts';
import { DiskFault, type OpenFile } from '../../../../ts/ports/disk.ts';
import { noLimits, openTestStore, synced, type TestStore } from '../../../support/store.ts';
import { Receiver } from '../../../support/store-receiver.ts';
import { removeFolder, temporaryFolder } from '../../../support/temporary.ts';
import { until } from '../../../support/until.ts';

/** A disk that counts, and fails, what is done with the file of the index. */
class WatchedDisk extends NodeDisk {
  reads = 0;
  writes = 0;
  fails: 'never' | 'reading' | 'writing' = 'never';
  /** What is read is not what was written. */
  garbles = false;

  override read(file: OpenFile, into: Uint8Array, offset: number): number {
    if (!file.path.endsWith('.index')) return super.read(file, into, offset);
    this.reads++;
    if (this.fails === 'reading') throw new DiskFault('EIO', file.path, 'i/o error');
    const count = super.read(file, into, offset);
    if (this.garbles) into[40] = (into[40] ?? 0) ^ 1;
    return count;
  }

  override write(file: OpenFile, views: readonly Uint8Array[], offset: number): void {
    if (file.path.endsWith('.index')) {
      this.writes++;
      if (this.fails === 'writing') throw new DiskFault('ENOSPC', file.path, 'no space left on device');
    }
    super.write(file, views, offset);
  }
}

const encoder = new TextEncoder();
const MESSAGES = 24_000;
const subjectOf = (seq: number): string => `s.${(seq * 17) % 300}.${seq % 3}`;
const payloadOf = (seq: number): string => `${seq}:${'d'.repeat((seq * 31) % 900)}`;

function publish(server: TestStore, stream: StreamStore, from: number, to: number): void {
  server.turn(() => {
    for (let seq = from; seq <= to; seq++) stream.append({ subject: subjectOf(seq), payload: encoder.encode(payloadOf(seq)) });
  });
}

function everything(stream: StreamStore, receiver: Receiver, filters: readonly string[]): unknown[] {
  const selection = filters.length === 0 ? undefined : stream.select(filters);
  const heard: unknown[] = [];
  for (let next = 1; ;) {
    const result = stream.deliver({
      ...{ fromSeq: next, maxMessages: 500, maxBytes: 1 << 24, deliverSubject: '_INBOX.me', ackPrefix: '' },
      ...{ firstConsumerSeq: 1, deliveredCount: 1, pendingBefore: 0, headersOnly: false },
      ...(selection === undefined ? {} : { selection }),
    });
    heard.push(...receiver.take().map(({ subject, payload }) => [subject, payload]), Array.from(result.seqs));
    next = result.nextSeq;
    assert.notEqual(result.stopped, 'interest');
    if (result.stopped === 'end') break;
  }
  selection?.close();
  return heard;
}

/** All that can be asked of a stream, in every way. */
function answers(stream: StreamStore, receiver: Receiver): unknown[] {
  const { messages, bytes, firstSeq, lastSeq, numSubjects, numDeleted } = stream.state;
  const asked: unknown[] = [{ messages, bytes, firstSeq, lastSeq, numSubjects, numDeleted }];
  for (const filters of [[], ['s.17.*'], ['s.*.1', 's.5.>'], ['s.34.2']]) {
    asked.push(everything(stream, receiver, filters));
    for (const from of [1, 2_000, 11_111, 23_000]) asked.push(stream.countPending(filters, from), stream.nextSeq(filters, from));
    for (const upTo of [500, 12_000, MESSAGES]) asked.push(Array.from(stream.lastSeqs(filters, upTo)));
  }
  for (let n = 0; n < 3_000; n++) {
    const message = stream.get((n * 7919) % (MESSAGES + 3_000));
    asked.push(message?.seq, message?.subject, Buffer.from(message?.payload ?? '').toString());
  }
  return asked;
}

interface Side {
  readonly server: TestStore;
  readonly stream: StreamStore;
  readonly receiver: Receiver;
}

const roots: string[] = [];

function openSide(disk: NodeDisk, indexBytes: number, more = {}): Side {
  const root = temporaryFolder();
  roots.push(root);
  const server = openTestStore(root, disk, 0, { indexBytes });
  const stream = server.store.create(server.options('S', { limits: { ...noLimits, maxBytes: 11_000_000 }, ...more }), '{}');
  return { server, stream, receiver: new Receiver(server) };
}

async function reopened({ server }: Side, root: string, disk: NodeDisk, indexBytes: number): Promise<Side> {
  await server.stop();
  const next = openTestStore(root, disk, 0, { indexBytes });
  const stream = await next.store.recover(next.options('S', { limits: { ...noLimits, maxBytes: 11_000_000 } }));
  return { server: next, stream, receiver: new Receiver(next) };
}

describe('a stream whose index is on disk', () => {
  after(() => roots.forEach(removeFolder));

  test('answers as one whose index is in memory, through deletes, purges, limits and a restart', async () => {
    let disk = new WatchedDisk();
    const bounds = [1, 64 << 20] as const;
    let sides = [openSide(disk, bounds[0]), openSide(new NodeDisk(), bounds[1])] as const;
    const compare = (what: string): void => {
      const before = disk.reads;
      const [cold, warm] = sides.map(({ stream, receiver }) => answers(stream, receiver).map((answer) => JSON.stringify(answer)));
      assert.equal(cold?.length, warm?.length, what);
      // One by one: what differs is said shortly.
      for (const [n, answer] of (cold ?? []).entries()) assert.equal(answer, warm?.[n], `${what}, answer ${n}`);
      assert.ok(disk.reads > before, `${what}: the index is read from the disk`);
    };
    const onBoth = async (act: (side: Side) => unknown): Promise<void> => {
      const [cold, warm] = sides.map((side) => {
        let result: unknown;
        side.server.turn(() => (result = act(side)));
        return result;
      });
      assert.deepEqual(cold, warm);
      for (const { stream } of sides) await synced(stream);
    };
    await onBoth(({ server, stream }) => publish(server, stream, 1, MESSAGES));
    assert.ok(disk.writes > 0);
    compare('as published');
    await onBoth(({ stream }) => Array.from({ length: 2_000 }, (_, n) => stream.delete((n * 6_151) % MESSAGES)));
    compare('after deletes');
    await onBoth(({ stream }) => stream.purge({ filter: 's.51.*' }));
    await onBoth(({ stream }) => stream.purge({ filter: 's.*.2', keep: 4_000 }));
    await onBoth(({ stream }) => stream.purge({ seq: 3_000 }));
    compare('after purges');
    await onBoth(({ server, stream }) => publish(server, stream, MESSAGES + 1, MESSAGES + 6_000));
    compare('with the limit moving on');
    // A disk ends with its server.
    disk = new WatchedDisk();
    sides = [
      await reopened(sides[0], roots[0] ?? '', disk, bounds[0]),
      await reopened(sides[1], roots[1] ?? '', new NodeDisk(), bounds[1]),
    ];
    compare('after a restart');
    const limits = { ...noLimits, maxMessages: 12_000, maxMessagesPerSubject: 30 };
    await onBoth(({ stream }) => stream.setLimits(limits));
    compare('with lower limits');
    for (const { server } of sides) await server.stop();
  });

  test('stays in memory where the disk is full, which is said once', async () => {
    const disk = new WatchedDisk();
    disk.fails = 'writing';
    const { server, stream } = openSide(disk, 1);
    publish(server, stream, 1, MESSAGES);
    await synced(stream);
    assert.ok(disk.writes > 1);
    assert.equal(disk.reads, 0);
    assert.deepEqual(server.log.lines, [
      'ERR Parts of the index stay in memory, they cannot be written: no space left on device',
    ]);
    const first = stream.state.firstSeq;
    for (const seq of [first, first + 5_000, MESSAGES]) assert.equal(stream.get(seq)?.subject, subjectOf(seq));
    disk.fails = 'never';
    publish(server, stream, MESSAGES + 1, MESSAGES + 9_000);
    await synced(stream);
    assert.ok(stream.state.firstSeq > first);
    const seq = stream.state.firstSeq + 77;
    assert.equal(stream.get(seq)?.subject, subjectOf(seq));
    assert.ok(disk.reads > 0, 'what could not be written is, when there is room');
    await server.stop();
  });

  for (const how of ['reading', 'garbled', 'writing back'] as const)
    test(`that loses a part of it (${how}) says so and makes it anew from the blocks; other streams do not notice`, async () => {
      const disk = new WatchedDisk();
      const { server, stream, receiver } = openSide(disk, 1);
      const other = server.store.create(server.options('T'), '{}');
      const warm = openSide(new NodeDisk(), 64 << 20);
      publish(server, stream, 1, MESSAGES);
      publish(warm.server, warm.stream, 1, MESSAGES);
      await Promise.all([synced(stream), synced(warm.stream)]);
      // What cannot be written back may be of any stream whose index is there.
      publish(server, other, 1, how === 'writing back' ? 100 : MESSAGES);
      await synced(other);
      const before = disk.writes;
      if (how === 'reading') disk.fails = 'reading';
      else if (how === 'garbled') disk.garbles = true;
      else disk.fails = 'writing';
      const first = stream.state.firstSeq;
      const ask = (): unknown =>
        how === 'writing back'
          ? Array.from({ length: 100 }, (_, n) => stream.delete(first + 128 * n + 1))
          : stream.get(first + 1_000);
      assert.throws(ask, /INDEX|a part of its index is lost, which was in .*\.index: /);
      assert.ok(how !== 'writing back' || disk.writes > before);
      assert.throws(() => stream.deleted(10), /a part of its index is lost/, 'it does not guess');
      assert.equal(stream.shows(first + 1_000), false);
      disk.fails = 'never';
      disk.garbles = false;
      await until(() => stream.fault !== undefined);
      assert.match(stream.fault ?? '', /\.index: .*made from the blocks; see to that disk/);
      assert.equal(other.fault, undefined);
      publish(server, other, MESSAGES + 1, MESSAGES + 10);
      await synced(other);
      await until(() => stream.fault === undefined);
      if (how === 'writing back') {
        const gone = Array.from({ length: 100 }, (_, n) => first + 128 * n + 1);
        for (const side of [{ server, stream }, warm]) side.server.turn(() => gone.map((seq) => side.stream.delete(seq)));
        await Promise.all([synced(stream), synced(warm.stream)]);
      }
      assert.deepEqual(answers(stream, receiver), answers(warm.stream, warm.receiver));
      assert.equal(other.get(77)?.subject, subjectOf(77));
      const lines = server.log.lines.filter((line) => !line.startsWith('INF'));
      assert.ok(
        lines.some((line) => line.startsWith(`ERR Stream 'S' stopped writing: a part of its index is lost, which was in`)),
        lines.join(),
      );
      assert.equal(lines.filter((line) => line.includes("'T'")).length, 0);
      await server.stop();
      await warm.server.stop();
    });
});
