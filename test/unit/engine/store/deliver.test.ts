/** Batches for consumers: which messages go, with which reply and what is left, over blocks, windows and filters. */
import assert from 'node:assert/strict';
import { truncateSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { DeliverRequest, Delivered, StreamStore } from '../../../../ts/engine/store/store.ts';
import { NodeDisk } from '../../../../ts/node/disk.ts';
import { matches } from '../../../oracle/stream.ts';
import { HeldDisk } from '../../../support/held-disk.ts';
import { noLimits, openTestStore, synced } from '../../../support/store.ts';
import type { TestStore } from '../../../support/store.ts';
import { Receiver } from '../../../support/store-receiver.ts';
import { temporaryFolder } from '../../../support/temporary.ts';

const encoder = new TextEncoder();
const subjects = ['o.new', 'o.old', 'o.new.eu', 'p.x'];
const subjectOf = (seq: number): string => subjects[seq % subjects.length] ?? '';
const payloadOf = (seq: number): string => `${seq}:${'d'.repeat((seq * 31) % 700)}`;

interface Bench {
  readonly server: TestStore;
  readonly stream: StreamStore;
  readonly receiver: Receiver;
  deliver(request: Partial<DeliverRequest>): Delivered;
}

async function bench(messages: number, disk = new NodeDisk()): Promise<Bench> {
  const server = openTestStore(temporaryFolder(), disk);
  // Small blocks: many of them are read.
  const stream = server.store.create(server.options('S', { limits: { ...noLimits, maxBytes: 100_000_000 } }), '{}');
  server.turn(() => {
    for (let seq = 1; seq <= messages; seq++) {
      const headers = seq % 3 === 0 ? encoder.encode(`NATS/1.0\r\nN: ${seq}\r\n\r\n`) : new Uint8Array(0);
      stream.append({ subject: subjectOf(seq), headers, payload: encoder.encode(payloadOf(seq)) });
    }
  });
  await synced(stream);
  const receiver = new Receiver(server);
  const defaults: DeliverRequest = {
    fromSeq: 1,
    maxMessages: 100,
    maxBytes: 1 << 30,
    deliverSubject: '_INBOX.me',
    ackPrefix: '$JS.ACK.S.C.',
    firstConsumerSeq: 1,
    deliveredCount: 1,
    pendingBefore: messages,
    headersOnly: false,
  };
  return { server, stream, receiver, deliver: (request) => stream.deliver({ ...defaults, ...request }) };
}

describe('a batch', () => {
  test('carries the messages in order, with the numbers of the consumer in the reply', async () => {
    const { server, stream, receiver, deliver } = await bench(10);
    const result = deliver({ fromSeq: 3, maxMessages: 4, firstConsumerSeq: 20, deliveredCount: 2, pendingBefore: 8 });
    assert.deepEqual(Array.from(result.seqs), [3, 4, 5, 6]);
    assert.deepEqual([result.nextSeq, result.lastSeq, result.stopped], [7, 6, 'messages']);
    for (const [i, { subject, reply, headers, payload }] of receiver.take().entries()) {
      const seq = 3 + i;
      const { ts } = stream.get(seq) ?? assert.fail();
      const nanos = BigInt(ts.seconds) * 1_000_000_000n + BigInt(ts.nanos);
      assert.equal(subject, subjectOf(seq));
      assert.equal(reply, `$JS.ACK.S.C.2.${seq}.${20 + i}.${nanos}.${7 - i}`);
      assert.equal(headers, seq % 3 === 0 ? `NATS/1.0\r\nN: ${seq}\r\n\r\n` : '');
      assert.equal(payload, payloadOf(seq));
    }
    await server.stop();
  });

  test('ends with the last synced message, and goes on there', async () => {
    const disk = new HeldDisk();
    const { server, stream, receiver, deliver } = await bench(5, disk);
    assert.deepEqual(Array.from(deliver({}).seqs), [1, 2, 3, 4, 5]);
    const rest = deliver({ fromSeq: 6 });
    assert.deepEqual([rest.messages, rest.nextSeq, rest.stopped], [0, 6, 'end']);
    assert.equal(deliver({ toSeq: 2 }).nextSeq, 3);
    receiver.take();
    disk.holding = true;
    server.turn(() => {
      stream.append({ subject: 'o.new', payload: encoder.encode('late') });
    });
    assert.equal(deliver({ fromSeq: 6 }).messages, 0, 'not synced, not seen');
    disk.release();
    await synced(stream);
    assert.equal(deliver({ fromSeq: 6 }).messages, 1);
    assert.equal(receiver.take()[0]?.payload, 'late');
    await server.stop();
  });

  test('stops where the bytes are used up, and where nobody listens', async () => {
    const { server, receiver, deliver } = await bench(20);
    const one = deliver({ maxMessages: 1 });
    assert.equal(deliver({ maxBytes: one.bytes - 1 }).stopped, 'bytes');
    const some = deliver({ maxBytes: 2_000 });
    assert.ok(some.bytes <= 2_000 && some.messages > 0);
    assert.equal(some.stopped, 'bytes');
    receiver.take();
    const nobody = deliver({ deliverSubject: '_INBOX.gone' });
    assert.deepEqual([nobody.messages, nobody.nextSeq, nobody.stopped], [0, 1, 'interest']);
    await server.stop();
  });

  test('of picked messages passes over those that are gone, and stops at what is not synced', async () => {
    const disk = new HeldDisk();
    const { server, stream, receiver, deliver } = await bench(10, disk);
    disk.holding = true;
    server.turn(() => {
      stream.delete(4);
      stream.append({ subject: 'o.new', payload: encoder.encode('late') });
    });
    const picks = Float64Array.of(2, 4, 7, 11);
    const first = deliver({ picks, maxMessages: 1, pendingBefore: 4 });
    assert.deepEqual([Array.from(first.seqs), first.picked], [[2], 1]);
    const rest = deliver({ picks: picks.subarray(1) });
    assert.deepEqual([Array.from(rest.seqs), rest.picked, rest.stopped], [[7], 2, 'end']);
    assert.deepEqual(
      receiver.take().map(({ payload }) => payload),
      [payloadOf(2), payloadOf(7)],
    );
    disk.release();
    await server.stop();
  });

  test('reaches everybody who listens, and goes on to the others when one has had enough', async () => {
    const { server, receiver, deliver } = await bench(6);
    receiver.say('UNSUB 1 2\r\n');
    const first = deliver({ maxMessages: 3 });
    assert.deepEqual([first.messages, first.stopped], [2, 'interest']);
    assert.equal(receiver.take().length, 2);
    receiver.say('SUB _INBOX.me 2\r\nSUB _INBOX.* 3\r\nUNSUB 3 1\r\n');
    assert.equal(deliver({ maxMessages: 3 }).messages, 3);
    assert.equal(receiver.take().length, 4, 'one message went to two subscriptions');
    await server.stop();
  });

  test('finds the next message of a selection however far it is', async () => {
    const { server, stream, receiver, deliver } = await bench(0);
    server.turn(() => {
      for (let seq = 1; seq <= 20_000; seq++)
        stream.append({ subject: seq % 9_000 === 0 ? 'far.away' : `near.${seq % 5}`, payload: encoder.encode(`${seq}`) });
    });
    await synced(stream);
    const selection = stream.select(['far.*', 'none']);
    assert.deepEqual(Array.from(deliver({ selection }).seqs), [9_000, 18_000]);
    assert.deepEqual(
      receiver.take().map(({ payload }) => payload),
      ['9000', '18000'],
    );
    selection.close();
    await server.stop();
  });

  test('with headers only says how long the payload was', async () => {
    const { server, receiver, deliver } = await bench(3);
    deliver({ headersOnly: true, ackPrefix: '' });
    const [first, , third] = receiver.take();
    assert.deepEqual(first, {
      subject: subjectOf(1),
      reply: '',
      headers: `NATS/1.0\r\nNats-Msg-Size: ${payloadOf(1).length}\r\n\r\n`,
      payload: '',
    });
    assert.equal(third?.headers, `NATS/1.0\r\nN: 3\r\nNats-Msg-Size: ${payloadOf(3).length}\r\n\r\n`);
    await server.stop();
  });
});

test('a batch for a direct get says what is left and what went before each message', async () => {
  const { server, receiver, deliver } = await bench(10);
  deliver({});
  receiver.take();
  const { messages, lastSeq, stopped } = deliver({
    ...{ fromSeq: 3, maxMessages: 3, pendingBefore: 8, ackPrefix: '', direct: 'batch' },
  });
  assert.deepEqual([messages, lastSeq, stopped], [3, 5, 'messages']);
  const said = receiver.take().map(({ headers, payload }) => {
    const number = (name: string): number => Number(new RegExp(`${name}: (\\d+)`).exec(headers)?.[1]);
    return [number('Nats-Sequence'), number('Nats-Num-Pending'), number('Nats-Last-Sequence'), payload];
  });
  const expected = [3, 4, 5].map((seq) => [seq, 10 - seq, seq === 3 ? 0 : seq - 1, payloadOf(seq)]);
  assert.deepEqual(said, expected);
  await server.stop();
});

/** Counts the bytes read. */
class CountingDisk extends NodeDisk {
  bytes = 0;

  override read(...[file, into, offset]: Parameters<NodeDisk['read']>): number {
    const have = super.read(file, into, offset);
    this.bytes += have;
    return have;
  }
}

test('batches that follow each other read what they share once, however many messages each one wants', async () => {
  const disk = new CountingDisk();
  const { server, stream, deliver } = await bench(20_000, disk);
  const { bytes } = stream.state;
  for (const maxMessages of [37, 251]) {
    disk.bytes = 0;
    for (let next = 1; next <= 20_000;) next = deliver({ fromSeq: next, maxMessages }).nextSeq;
    assert.ok(disk.bytes < 1.3 * bytes, `${disk.bytes} bytes read of ${bytes} in batches of ${maxMessages}`);
  }
  await server.stop();
});

/** Counts its maps; without the mmap addon it has none. */
class MappingDisk extends NodeDisk {
  maps = 0;
  readonly #addon: boolean;

  constructor(addon: boolean) {
    super();
    this.#addon = addon;
  }

  override map(...[file, size]: Parameters<NodeDisk['map']>): ReturnType<NodeDisk['map']> {
    this.maps++;
    return this.#addon ? super.map(file, size) : undefined;
  }
}

test('batches with and without filters bring a whole stream over, and map nothing', async () => {
  const disk = new MappingDisk(true);
  await bringOver(disk, 40_000);
  assert.equal(disk.maps, 0);
});

for (const [addon, how] of [
  [true, 'through a map of each full block'],
  [false, 'from the files without the addon'],
] as const) {
  test(`single messages that follow each other are read ${how}`, async () => {
    const disk = new MappingDisk(addon);
    const { server, stream } = await bench(30_000, disk);
    for (let seq = 1; seq <= 30_000; seq++) assert.equal(Buffer.from(stream.get(seq)?.payload ?? []).toString(), payloadOf(seq));
    assert.ok(disk.maps > 0);
    await server.stop();
  });
}

test('a mapped block that another program cuts is reported, and what is left of it is read', async () => {
  const root = temporaryFolder();
  const server = openTestStore(root);
  const stream = server.store.create(server.options('S', { limits: { ...noLimits, maxBytes: 100_000_000 } }), '{}');
  const payload = new Uint8Array(64 << 10);
  server.turn(() => {
    for (let seq = 1; seq <= 200; seq++) stream.append({ subject: 'o.new', payload });
  });
  await synced(stream);
  assert.equal(stream.get(1)?.seq, 1);
  truncateSync(`${root}/$G/streams/S/msgs/1.blk`, 1 << 20);
  assert.equal(stream.get(40), undefined);
  assert.equal(stream.get(8)?.payload.length, payload.length);
  assert.match(server.log.lines.join('\n'), /message 40 .*1\.blk/);
  await server.stop();
});

async function bringOver(disk: NodeDisk, messages: number): Promise<void> {
  const { server, stream, receiver, deliver } = await bench(messages, disk);
  for (const filters of [[], ['o.new'], ['o.*'], ['o.>', 'p.x'], ['o.new.eu', 'p.*'], ['none']]) {
    const wanted = (seq: number): boolean => filters.length === 0 || filters.some((filter) => matches(filter, subjectOf(seq)));
    const selection = stream.select(filters);
    let pending = selection.count(1);
    let next = 1;
    let count = 0;
    for (;;) {
      const batch = deliver({
        selection,
        fromSeq: next,
        maxMessages: 3_000,
        pendingBefore: pending,
        firstConsumerSeq: count + 1,
      });
      for (const { reply, payload } of receiver.take()) {
        const seq = Number(reply.split('.')[5]);
        assert.ok(wanted(seq), `message ${seq} matches ${filters.join(' ')}`);
        assert.equal(payload, payloadOf(seq));
        count++;
        pending--;
        assert.equal(Number(reply.split('.')[6]), count);
        assert.equal(Number(reply.split('.')[8]), pending);
      }
      next = batch.nextSeq;
      if (batch.stopped === 'end') break;
    }
    assert.equal(selection.count(next), 0);
    selection.close();
    assert.equal(pending, 0, `everything that matches ${filters.join(' ')} came`);
    assert.equal(next, messages + 1);
  }
  await server.stop();
}
