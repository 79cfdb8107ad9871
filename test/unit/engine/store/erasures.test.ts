/** Erasures that wait for the journal: they are tried again as long as the stream is open, and no timer outlives it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Erasures, type ErasurePorts } from '../../../../ts/engine/store/erasures.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

/** An erasure held by a journal that lets nothing go before `refuse` is called. */
function held() {
  const clock = new VirtualClock();
  const asked: { refuse?: () => void } = {};
  const without = (): Promise<void> => new Promise((_, reject) => (asked.refuse = () => reject(new Error('i/o error'))));
  const journal = { names: () => true, without } as unknown as ErasurePorts['journal'];
  const files = { directory: '/js/$G/streams/S/msgs' } as unknown as ErasurePorts['files'];
  const none = {} as never;
  const erasures = new Erasures(0, { streams: none, reader: none, files, journal, clock });
  erasures.add(1, { block: 1, offset: 0, length: 100, address: 0 });
  erasures.begin();
  let tries = 0;
  assert.equal(
    erasures.finish(() => tries++),
    'held',
  );
  const refuse = async (): Promise<void> => {
    asked.refuse?.();
    await nextTurn();
  };
  return { clock, erasures, refuse, tries: () => tries };
}

test('what the journal did not let go is tried again a second later', async () => {
  const { clock, refuse, tries } = held();
  await refuse();
  assert.deepEqual([clock.waiting, tries()], [1, 0]);
  clock.advance(1000);
  assert.deepEqual([clock.waiting, tries()], [0, 1]);
});

test('the wait for the next try ends with the stream', async () => {
  const { clock, erasures, refuse, tries } = held();
  await refuse();
  erasures.close();
  assert.equal(clock.waiting, 0);
  clock.advance(5000);
  assert.equal(tries(), 0);
});

test('a journal that refuses when the stream is closed already leaves no wait', async () => {
  const { clock, erasures, refuse } = held();
  erasures.close();
  await refuse();
  assert.equal(clock.waiting, 0);
});
