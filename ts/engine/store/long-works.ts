// The long works of one stream, in the steps that pieces.ts does them in: purging what is in front or very much of it, bringing it within limits
// that were lowered.
// While one is under way, nothing is shown of the stream.

import { streamFlag, type StreamKernel } from '../../kernel/streams.ts';
import type { FileStreamParts } from './file-stream-parts.ts';
import { FilteredPurge } from './filtered-purge.ts';
import { Pieces, type Steps } from './pieces.ts';
import type { PurgeRequest } from './store.ts';
import type { Visibility } from './visibility.ts';

/** Messages of one step: half a millisecond. */
const stepMessages = 1_000;

/** What works need of their stream. */
export interface WorkedOn {
  /** Messages were deleted. False: it writes no more. */
  deleted(): boolean;
  /** Limits removed messages. False: it writes no more. */
  limited(): boolean;
  /** Throws a StoreFault where its index does not know its messages. */
  known(): void;
  /** No work is under way any more: whoever waits for the disk may be told with the next round. */
  ended(): void;
  /** Its limit of messages a subject, as it begins; below 1: none. */
  readonly mostOfSubject: number;
}

/** The sequence below which a purge of what is in front deletes; undefined: it is another purge, or one of everything. */
function frontBound(handle: number, streams: StreamKernel, { filter = '', seq = 0, keep = 0 }: PurgeRequest): number | undefined {
  const { first, last } = streams.numbers(handle);
  if ((filter !== '' && filter !== '>') || (seq === 0 && keep === 0)) return undefined;
  if (keep === 0) return seq > last ? undefined : seq;
  let [low, high] = [first, last + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (streams.countOn(handle, [], middle) > keep) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class LongWorks extends Pieces {
  readonly #handle: number;
  readonly #streams: StreamKernel;
  readonly #visibility: Visibility;
  readonly #stream: WorkedOn;
  #mostOfSubject: number;

  constructor(parts: Pick<FileStreamParts, 'handle' | 'streams' | 'clock' | 'turn'>, visibility: Visibility, stream: WorkedOn) {
    super(parts, () => {
      visibility.hold(false);
      stream.ended();
    });
    this.#handle = parts.handle;
    this.#streams = parts.streams;
    this.#visibility = visibility;
    this.#stream = stream;
    this.#mostOfSubject = stream.mostOfSubject;
  }

  override begin(work: Steps): void {
    this.#visibility.hold(true);
    super.begin(work);
  }

  /** False: it is a purge that is done at once. */
  purge(request: PurgeRequest, purged: (count: number) => void): boolean {
    const bound = frontBound(this.#handle, this.#streams, request);
    if (bound !== undefined) {
      this.begin(this.#purgeFront(bound, purged));
      return true;
    }
    const filtered = new FilteredPurge(this.#handle, this.#streams, request);
    if (!filtered.isLong) return false;
    this.begin(this.#purgeFiltered(filtered, purged));
    return true;
  }

  *#purgeFiltered(filtered: FilteredPurge, purged: (count: number) => void): Steps {
    yield* filtered.steps((count) => {
      purged(count);
      return this.#stream.deleted();
    });
    this.#stream.known();
  }

  /** What is published meanwhile lies behind. */
  *#purgeFront(bound: number, purged: (count: number) => void): Steps {
    for (;;) {
      const step = this.#streams.purgeFront(this.#handle, bound, stepMessages);
      purged(step.purged);
      if (!this.#stream.deleted() || !step.more) return this.#stream.known();
      yield;
    }
  }

  /** Publishes leave what they find to this. `mostOfSubject` 0: no limit. */
  lowerLimits(mostOfSubject: number): void {
    const before = this.#mostOfSubject;
    this.#mostOfSubject = mostOfSubject;
    this.begin(this.#lowerLimits(mostOfSubject > 0 && (before <= 0 || mostOfSubject < before)));
  }

  *#lowerLimits(perSubject: boolean): Steps {
    const { exports } = this.#streams;
    exports.flagStream(this.#handle, streamFlag.trimmed, 0);
    try {
      for (let seq = perSubject ? 1 : 0; seq > 0; yield) {
        seq = exports.trimSubjects(this.#handle, seq, stepMessages);
        if (!this.#stream.deleted()) return;
      }
      while (exports.trimFront(this.#handle, stepMessages) === 0) {
        if (!this.#stream.limited()) return;
        yield;
      }
      this.#stream.limited();
    } finally {
      exports.flagStream(this.#handle, 0, streamFlag.trimmed);
    }
  }
}
