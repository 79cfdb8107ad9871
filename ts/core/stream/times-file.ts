// `thw.db` and `sched.db`: when messages end by their TTL and when schedules come next, as nats-server keeps them beside the blocks.
//
//   u8 version 1 | u64 count | u64 stamp: sequences from here on are not in it | entries
//   entry of thw.db:    varint time | uvarint sequence
//   entry of sched.db:  u16 length | subject | varint time | uvarint sequence
//
// Times are nanoseconds since 1970. Kept true: a file that is not whole is none.

import type { placesFileName } from './places-file.ts';
import { nanosPerSecond, type Instant } from '../jetstream/instant.ts';

export type TimesFileName = 'thw.db' | 'sched.db';

/** What streams keep beside their blocks. */
export type BesideFileName = TimesFileName | typeof placesFileName;

export interface TimesEntry {
  readonly seq: number;
  readonly at: Instant;
  /** '' in thw.db. */
  readonly subject: string;
}

export interface TimesFile {
  readonly stamp: number;
  readonly entries: readonly TimesEntry[];
}

const headBytes = 17;
const version = 1;
const mostVarintBytes = 10;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeTimes(name: TimesFileName, { stamp, entries }: TimesFile): Uint8Array {
  const withSubjects = name === 'sched.db';
  const subjects = withSubjects ? entries.map(({ subject }) => encoder.encode(subject).subarray(0, 0xffff)) : [];
  const subjectBytes = subjects.reduce((sum, { length }) => sum + 2 + length, 0);
  const out = new Uint8Array(headBytes + entries.length * 2 * mostVarintBytes + subjectBytes);
  const view = new DataView(out.buffer);
  out[0] = version;
  view.setBigUint64(1, BigInt(entries.length), true);
  view.setBigUint64(9, BigInt(stamp), true);
  let at = headBytes;
  for (const [index, { seq, at: time }] of entries.entries()) {
    const subject = subjects[index];
    if (subject !== undefined) {
      view.setUint16(at, subject.length, true);
      out.set(subject, at + 2);
      at += 2 + subject.length;
    }
    const nanos = BigInt(time.seconds) * nanosPerSecond + BigInt(time.nanos);
    at = writeVarint(out, at, BigInt.asUintN(64, (nanos << 1n) ^ (nanos >> 63n)));
    at = writeVarint(out, at, BigInt(seq));
  }
  return out.subarray(0, at);
}

function writeVarint(out: Uint8Array, from: number, value: bigint): number {
  let at = from;
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) out[at++] = Number(rest & 0x7fn) | 0x80;
  out[at++] = Number(rest);
  return at;
}

class Reader {
  readonly bytes: Uint8Array;
  at = headBytes;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Undefined: the file ends before. */
  varint(): bigint | undefined {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) return undefined;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return undefined;
  }

  text(): string | undefined {
    const length = (this.bytes[this.at] ?? 0) | ((this.bytes[this.at + 1] ?? 0) << 8);
    const from = this.at + 2;
    this.at = from + length;
    return this.at > this.bytes.length ? undefined : decoder.decode(this.bytes.subarray(from, this.at));
  }
}

/** Undefined: it is not whole, or speaks of more sequences than the stream has left after a crash. */
export function decodeTimes(name: TimesFileName, bytes: Uint8Array, lastSeq: number): TimesFile | undefined {
  if (bytes.length < headBytes || bytes[0] !== version) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Number(view.getBigUint64(1, true));
  const stamp = Number(view.getBigUint64(9, true));
  if (stamp > lastSeq + 1) return undefined;
  const reader = new Reader(bytes);
  const entries: TimesEntry[] = [];
  while (entries.length < count) {
    const subject = name === 'sched.db' ? reader.text() : '';
    const zigzag = reader.varint();
    const seq = reader.varint();
    if (subject === undefined || zigzag === undefined || seq === undefined) return undefined;
    const nanos = (zigzag >> 1n) ^ -(zigzag & 1n);
    const seconds = nanos / nanosPerSecond;
    entries.push({ subject, seq: Number(seq), at: { seconds: Number(seconds), nanos: Number(nanos % nanosPerSecond) } });
  }
  return { stamp, entries };
}
