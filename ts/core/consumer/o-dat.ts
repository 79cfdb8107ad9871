// The file o.dat: what a consumer remembers over a restart, in the form nats-server reads and writes (version 2; version 1 is read).
//
//   u8 22, u8 version
//   uvarint ack floor consumer, ack floor stream, delivered consumer, delivered stream
//   uvarint pending; if any: varint base seconds, then each: uvarint stream - floor, uvarint consumer - floor, varint base - seconds
//   uvarint redelivered; each: uvarint stream - floor, uvarint count
//
// What lies below the floor (a message given up, or one delivered before what was acknowledged) has a difference below zero: those are
// written modulo 2^64, in ten bytes.
//
// Version 1 has `delivered` relative to the floor, no consumer sequence with a pending one, and time = base + value.

export interface SequencePair {
  readonly consumer: number;
  readonly stream: number;
}

/** What o.dat keeps: sequences, and times in whole seconds since 1970. */
export interface ConsumerState {
  readonly ackFloor: SequencePair;
  readonly delivered: SequencePair;
  readonly pending: readonly { readonly stream: number; readonly consumer: number; readonly seconds: number }[];
  readonly redelivered: readonly { readonly stream: number; readonly count: number }[];
}

const magic = 22;
const version = 2;

export function encodeConsumerState(state: ConsumerState, nowSeconds: number): Uint8Array {
  const out: number[] = [magic, version];
  const { ackFloor, delivered, pending, redelivered } = state;
  for (const value of [ackFloor.consumer, ackFloor.stream, delivered.consumer, delivered.stream, pending.length])
    putUnsigned(out, value);
  if (pending.length > 0) putSigned(out, nowSeconds);
  for (const { stream, consumer, seconds } of pending) {
    putOffset(out, stream - ackFloor.stream);
    putOffset(out, consumer - ackFloor.consumer);
    putSigned(out, nowSeconds - seconds);
  }
  putUnsigned(out, redelivered.length);
  for (const { stream, count } of redelivered) {
    putOffset(out, stream - ackFloor.stream);
    putUnsigned(out, count);
  }
  return Uint8Array.from(out);
}

/** Undefined: not a state this server can read. Bytes behind the state are ignored. */
export function decodeConsumerState(bytes: Uint8Array): ConsumerState | undefined {
  if (bytes[0] !== magic || (bytes[1] !== 1 && bytes[1] !== version)) return undefined;
  const cursor: Cursor = { bytes, at: 2, bad: false };
  const old = bytes[1] === 1;
  const ackFloor = { consumer: unsigned(cursor), stream: unsigned(cursor) };
  const delivered = { consumer: unsigned(cursor), stream: unsigned(cursor) };
  if (old) {
    if (ackFloor.consumer > 1) delivered.consumer += ackFloor.consumer - 1;
    if (ackFloor.stream > 1) delivered.stream += ackFloor.stream - 1;
  }
  const pending: { stream: number; consumer: number; seconds: number }[] = [];
  const count = unsigned(cursor);
  const base = count > 0 ? signed(cursor) : 0;
  for (let index = 0; index < count && !cursor.bad; index++) {
    const stream = offset(cursor) + ackFloor.stream;
    const consumer = old ? 0 : offset(cursor) + ackFloor.consumer;
    const seconds = old ? base + signed(cursor) : base - signed(cursor);
    pending.push({ stream, consumer, seconds });
  }
  const redelivered: { stream: number; count: number }[] = [];
  const again = unsigned(cursor);
  for (let index = 0; index < again && !cursor.bad; index++) {
    redelivered.push({ stream: offset(cursor) + ackFloor.stream, count: unsigned(cursor) });
  }
  return cursor.bad ? undefined : { ackFloor, delivered, pending, redelivered };
}

interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  bad: boolean;
}

/** Seven bits a byte: the first seven bytes hold the low half, the three behind them the high one. */
const lowHalf = 2 ** 49;
const highHalf = 2 ** 15;

function putUnsigned(out: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  out.push(rest);
}

function putOffset(out: number[], value: number): void {
  if (value >= 0) return putUnsigned(out, value);
  const high = Math.floor(value / lowHalf);
  let low = value - high * lowHalf;
  for (let index = 0; index < 7; index++) {
    out.push((low % 0x80) | 0x80);
    low = Math.floor(low / 0x80);
  }
  putUnsigned(out, high + highHalf);
}

function putSigned(out: number[], value: number): void {
  putUnsigned(out, value < 0 ? -value * 2 - 1 : value * 2);
}

/** A number of 64 bits; `signed`: those of the upper half are below zero. */
function bits64(cursor: Cursor, signed: boolean): number {
  let low = 0;
  let high = 0;
  for (let index = 0, scale = 1; ; index++, scale *= 0x80) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined || index === 10 || (index === 9 && byte > 1)) {
      cursor.bad = true;
      return 0;
    }
    if (index < 7) low += (byte & 0x7f) * scale;
    else high += (byte & 0x7f) * (scale / lowHalf);
    if (byte < 0x80) break;
  }
  const value = (signed && high >= highHalf / 2 ? high - highHalf : high) * lowHalf + low;
  if (Number.isSafeInteger(value)) return value;
  cursor.bad = true;
  return 0;
}

function unsigned(cursor: Cursor): number {
  return bits64(cursor, false);
}

function offset(cursor: Cursor): number {
  return bits64(cursor, true);
}

function signed(cursor: Cursor): number {
  const value = unsigned(cursor);
  return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
}
