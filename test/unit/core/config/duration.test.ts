// Durations in Go's spelling, read and written.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, parseDuration } from '../../../../ts/core/config/duration.ts';

const rows: readonly (readonly [text: string, ms: number | undefined])[] = [
  ['2m', 120_000],
  ['1h30m', 5_400_000],
  ['1.5s', 1_500],
  ['.5s', 500],
  ['1.s', 1_000],
  ['250ms', 250],
  ['10us', 0.01],
  ['10µs', 0.01],
  ['5000ns', 0.005],
  ['-1s', -1_000],
  ['+1s', 1_000],
  ['0', 0],
  ['5', undefined],
  ['', undefined],
  ['-', undefined],
  ['1d', undefined],
  ['1 s', undefined],
  ['s', undefined],
  ['.s', undefined],
  ['1s5', undefined],
  ['9999999h', undefined],
];

for (const [text, ms] of rows) test(`"${text}" is ${ms} ms`, () => assert.equal(parseDuration(text), ms));

test('durations are written as Go writes them', () => {
  const written = [0, 1, 250, 1_000, 1_500, 60_000, 120_000, 5_400_000, 0.01, 0.000005, -2_000].map(formatDuration);
  assert.deepEqual(written, ['0s', '1ms', '250ms', '1s', '1.5s', '1m0s', '2m0s', '1h30m0s', '10µs', '5ns', '-2s']);
});

test('what is written is read back', () => {
  fc.assert(fc.property(fc.integer({ min: -1e12, max: 1e12 }), (ms) => assert.equal(parseDuration(formatDuration(ms)), ms)));
});
