/** Which syncs are done on the event loop: on a loop and a disk that are told how long everything takes. */
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { describe, test } from 'node:test';
import { QuickSyncs } from '../../../ts/node/quick-syncs.ts';

const FILE = 7;
const BYTES = 100;

/** A loop whose time goes by only where a test says so. */
class Loop {
  nowMs = 1000;
  sleptMs = 500;
  syncTakesMs = 0.1;
  synced = 0;
  readonly syncs = new QuickSyncs({
    nowMs: () => this.nowMs,
    sleptMs: () => this.sleptMs,
    sync: () => {
      this.nowMs += this.syncTakesMs;
      this.synced++;
    },
  });

  sleep(ms: number): void {
    this.nowMs += ms;
    this.sleptMs += ms;
  }

  work(ms: number): void {
    this.nowMs += ms;
  }

  /** Whether a round is synced on the loop. */
  round(bytes = BYTES): boolean {
    return this.syncs.sync([FILE], bytes) !== undefined;
  }

  /** How many of so many rounds are, each behind the same. */
  rounds(count: number, between: () => void): number {
    let here = 0;
    for (let i = 0; i < count; i++) {
      between();
      if (this.round()) here++;
    }
    return here;
  }
}

describe('syncs on the event loop', () => {
  test('are those of a client that the loop sleeps for between its messages', () => {
    const loop = new Loop();
    assert.equal(
      loop.rounds(1000, () => loop.sleep(0.04)),
      1000,
    );
    assert.equal(loop.synced, 1000);
  });

  test('are none but the first few where the loop has no sleep', () => {
    const loop = new Loop();
    assert.equal(
      loop.rounds(1000, () => loop.work(0.04)),
      10,
    );
  });

  test('take no more than four times what the loop slept', () => {
    const loop = new Loop();
    const here = loop.rounds(1000, () => loop.sleep(0.01));
    assert.ok(here > 390 && here < 420, `${here} rounds of 0.1 ms in 10 ms of sleep`);
  });

  test('do not earn anything with the sleep while a thread syncs', () => {
    const loop = new Loop();
    loop.rounds(20, () => loop.work(0.04));
    loop.sleep(0.2);
    loop.syncs.ended();
    assert.equal(loop.round(), false);
  });

  test('save up little while nothing happens', () => {
    const loop = new Loop();
    loop.sleep(100_000);
    assert.equal(
      loop.rounds(1000, () => {}),
      10,
    );
  });

  test('are not those of many bytes or of several files', () => {
    const loop = new Loop();
    assert.equal(loop.round(1024 * 1024), true);
    assert.equal(loop.round(1024 * 1024 + 1), false);
    assert.equal(loop.syncs.sync([FILE, FILE + 1], BYTES), undefined);
  });

  test('are tried once a minute on a slow disk', () => {
    const loop = new Loop();
    loop.syncTakesMs = 8;
    loop.rounds(360_000, () => loop.sleep(10));
    assert.ok(loop.synced > 60 && loop.synced < 75, `${loop.synced} syncs in an hour`);
  });

  test('go on soon when a quick disk stalled once', () => {
    const loop = new Loop();
    loop.syncTakesMs = 30;
    assert.equal(loop.round(), true);
    loop.syncTakesMs = 0.1;
    loop.sleep(19);
    assert.equal(loop.round(), false);
    loop.sleep(2);
    assert.equal(loop.round(), true);
  });

  test('report what the system says', () => {
    const closed = openSync(devNull, 'r');
    closeSync(closed);
    const [failed] = new QuickSyncs().sync([closed], BYTES) ?? [];
    assert.deepEqual(failed?.slice(0, 2), [closed, 'EBADF']);
    assert.match(failed?.[2] ?? '', /^EBADF: .*, fdatasync$/);
  });
});
