// Bytes: copy, compare, hash and print, in the shapes the data path needs. Every buffer of the kernel is followed by at least
// SLACK readable bytes (layout.ts), so loads of 16 bytes may run past an end; stores may do so only where `copyOver` is used.

const K0: u64 = 0x9e3779b97f4a7c15;
const K1: u64 = 0xbf58476d1ce4e5b9;
const K2: u64 = 0x94d049bb133111eb;

let seed: u64 = 0x243f6a8885a308d3;
let randomState: u64 = 0x13198a2e03707344;

/** Sets the secret that hashing starts from (against chosen collisions) and the state of `randomBelow`. */
export function setSeed(low: u32, high: u32): void {
  seed = ((<u64>high) << 32) | (<u64>low);
  randomState = (seed * K0) | 1;
}

/** A uniform number below `limit` (xorshift64*; for queue picks, not for secrets). */
export function randomBelow(limit: u32): u32 {
  let x = randomState;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  randomState = x;
  return <u32>((((x * 0x2545f4914f6cdd1d) >> 32) * <u64>limit) >> 32);
}

/** A 64-bit hash of `length` bytes, keyed by the kernel's seed. */
export function hash64(at: usize, length: u32): u64 {
  let h = seed ^ (<u64>length * K0);
  let n = length;
  while (n > 8) {
    h = rotl<u64>((h ^ load<u64>(at)) * K1, 29);
    at += 8;
    n -= 8;
  }
  if (n) h = (h ^ (load<u64>(at) & ((<u64>-1) >> ((8 - <u64>n) << 3)))) * K1;
  h ^= h >> 31;
  h *= K2;
  return h ^ (h >> 30);
}

/** A 32-bit hash of one token, keyed by the kernel's seed: one multiplication for up to 8 bytes. */
// @ts-ignore: decorator
@inline
export function hashToken(at: usize, length: u32): u32 {
  if (length > 8) return <u32>(hash64(at, length) >> 16);
  const bytes = load<u64>(at) & ((<u64>-1) >> ((8 - <u64>length) << 3));
  const h = (bytes ^ seed ^ (<u64>length)) * K1;
  return (<u32>(h >> 32)) ^ (<u32>h);
}

/** Whether two ranges of `length` bytes are the same. */
export function equal(a: usize, b: usize, length: u32): bool {
  let n = length;
  while (n >= 8) {
    if (load<u64>(a) != load<u64>(b)) return false;
    a += 8;
    b += 8;
    n -= 8;
  }
  if (!n) return true;
  return (load<u64>(a) ^ load<u64>(b)) << ((8 - <u64>n) << 3) == 0;
}

/** Copies `length` bytes, ranges not overlapping, nothing touched beyond the end. */
// @ts-ignore: decorator
@inline
export function copy(to: usize, from: usize, length: usize): void {
  memory.copy(to, from, length);
}

/**
 * Copies `length` bytes in steps of 16 and may write up to 15 bytes more than that: only where what follows is still to be
 * written. Long ranges go to memory.copy, which is slower to start and faster to run.
 */
// @ts-ignore: decorator
@inline
export function copyOver(to: usize, from: usize, length: usize): void {
  if (length > 512) {
    memory.copy(to, from, length);
  } else {
    const end = to + length;
    while (to < end) {
      v128.store(to, v128.load(from));
      to += 16;
      from += 16;
    }
  }
}

const BILLION: u64 = 1000000000;
/** The two digits of each number below 100. */
const pairs: usize = memory.data(200);
let pairsMade: bool = false;

function makePairs(): void {
  for (let i: u32 = 0; i < 100; i++) {
    store<u8>(pairs + ((<usize>i) << 1), <u8>(0x30 + i / 10));
    store<u8>(pairs + ((<usize>i) << 1), <u8>(0x30 + (i % 10)), 1);
  }
  pairsMade = true;
}

/** Prints the last `digits` digits of `value` so that they end at `end`. */
export function printDigits(end: usize, value: u32, digits: u32): void {
  if (!pairsMade) makePairs();
  let at = end;
  while (digits >= 2) {
    const rest = value / 100;
    at -= 2;
    store<u16>(at, load<u16>(pairs + ((<usize>(value - rest * 100)) << 1)));
    value = rest;
    digits -= 2;
  }
  if (digits) store<u8>(at - 1, <u8>(0x30 + (value % 10)));
}

/** Prints `value` in decimal at `to`; returns the address behind it. */
export function printNumber(to: usize, value: u64): usize {
  if (value < 10) {
    store<u8>(to, <u8>(0x30 + value));
    return to + 1;
  }
  if (value >> 32 == 0) return printSmall(to, <u32>value);
  // Divisions of 64 bits are slow: one for each nine digits.
  const rest = value / BILLION;
  const end = printNumber(to, rest) + 9;
  printDigits(end, <u32>(value - rest * BILLION), 9);
  return end;
}

function printSmall(to: usize, value: u32): usize {
  let digits: u32 = value >= 10000 ? (value >= 1000000 ? 7 : 5) : value >= 100 ? 3 : 2;
  if (digits == 7) {
    while (digits < 10 && value >= powerOfTen(digits)) digits++;
  } else if (digits == 5 || digits == 3) {
    if (value >= powerOfTen(digits)) digits++;
  }
  printDigits(to + digits, value, digits);
  return to + digits;
}

// @ts-ignore: decorator
@inline
function powerOfTen(n: u32): u32 {
  let power: u32 = 1;
  for (let i: u32 = 0; i < n; i++) power *= 10;
  return power;
}

/**
 * Reads a decimal number of at most 9 digits. Returns -1 for anything else: no digits, other characters, more digits (as
 * nats-server).
 */
export function parseSize(at: usize, length: u32): i32 {
  if (length == 0 || length > 9) return -1;
  let value: i32 = 0;
  const end = at + length;
  while (at < end) {
    const digit = <u32>load<u8>(at++) - 0x30;
    if (digit > 9) return -1;
    value = value * 10 + <i32>digit;
  }
  return value;
}

/** Reads a decimal number up to 2^53; -1 for anything else. */
export function parseSequence(at: usize, length: u32): i64 {
  if (length == 0 || length > 16) return -1;
  let value: i64 = 0;
  const end = at + length;
  while (at < end) {
    const digit = <u32>load<u8>(at++) - 0x30;
    if (digit > 9) return -1;
    value = value * 10 + <i64>digit;
  }
  return value;
}
