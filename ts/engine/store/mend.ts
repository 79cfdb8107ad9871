// Mending a block with damage in its middle: the damaged bytes are kept beside the block under a name that every reader ignores, and one
// erased record of their length takes their place, so that every reader, nats-server too, goes on behind them.

import type { StreamKernel } from '../../kernel/streams.ts';
import type { Disk } from '../../ports/disk.ts';
import type { Damage } from '../../ports/jobs.ts';
import type { BlockFiles } from './block-files.ts';

/** Length of the smallest record: shorter stretches cannot be filled. */
const SMALLEST = 30;
/** Sequences named in the stream's state as lost. */
const MOST_NAMED = 1000;

export interface Mended {
  /** Whether the block reads on behind the damage now. */
  readonly filled: boolean;
  /** Sequences that nothing else is known of: lost, unless they had been deleted. */
  readonly lost: readonly number[];
}

/** Sequences between the records around a damage. */
function lostBy({ before, behind }: Damage): number[] {
  const lost: number[] = [];
  if (before > 0) for (let seq = before + 1; seq < behind && lost.length < MOST_NAMED; seq++) lost.push(seq);
  return lost;
}

export function mend(disk: Disk, kernel: StreamKernel, stream: number, files: BlockFiles, block: number, damage: Damage): Mended {
  const { offset, length } = damage;
  const lost = lostBy(damage);
  if (length < SMALLEST) return { filled: false, lost };
  disk.replace(`${files.directory}/${block}.damaged-${offset}`, files.stored(block, offset, length), true);
  const at = kernel.take(length + SMALLEST);
  // Without a sequence of its own the record must not name one: it would delete that message.
  const sequence = lost.length > 0 ? damage.behind - 1 : 0;
  kernel.memory.bytes(at, length).fill(0);
  kernel.exports.frameErased(stream, block, at, length, sequence, 0, 0);
  files.patch(block, offset, kernel.memory.bytes(at, length));
  kernel.release(at);
  return { filled: true, lost };
}
