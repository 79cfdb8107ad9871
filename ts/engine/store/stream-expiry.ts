// The expiry of one stream on disk: what it asks of the kernel's stream.

import { Expiry } from './expiry.ts';
import type { FileStreamParts } from './file-stream-parts.ts';
import type { Instant } from '../../ports/clock.ts';

/** `timeOf` says when a message was stored; `dropped` is called when messages went. */
export function expiryOf(
  { handle, clock, turn, streams }: Pick<FileStreamParts, 'handle' | 'clock' | 'turn' | 'streams'>,
  timeOf: (seq: number) => Instant | undefined,
  dropped: () => void,
): Expiry {
  const { exports } = streams;
  return new Expiry(clock, turn, {
    firstTime: () => {
      const { messages, first } = streams.numbers(handle);
      return messages > 0 ? timeOf(first) : undefined;
    },
    dropFirst: () => exports.dropFirst(handle),
    dropOlder: ({ seconds, nanos }, most) => exports.dropOlder(handle, seconds, nanos, most) !== 0,
    dropped,
  });
}
