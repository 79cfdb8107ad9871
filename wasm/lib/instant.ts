// Instants as text: RFC 3339 in UTC, with as many fraction digits as are not zero.

import { copy, printDigits, printNumber } from './bytes';

const NANOS: i64 = 1000000000;
const DAY: i64 = 86400;
/** Days of 400 years, which repeat. */
const ERA: i64 = 146097;
/** From the first of March of the year 0 to 1970. */
const TO_1970: i64 = 719468;

// @ts-ignore: decorator
@inline
function two(to: usize, value: u32): usize {
  store<u8>(to, <u8>(0x30 + value / 10));
  store<u8>(to, <u8>(0x30 + (value % 10)), 1);
  return to + 2;
}

// @ts-ignore: decorator
@inline
function mark(to: usize, char: u8): usize {
  store<u8>(to, char);
  return to + 1;
}

/** Year, month and day of a count of days since 1970, counted in years that begin in March. */
function printDate(to: usize, days: i64): usize {
  const shifted = days + TO_1970;
  const era = shifted / ERA;
  const day = <u32>(shifted - era * ERA);
  const year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
  const ofYear = day - (365 * year + year / 4 - year / 100);
  const march = (5 * ofYear + 2) / 153;
  const month = march < 10 ? march + 3 : march - 9;
  const full = <u64>era * 400 + year + (month <= 2 ? 1 : 0);
  let at = to;
  for (let least: u64 = 1000; least > max(full, 1); least /= 10) at = mark(at, 0x30);
  at = printNumber(at, full);
  at = two(mark(at, 0x2d), month);
  return two(mark(at, 0x2d), ofYear - (153 * march + 2) / 5 + 1);
}

/** All nine digits, then without the zeros at their end. */
function printFraction(to: usize, nanos: u32): usize {
  let at = to + 10;
  store<u8>(to, 0x2e);
  printDigits(at, nanos, 9);
  while (load<u8>(at - 1) == 0x30) at--;
  return at;
}

/** The second printed last, and its text: instants that are printed one after the other share it. */
const text: usize = memory.data(32, 16);
let textLength: u32 = 0;
let textSecond: i64 = 0;

function printSecond(to: usize, seconds: i64): usize {
  const days = seconds / DAY;
  const ofDay = <u32>(seconds - days * DAY);
  let at = printDate(to, days);
  at = two(mark(at, 0x54), ofDay / 3600);
  at = two(mark(at, 0x3a), (ofDay / 60) % 60);
  return two(mark(at, 0x3a), ofDay % 60);
}

/** Writes an instant of nanoseconds since 1970, at most 35 bytes; returns where it ends. */
export function printInstant(to: usize, time: i64): usize {
  const seconds = time / NANOS;
  if (seconds != textSecond || !textLength) {
    textLength = <u32>(printSecond(text, seconds) - text);
    textSecond = seconds;
  }
  copy(to, text, textLength);
  let at = to + textLength;
  const nanos = <u32>(time - seconds * NANOS);
  if (nanos) at = printFraction(at, nanos);
  return mark(at, 0x5a);
}
