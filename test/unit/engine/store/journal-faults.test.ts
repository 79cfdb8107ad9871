/**
 * A disk whose n-th operation fails, alone, with those behind it or for good, in a life of several streams whose rounds go by way of the
 * journal: the server goes on or ends, what it has promised is there for the next one, also when the power fails.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StreamStore } from '../../../../ts/engine/store/store.ts';
import { failingDisk } from '../../../support/failing-disk.ts';
import { noLimits, openTestStore, type TestStore } from '../../../support/store.ts';
import { act, Promises } from '../../../support/store-promises.ts';
import { removeFolder, temporaryFolder } from '../../../support/temporary.ts';
import { VolatileDisk } from '../../../support/volatile-disk.ts';
import { VolatileJobs } from '../../../support/volatile-jobs.ts';

const options = { limits: { ...noLimits, maxBytes: 1 << 20 } };
/** Of so many operations each run lets one fail, another one each time. */
const STRIDE = 4;
const MOST_TURNS = 3_000;

/** Syncs go through until something has come to its end, well or not. It has to. */
async function until(disk: VolatileDisk, work: Promise<unknown>, what: string): Promise<void> {
  let isOver = false;
  const watched = work.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  for (let turn = 0; !isOver; turn++) {
    assert.ok(turn < MOST_TURNS, `${what} does not end`);
    while (disk.syncing) disk.finishSync();
    await nextTurn();
  }
  await watched;
}

class Life {
  readonly disk = new VolatileDisk();
  readonly promises = new Map<string, Promises>();
  readonly #streams = new Map<string, StreamStore>();
  readonly #live = new Map<string, Map<number, string>>();
  readonly #server: TestStore;
  readonly count: () => number;

  constructor(fails: (operation: number) => boolean) {
    this.disk.makeDirectory('/js');
    this.disk.syncDirectory('/');
    const { disk, count } = failingDisk(this.disk, fails);
    this.count = count;
    this.#server = openTestStore('/js', disk, 0, { jobs: new VolatileJobs(disk), journalFrom: 1 });
  }

  #create(name: string): void {
    this.#server.turn(() => {
      try {
        this.#streams.set(name, this.#server.store.create(this.#server.options(name, options), '{}'));
        this.promises.set(name, new Promises());
        this.#live.set(name, new Map());
      } catch {
        // There is none then.
      }
    });
  }

  /** Messages of all streams in one turn. */
  async #publish(length: number): Promise<void> {
    this.#server.turn(() => {
      for (const name of this.#streams.keys()) this.#do(name, { is: 'append', length });
    });
    await this.#synced();
  }

  #do(name: string, step: Parameters<typeof act>[0]): void {
    const [stream, live, promises] = [this.#streams.get(name), this.#live.get(name), this.promises.get(name)];
    if (stream === undefined || live === undefined || promises === undefined || stream.fault !== undefined) return;
    act(step, stream, live, promises, { seq: stream.state.lastSeq });
  }

  async #synced(): Promise<void> {
    const waits = [...this.#streams.values()].map((stream) => new Promise<void>((resolve) => stream.whenSynced(() => resolve())));
    await until(this.disk, Promise.all(waits), 'a round');
  }

  async #delete(name: string, erase: boolean): Promise<void> {
    this.#server.turn(() => this.#do(name, { is: 'delete', back: 0, erase }));
    const stream = this.#streams.get(name);
    // An erasure that the disk does not let be may wait for long.
    if (stream !== undefined && !erase) await this.#synced();
    else for (let turn = 0; turn < 20; turn++) await until(this.disk, nextTurn(), 'a turn');
  }

  async #remove(name: string): Promise<void> {
    const stream = this.#streams.get(name);
    this.#streams.delete(name);
    this.promises.delete(name);
    if (stream !== undefined) await until(this.disk, stream.remove(), 'a removal');
  }

  async run(): Promise<void> {
    for (const name of ['A', 'B', 'C']) this.#create(name);
    await this.#synced();
    for (let n = 0; n < 4; n++) await this.#publish(30);
    await this.#delete('A', false);
    await this.#publish(600);
    await this.#delete('B', true);
    await this.#publish(60);
    await this.#publish(90);
    await this.#remove('C');
    this.#create('C');
    for (let n = 0; n < 3; n++) await this.#publish(40);
    this.#server.turn(() => this.#do('A', { is: 'purge', keep: 2 }));
    await this.#synced();
    for (let n = 0; n < 3; n++) await this.#publish(50);
    await until(this.disk, this.#server.stop(), 'stop');
  }
}

async function check(life: Life, after: TestStore, what: string): Promise<void> {
  after.store.find('$G');
  for (const [name, promises] of life.promises) {
    if (promises.stored.size + promises.gone.size === 0) continue;
    try {
      promises.check(await after.store.recover(after.options(name, options)));
    } catch (error) {
      throw new Error(`${what}: ${String(error)}`, { cause: error });
    }
  }
  await after.stop();
}

async function live(fails: (operation: number) => boolean, what: string): Promise<number> {
  const life = new Life(fails);
  try {
    await life.run();
  } catch (error) {
    throw new Error(`${what}: ${String(error)}`, { cause: error });
  }
  for (const content of ['synced', 'newest'] as const) {
    const folder = temporaryFolder();
    life.disk.leaveIn(folder, content, (synced, newest) => (content === 'synced' ? synced : newest));
    await check(life, openTestStore(join(folder, 'js')), `${what}, ${content}`);
    removeFolder(folder);
  }
  return life.count();
}

for (const [what, length] of [
  ['one operation', 1],
  ['four operations', 4],
  ['every operation from one on', Infinity],
] as const)
  test(`${what} of the disk may fail: the server ends, and what it promised is there`, async () => {
    const count = await live(() => false, 'none fails');
    for (let from = Math.floor(Math.random() * STRIDE); from < count; from += STRIDE)
      await live((operation) => operation >= from && operation < from + length, `from operation ${from} on`);
  });
