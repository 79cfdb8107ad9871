// What a stream on disk is made of: the kernel's stream, its files, and what it shares with all others of the store.

import type { Kernel } from '../../kernel/kernel.ts';
import type { StreamKernel } from '../../kernel/streams.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Disk } from '../../ports/disk.ts';
import type { Jobs } from '../../ports/jobs.ts';
import type { Log } from '../../ports/log.ts';
import type { BlockFiles } from './block-files.ts';
import type { IndexFile } from './cold-index.ts';
import type { Erasures } from './erasures.ts';
import type { Journal } from './journal/journal.ts';
import type { StreamReader } from './reader.ts';
import type { Revival } from './revival.ts';
import type { Rounds } from './rounds.ts';
import type { StreamDirectory } from './stream-directory.ts';
import type { Upkeep } from './upkeep.ts';

export interface FileStreamParts {
  readonly handle: number;
  readonly kernel: Kernel;
  readonly streams: StreamKernel;
  readonly files: BlockFiles;
  readonly directory: StreamDirectory;
  readonly index: IndexFile;
  readonly inMemory: boolean;
  readonly reader: StreamReader;
  readonly erasures: Erasures;
  readonly rounds: Rounds;
  /** What its rounds may go by way of. */
  readonly journal: Journal | undefined;
  readonly revival: Revival;
  readonly disk: Disk;
  readonly jobs: Jobs;
  readonly upkeep: Upkeep;
  readonly log: Log;
  readonly clock: Clock;
  readonly turn: (work: () => void) => void;
  readonly closed: () => void;
}
