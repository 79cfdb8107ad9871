/**
 * A disk whose n-th operation fails during a start: the stream opens with everything, or is refused with a fault and left as it is, so that the next
 * start has everything. Whether a clean stop has left it, with its index, or a kill.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { DiskFault } from '../../../../ts/ports/disk.ts';
import { StoreFault, type StreamStore } from '../../../../ts/engine/store/store.ts';
import { NodeDisk } from '../../../../ts/node/disk.ts';
import { consumerStateBytes } from '../../../support/consumer-state.ts';
import { failingDisk } from '../../../support/failing-disk.ts';
import { noLimits, openTestStore, synced } from '../../../support/store.ts';
import { killedStore, removeFolder, temporaryFolder } from '../../../support/temporary.ts';

const encoder = new TextEncoder();
const options = { limits: { ...noLimits, maxBytes: 300_000, maxMessagesPerSubject: 40 } };

/** What is to be found of a stream by whoever opens it. */
function content(stream: StreamStore): string {
  const { messages, firstSeq, lastSeq, numDeleted } = stream.state;
  const found: unknown[] = [{ messages, firstSeq, lastSeq, numDeleted }];
  for (let seq = 1; seq <= lastSeq; seq++) {
    const message = stream.get(seq);
    if (message !== undefined) found.push([seq, message.subject, message.payload.length]);
  }
  for (const { name, meta, state, problem } of stream.consumers()) found.push([name, meta, state?.ackFloor.stream, problem]);
  return JSON.stringify(found);
}

/** A stream with consumers, left by a clean stop and as it was before. */
async function left(): Promise<{ stopped: string; killed: string; expected: string }> {
  const stopped = temporaryFolder();
  const server = openTestStore(stopped);
  const stream = server.store.create(server.options('S', options), '{}');
  server.turn(() => {
    for (let n = 0; n < 900; n++) stream.append({ subject: `a.${n % 7}`, payload: encoder.encode('x'.repeat((n * 31) % 1000)) });
    for (let n = 700; n < 890; n += 3) stream.delete(n);
    const floor = { consumer: 3, stream: 850 };
    for (const name of ['C', 'D']) {
      stream.writeConsumer(name, `{"is":"${name}"}`);
      stream.writeConsumerState(
        name,
        consumerStateBytes({ ackFloor: floor, delivered: floor, pending: [], redelivered: [] }),
        true,
      );
    }
  });
  await synced(stream);
  const expected = content(stream);
  const killed = killedStore(stopped);
  await server.stop();
  return { stopped, killed, expected };
}

for (const how of ['stopped', 'killed'] as const)
  test(`whatever the disk refuses at a start, nothing is lost (${how})`, async () => {
    const { [how]: folder, expected } = await left();
    let refused = 0;
    for (let from = 0, isOver = false; !isOver; from++) {
      const root = killedStore(folder);
      const { disk, count } = failingDisk(new NodeDisk(), (operation) => operation === from);
      const server = openTestStore(root, disk);
      try {
        const [found] = server.store.find('$G');
        assert.ok(found !== undefined);
        if (found.problem !== undefined) throw new StoreFault('FOUND', found.problem);
        const stream = await server.store.recover(server.options('S', options));
        const there = content(stream);
        if (there.includes('readWhole fails')) throw new StoreFault('UNREAD', 'a consumer is left alone');
        assert.equal(there, expected, `operation ${from}`);
      } catch (error) {
        assert.ok(error instanceof StoreFault || error instanceof DiskFault, String(error));
        refused++;
      }
      isOver = count() <= from;
      await server.stop();
      const again = openTestStore(root);
      again.store.find('$G');
      assert.equal(content(await again.store.recover(again.options('S', options))), expected, `behind operation ${from}`);
      await again.stop();
      removeFolder(root);
    }
    assert.ok(refused > 5, `${refused} starts were refused`);
    removeFolder(join(folder));
  });

test('a bad sector under the metadata of a stream, or of a consumer, costs no other', async () => {
  const { stopped } = await left();
  const bad = { path: '' };
  class BadDisk extends NodeDisk {
    override readWhole(path: string): Uint8Array | undefined {
      if (path.endsWith(bad.path)) throw new DiskFault('EIO', path, `${path}: i/o error`);
      return super.readWhole(path);
    }
  }
  const server = openTestStore(stopped, new BadDisk());
  await synced(server.store.create(server.options('T'), '{}'));
  bad.path = 'streams/S/meta.inf';
  const found = new Map(server.store.find('$G').map(({ name, problem }) => [name, problem]));
  assert.equal(found.get('T'), undefined);
  assert.match(found.get('S') ?? '', /S\/meta\.inf: i\/o error/);
  bad.path = 'obs/C/o.dat';
  const stream = await server.store.recover(server.options('S', options));
  const consumers = new Map([...stream.consumers()].map((consumer) => [consumer.name, consumer]));
  assert.match(consumers.get('C')?.problem ?? '', /obs\/C\/o\.dat: i\/o error/);
  assert.equal(consumers.get('C')?.isUnread, true);
  assert.equal(consumers.get('D')?.state?.ackFloor.stream, 850);
  await server.stop();
});
