// A set of sequences as nats-server stores one: the nodes of a search tree in pre-order, each a bitmap of neighbouring sequences.
//
//   u8 22, u8 2, u32 nodes, u32 members
//   node: u64 base, 32 x u64 bits (bit i of word w is base + 64 w + i), u16 height; version 1 has 64 words
//
// Read and written as ranges: deletes come in stretches. What is written is a balanced tree, because readers insert the nodes in the order of
// the file and do not balance.

import type { Cursor } from './varint.ts';

/** Both ends included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

const MAGIC = 22;
const VERSION = 2;
const HEAD = 10;
const WORDS = 32;
const WORDS_OF_VERSION_1 = 64;
/** Sequences of a node. */
const SPAN = WORDS * 64;
const HEIGHT = 2;

function addBits(found: Range[], base: number, bits: number): void {
  for (let i = 0; i < 32; i++) {
    if (((bits >>> i) & 1) === 0) continue;
    const last = found.at(-1);
    if (last !== undefined && last.to === base + i - 1) found[found.length - 1] = { from: last.from, to: base + i };
    else found.push({ from: base + i, to: base + i });
  }
}

/** Joins ranges that touch; they come in any order. */
function joined(ranges: readonly Range[]): Range[] {
  const found: Range[] = [];
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = found.at(-1);
    if (last !== undefined && range.from <= last.to + 1)
      found[found.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
    else found.push(range);
  }
  return found;
}

/** Reads a set at the cursor, which is bad afterwards when there is none. */
export function readSequenceSet(cursor: Cursor): Range[] {
  const { bytes } = cursor;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const from = cursor.at;
  const version = bytes[from + 1] ?? 0;
  const words = version === 1 ? WORDS_OF_VERSION_1 : WORDS;
  const nodeSize = 8 + words * 8 + HEIGHT;
  const isSet = from + HEAD <= bytes.length && bytes[from] === MAGIC && version >= 1 && version <= VERSION;
  const nodes = isSet ? view.getUint32(from + 2, true) : 0;
  if (!isSet || from + HEAD + nodes * nodeSize > bytes.length) {
    cursor.bad = true;
    return [];
  }
  const found: Range[] = [];
  for (let node = 0; node < nodes; node++) {
    const at = from + HEAD + node * nodeSize;
    const base = Number(view.getBigUint64(at, true));
    for (let half = 0; half < words * 2; half++) {
      const bits = view.getUint32(at + 8 + half * 4, true);
      if (bits !== 0) addBits(found, base + half * 32, bits);
    }
  }
  cursor.at = from + HEAD + nodes * nodeSize;
  return joined(found);
}

/** The bitmaps of a set by their base. */
function bitmaps(ranges: readonly Range[]): Map<number, Uint32Array> {
  const found = new Map<number, Uint32Array>();
  for (const { from, to } of ranges) {
    for (let seq = from; seq <= to; seq++) {
      const base = seq - (seq % SPAN);
      let bits = found.get(base);
      if (bits === undefined) found.set(base, (bits = new Uint32Array(WORDS * 2)));
      const at = seq - base;
      bits[at >>> 5] = (bits[at >>> 5] ?? 0) | (1 << (at & 31));
    }
  }
  return found;
}

/** The set of all members of `ranges`, which rise and do not overlap. */
export function encodeSequenceSet(ranges: readonly Range[]): Uint8Array {
  const maps = bitmaps(ranges);
  const bases = [...maps.keys()].sort((a, b) => a - b);
  const nodeSize = 8 + WORDS * 8 + HEIGHT;
  const out = new Uint8Array(HEAD + bases.length * nodeSize);
  const view = new DataView(out.buffer);
  out[0] = MAGIC;
  out[1] = VERSION;
  view.setUint32(2, bases.length, true);
  view.setUint32(
    6,
    ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0),
    true,
  );
  let at = HEAD;
  /** Writes the nodes of a stretch of bases, the middle one first; returns the height. */
  const put = (low: number, high: number): number => {
    if (low >= high) return 0;
    const middle = (low + high) >> 1;
    const node = at;
    at += nodeSize;
    const base = bases[middle] ?? 0;
    view.setBigUint64(node, BigInt(base), true);
    maps.get(base)?.forEach((bits, half) => view.setUint32(node + 8 + half * 4, bits, true));
    const height = 1 + Math.max(put(low, middle), put(middle + 1, high));
    view.setUint16(node + 8 + WORDS * 8, height, true);
    return height;
  };
  put(0, bases.length);
  return out;
}
