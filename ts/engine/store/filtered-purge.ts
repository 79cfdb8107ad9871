// Purges of what a filter matches, where that is very much: message after message in the order of the stream, in the steps that pieces.ts does
// works in. How far it goes is a sequence; what is published meanwhile lies behind it. What is little, or is spread thin over a large stream, is
// not for this: the kernel finds it by its subjects, at once.
//
// What stays true: nothing goes that was not there when the purge was asked for, and with `keep` none of the newest there were then.

import { hasWildcard } from '../../core/subject/subject.ts';
import type { StreamKernel } from '../../kernel/streams.ts';
import type { Steps } from './pieces.ts';
import type { PurgeRequest } from './store.ts';

/** Fewer are purged at once, as are those that are less than one in `thin`. */
const many = 10_000;
const thin = 64;
/** Messages that are looked at in one step that deletes, half a millisecond; and in one that counts. */
const deletedStep = 1_000;
const countedStep = 5_000;
/** How many places of the stream are looked at before, and how many messages at each. */
const places = 32;
const sampledStep = 32;

export class FilteredPurge {
  readonly #handle: number;
  readonly #streams: StreamKernel;
  readonly #filter: string;
  readonly #keep: number;
  /** What is purged lies below this. */
  readonly #end: number;

  constructor(handle: number, streams: StreamKernel, { filter = '', seq = 0, keep = 0 }: PurgeRequest) {
    const end = streams.numbers(handle).last + 1;
    this.#handle = handle;
    this.#streams = streams;
    this.#filter = filter;
    this.#keep = keep;
    this.#end = seq > 0 && keep === 0 ? Math.min(seq, end) : end;
  }

  get isLong(): boolean {
    if (this.#filter === '' || this.#filter === '>') return false;
    const looked = this.#streams.countOn(this.#handle, [], this.#first) - this.#streams.countOn(this.#handle, [], this.#end);
    if (looked < many) return false;
    const matching = hasWildcard(this.#filter)
      ? looked * this.#matchingShare()
      : this.#streams.countOn(this.#handle, [this.#filter], this.#first);
    return matching >= many && matching * thin >= looked;
  }

  /** About how much of what it would look at matches, by a thousand messages at even distances: counting all takes too long. */
  #matchingShare(): number {
    let matching = 0;
    for (let place = 0; place < places; place++) {
      const from = this.#first + Math.floor(((this.#end - this.#first) * place) / places);
      matching += this.#count(from, this.#end, sampledStep, sampledStep);
    }
    return matching / (places * sampledStep);
  }

  get #first(): number {
    return Math.max(1, this.#streams.numbers(this.#handle).first);
  }

  /** `deleted` is told of each step, and says whether to go on. */
  *steps(deleted: (count: number) => boolean): Steps {
    const { exports } = this.#streams;
    const below = this.#keep > 0 ? yield* this.#keepBound() : this.#end;
    for (let from = this.#first; from > 0; yield) {
      const count = exports.purgeFitting(this.#handle, ...this.#streams.argument(this.#filter), from, below, deletedStep);
      from = exports.fittingReached();
      if (!deleted(count)) return;
    }
  }

  /** The sequence below which everything that matches goes. */
  *#keepBound(): Generator<void, number> {
    const parts: { readonly from: number; readonly to: number; readonly count: number }[] = [];
    for (let from = this.#first; from > 0; yield) {
      const count = this.#count(from, this.#end, countedStep, countedStep);
      const next = this.#streams.exports.fittingReached();
      parts.push({ from, to: next > 0 ? next : this.#end, count });
      from = next;
    }
    let missing = this.#keep;
    for (const { from, to, count } of parts.toReversed()) {
      if (count >= missing) return this.#behind(from, to, missing);
      missing -= count;
    }
    return 0;
  }

  /** Where in one part the last `wanted` that match begin: some may have gone since they were counted. */
  #behind(from: number, to: number, wanted: number): number {
    const more = this.#count(from, to, countedStep, countedStep) - wanted;
    if (more <= 0) return from;
    this.#count(from, to, countedStep, more);
    return this.#streams.exports.fittingReached();
  }

  /** How many match of the next `looked` messages, at most `most`. */
  #count(from: number, below: number, looked: number, most: number): number {
    const { exports } = this.#streams;
    return exports.countFitting(this.#handle, ...this.#streams.argument(this.#filter), from, below, looked, most);
  }
}
