// Atomic batches: publishes that share a `Nats-Batch-Id` are put aside until the last one commits them, then all of them are stored
// one behind the other or none is. A pure machine; time is handed in.
// Kept true: sequences within a batch count up from 1 without a gap, or the batch is given up.

import { apiError, type ApiError } from '../jetstream/errors.ts';

export interface BatchMember<T> {
  readonly message: T;
  readonly headers: ReadonlyMap<string, string>;
}

export type AbandonReason = 'timeout' | 'large' | 'incomplete' | 'unsupported';

export type BatchVerdict<T> =
  | { readonly is: 'staged' }
  /** `sealed`: the last member itself says that it commits. `aside`: so many come before the last, and are kept elsewhere. */
  | {
      readonly is: 'commit';
      readonly id: string;
      readonly members: readonly BatchMember<T>[];
      readonly sealed: boolean;
      readonly aside: number;
    }
  | {
      readonly is: 'refuse';
      readonly error: ApiError;
      readonly abandoned?: { readonly id: string; readonly reason: AbandonReason };
    };

/** How many batches and messages there may be. */
export interface BatchLimits {
  readonly perStream: number;
  readonly messages: number;
  /** Whether the server takes one more; called when one is about to begin. */
  hasRoom(): boolean;
  ended(): void;
}

interface OpenBatch<T> {
  readonly members: BatchMember<T>[];
  /** So many came behind the members, without being offered. */
  aside: number;
  lastAtMs: number;
}

const mostIdCharacters = 64;

export class AtomicBatches<T> {
  readonly #open = new Map<string, OpenBatch<T>>();
  readonly #limits: BatchLimits;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  /** When the one that was left longest was continued last; Infinity: none is open. */
  get oldestMs(): number {
    return [...this.#open.values()].reduce((oldest, { lastAtMs }) => Math.min(oldest, lastAtMs), Infinity);
  }

  /** Takes a publish that belongs to a batch. `isAboveLevel`: it asks for a higher API level than the server has. */
  offer(message: T, headers: ReadonlyMap<string, string>, isAboveLevel: boolean, nowMs: number): BatchVerdict<T> {
    const id = headers.get('Nats-Batch-Id') ?? '';
    if (id.length > mostIdCharacters) return refuse('AtomicPublishInvalidBatchIDErr');
    const text = headers.get('Nats-Batch-Sequence') ?? '';
    if (!/^\d{1,16}$/.test(text)) return refuse('AtomicPublishMissingSeqErr');
    const sequence = Number(text);
    const commit = headers.get('Nats-Batch-Commit');
    const size = commit === 'eob' ? sequence - 1 : sequence;
    const batch = this.#open.get(id) ?? this.#begin(id, sequence, size);
    if ('is' in batch) return batch;
    if (commit !== undefined && commit !== '1' && commit !== 'eob') {
      this.#end(id);
      return refuse('AtomicPublishInvalidBatchCommitErr');
    }
    if (isAboveLevel) return this.#giveUp(id, 'unsupported', apiError('RequiredApiLevelErr'));
    batch.lastAtMs = nowMs;
    if (sequence !== batch.members.length + batch.aside + 1 || size === 0)
      return this.#giveUp(id, 'incomplete', apiError('AtomicPublishIncompleteBatchErr'));
    if (size > this.#limits.messages) return this.#giveUp(id, 'large', this.#tooLarge());
    if (commit !== 'eob') batch.members.push({ message, headers });
    if (commit === undefined) return { is: 'staged' };
    this.#end(id);
    return { is: 'commit', id, members: batch.members, sealed: commit === '1', aside: batch.aside };
  }

  get ids(): Iterable<string> {
    return this.#open.keys();
  }

  /** How far a batch is; undefined: it is not open. */
  progress(id: string): number | undefined {
    const batch = this.#open.get(id);
    return batch === undefined ? undefined : batch.members.length + batch.aside;
  }

  /** So many were put aside since the last member, the last of them then; the next that is offered commits. */
  wentAside(id: string, count: number, atMs: number): void {
    const batch = this.#open.get(id);
    if (batch === undefined) return;
    batch.aside = count;
    batch.lastAtMs = Math.max(batch.lastAtMs, atMs);
  }

  /** What was put aside is here now. */
  cameBack(id: string, members: readonly BatchMember<T>[]): void {
    const batch = this.#open.get(id);
    if (batch === undefined) return;
    batch.aside = 0;
    batch.members.push(...members);
  }

  #tooLarge(): ApiError {
    return apiError('AtomicPublishTooLargeBatchErrF', { size: this.#limits.messages });
  }

  #begin(id: string, sequence: number, size: number): OpenBatch<T> | BatchVerdict<T> {
    if (sequence !== 1 && size > this.#limits.messages) return { is: 'refuse', error: this.#tooLarge() };
    if (sequence !== 1) return refuse('AtomicPublishIncompleteBatchErr');
    if (this.#open.size >= this.#limits.perStream || !this.#limits.hasRoom()) return refuse('AtomicPublishTooManyInflight');
    const fresh: OpenBatch<T> = { members: [], aside: 0, lastAtMs: 0 };
    this.#open.set(id, fresh);
    return fresh;
  }

  #end(id: string): void {
    if (this.#open.delete(id)) this.#limits.ended();
  }

  #giveUp(id: string, reason: AbandonReason, error: ApiError): BatchVerdict<T> {
    this.#end(id);
    return { is: 'refuse', error, abandoned: { id, reason } };
  }

  /** Gives up batches that nobody continued for so long; answers their ids. */
  expire(nowMs: number, idleMs: number): string[] {
    const idle = [...this.#open].filter(([, { lastAtMs }]) => nowMs - lastAtMs >= idleMs).map(([id]) => id);
    for (const id of idle) this.#end(id);
    return idle;
  }

  /** Ends all of them. */
  clear(): void {
    for (const id of [...this.#open.keys()]) this.#end(id);
  }
}

function refuse(id: Parameters<typeof apiError>[0]): { readonly is: 'refuse'; readonly error: ApiError } {
  return { is: 'refuse', error: apiError(id) };
}
