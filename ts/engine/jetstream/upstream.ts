// Follows one origin for one stream: takes its synced messages in order, waits for room, and goes on where it was when the origin comes back.
// What is done with a message is the intake's business (mirror.ts, source.ts).
// Messages are taken as they come, before those taken earlier are on disk: limits may remove them from the origin by then.
// Kept true: what is taken and not on disk is bounded; an origin that keeps messages for us may drop one only when our copy is on disk.

import type { Document } from '../../core/jetstream/schema.ts';
import { apiError, type ApiError } from '../../core/jetstream/errors.ts';
import { Contact } from '../../core/stream/contact.ts';
import { withinOrigin, type OriginRange, type UpstreamPlan } from '../../core/stream/upstream.ts';
import type { Timer } from '../../ports/clock.ts';
import type { StoredMessage } from '../store/store.ts';
import type { Origin, OriginFollower, Origins } from './origin.ts';
import type { JetStreamPorts } from './ports.ts';
import { isFault } from './request.ts';
import { messageOf } from '../../lib/message-of.ts';

/** So much may be taken and not on disk; a message more than these bytes at most. */
const mostMessages = 1000;
const mostBytes = 1 << 20;
/** How long a stream without room, or an origin that cannot be read, is left alone. */
const retryMs = 2000;

export interface Intake {
  /** Where to begin; undefined: not known yet, `ready` is called then. */
  start(origin: OriginRange, ready: () => void): number | undefined;
  /** Stores a message; the error says why it cannot be stored now. */
  take(message: StoredMessage): ApiError | undefined;
  whenSynced(call: () => void): void;
  /** The first sequence that comes, where only the origin could tell. */
  begun?(firstSeq: number): void;
}

interface Batch {
  readonly taken: readonly number[];
  readonly bytes: number;
  /** There may be more to take at once. */
  readonly more: boolean;
}

/** What a mirror or source tells in its stream's info. */
export function upstreamInfo({ source }: UpstreamPlan, lag: number, sinceMs: number, error: ApiError | undefined): Document {
  return {
    name: source.name,
    external: source.external,
    lag,
    active: sinceMs < 0 ? -1 : BigInt(Math.round(sinceMs * 1e6)),
    error: error === undefined ? undefined : { ...error },
    filter_subject: source.filter_subject === '' ? undefined : source.filter_subject,
    subject_transforms: source.subject_transforms.length === 0 ? undefined : source.subject_transforms,
  };
}

export class Upstream implements OriginFollower {
  readonly plan: UpstreamPlan;
  readonly #name: string;
  readonly #intake: Intake;
  readonly #origins: Origins;
  readonly #ports: JetStreamPorts;
  readonly #contact = new Contact();
  #origin: Origin | undefined;
  #error: ApiError | undefined;
  /** The next sequence to take; undefined until the start is known. */
  #nextSeq: number | undefined;
  /** Below this everything taken is on disk. */
  #safeSeq = 0;
  #unsyncedMessages = 0;
  #unsyncedBytes = 0;
  #stalled = false;
  #retry: Timer | undefined;
  #closed = false;

  constructor(plan: UpstreamPlan, name: string, intake: Intake, origins: Origins, ports: JetStreamPorts) {
    this.plan = plan;
    this.#name = name;
    this.#intake = intake;
    this.#origins = origins;
    this.#ports = ports;
  }

