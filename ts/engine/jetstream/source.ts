// What a stream does with the messages of one of its sources: gives them sequences and times of its own, and a header that says where each came
// from. After a restart that header is the memory of how far the source was, and a file beside the stream for those of which no message is left.

import type { ApiError } from '../../core/jetstream/errors.ts';
import type { Instant } from '../../core/jetstream/instant.ts';
import { parseHeaders } from '../../core/jetstream/headers.ts';
import {
  configuredStart,
  sourcePlace,
  sourcedHeaders,
  withinOrigin,
  type OriginRange,
  type UpstreamPlan,
} from '../../core/stream/upstream.ts';
import type { StoredMessage } from '../store/store.ts';
import type { SourcingTarget } from './sourcing.ts';
import type { Intake } from './upstream.ts';

/** How many messages are looked at before others have their turn. */
const sliceMessages = 2000;

/** Looks backward through a stream for the last message of each source. */
export class PlaceSearch {
  readonly #target: SourcingTarget;
  readonly #wanted: Set<string>;
  readonly #places = new Map<string, number>();
  readonly #waiting: (() => void)[] = [];
  /**
   * For a source that no message is left of, where messages were removed: what its origin got before this may have been taken already. Undefined:
   * nothing was.
   */
  readonly since: Instant | undefined;
  #seq: number;
  #done = false;
  #cancelled = false;

  /** `isNew`: the sources were just added to a stream that runs. */
  constructor(target: SourcingTarget, identities: readonly string[], isNew: boolean) {
    this.#target = target;
    this.#wanted = new Set(identities);
    const { messages, firstSeq, lastSeq, numDeleted, firstTs, lastTs } = target.store.state;
    this.#seq = lastSeq;
    const isWhole = messages === lastSeq && firstSeq <= 1;
    this.since = isNew || isWhole ? undefined : messages > 0 && numDeleted === 0 ? firstTs : lastTs;
  }

  run(): void {
    if (this.#cancelled) return;
    const { store, ports } = this.#target;
    const { firstSeq } = store.state;
    for (let looked = 0; looked < sliceMessages && this.#seq >= Math.max(1, firstSeq) && this.#wanted.size > 0; looked++)
      this.#look(this.#seq--);
    if (this.#seq >= Math.max(1, firstSeq) && this.#wanted.size > 0)
      return void ports.clock.after(0, () => ports.door.soon(() => this.run()));
    this.#done = true;
    for (const call of this.#waiting.splice(0)) call();
  }

  #look(seq: number): void {
    const message = this.#target.store.get(seq);
    if (message === undefined || message.headers.length === 0) return;
    const place = sourcePlace(parseHeaders(message.headers));
    if (place === undefined) return;
    for (const identity of this.#wanted) {
      if (identity !== place.identity && identity.split(' ')[0] !== place.identity) continue;
      this.#places.set(identity, place.seq);
      this.#wanted.delete(identity);
    }
  }

  /** The origin's sequence of the last message taken from a source, 0 for none; undefined: `ready` is called when it is known. */
  placeOf(identity: string, ready: () => void): number | undefined {
    if (this.#done) return Math.max(this.#places.get(identity) ?? 0, this.#target.places.of(identity));
    this.#waiting.push(ready);
    return undefined;
  }

  cancel(): void {
    this.#cancelled = true;
  }
}

export class SourceIntake implements Intake {
  readonly #plan: UpstreamPlan;
  readonly #target: SourcingTarget;
  readonly #search: PlaceSearch;

  constructor(plan: UpstreamPlan, target: SourcingTarget, search: PlaceSearch) {
    this.#plan = plan;
    this.#target = target;
    this.#search = search;
  }

  start(origin: OriginRange, ready: () => void): number | undefined {
    const place = this.#search.placeOf(this.#plan.identity, ready);
    if (place === undefined) return undefined;
    if (place > 0) return withinOrigin(place + 1, origin);
    const start = configuredStart(this.#plan.source, origin);
    const since = this.#search.since;
    return since === undefined ? start : Math.max(start, withinOrigin(origin.seqAtTime(since), origin));
  }

  take({ seq, subject, headers, payload }: StoredMessage): ApiError | undefined {
    const fault = this.#target.storeSourced({
      subject: this.#target.subjectFor(this.#plan, subject),
      headers: sourcedHeaders(this.#plan, headers, seq, subject),
      payload,
    });
    if (fault === undefined) this.#target.places.taken(this.#plan.identity, seq);
    return fault;
  }

  whenSynced(call: () => void): void {
    this.#target.whenSynced(call);
  }
}
