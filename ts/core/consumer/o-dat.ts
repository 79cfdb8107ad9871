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

/** A consumer at work, as it is written: its messages are told one by one, for there may be a million. */
export interface LiveState {
  readonly ackFloor: SequencePair;
  readonly delivered: SequencePair;
  readonly pending: { readonly size: number; each(call: (stream: number, consumer: number, sentAtMs: number) => void): void };
  /** How often each of them went out again. */
  readonly redelivered: ReadonlyMap<number, number>;
}

const magic = 22;
const version = 2;
/** No number takes more. */
const numberBytes = 10;
/** What is in front of the messages. */
const headBytes = 8 * numberBytes;
const messageBytes = 3 * numberBytes;
/** What most messages take at most. */
const expectedBytes = 8;
/** Operators on bits see 31 of them: numbers from here on are divided. */
const smallNumbers = 2 ** 31;

/** In one pass over what is pending: half a million messages take 6 ms. */
export function encodeConsumerState({ ackFloor, delivered, pending, redelivered }: LiveState, nowSeconds: number): Uint8Array {
  const out = new Output(headBytes + (pending.size + redelivered.size) * expectedBytes);
  for (const value of [magic, version, ackFloor.consumer, ackFloor.stream, delivered.consumer, delivered.stream, pending.size])
    out.unsigned(value);
  if (pending.size > 0) out.signed(nowSeconds);
  pending.each((stream, consumer, sentAtMs) => {
    out.makeRoom();
    out.offset(stream - ackFloor.stream);
    out.offset(consumer - ackFloor.consumer);
    out.signed(nowSeconds - Math.floor(sentAtMs / 1000));
  });
  out.makeRoom();
  out.unsigned(redelivered.size);
  for (const [stream, count] of redelivered) {
    out.makeRoom();
    out.offset(stream - ackFloor.stream);
    out.unsigned(count);
  }
  return out.written();
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

/** Bytes being written. */
class Output {
  #bytes: Uint8Array;
  #at = 0;

  constructor(expected: number) {
    this.#bytes = new Uint8Array(expected);
  }

  /** Sees that what is written of a message fits. */
  makeRoom(): void {
    if (this.#at + messageBytes <= this.#bytes.length) return;
    const bytes = new Uint8Array(this.#bytes.length * 2);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
  }

  unsigned(value: number): void {
    let rest = value;
    for (; rest >= smallNumbers; rest = Math.floor(rest / 0x80)) this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
    let small = rest | 0;
    for (; small >= 0x80; small >>>= 7) this.#bytes[this.#at++] = (small & 0x7f) | 0x80;
    this.#bytes[this.#at++] = small;
  }

  offset(value: number): void {
    if (value >= 0) return this.unsigned(value);
    const high = Math.floor(value / lowHalf);
    let low = value - high * lowHalf;
    for (let index = 0; index < 7; index++) {
      this.#bytes[this.#at++] = (low % 0x80) | 0x80;
      low = Math.floor(low / 0x80);
    }
    this.unsigned(high + highHalf);
  }

  signed(value: number): void {
    this.unsigned(value < 0 ? -value * 2 - 1 : value * 2);
  }

  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }
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
