// Schedules: when a pattern comes next, in which zone, and what is published then.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildHeaders, parseHeaders } from '../../../../ts/core/jetstream/headers.ts';
import { formatInstant, parseInstant, type Instant } from '../../../../ts/core/jetstream/instant.ts';
import { nextFiring, scheduledMessage } from '../../../../ts/core/stream/schedule.ts';

function instant(text: string): Instant {
  const at = parseInstant(text);
  assert.ok(at !== undefined, text);
  return at;
}

/** When a pattern comes next behind a moment, with that moment as the time it is. */
function next(pattern: string, after: string, zone?: string, now = after): string {
  const headers = new Map([
    ['Nats-Schedule', pattern],
    ...(zone === undefined ? [] : [['Nats-Schedule-Time-Zone', zone] as const]),
  ]);
  const firing = nextFiring(headers, instant(after), instant(now));
  return firing === undefined || typeof firing === 'string' ? String(firing) : formatInstant(firing.at);
}

const rows: readonly (readonly [pattern: string, after: string, next: string, zone?: string])[] = [
  ['@at 2030-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2030-01-01T00:00:00Z'],
  ['@at 2020-01-01T00:00:00.5+01:00', '2026-01-01T00:00:00Z', '2019-12-31T23:00:00.5Z'],
  ['@every 1m30s', '2026-01-01T00:00:00.6Z', '2026-01-01T00:01:31Z'],
  ['* * * * * *', '2026-01-01T00:00:00.9Z', '2026-01-01T00:00:01Z'],
  ['0 * * * * *', '2026-01-01T00:00:00Z', '2026-01-01T00:01:00Z'],
  ['*/15 * * * * *', '2026-01-01T00:00:14Z', '2026-01-01T00:00:15Z'],
  ['10/20 * * * * *', '2026-01-01T00:00:31Z', '2026-01-01T00:00:50Z'],
  ['0 0 0 29 2 *', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00Z'],
  ['0 0 0 31 * *', '2026-02-01T00:00:00Z', '2026-03-31T00:00:00Z'],
  ['59 59 23 31 12 *', '2026-12-31T23:59:58Z', '2026-12-31T23:59:59Z'],
  ['0 0 12 * * mon-FRI', '2026-11-27T12:00:00Z', '2026-11-30T12:00:00Z'],
  ['0 0 12 1 * mon', '2026-11-24T12:00:00Z', '2026-11-30T12:00:00Z'],
  ['0 0 12 */2 * mon', '2026-11-24T12:00:00Z', '2026-11-25T12:00:00Z'],
  ['0 0 0 ? jan,jul 0', '2026-02-01T00:00:00Z', '2026-07-05T00:00:00Z'],
  ['@hourly', '2026-11-27T12:00:00Z', '2026-11-27T13:00:00Z'],
  ['@daily', '2026-11-27T12:00:00Z', '2026-11-28T00:00:00Z'],
  ['@midnight', '2026-11-27T12:00:00Z', '2026-11-28T00:00:00Z'],
  ['@weekly', '2026-11-27T12:00:00Z', '2026-11-29T00:00:00Z'],
  ['@monthly', '2026-11-27T12:00:00Z', '2026-12-01T00:00:00Z'],
  ['@yearly', '2026-11-27T12:00:00Z', '2027-01-01T00:00:00Z'],
  ['@annually', '2026-11-27T12:00:00Z', '2027-01-01T00:00:00Z'],
  ['0 30 9 * * *', '2026-07-01T00:00:00Z', '2026-07-01T07:30:00Z', 'Europe/Berlin'],
  ['0 30 9 * * *', '2026-12-01T00:00:00Z', '2026-12-01T08:30:00Z', 'Europe/Berlin'],
  ['0 0 0 1 * *', '2026-11-15T00:00:00Z', '2026-12-01T05:00:00Z', 'America/New_York'],
  ['0 30 2 * * *', '2026-03-29T00:00:00Z', '2026-03-30T00:30:00Z', 'Europe/Berlin'],
  ['0 0 0 * * *', '2026-06-01T00:00:00Z', '2026-06-01T18:15:00Z', 'Asia/Kathmandu'],
  ['0 0 * * * *', '2026-06-01T00:00:00Z', '2026-06-01T01:00:00Z', 'UTC'],
];

for (const [pattern, after, expected, zone] of rows) {
  test(`${pattern}${zone === undefined ? '' : ` in ${zone}`} comes next at ${expected} after ${after}`, () => {
    assert.equal(next(pattern, after, zone), expected);
  });
}

test('what was missed comes once: the next time is never before now', () => {
  assert.equal(next('@every 10s', '2026-01-01T00:00:00Z', undefined, '2026-01-01T01:00:00Z'), '2026-01-01T01:00:10Z');
  assert.equal(next('@hourly', '2026-01-01T00:00:00Z', undefined, '2026-01-02T03:04:05Z'), '2026-01-02T04:00:00Z');
});

test('patterns and zones that say nothing are told apart', () => {
  const wrong = ['', '* * * * *', '60 * * * * *', '* * 24 * * *', '* * * 0 * *', '* * * * 13 *', '* * * * * 7', '5-1 * * * * *'];
  const more = [
    '*/0 * * * * *',
    '1-2-3 * * * * *',
    'x * * * * *',
    ', * * * * *',
    '@sometimes',
    '@every 1ms',
    '@every',
    '@at now',
  ];
  const never = ['0 0 0 31 2 *'];
  for (const pattern of [...wrong.slice(1), ...more, ...never])
    assert.equal(next(pattern, '2026-01-01T00:00:00Z'), 'pattern', pattern);
  assert.equal(next('', '2026-01-01T00:00:00Z'), 'undefined');
  for (const zone of ['', 'Nowhere/City', '+01:00']) assert.equal(next('@hourly', '2026-01-01T00:00:00Z', zone), 'zone', zone);
  for (const pattern of ['@every 1h', '@at 2030-01-01T00:00:00Z'])
    assert.equal(next(pattern, '2026-01-01T00:00:00Z', 'Europe/Berlin'), 'pattern');
});

const now = instant('2026-11-27T12:00:00Z');
const schedule = (more: readonly (readonly [string, string])[]): { headers: Uint8Array; payload: Uint8Array } => ({
  headers: buildHeaders('', [
    ['Nats-Schedule-Target', 'out'],
    ['X', 'kept'],
    ['Nats-Msg-Id', 'm'],
    ['Nats-Rollup', 'sub'],
    ...more,
  ]),
  payload: Buffer.from('own'),
});

test('a firing keeps the headers of its content, says where it comes from and when it comes again', () => {
  const made = scheduledMessage(
    'plan',
    schedule([
      ['Nats-Schedule', '0 0 9 * * *'],
      ['Nats-Schedule-Time-Zone', 'Europe/Berlin'],
      ['Nats-Schedule-TTL', '5m'],
      ['Nats-Schedule-Rollup', 'sub'],
    ]),
    now,
    now,
    () => undefined,
  );
  assert.deepEqual(Object.fromEntries(parseHeaders(made?.headers ?? new Uint8Array(0))), {
    X: 'kept',
    'Nats-Scheduler': 'plan',
    'Nats-Schedule-Next': '2026-11-28T09:00:00+01:00',
    'Nats-TTL': '5m',
    'Nats-Rollup': 'sub',
  });
  assert.equal(made?.target, 'out');
  assert.equal(Buffer.from(made.payload).toString(), 'own');
});

test('a firing takes the content of its source when there is some, and ends a schedule that comes once', () => {
  const once = schedule([
    ['Nats-Schedule', '@at 2026-11-27T12:00:00Z'],
    ['Nats-Schedule-Source', 'data'],
  ]);
  const data = { headers: buildHeaders('', [['Y', 'theirs']]), payload: Buffer.from('data') };
  const made = scheduledMessage('plan', once, now, now, (subject) => (subject === 'data' ? data : undefined));
  assert.equal(Buffer.from(made?.payload ?? []).toString(), 'data');
  assert.deepEqual(Object.fromEntries(parseHeaders(made?.headers ?? new Uint8Array(0))), {
    Y: 'theirs',
    'Nats-Scheduler': 'plan',
    'Nats-Schedule-Next': 'purge',
  });
  assert.equal(Buffer.from(scheduledMessage('plan', once, now, now, () => undefined)?.payload ?? []).toString(), 'own');
});
