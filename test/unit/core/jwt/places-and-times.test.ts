// From where and when: networks of both families, ranges within a day and over midnight, in the zone the claim names.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCidr } from '../../../../ts/core/jwt/check-claims.ts';
import { parseAddress } from '../../../../ts/lib/ip-address.ts';
import { allowedForMs, isFromAllowedPlace } from '../../../../ts/core/jwt/places-and-times.ts';

const HOUR = 3_600_000;
/** 1970-01-02 at an hour of the day, UTC. */
const at = (hour: number): number => 24 * HOUR + hour * HOUR;

test('addresses of both families are read, and what is none is not', () => {
  assert.deepEqual(parseAddress('10.1.2.3'), [10, 1, 2, 3]);
  assert.deepEqual(parseAddress('::ffff:10.1.2.3'), [10, 1, 2, 3]);
  assert.deepEqual(parseAddress('::1')?.slice(-2), [0, 1]);
  assert.deepEqual(parseAddress('2001:db8::8:1')?.slice(0, 4), [0x20, 0x01, 0x0d, 0xb8]);
  assert.equal(parseAddress('1:2:3:4:5:6:7:8')?.length, 16);
  for (const none of ['', '10.1.2', '10.1.2.256', '1:2:3', '::1::2', '12345::', 'x', '1:2:3:4:5:6:7:8:9', '::10.1.2']) {
    assert.equal(parseAddress(none), undefined, none);
  }
});

test('a network is an address and a number of bits', () => {
  assert.deepEqual(parseCidr('10.0.0.0/8'), { bytes: [10, 0, 0, 0], bits: 8 });
  for (const none of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/x', '10.0.0.0/8/8', '/8'])
    assert.equal(parseCidr(none), undefined, none);
});

const places: readonly (readonly [sources: string[], ip: string, inside: boolean])[] = [
  [[], 'anywhere', true],
  [['10.0.0.0/8'], '10.255.0.1', true],
  [['10.0.0.0/8'], '11.0.0.1', false],
  [['10.0.0.0/8', '192.168.1.128/25'], '192.168.1.200', true],
  [['192.168.1.128/25'], '192.168.1.100', false],
  [['0.0.0.0/0'], '::1', false],
  [['2001:db8::/32'], '2001:db8:1::5', true],
  [['2001:db8::/32'], '2001:db9::5', false],
  [['127.0.0.1/32'], '::ffff:127.0.0.1', true],
  [['127.0.0.1/32'], '', false],
];

for (const [sources, ip, inside] of places) {
  test(`${ip || 'no address'} is ${inside ? 'inside' : 'outside'} of ${JSON.stringify(sources)}`, () => {
    assert.equal(isFromAllowedPlace({ sources }, ip), inside);
  });
}

const hours: readonly (readonly [start: string, end: string, hour: number, left: number | undefined])[] = [
  ['09:00:00', '17:00:00', 12, 5],
  ['09:00:00', '17:00:00', 8, undefined],
  ['09:00:00', '17:00:00', 9, undefined],
  ['22:00:00', '06:00:00', 23, 7],
  ['22:00:00', '06:00:00', 5, 1],
  ['22:00:00', '06:00:00', 12, undefined],
];

for (const [start, end, hour, left] of hours) {
  test(`between ${start} and ${end} at ${hour} o'clock ${left === undefined ? 'nobody is in' : `${left} hours are left`}`, () => {
    const ms = allowedForMs({ times: [{ start, end }], timeZone: 'UTC' }, at(hour));
    assert.equal(ms, left === undefined ? undefined : left * HOUR);
  });
}

test('of several ranges the longest counts; without any there is no end', () => {
  const times = [
    { start: '09:00:00', end: '13:00:00' },
    { start: '11:00:00', end: '15:00:00' },
  ];
  assert.equal(allowedForMs({ times, timeZone: 'UTC' }, at(12)), 3 * HOUR);
  assert.equal(allowedForMs({ times: [], timeZone: '' }, at(12)), Infinity);
});

test('the hours are those of the zone', () => {
  const times = [{ start: '09:00:00', end: '17:00:00' }];
  assert.equal(allowedForMs({ times, timeZone: 'Asia/Tokyo' }, at(2)), 6 * HOUR);
  assert.equal(allowedForMs({ times, timeZone: 'Asia/Tokyo' }, at(12)), undefined);
});
