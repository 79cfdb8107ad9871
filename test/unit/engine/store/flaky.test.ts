/**
 * A disk that is full now and then, whatever is being done: appending, deleting, erasing, compressing, writing blocks anew. Nothing that was
 * promised is missing afterwards, nothing that was promised to be gone comes back, and the store can always be stopped.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { EncryptionOptions } from '../../../../ts/engine/store/cipher/keyring.ts';
import { StoreFault, type StreamStore } from '../../../../ts/engine/store/store.ts';
import { DiskFault, type Disk } from '../../../../ts/ports/disk.ts';
import { effort, holdsInTime } from '../../../oracle/check.ts';
import { background } from '../../../support/background.ts';
import { noLimits, openTestStore, type TestStore, type TestStoreOptions } from '../../../support/store.ts';
import { storeStep, type StoreStep } from '../../../support/store-steps.ts';
import { removeFolder, temporaryFolder } from '../../../support/temporary.ts';
import { until } from '../../../support/until.ts';
import { VolatileDisk } from '../../../support/volatile-disk.ts';
import { VolatileJobs } from '../../../support/volatile-jobs.ts';

const growing = new Set<string | symbol>(['makeDirectory', 'writeWhole', 'replace', 'write', 'rename']);

/** A disk that refuses some of the changes that need room: those whose numbers are in `refused`. */
function fullNowAndThen(disk: Disk, refused: ReadonlySet<number>): Disk {
  let changes = 0;
  return new Proxy(disk, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (!growing.has(name)) return value.bind(target) as unknown;
      return (...args: unknown[]): unknown => {
        if (refused.has(changes++)) throw new DiskFault('ENOSPC', String(args[0]), `no space left: ${String(name)}`);
        return (value as (...given: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

const step = storeStep({
  weights: { append: 12, delete: 4, purge: 1, sync: 8, wait: 4 },
  length: fc.constantFrom(20, 500, 12_000),
  keep: fc.constantFrom(0, 3),
});

const encryption: EncryptionOptions = { key: 'k', prevKey: '', cipher: 'chacha' };
const forms = [{}, { encryption }] as const;
const upkeep = { lookMs: 0, bytesPerSecond: 1e12 };
const limits = { ...noLimits, maxBytes: 120_000 };
const encoder = new TextEncoder();
const payloadOf = (seq: number, length: number): string => `${seq}:${'p'.repeat(length)}`;

/** What was promised. */
class Promises {
  readonly stored = new Map<number, string>();
  readonly gone = new Set<number>();
  readonly doubtful = new Set<number>();
}

function remove(stream: StreamStore, todo: StoreStep, promises: Promises): void {
  const { firstSeq, lastSeq } = stream.state;
  const before: number[] = [];
  for (let seq = firstSeq; seq <= lastSeq; seq++) if (stream.get(seq) !== undefined) before.push(seq);
  if (todo.is === 'delete') stream.delete(lastSeq - todo.back, todo.erase);
  else if (todo.is === 'purge') stream.purge(todo.keep === 0 ? {} : { keep: todo.keep });
  const taken = before.filter((seq) => stream.get(seq) === undefined);
  for (const seq of taken) promises.doubtful.add(seq);
  stream.whenSynced((error) => {
    if (error !== undefined) return;
    for (const seq of taken) promises.gone.add(seq);
  });
}

function act(stream: StreamStore, todo: StoreStep, promises: Promises): void {
  try {
    if (todo.is !== 'append') return remove(stream, todo, promises);
    const payload = payloadOf(stream.state.lastSeq + 1, todo.length);
    const seq = stream.append({ subject: 'a', payload: encoder.encode(payload) });
    stream.whenSynced((error) => {
      if (error === undefined) promises.stored.set(seq, payload);
    });
  } catch (error) {
    assert.ok(error instanceof StoreFault, String(error));
  }
  for (const seq of promises.stored.keys()) if (seq < stream.state.firstSeq) promises.doubtful.add(seq);
}

async function check(folder: string, options: TestStoreOptions, promises: Promises): Promise<void> {
  const after = openTestStore(join(folder, 'js'), undefined, 0, options);
  const [found] = after.store.find('$G');
  if (found === undefined) return assert.equal(promises.stored.size, 0);
  assert.equal(found.problem, undefined);
  const stream = await after.store.recover(after.options('S', { limits }));
  for (const [seq, payload] of promises.stored) {
    if (promises.doubtful.has(seq) && stream.get(seq) === undefined) continue;
    assert.equal(Buffer.from(stream.get(seq)?.payload ?? []).toString(), payload, `message ${seq}`);
  }
  for (const seq of promises.gone) assert.equal(stream.get(seq), undefined, `message ${seq} is gone`);
  await after.stop();
}

async function stopped(stop: Promise<void>, disk: VolatileDisk): Promise<void> {
  let isStopped = false;
  void stop.then(() => (isStopped = true));
  for (let turn = 0; !isStopped; turn++) {
    assert.ok(turn < 20_000, 'the store stops');
    disk.finishSync();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Undefined: the disk had no room for it. */
function created(server: TestStore, compression: 'none' | 's2'): StreamStore | undefined {
  try {
    return server.store.create(server.options('S', { limits, compression }), '{}');
  } catch (error) {
    assert.ok(error instanceof StoreFault, String(error));
    return undefined;
  }
}

const scenario = fc.record({
  steps: fc.array(step, { maxLength: 60 }),
  form: fc.constantFrom(...forms),
  compression: fc.constantFrom('none' as const, 's2' as const),
  refused: fc.uniqueArray(fc.integer({ min: 4, max: 80 }), { maxLength: 12 }),
  ending: fc.constantFrom('synced' as const, 'newest' as const, 'stop' as const),
});

test('a disk that is full now and then takes nothing that was promised', async () => {
  await holdsInTime(
    fc.asyncProperty(scenario, async ({ steps, form, compression, refused, ending }) => {
      const disk = new VolatileDisk();
      disk.makeDirectory('/js');
      disk.syncDirectory('/');
      const flaky = fullNowAndThen(disk, new Set(refused));
      const server = openTestStore('/js', flaky, 0, { ...form, upkeep, jobs: new VolatileJobs(flaky) });
      const promises = new Promises();
      const stream = created(server, compression);
      disk.finishSync();
      for (const todo of stream === undefined ? [] : steps) {
        if (todo.is === 'sync') disk.finishSync();
        else if (todo.is === 'wait') await background();
        else if (stream !== undefined) server.turn(() => act(stream, todo, promises));
      }
      if (ending === 'stop') await stopped(server.stop(), disk);
      const folder = temporaryFolder();
      disk.leaveIn(folder, ending === 'stop' ? 'newest' : ending);
      await check(folder, form, promises);
      if (ending !== 'stop') await stopped(server.stop(), disk);
      removeFolder(folder);
    }),
    effort(100),
  );
});

test('a compressed block that the disk does not give its name stays as it is, and the store goes on', async () => {
  const disk = new VolatileDisk();
  disk.makeDirectory('/js');
  const jobs = new VolatileJobs(disk);
  const rename = disk.rename.bind(disk);
  let refusals = 0;
  disk.rename = (from, to) => {
    if (!from.endsWith('.blk.tmp')) return rename(from, to);
    refusals++;
    throw new DiskFault('EIO', from, `${from}: i/o error`);
  };
  const server = openTestStore('/js', disk, 0, { upkeep, jobs });
  const stream = server.store.create(server.options('S', { limits, compression: 's2' }), '{}');
  for (let n = 0; n < 12; n++) {
    server.turn(() => void stream.append({ subject: 'a', payload: encoder.encode(payloadOf(n + 1, 12_000)) }));
    for (let turn = 0; turn < 5; turn++) {
      disk.finishSync();
      await background();
    }
  }
  await until(() => refusals > 1);
  assert.ok(server.log.lines.some((line) => line.startsWith('WRN') && line.includes('1.blk stays as it is')));
  await stopped(server.stop(), disk);
  const folder = temporaryFolder();
  disk.leaveIn(folder, 'newest');
  const again = openTestStore(join(folder, 'js'));
  const after = await again.store.recover(again.options('S', { limits }));
  const { firstSeq, lastSeq } = after.state;
  assert.equal(lastSeq, 12);
  for (let seq = firstSeq; seq <= 12; seq++)
    assert.equal(Buffer.from(after.get(seq)?.payload ?? []).toString(), payloadOf(seq, 12_000));
  await again.stop();
});
