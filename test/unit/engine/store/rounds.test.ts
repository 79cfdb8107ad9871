/** When rounds begin, and what they wait for: members, a disk and a clock in the hands of the test. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Rounds, type RoundMember } from '../../../../ts/engine/store/rounds.ts';
import type { OpenFile, SyncFailure } from '../../../../ts/ports/disk.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

/** A stream of which messages are only counted. */
class Member implements RoundMember {
  readonly directory = '/';
  lastSeq = 0;
  ackedSeq = 0;
  asked = 0;
  #roundSeq = 0;
  readonly #file: OpenFile = { descriptor: 1, path: '/1.blk' };

  awaitMore(): void {
    this.asked++;
  }
  write(): void {
    this.#roundSeq = this.lastSeq;
  }
  takeUnsynced(): OpenFile[] {
    return [this.#file];
  }
  takeTaken(): OpenFile[] {
    return [];
  }
  synced(): void {}
  settled(): void {
    this.ackedSeq = this.#roundSeq;
  }
  failed(): void {}
}

/** Rounds over a disk whose syncs end when the test says so. */
class Bench {
  readonly clock = new VirtualClock();
  readonly member = new Member();
  readonly rounds: Rounds;
  readonly #syncs: ((failures: readonly SyncFailure[]) => void)[] = [];
  syncs = 0;

  constructor(onDisk = true) {
    this.rounds = new Rounds({
      disk: { sync: (_files, done) => void this.#syncs.push(done) },
      ...{ clock: this.clock, syncIntervalMs: 0, onDisk, turn: (work) => work(), soon: (call) => call() },
    });
  }

  /** Messages come in one read. */
  come(messages: number): void {
    this.member.lastSeq += messages;
    this.rounds.add(this.member);
  }

  /** The sync under way ends; false: there was none. */
  sync(): boolean {
    const done = this.#syncs.shift();
    done?.([]);
    if (done !== undefined) this.syncs++;
    return done !== undefined;
  }

  get unacknowledged(): number {
    return this.member.lastSeq - this.member.ackedSeq;
  }

  /** A publisher's windows, in two parts each, of which the second comes while the first is synced. */
  windows(count: number): void {
    for (let i = 0; i < count; i++) {
      this.come(165);
      this.come(335);
      while (this.sync());
      assert.equal(this.unacknowledged, 0);
    }
  }
}

describe('rounds', () => {
  test('take what comes during a sync into the next', () => {
    const bench = new Bench();
    bench.come(1);
    bench.come(2);
    assert.equal(bench.unacknowledged, 3);
    bench.sync();
    assert.equal(bench.unacknowledged, 2);
    bench.sync();
    assert.equal(bench.unacknowledged, 0);
    assert.equal(bench.sync(), false);
  });

  test('wait for the rest of a window and sync it once, when a publisher keeps one', () => {
    const bench = new Bench();
    bench.windows(6);
    assert.equal(bench.syncs, 12);
    bench.windows(10);
    assert.equal(bench.syncs, 22);
    assert.equal(bench.member.asked, 10);
  });

  test('wait two milliseconds at most', () => {
    const bench = new Bench();
    bench.windows(6);
    bench.come(165);
    bench.clock.advance(1);
    assert.equal(bench.sync(), false);
    bench.clock.advance(1);
    assert.equal(bench.sync(), true);
    assert.equal(bench.unacknowledged, 0);
  });

  test('wait three times in vain at most when the publisher does something else', () => {
    const bench = new Bench();
    bench.windows(6);
    let inVain = 0;
    for (let i = 0; i < 5000; i++) {
      bench.come(1);
      if (bench.sync()) continue;
      inVain++;
      bench.clock.advance(2);
      assert.equal(bench.sync(), true, `message ${i + 1}`);
    }
    assert.equal(inVain, 3);
  });

  test('do not wait for a publisher of single messages', () => {
    const bench = new Bench();
    for (let i = 0; i < 1000; i++) {
      bench.come(1);
      assert.equal(bench.sync(), true, `message ${i + 1}`);
    }
  });

  test('do not wait where there is no disk', () => {
    const bench = new Bench(false);
    bench.windows(6);
    bench.come(165);
    assert.equal(bench.sync(), true);
  });

  test('do not wait for a window when somebody waits for all that is there', async () => {
    const bench = new Bench();
    bench.windows(6);
    bench.come(165);
    const drained = bench.rounds.drained(bench.member);
    assert.equal(bench.sync(), true);
    await drained;
    assert.equal(bench.unacknowledged, 0);
  });

  test('of one stream do not wait for the window of another', () => {
    const bench = new Bench();
    const other = new Member();
    bench.windows(6);
    bench.come(165);
    other.lastSeq = 1;
    bench.rounds.add(other);
    bench.sync();
    assert.deepEqual([other.ackedSeq, bench.unacknowledged], [1, 165]);
    bench.come(335);
    bench.sync();
    assert.equal(bench.unacknowledged, 0);
  });

  test('leave no timer behind a member that is gone', () => {
    const bench = new Bench();
    bench.windows(6);
    bench.come(165);
    bench.rounds.forget(bench.member);
    bench.clock.advance(1000);
    assert.equal(bench.sync(), false);
  });
});
