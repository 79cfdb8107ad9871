// Whether the kernel's memory has room for one more message of a stream, with everything that grows by it: the piece it is
// staged in, the entries of the sequence index and the table of message ids, which doubles. Where it has none, ids that are
// old are forgotten first: nothing else asks for them while publishes are refused.

import { memoryShortFor } from '../lib/pages';
import { entriesGrowth } from '../index/sequences';
import { nowNs } from '../lib/time';
import { forgetOldIds, idsGrowth } from './ids';
import { RUN_LARGEST } from './runs';
import { Stream, sequencesOf } from './stream';

// @ts-ignore: decorator
@inline
function isShort(stream: Stream, bytes: usize): bool {
  return memoryShortFor(bytes + <usize>RUN_LARGEST + entriesGrowth(sequencesOf(stream)) + idsGrowth(stream));
}

/** Whether `bytes` more of records bring the memory's end near: then they are refused. */
export function lacksMemory(stream: Stream, bytes: usize): bool {
  if (!isShort(stream, bytes)) return false;
  forgetOldIds(stream, nowNs);
  return isShort(stream, bytes);
}
