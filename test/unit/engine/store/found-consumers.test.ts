/** What a start finds of consumers after a kill is shown and built upon, so a power failure behind it takes nothing of that away. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StreamStore } from '../../../../ts/engine/store/store.ts';
import { consumerStateBytes } from '../../../support/consumer-state.ts';
import { openTestStore } from '../../../support/store.ts';
import { removeFolder, temporaryFolder } from '../../../support/temporary.ts';
import { VolatileDisk } from '../../../support/volatile-disk.ts';
import { VolatileJobs } from '../../../support/volatile-jobs.ts';

const MOST_SYNCS = 8;

/** Consumers with what they have acknowledged, as text. */
function shown(stream: StreamStore): string[] {
  return [...stream.consumers()].map(({ name, meta, state, problem }) =>
    JSON.stringify({ name, meta, floor: state?.ackFloor.stream, problem }),
  );
}

function acknowledged(stream: StreamStore, upTo: number, durable: boolean): void {
  const floor = { consumer: upTo, stream: upTo };
  const state = { ackFloor: floor, delivered: floor, pending: [], redelivered: [] };
  stream.writeConsumerState('C', consumerStateBytes(state), durable);
}

/** A server that is killed behind so many syncs of a consumer's life. */
async function killed(disk: VolatileDisk, syncs: number): Promise<void> {
  const server = openTestStore('/js', disk, 0, { jobs: new VolatileJobs(disk) });
  const steps: ((stream: StreamStore) => void)[] = [
    (stream) => stream.writeConsumer('C', '{"n":1}'),
    (stream) => acknowledged(stream, 1, false),
    (stream) => acknowledged(stream, 2, true),
    (stream) => stream.writeConsumer('C', '{"n":2}'),
    (stream) => acknowledged(stream, 3, true),
    (stream) => stream.writeConsumer('D', '{"n":3}'),
  ];
  const stream = server.store.create(server.options('S'), '{}');
  await disk.through(new Promise<void>((resolve) => stream.whenSynced(() => resolve())));
  for (let done = 0; steps.length > 0 || disk.syncing;) {
    const step = steps.shift();
    if (step !== undefined) server.turn(() => step(stream));
    await Promise.resolve();
    if (done++ === syncs) break;
    if (disk.syncing) disk.finishSync();
  }
  disk.killed(() => false);
}

test('what a start shows of consumers that a killed server left is there after a power failure', async () => {
  const seen = new Set<string>();
  for (let syncs = 0; syncs < MOST_SYNCS; syncs++) {
    const disk = new VolatileDisk();
    disk.makeDirectory('/js');
    disk.syncDirectory('/');
    await killed(disk, syncs);
    const server = openTestStore('/js', disk, 0, { jobs: new VolatileJobs(disk) });
    server.store.find('$G');
    const stream = await disk.through(server.store.recover(server.options('S')));
    const before = shown(stream);
    seen.add(before.join());
    const folder = temporaryFolder();
    disk.leaveIn(folder);
    const after = openTestStore(join(folder, 'js'));
    after.store.find('$G');
    assert.deepEqual(shown(await after.store.recover(after.options('S'))), before, `killed behind ${syncs} syncs`);
    await after.stop();
    removeFolder(folder);
    await disk.through(server.stop());
  }
  assert.ok(seen.size >= 4, `${seen.size} different ends`);
});
