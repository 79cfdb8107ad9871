// Whether the kernel's memory has room for one more message of a stream, with everything that grows by it: the piece it is
// staged in, the entries of the sequence index and the table of message ids, which both double.

import { memoryShortFor } from '../lib/pages';
import { entriesGrowth } from '../index/sequences';
import { idsGrowth } from './ids';
import { RUN_LARGEST } from './runs';
import { Stream, sequencesOf } from './stream';

/** Whether `bytes` more of records bring the memory's end near: then they are refused. */
export function lacksMemory(stream: Stream, bytes: usize): bool {
  return memoryShortFor(bytes + <usize>RUN_LARGEST + entriesGrowth(sequencesOf(stream)) + idsGrowth(stream));
}
