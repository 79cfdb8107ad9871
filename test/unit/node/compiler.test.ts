// A crowd of connections is noticed, and V8 put back to its own ways when no more come.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { compileLaterInCrowds, CrowdWatch, patient, usual } from '../../../ts/node/compiler.ts';
import type { Patience } from '../../../ts/node/compiler.ts';
import type { Listeners } from '../../../ts/ports/listen.ts';
import { VirtualClock } from '../../support/virtual-clock.ts';

function watched(): { readonly clock: VirtualClock; readonly used: Patience[]; readonly come: (count: number) => void } {
  const clock = new VirtualClock();
  const used: Patience[] = [];
  const watch = new CrowdWatch(clock, (patience) => used.push(patience));
  const come = (count: number): void => {
    for (let i = 0; i < count; i++) watch.arrived();
  };
  return { clock, used, come };
}

test('V8 looks less often from the sixteenth connection on, until a tenth of a second brings fewer', () => {
  const { clock, used, come } = watched();
  come(15);
  assert.deepEqual(used, []);
  come(1);
  assert.deepEqual(used, [patient]);
  clock.advance(100);
  come(500);
  clock.advance(100);
  assert.deepEqual(used, [patient], 'they go on coming');
  come(15);
  clock.advance(100);
  assert.deepEqual(used, [patient, usual]);
  come(16);
  assert.deepEqual(used, [patient, usual, patient], 'the next crowd');
});

test('connections that come by the handful are no crowd, however many they become', () => {
  const { clock, used, come } = watched();
  for (let tenths = 0; tenths < 20; tenths++) {
    come(15);
    clock.advance(100);
  }
  assert.deepEqual(used, []);
});

test('nothing is counted, and no timer runs, while nobody comes', () => {
  const { clock, come } = watched();
  assert.equal(clock.waiting, 0);
  come(2);
  assert.equal(clock.waiting, 1);
  clock.advance(100);
  assert.equal(clock.waiting, 0);
});

test('what is put back is what V8 has by itself', { skip: !process.versions.v8.startsWith('11.') }, () => {
  const { stdout } = spawnSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  for (const own of [`--interrupt-budget=${usual.lookBytes}`, `--max-bytecode-size-for-early-opt=${usual.shortBytes}`])
    assert.ok(stdout.includes(`default: ${own}\n`), own);
});

test('another V8 than that of Node 20 is left alone', () => {
  const listeners = {} as Listeners;
  assert.equal(compileLaterInCrowds(listeners, new VirtualClock(), '12.4.254'), listeners);
});
