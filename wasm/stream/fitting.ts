// Walks over the messages of a stream in order, so many at a time, that count or delete those whose subjects match a filter: for
// purges that take too long for one turn. A walk is a sequence to go on from, and holds whatever else happens to the stream
// between its steps.

import { subjectFits } from '../index/filter';
import { Segment, entryLeaf } from '../index/segment';
import { foundAt, foundSegment, foundSequence, nextLive } from '../index/sequences';
import { Leaf, leafSubject } from '../index/subjects';
import { deleteMessage } from './delete';
import { stagedFull } from './runs';
import { Stream, sequencesOf } from './stream';

let reached: u64 = 0;

/** Where to go on from behind the last step; 0: it came to its end. */
export function walkReached(): u64 {
  return reached;
}

/** The next message from `from` on, below `below`. 0: there is none, or the index does not know. */
function next(stream: Stream, from: u64, below: u64): u64 {
  const index = sequencesOf(stream);
  if (!stream.messages || !nextLive(index, from) || index.lost) return 0;
  return foundSequence() < below ? foundSequence() : 0;
}

/** Whether the subject of the message found last matches. */
function fits(filter: usize, length: u32): bool {
  const leaf = changetype<Leaf>(entryLeaf(changetype<Segment>(foundSegment), foundAt));
  return subjectFits(filter, length, leafSubject(leaf), leaf.length);
}

/** Counts those that match among the next `looked` messages from `from` on, below `below`, up to `most`. */
export function countFitting(stream: Stream, filter: usize, length: u32, from: u64, below: u64, looked: u32, most: u64): u64 {
  let count: u64 = 0;
  let at = from;
  for (let left = looked; left && count < most; left--) {
    const sequence = next(stream, at, below);
    if (!sequence) {
      reached = 0;
      return count;
    }
    at = sequence + 1;
    if (fits(filter, length)) count++;
  }
  reached = at;
  return count;
}

/** Deletes those that match among the same messages; it looks at fewer where too much waits to be written. */
export function deleteFitting(stream: Stream, filter: usize, length: u32, from: u64, below: u64, looked: u32): u64 {
  let count: u64 = 0;
  let at = from;
  for (let left = looked; left && !stagedFull(stream); left--) {
    const sequence = next(stream, at, below);
    if (!sequence) {
      reached = 0;
      return count;
    }
    at = sequence + 1;
    if (fits(filter, length) && deleteMessage(stream, sequence)) count++;
  }
  reached = at;
  return count;
}
