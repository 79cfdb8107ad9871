// Long work in slices: others get their turns in between, short work needs none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inSlices } from '../../../ts/lib/in-slices.ts';

function bench(): { clock: Parameters<typeof inSlices>[2]; events: string[]; spend: (ms: number) => void } {
  const events: string[] = [];
  let now = 0;
  const pause = (): Promise<void> => {
    events.push('pause');
    return Promise.resolve();
  };
  return { events, clock: { monotonicMs: () => now, pause }, spend: (ms) => (now += ms) };
}

test('what takes little time is done at once', () => {
  const { clock, events } = bench();
  assert.equal(
    inSlices(['a', 'b', 'c'], (item) => events.push(item), clock),
    undefined,
  );
  assert.deepEqual(events, ['a', 'b', 'c']);
});

test('what takes longer lets others in between, and ends with the last item', async () => {
  const { clock, events, spend } = bench();
  await inSlices(
    ['a', 'b', 'c', 'd'],
    (item) => {
      events.push(item);
      spend(3);
    },
    clock,
  );
  assert.deepEqual(events, ['a', 'b', 'pause', 'c', 'd', 'pause']);
});

test('an item that cannot be made or taken ends it', async () => {
  const { clock, spend } = bench();
  function* items(): Generator<number> {
    yield 1;
    throw new Error('no more');
  }
  await assert.rejects(async () => inSlices(items(), () => spend(5), clock), /no more/);
  assert.throws(() => inSlices(items(), () => {}, clock), /no more/);
});
