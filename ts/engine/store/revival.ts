// How streams go on after a fault of the disk, without a restart: now and then a stream tries whether the disk takes a file again; then it is
// read anew from what is on disk, as at a start, and writes on.
//
// What stays true: what was stored stays readable until the new reading has come to its end; descriptors whose sync failed are never synced
// again; what follows a failed sync begins in a new block, behind one whose promised part was synced by a new descriptor.

import { streamFlag } from '../../kernel/streams.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Disk } from '../../ports/disk.ts';
import type { Log } from '../../ports/log.ts';
import type { FileStreamParts } from './file-stream-parts.ts';
import { recoverStream, scanFirst } from './recover.ts';
import type { BlockEnd } from './block.ts';
import { messageOf } from '../../lib/message-of.ts';

const probeName = 'slipstream.probe';
/** What must fit for a stream to go on. */
const PROBE_SIZE = 1 << 20;
const SHORTEST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
/** A stream that went well for so long starts again with the shortest wait. */
const CALM_MS = 120_000;

export interface Faulted {
  /** Where its blocks are. */
  readonly directory: string;
  /** Reads itself anew; rejects when that fails too. */
  revive(): Promise<void>;
}

interface Patience {
  waitMs: number;
  revivedAtMs: number;
  /** Why it could not go on, as the log has it. */
  problem: string;
}

export class Revival {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #turn: (work: () => void) => void;
  readonly #timers = new Map<Faulted, Timer>();
  readonly #patience = new WeakMap<Faulted, Patience>();

  constructor(disk: Disk, clock: Clock, log: Log, turn: (work: () => void) => void) {
    this.#disk = disk;
    this.#clock = clock;
    this.#log = log;
    this.#turn = turn;
  }

  /** A stream stopped writing. `isUrgent`: nothing is wrong with its files, and it is tried at once if it went well for long. */
  add(stream: Faulted, isUrgent = false): void {
    const before = this.#patience.get(stream);
    const isCalm = before === undefined || this.#clock.monotonicMs() - before.revivedAtMs > CALM_MS;
    const waitMs = isCalm ? SHORTEST_WAIT_MS : Math.min(LONGEST_WAIT_MS, before.waitMs * 2);
    this.#patience.set(stream, { waitMs, revivedAtMs: this.#clock.monotonicMs(), problem: '' });
    this.#wait(stream, isUrgent && isCalm ? 0 : waitMs);
  }

  #wait(stream: Faulted, waitMs: number): void {
    const timer = this.#clock.after(waitMs, () => {
      if (this.#timers.get(stream) !== timer) return;
      this.#turn(() => void this.#try(stream));
    });
    this.#timers.set(stream, timer);
  }

  async #try(stream: Faulted): Promise<void> {
    try {
      this.#probe(stream.directory);
      await stream.revive();
      const patience = this.#patience.get(stream);
      if (patience !== undefined) patience.revivedAtMs = this.#clock.monotonicMs();
    } catch (error) {
      this.#tell(stream, messageOf(error));
      if (this.#timers.has(stream)) this.#wait(stream, this.#patience.get(stream)?.waitMs ?? SHORTEST_WAIT_MS);
    }
  }

  /** The log has what stands against a stream when that is something else than before. */
  #tell(stream: Faulted, problem: string): void {
    const patience = this.#patience.get(stream);
    if (patience === undefined || patience.problem === problem) return;
    patience.problem = problem;
    this.#log.warn(`The stream in ${stream.directory} does not write yet: ${problem}`);
  }

  /** Throws a DiskFault as long as the disk does not take a file. */
  #probe(directory: string): void {
    const path = `${directory}/${probeName}`;
    try {
      this.#disk.writeWhole(path, new Uint8Array(PROBE_SIZE), true);
    } finally {
      this.#disk.remove(path);
    }
  }

  /** The store stops: nobody is waited for any more. */
  stop(): void {
    for (const stream of [...this.#timers.keys()]) this.forget(stream);
  }

  /** The stream is gone. */
  forget(stream: Faulted): void {
    this.#timers.get(stream)?.cancel();
    this.#timers.delete(stream);
  }
}

type Parts = Pick<FileStreamParts, 'handle' | 'disk' | 'jobs' | 'streams' | 'files' | 'directory' | 'reader' | 'log'>;

/** What was not promised shall not be there after the next start; the disk may refuse this too. */
export function cutBack({ files, log }: Parts, name: string, promised: BlockEnd): void {
  try {
    files.cutBack(promised);
  } catch (error) {
    log.error(`Stream '${name}': ${messageOf(error)}`);
  }
}

/**
 * Reads a stream anew up to what was promised, to go on there or, with `inNewBlock`, behind it. All blocks are scanned before anything is given
 * up; `isWanted` says whether the stream still is. False: it is not.
 */
export async function readAnew(
  { handle, disk, jobs, streams, files, directory, reader, log }: Parts,
  promised: BlockEnd,
  inNewBlock: boolean,
  isWanted: () => boolean,
): Promise<boolean> {
  files.letGo();
  files.cutBack(promised);
  const scanned = await scanFirst({ disk, jobs, log, kernel: streams }, directory);
  if (!isWanted()) return false;
  streams.exports.resetStream(handle);
  reader.forget();
  files.forget();
  const { block, offset } = await recoverStream({ disk, jobs: scanned, log, kernel: streams }, directory, files, handle);
  const isNew = inNewBlock && offset > 0;
  streams.exports.tailStream(handle, isNew ? block + 1 : block, isNew ? 0 : offset);
  streams.exports.flagStream(handle, 0, streamFlag.faulted);
  files.syncAgain();
  log.info(`Stream '${directory.name}' writes again: ${files.numbers().length} blocks were read anew`);
  return true;
}
