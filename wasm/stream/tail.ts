// The end of a stream's last block: where the next record goes, and the tombstones that go there.

import { pushEvent } from '../lib/ring';
import { RECORD_EMPTY, TOMBSTONE, frameEmpty } from '../record/record';
import { EVENT_STREAM_DIRTY } from './events';
import { noteTombstone, stage } from './runs';
import { DIRTY, Stream, setTail, tailKey } from './stream';

/** Tells the host once that the stream has something to write. */
export function markStreamDirty(stream: Stream): void {
  if (stream.flags & DIRTY) return;
  const words = pushEvent(EVENT_STREAM_DIRTY, 1);
  if (!words) return;
  store<u32>(words, stream.tag);
  stream.flags |= DIRTY;
}

/** Begins the next block when the record does not fit the tail block any more. */
export function makeRoom(stream: Stream, length: u32): void {
  if (stream.offset && stream.offset + length > stream.blockLimit) setTail(stream, stream.block + 1, 0);
}

/** Writes a tombstone for a sequence. */
export function writeTombstone(stream: Stream, sequence: u64, time: i64): void {
  makeRoom(stream, RECORD_EMPTY);
  frameEmpty(stage(stream, RECORD_EMPTY), tailKey(stream), sequence | TOMBSTONE, time);
  if (sequence == stream.last) stream.lastBlock = stream.block;
  noteTombstone(stream);
  markStreamDirty(stream);
}
