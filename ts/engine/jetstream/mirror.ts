// What a mirror does with its origin's messages: keeps them under their own sequences and times. Sequences its origin has no message for stay
// without one here too.

import type { ApiError } from '../../core/jetstream/errors.ts';
import {
  configuredStart,
  mirroredHeaders,
  withinOrigin,
  type OriginRange,
  type UpstreamPlan,
} from '../../core/stream/upstream.ts';
import type { StoredMessage } from '../store/store.ts';
import type { SourcingTarget } from './sourcing.ts';
import type { Intake } from './upstream.ts';

export class MirrorIntake implements Intake {
  readonly #plan: UpstreamPlan;
  readonly #target: SourcingTarget;

  constructor(plan: UpstreamPlan, target: SourcingTarget) {
    this.#plan = plan;
    this.#target = target;
  }

  start(origin: OriginRange): number {
    const { store } = this.#target;
    const { lastSeq } = store.state;
    const start = lastSeq === 0 ? configuredStart(this.#plan.source, origin) : withinOrigin(lastSeq + 1, origin);
    if (start - 1 > lastSeq) store.skip(start - 1);
    return start;
  }

  /** What came before is not the mirror's to have. */
  begun(firstSeq: number): void {
    const { store } = this.#target;
    if (store.lastSeq === 0 && firstSeq > 1) store.skip(firstSeq - 1);
  }

  take({ seq, subject, ts, headers, payload }: StoredMessage): ApiError | undefined {
    // An origin that was deleted and made anew begins with sequences the mirror has already.
    if (seq <= this.#target.store.lastSeq) return undefined;
    return this.#target.storeSourced({
      subject: this.#target.subjectFor(this.#plan, subject),
      headers: mirroredHeaders(headers),
      payload,
      ts,
      seq,
    });
  }

  whenSynced(call: () => void): void {
    this.#target.whenSynced(call);
  }
}