  /** Looks for the origin; called again whenever a stream appears. */
  attach(): void {
    if (this.#closed || this.#origin !== undefined) return;
    const origin = this.#origins.find(this.plan.source);
    this.#error = origin === undefined ? apiError('StreamNotFoundErr') : undefined;
    if (origin === undefined) return;
    this.#origin = origin;
    this.#contact.attached(this.#ports.clock.monotonicMs());
    origin.follow(this);
    this.#begin();
  }

  #begin(): void {
    const origin = this.#origin;
    if (origin === undefined || this.#closed) return;
    const { firstSeq, lastSeq } = origin.store.state;
    const range: OriginRange = { firstSeq, lastSeq, seqAtTime: (at) => origin.store.seqAtTime(at) };
    const known = this.#nextSeq;
    this.#nextSeq = known === undefined ? this.#intake.start(range, () => this.#begin()) : withinOrigin(known, range);
    if (this.#nextSeq === undefined) return;
    this.#safeSeq = this.#nextSeq;
    this.#ports.door.soon(() => this.#pump());
  }

  synced(): void {
    this.#pump();
  }

  gone(): void {
    this.#origin = undefined;
    this.#contact.lost(this.#ports.clock.monotonicMs());
    this.#error = apiError('StreamNotFoundErr');
  }

  needs(seq: number, subject: string): boolean {
    return (this.#nextSeq === undefined || seq >= this.#safeSeq) && this.plan.takes(subject);
  }

  /** The stream's configuration or content changed: if it waited for room, it tries again. */
  roomMade(): void {
    if (this.#retry === undefined) return;
    this.#retry.cancel();
    this.#retry = undefined;
    this.#ports.door.soon(() => this.#pump());
  }

  #pump(): void {
    const origin = this.#origin;
    if (origin === undefined || this.#nextSeq === undefined || this.#closed || this.#retry !== undefined) return;
    if (this.#unsyncedMessages >= mostMessages || this.#unsyncedBytes >= mostBytes) return;
    const { taken, bytes, more } = this.#takeBatch(origin, this.#nextSeq);
    if (taken.length === 0) {
      if (this.#unsyncedMessages === 0) this.#safeSeq = this.#nextSeq;
      return;
    }
    this.#contact.message(this.#ports.clock.monotonicMs());
    this.#unsyncedMessages += taken.length;
    this.#unsyncedBytes += bytes;
    const upTo = this.#nextSeq;
    this.#intake.whenSynced(() => {
      this.#unsyncedMessages -= taken.length;
      this.#unsyncedBytes -= bytes;
      if (this.#closed) return;
      this.#safeSeq = Math.max(this.#safeSeq, upTo);
      if (this.#origin === origin) origin.release(taken);
      if (more) this.#ports.clock.after(0, () => this.#ports.door.soon(() => this.#pump()));
      else this.#pump();
    });
  }

  #takeBatch({ store }: Origin, fromSeq: number): Batch {
    const { syncedSeq } = store;
    const taken: number[] = [];
    let bytes = 0;
    let next = fromSeq;
    const stop = (more: boolean): Batch => {
      this.#nextSeq = next;
      return { taken, bytes, more };
    };
    while (this.#unsyncedMessages + taken.length < mostMessages && this.#unsyncedBytes + bytes < mostBytes) {
      const found = this.#find(store, next);
      if (found === undefined) return stop(false);
      const { seq, message } = found;
      if (seq === 0 || seq > syncedSeq) {
        next = Math.max(next, syncedSeq + 1);
        return stop(false);
      }
      if (message === undefined) this.#ports.log.error(`${this.#name}: message ${seq} of its origin cannot be read, left out`);
      else {
        const full = this.#take(message);
        if (full !== undefined) {
          next = seq;
          this.#stall(full);
          return stop(false);
        }
        this.#stalled = false;
        taken.push(seq);
        bytes += message.headers.length + message.payload.length;
      }
      next = seq + 1;
    }
    return stop(true);
  }

  /** The next message to take; undefined: the origin does not know, and will say when it does. */
  #find(
    store: Origin['store'],
    fromSeq: number,
  ): { readonly seq: number; readonly message: StoredMessage | undefined } | undefined {
    try {
      const seq = store.nextSeq(this.plan.filters, fromSeq);
      return { seq, message: seq === 0 || seq > store.syncedSeq ? undefined : store.get(seq) };
    } catch (thrown) {
      if (isFault(thrown)) return undefined;
      throw thrown;
    }
  }

  #take(message: StoredMessage): ApiError | undefined {
    try {
      return this.#intake.take(message);
    } catch (thrown) {
      return apiError('StreamStoreFailedF', { err: messageOf(thrown) });
    }
  }

  #stall(why: ApiError): void {
    if (!this.#stalled) this.#ports.log.warn(`${this.#name} waits: ${why.description}`);
    this.#stalled = true;
    this.#retry = this.#ports.clock.after(retryMs, () => this.roomMade());
  }

  info(): Document {
    return upstreamInfo(this.plan, this.#lag(), this.#contact.sinceMs(this.#ports.clock.monotonicMs()), this.#error);
  }

  #lag(): number {
    if (this.#origin === undefined || this.#nextSeq === undefined) return 0;
    return this.#origin.store.countPending(this.plan.filters, this.#nextSeq);
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#origin?.unfollow(this);
    this.#origin = undefined;
  }
}
