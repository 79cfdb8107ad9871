/**
 * A power failure at any moment while rounds over several streams go by way of the journal: what was promised is there afterwards, and nothing that was
 * promised to be gone comes back, of streams that were removed and made again either; also when the power fails again while the journal is put in its
 * place, and when syncs fail.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { EncryptionOptions } from '../../../../ts/engine/store/cipher/keyring.ts';
import type { StreamStore } from '../../../../ts/engine/store/store.ts';
import { effort, holdsInTime } from '../../../oracle/check.ts';
import { failingDisk } from '../../../support/failing-disk.ts';
import { background } from '../../../support/background.ts';
import { noLimits, openTestStore, synced, type TestStore } from '../../../support/store.ts';
import { act, noteEvicted, Promises } from '../../../support/store-promises.ts';
import { storeStep, type StoreStep } from '../../../support/store-steps.ts';
import { removeFolder, temporaryFolder } from '../../../support/temporary.ts';
import { torn } from '../../../support/torn-writes.ts';
import { VolatileDisk } from '../../../support/volatile-disk.ts';
import { VolatileJobs } from '../../../support/volatile-jobs.ts';

const STREAMS = 3;

interface Form {
  readonly compression: 'none' | 's2';
  readonly encryption?: EncryptionOptions;
}

const encryption: EncryptionOptions = { key: 'k', prevKey: '', cipher: 'chacha' };
const someForm = fc.constantFrom<Form>({ compression: 'none' }, { compression: 's2' }, { compression: 's2', encryption });
const upkeep = { lookMs: 0, bytesPerSecond: 1e12 };

/** Things that are done in one turn, each with a stream, and what happens to syncs behind it. */
interface Turn {
  readonly todo: readonly { readonly stream: number; readonly step: StoreStep }[];
  /** Which of the syncs under way end. */
  readonly ends: readonly number[];
  readonly fails: boolean;
  readonly waits: boolean;
  /** A stream that is removed first, and made again under its name. */
  readonly anew: number | undefined;
}

const step = storeStep({
  weights: { append: 12, delete: 2, purge: 1, sync: 0, wait: 0 },
  length: fc.oneof({ weight: 6, arbitrary: fc.nat(200) }, { weight: 1, arbitrary: fc.constant(12_000) }),
  keep: fc.constantFrom(0, 3),
});
const turns = (failures: boolean): fc.Arbitrary<Turn[]> =>
  fc.array(
    fc.record({
      todo: fc.array(fc.record({ stream: fc.nat(STREAMS - 1), step }), { maxLength: 6 }),
      ends: fc.array(fc.nat(3), { maxLength: 4 }),
      fails: failures ? fc.nat(11).map((n) => n === 0) : fc.constant(false),
      waits: fc.nat(3).map((n) => n === 0),
      anew: fc.nat(STREAMS * 4).map((n) => (n < STREAMS ? n : undefined)),
    }),
    { maxLength: 40 },
  );

class Played {
  readonly disk: VolatileDisk;
  readonly promises: Promises[];
  readonly server: TestStore;
  readonly #small: boolean;
  readonly #form: Form;
  readonly #before: Played | undefined;
  #isKilled = false;

