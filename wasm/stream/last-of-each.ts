// The last message of each subject that filters choose, as "last per subject" consumers begin with: their sequences, each once.
// A bit for each sequence puts them into order, which costs far less than sorting them; where sequences lie so far apart that the
// bits would take more memory than the list itself, they are left as they come.
//
//   ANSWER  u32 how many | u32 1: in order, each once

import { alloc, free } from '../lib/arena';
import { collectedList, dropCollected } from '../index/collected';
import { collectFilters } from '../index/filter';
import { foundSequence, previousOfLeaf } from '../index/sequences';
import { Leaf } from '../index/subjects';
import { ANSWER } from './query';
import { Stream, sequencesOf } from './stream';

/** So few are sorted by whoever asked. */
const FEW: u32 = 64;

/** Last sequences up to `upTo`, as f64 in a block of its own; ANSWER says how many and in which order. */
export function lastOfEach(stream: Stream, filters: usize, count: u32, upTo: u64): usize {
  const leaves = collectFilters(stream.subjects, filters, count);
  const found = collectedList();
  const list = alloc((<usize>max<u32>(leaves, 1)) << 3);
  let sequences: u32 = 0;
  let lowest: u64 = u64.MAX_VALUE;
  let highest: u64 = 0;
  for (let i: u32 = 0; i < leaves; i++) {
    const last = lastUpTo(stream, changetype<Leaf>(<usize>load<u32>(found + ((<usize>i) << 2))), upTo);
    if (!last) continue;
    store<f64>(list + ((<usize>sequences) << 3), <f64>last);
    lowest = min(lowest, last);
    highest = max(highest, last);
    sequences++;
  }
  dropCollected();
  const isDense = sequences > FEW && (highest - lowest) >> 6 <= <u64>sequences;
  if (isDense) sequences = order(list, sequences, lowest, highest);
  store<u32>(ANSWER, sequences);
  store<u32>(ANSWER, <u32>isDense, 4);
  return list;
}

/** Puts the sequences at `list` into order, each once; returns how many there are then. */
function order(list: usize, count: u32, lowest: u64, highest: u64): u32 {
  const words = <u32>((highest - lowest) >> 6) + 1;
  const bits = alloc((<usize>words) << 3);
  memory.fill(bits, 0, (<usize>words) << 3);
  const one: u64 = 1;
  for (let i: u32 = 0; i < count; i++) {
    const place = <u64>load<f64>(list + ((<usize>i) << 3)) - lowest;
    const word = bits + ((<usize>(place >> 6)) << 3);
    store<u64>(word, load<u64>(word) | (one << (place & 63)));
  }
  let to = list;
  for (let i: u32 = 0; i < words; i++) {
    const first = lowest + ((<u64>i) << 6);
    for (let rest = load<u64>(bits + ((<usize>i) << 3)); rest; rest &= rest - 1) {
      store<f64>(to, <f64>(first + ctz(rest)));
      to += 8;
    }
  }
  free(bits);
  return <u32>((to - list) >> 3);
}

/** The last sequence of a leaf at or below `upTo`, 0 for none. */
function lastUpTo(stream: Stream, leaf: Leaf, upTo: u64): u64 {
  if (leaf.last <= upTo) return leaf.last;
  if (leaf.first > upTo) return 0;
  return previousOfLeaf(sequencesOf(stream), upTo + 1, changetype<usize>(leaf)) ? foundSequence() : 0;
}
