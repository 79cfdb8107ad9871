/** When logs of the journal begin and go: a disk and a clock in the hands of the test. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Journal, type JournaledStream, type JournalRound } from '../../../../ts/engine/store/journal/journal.ts';
import { StreamKernel } from '../../../../ts/kernel/streams.ts';
import { DiskFault, type OpenFile, type SyncFailure } from '../../../../ts/ports/disk.ts';
import { keptLog, openTestStore } from '../../../support/store.ts';
import { temporaryFolder } from '../../../support/temporary.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';
import { VolatileDisk } from '../../../support/volatile-disk.ts';

const { kernel } = openTestStore(temporaryFolder());
const directory = '/js/$G/streams/S/msgs';

class Bench {
  readonly disk = new VolatileDisk();
  readonly clock = new VirtualClock();
  readonly log = keptLog();
  readonly journal: Journal;
  readonly faults: DiskFault[] = [];
  readonly stream: JournaledStream = { directory, failed: (fault) => void this.faults.push(fault) };

  constructor() {
    const { disk, clock, log } = this;
    disk.makeDirectory(directory);
    disk.writeWhole(`${directory}/1.blk`, Buffer.from('what is in front'), true);
    this.journal = new Journal('/js', { disk, clock, log, kernel: new StreamKernel(kernel), turn: (work) => work() });
  }

  get logs(): string[] {
    return this.disk.list('/js').flatMap(({ name }) => (name.endsWith('.journal') ? [name] : []));
  }

  /** A round has appended to the block, and is to be synced. */
  begin(): JournalRound & { readonly files: readonly OpenFile[] } {
    const { disk, journal } = this;
    const round = journal.round();
    const file = disk.open(`${directory}/1.blk`, false);
    const offset = disk.size(file);
    const views = [Buffer.from('appended')];
    disk.write(file, views, offset);
    disk.close(file);
    round.add({ directory, block: 1, offset, before: new Uint8Array(8), views });
    return { ...round, files: round.end() };
  }

  failure([file]: readonly OpenFile[]): SyncFailure {
    assert.ok(file !== undefined);
    return { file, fault: new DiskFault('EIO', file.path, `${file.path}: EIO`) };
  }

  /** A round appends to the block; false: the journal did not take it. */
  round(): boolean {
    const { disk, stream } = this;
    const round = this.begin();
    const { files } = round;
    const isTaken = files.length === 1;
    disk.sync(files, (failures) => assert.ok(round.synced([stream], failures)));
    return isTaken;
  }

  /** A round has just gone by way of the journal, and waits for its sync. */
  async journaled(): Promise<void> {
    this.round();
    await this.settle();
    assert.ok(this.round());
  }

  /** Every sync that is asked for is through. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) {
      while (this.disk.syncing) this.disk.finishSync();
      await nextTurn();
    }
  }
}

describe('a log of the journal', () => {
  test('is made when a round asks for it, and used when its name is on disk', async () => {
    const bench = new Bench();
    assert.deepEqual([bench.round(), bench.round(), bench.logs.length], [false, false, 1]);
    await bench.settle();
    assert.deepEqual([bench.round(), bench.logs.length], [true, 1]);
  });

  test('goes when it is old and its files are on disk; another one takes its place as long as it is used', async () => {
    const bench = new Bench();
    await bench.journaled();
    const before = bench.logs;
    bench.clock.advance(5_000);
    await bench.settle();
    assert.equal(bench.logs.length, 1);
    assert.notDeepEqual(bench.logs, before);
    assert.equal(bench.journal.names(directory), false, 'what it had is on disk');
    assert.ok(bench.round());
    await bench.settle();
    for (const left of [1, 0, 0]) {
      bench.clock.advance(5_000);
      await bench.settle();
      assert.equal(bench.logs.length, left);
    }
  });

  test('stays while a round that wrote to it is not through', async () => {
    const bench = new Bench();
    await bench.journaled();
    const gone = bench.journal.without(directory);
    await nextTurn();
    assert.deepEqual([bench.logs.length, bench.journal.names(directory, 1), bench.journal.names(directory, 2)], [1, true, false]);
    await bench.settle();
    await gone;
    assert.equal(bench.logs.length, 0);
  });

  test('whose name the disk does not keep is never used; after a while another one is tried', async () => {
    const bench = new Bench();
    bench.round();
    while (bench.disk.syncing) bench.disk.failSync('EIO');
    await bench.settle();
    assert.deepEqual([bench.round(), bench.logs.length], [false, 0]);
    assert.match(bench.log.lines.join('\n'), /is not used any more: EIO/);
    bench.clock.advance(10_000);
    bench.round();
    await bench.settle();
    assert.ok(bench.round());
  });

  test('stays until its files are synced, however often that fails, and the streams are told', async () => {
    const bench = new Bench();
    await bench.journaled();
    while (bench.disk.syncing) bench.disk.finishSync();
    bench.clock.advance(5_000);
    await nextTurn();
    // The name of the next log; then the files of this one.
    bench.disk.finishSync();
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    bench.disk.failSync('EIO');
    await bench.settle();
    assert.equal(bench.faults.length, 1);
    assert.ok(bench.journal.names(directory));
    const gone = bench.journal.without(directory);
    await bench.settle();
    await gone;
    assert.equal(bench.journal.names(directory), false);
  });

  test('whose sync failed once is believed by no other round that wrote to it: the system tells of a lost write once', async () => {
    const bench = new Bench();
    bench.round();
    await bench.settle();
    const [first, second] = [bench.begin(), bench.begin()];
    assert.ok(!first.synced([bench.stream], [bench.failure(first.files)]));
    assert.ok(!second.synced([bench.stream], []), 'its files are to be synced');
    await bench.settle();
    assert.deepEqual(bench.logs, []);
  });

  test('is not left behind, nor its memory, when it could not be made', async () => {
    const bench = new Bench();
    const { disk } = bench;
    const openDirectory = disk.openDirectory.bind(disk);
    for (let n = 0; n < 5; n++) {
      disk.openDirectory = (path) => {
        throw new DiskFault('EMFILE', path, `${path}: too many open files`);
      };
      bench.round();
      await bench.settle();
      disk.openDirectory = openDirectory;
      bench.clock.advance(10_000);
      await bench.settle();
    }
    assert.deepEqual([bench.logs, disk.opened], [[], 0]);
    bench.round();
    await bench.settle();
    assert.ok(bench.round());
  });

  test('keeps what a file has lost while its sync was under way, until it is written again', async () => {
    const bench = new Bench();
    const { disk, journal } = bench;
    await bench.journaled();
    while (disk.syncing) disk.finishSync();
    const gone = journal.without(directory);
    await nextTurn();
    journal.doubt(directory);
    const lost = disk.open(`${directory}/1.blk`, false);
    disk.write(lost, [Buffer.from('........')], disk.size(lost) - 8);
    disk.close(lost);
    await bench.settle();
    await gone;
    assert.equal(Buffer.from(disk.readWhole(`${directory}/1.blk`) ?? []).toString(), 'what is in frontappendedappended');
  });

  test('has a number above those that are there, whatever the clock says', async () => {
    const bench = new Bench();
    const future = 9e15;
    bench.disk.writeWhole(`/js/slipstream-${future}.journal`, new Uint8Array(0), true);
    bench.round();
    await bench.settle();
    assert.deepEqual(bench.logs, [`slipstream-${future}.journal`, `slipstream-${future + 1}.journal`]);
  });

  test('that cannot go keeps none of the others when the server ends, and nothing open', async () => {
    const bench = new Bench();
    await bench.journaled();
    await bench.settle();
    const stopped = bench.journal.stop();
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    bench.disk.failSync('EIO');
    await Promise.all([assert.rejects(stopped, /EIO/), bench.settle()]);
    bench.journal.close();
    assert.deepEqual([bench.logs.length, bench.disk.opened], [1, 0]);
    assert.equal(bench.clock.waiting, 0);
  });

  test('knows the blocks of a stream that was removed until it goes, for which they need not be there', async () => {
    const bench = new Bench();
    const { disk, journal } = bench;
    await bench.journaled();
    while (disk.syncing) disk.finishSync();
    journal.doubt(directory);
    disk.remove(`${directory}/1.blk`);
    const next = Buffer.from('the block of another stream of that name');
    disk.writeWhole(`${directory}/${journal.lastBlock(directory) + 1}.blk`, next, true);
    assert.equal(journal.lastBlock(directory), 1);
    bench.clock.advance(5_000);
    await bench.settle();
    assert.equal(journal.lastBlock(directory), 0);
    assert.deepEqual(disk.readWhole(`${directory}/2.blk`), next);
    assert.equal(disk.exists(`${directory}/1.blk`), false);
  });

  test('does not leave the disk before a stream that was removed does: it would be back without what only the log has', async () => {
    const bench = new Bench();
    const { disk } = bench;
    for (const path of [directory, '/js/$G/streams/S', '/js/$G/streams', '/js/$G', '/js', '/']) disk.syncDirectory(path);
    await bench.journaled();
    await bench.settle();
    disk.rename('/js/$G/streams/S', '/js/$G/.S');
    bench.clock.advance(5_000);
    await bench.settle();
    const left = temporaryFolder();
    disk.leaveIn(left);
    assert.equal(bench.journal.names(directory), false, 'the log has gone');
    assert.equal(existsSync(join(left, 'js/$G/streams/S')), false);
  });
});
