// When rounds begin: a row of turns of which the test says how many there are behind each in the same pass of the event loop.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextPass } from 'node:timers/promises';
import { RoundStart } from '../../../ts/node/round-start.ts';

interface Begun {
  readonly at: 'once' | 'end';
  /** Turns that had begun by then. */
  readonly turns: number;
}

/** Passes of the event loop, each with so many turns, the first of which begins a round; how each of these rounds began. */
async function run(
  start: RoundStart,
  state: { turns: number; begun: Begun[] },
  passes: number,
  turnsEach: number,
): Promise<void> {
  for (let pass = 0; pass < passes; pass++) {
    const before = state.begun.length;
    state.turns++;
    start.begin(() => {});
    const at = state.begun.length > before ? 'once' : 'end';
    state.turns += turnsEach - 1;
    await nextPass();
    assert.equal(state.begun.length, before + 1, 'each round begins once, and before the next pass');
    state.begun[before] = { at, turns: state.begun[before]?.turns ?? 0 };
  }
}

function make(): { start: RoundStart; state: { turns: number; begun: Begun[] } } {
  const state = { turns: 0, begun: [] as Begun[] };
  const begin = (call: () => void): void => {
    call();
    state.begun.push({ at: 'once', turns: state.turns });
  };
  const start = new RoundStart({ turns: () => state.turns, soon: begin, turn: begin });
  return { start, state };
}

function beginnings(begun: readonly Begun[]): string[] {
  return begun.map(({ at }) => at);
}

test('rounds of turns that come one at a time begin at once, however many there are', async () => {
  const { start, state } = make();
  await run(start, state, 100, 1);
  assert.deepEqual(new Set(beginnings(state.begun)), new Set(['once']));
});

test('where turns come together, rounds begin behind all of them before long', async () => {
  const { start, state } = make();
  await run(start, state, 100, 8);
  const at = beginnings(state.begun);
  const first = at.indexOf('end');
  assert.ok(first > 0 && first <= 16, `the first behind all was number ${first}`);
  assert.ok(!at.slice(first).includes('once'));
  assert.equal(state.begun[first]?.turns, (first + 1) * 8, 'all turns of the pass had begun');
});

test('rounds begin at once again when turns have come alone for a while', async () => {
  const { start, state } = make();
  await run(start, state, 40, 8);
  await run(start, state, 15, 1);
  assert.equal(beginnings(state.begun).at(-1), 'end');
  await run(start, state, 2, 1);
  assert.equal(beginnings(state.begun).at(-1), 'once');
  await run(start, state, 100, 1);
  assert.deepEqual(new Set(beginnings(state.begun).slice(-100)), new Set(['once']));
});

test('some turns that come alone among those that come together change nothing', async () => {
  const { start, state } = make();
  await run(start, state, 40, 3);
  for (let i = 0; i < 10; i++) {
    await run(start, state, 10, 1);
    await run(start, state, 1, 2);
  }
  assert.deepEqual(new Set(beginnings(state.begun).slice(-100)), new Set(['end']));
});