  /** On the disk of one that was killed, or on a new one. */
  constructor(form: Form, small: boolean, { before, journalFrom = 1 }: { before?: Played; journalFrom?: number } = {}) {
    this.#form = form;
    this.#small = small;
    this.#before = before;
    this.disk = before?.disk ?? new VolatileDisk();
    this.promises = before?.promises ?? Array.from({ length: STREAMS }, () => new Promises());
    if (before === undefined) {
      this.disk.makeDirectory('/js');
      this.disk.syncDirectory('/');
    }
    const { disk } = failingDisk(this.disk, () => this.#isKilled);
    const jobs = new VolatileJobs(disk);
    this.server = openTestStore('/js', disk, 0, { ...this.#encryption, upkeep, jobs, journalFrom });
  }

  get #encryption(): Pick<Form, 'encryption'> {
    return this.#form.encryption === undefined ? {} : { encryption: this.#form.encryption };
  }

  get #options() {
    // Small limits make small blocks, of which there are many.
    return { limits: { ...noLimits, maxBytes: this.#small ? 120_000 : -1 }, compression: this.#form.compression };
  }

  async #open(): Promise<StreamStore[]> {
    const { server, disk, promises } = this;
    if (this.#before !== undefined)
      return disk.through(Promise.all(promises.map((_, n) => server.store.recover(server.options(`S${n}`, this.#options)))));
    const streams: StreamStore[] = [];
    server.turn(() => streams.push(...promises.map((_, n) => server.store.create(server.options(`S${n}`, this.#options), '{}'))));
    while (disk.syncing) disk.finishSync();
    return streams;
  }

  async run(steps: readonly Turn[]): Promise<void> {
    const { server, disk, promises } = this;
    const streams = await this.#open();
    for (const [n, stream] of streams.entries()) promises[n]?.check(stream);
    const live = promises.map((made, n) => made.shown(streams[n] as StreamStore));
    const last = streams.map((stream) => ({ seq: stream.state.lastSeq }));
    for (const { todo, ends, fails, waits, anew } of steps) {
      const old = anew === undefined ? undefined : streams[anew];
      if (anew !== undefined && old !== undefined && old.fault === undefined) {
        const stream = await this.#makeAnew(old);
        const made = new Promises();
        [streams[anew], promises[anew], last[anew]] = [stream, made, { seq: 0 }];
        live[anew] = made.shown(stream);
      }
      server.turn(() => {
        for (const { stream: n, step: one } of todo) {
          const [stream, known, made, end] = [streams[n], live[n], promises[n], last[n]];
          if (
            stream !== undefined &&
            known !== undefined &&
            made !== undefined &&
            end !== undefined &&
            stream.fault === undefined
          )
            act(one, stream, known, made, end);
        }
      });
      if (fails) disk.failSync('EIO');
      // Settling the journal goes on behind a sync.
      for (const at of ends) {
        disk.finishSync(at);
        await Promise.resolve();
      }
      if (waits) await background();
      streams.forEach((stream, n) => noteEvicted(stream, live[n] ?? new Map(), promises[n] ?? new Promises()));
    }
  }

  async #makeAnew(old: StreamStore): Promise<StreamStore> {
    const { server, disk } = this;
    await disk.through(old.remove());
    const stream = server.store.create(server.options(old.name, this.#options), '{}');
    await disk.through(synced(stream));
    return stream;
  }

  /** The process is gone: of the syncs under way, some files are on disk, and nobody hears of it. */
  async kill(chosen: (file: number) => boolean): Promise<void> {
    this.#isKilled = true;
    this.disk.killed(chosen);
    await this.server.stop();
  }

  /** Where nobody looks any more: whatever is under way comes to its end. */
  async end(): Promise<void> {
    await endOf(Promise.resolve({ after: this.server }), this.disk);
  }

  /** Opens what a power failure has left, in its folder or on a disk that has it. */
  async reopen(folder: string, disk?: VolatileDisk): Promise<{ after: TestStore; streams: StreamStore[] }> {
    const jobs = disk === undefined ? {} : { jobs: new VolatileJobs(disk) };
    const after = openTestStore(disk === undefined ? join(folder, 'js') : '/js', disk, 0, {
      ...this.#encryption,
      ...jobs,
      journalFrom: 1,
    });
    const found = after.store.find('$G');
    assert.deepEqual(
      found.map(({ problem }) => problem),
      found.map(() => undefined),
    );
    const streams = await Promise.all(found.map(({ name }) => after.store.recover(after.options(name, this.#options))));
    return { after, streams };
  }

  async check(folder: string): Promise<void> {
    const { after, streams } = await this.reopen(folder);
    try {
      for (const [n, made] of this.promises.entries()) {
        const stream = streams.find(({ name }) => name === `S${n}`);
        assert.ok(stream !== undefined, `S${n} was promised`);
        made.check(stream);
      }
    } finally {
      await after.stop();
    }
    assert.deepEqual(
      after.log.lines.filter((line) => line.includes('are kept in')),
      [],
      'nothing of the journal is out of place',
    );
  }
}

const someNames = fc.constantFrom('synced' as const, 'newest' as const);
/** Which of the files under way the disk has when the power fails. */
const someFiles = fc.infiniteStream(fc.boolean());

for (const failures of [false, true])
  test(`a power failure takes nothing that was promised by way of the journal${failures ? ', though syncs failed' : ''}`, async () => {
    await holdsInTime(
      fc.asyncProperty(
        turns(failures),
        fc.boolean(),
        someForm,
        someNames,
        someFiles,
        async (steps, small, form, names, files) => {
          const folder = temporaryFolder();
          const played = new Played(form, small);
          await played.run(steps);
          played.disk.finishSome(() => files.next().value === true);
          played.disk.leaveIn(folder, names);
          await played.check(folder);
          await played.end();
          removeFolder(folder);
        },
      ),
      effort(100),
    );
  });

test('nor does one that tears writes at sectors and flips bits in what was not synced', async () => {
  await holdsInTime(
    fc.asyncProperty(turns(false), fc.boolean(), someForm, fc.nat(), async (steps, small, form, seed) => {
      const folder = temporaryFolder();
      const played = new Played(form, small);
      await played.run(steps);
      played.disk.leaveIn(folder, 'synced', torn(seed));
      await played.check(folder);
      await played.end();
      removeFolder(folder);
    }),
    effort(100),
  );
});

test('nor does a second one, while the journal is put in its place or soon after', async () => {
  await holdsInTime(
    fc.asyncProperty(
      ...([turns(false), fc.boolean(), someForm, someNames, fc.nat(12), fc.nat()] as const),
      async (steps, small, form, names, syncs, seed) => {
        const [first, second] = [temporaryFolder(), temporaryFolder()];
        const played = new Played(form, small);
        await played.run(steps);
        played.disk.leaveIn(first, names);
        const disk = new VolatileDisk();
        disk.take(join(first, 'js'), '/js');
        const opening = played.reopen(first, disk);
        for (let n = 0; n < syncs; n++) {
          await background();
          disk.finishSync();
        }
        disk.leaveIn(second, names, torn(seed));
        await played.check(second);
        await played.end();
        await endOf(opening, disk);
        for (const folder of [first, second]) removeFolder(folder);
      },
    ),
    effort(60),
  );
});

test('nor does one behind a kill: what the killed server had written, and not synced, is built upon', async () => {
  await holdsInTime(
    fc.asyncProperty(
      ...([turns(false), turns(false), fc.constantFrom(1, 9), fc.boolean(), someForm, someFiles] as const),
      async (steps, more, journalFrom, small, form, files) => {
        const folder = temporaryFolder();
        const killed = new Played(form, small, { journalFrom });
        await killed.run(steps);
        await killed.kill(() => files.next().value === true);
        const played = new Played(form, small, { before: killed });
        await played.run(more);
        played.disk.leaveIn(folder, 'synced');
        await played.check(folder);
        await played.end();
        removeFolder(folder);
      },
    ),
    effort(40),
  );
});

/** A store whose power has failed while it was opened comes to its end. */
async function endOf(opening: Promise<{ readonly after: TestStore }>, disk: VolatileDisk): Promise<void> {
  await disk.through(opening.then(({ after }) => after.stop()));
}
