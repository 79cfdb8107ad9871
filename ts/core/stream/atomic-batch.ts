// Atomic batches: publishes that share a `Nats-Batch-Id` are put aside until the last one commits them, then all of them are stored
// one behind the other or none is. A pure machine; time is handed in.
// Kept true: sequences within a batch count up from 1 without a gap, or the batch is given up.

import { apiError, type ApiError } from '../jetstream/errors.ts';

export interface BatchMember<T> {
  readonly message: T;
  readonly headers: ReadonlyMap<string, string>;
}

export type BatchVerdict<T> =
  | { readonly is: 'staged' }
  /** `sealed`: the last member itself says that it commits. */
  | { readonly is: 'commit'; readonly id: string; readonly members: readonly BatchMember<T>[]; readonly sealed: boolean }
  | {
      readonly is: 'refuse';
      readonly error: ApiError;
      readonly abandoned?: { readonly id: string; readonly reason: 'incomplete' | 'large' | 'unsupported' };
    };

interface OpenBatch<T> {
  readonly members: BatchMember<T>[];
  lastAtMs: number;
}

const mostIdCharacters = 64;
const mostMessages = 1000;
const mostOpen = 50;
const idleMs = 10_000;
const lastIdHeader = 'Nats-Expected-Last-Msg-Id';

export class AtomicBatches<T> {
  readonly #open = new Map<string, OpenBatch<T>>();

  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  /** Takes a publish that belongs to a batch. */
  offer(message: T, headers: ReadonlyMap<string, string>, nowMs: number): BatchVerdict<T> {
    const id = headers.get('Nats-Batch-Id') ?? '';
    if (id.length > mostIdCharacters) return refuse('AtomicPublishInvalidBatchIDErr');
    const sequence = headers.get('Nats-Batch-Sequence') ?? '';
    if (!/^[1-9]\d{0,15}$/.test(sequence)) return refuse('AtomicPublishMissingSeqErr');
    const commit = headers.get('Nats-Batch-Commit') ?? '';
    if (commit !== '' && commit !== '1' && commit !== 'eob')
      return this.#giveUp(id, 'unsupported', apiError('AtomicPublishInvalidBatchCommitErr'));
    const batch = this.#at(id, Number(sequence));
    if ('is' in batch) return batch;
    if (commit !== 'eob') batch.members.push({ message, headers });
    if (batch.members.length > mostMessages)
      return this.#giveUp(id, 'large', apiError('AtomicPublishTooLargeBatchErrF', { size: mostMessages }));
    batch.lastAtMs = nowMs;
    if (commit === '') return { is: 'staged' };
    if (batch.members.some((member) => member.headers.has(lastIdHeader))) {
      return this.#giveUp(id, 'unsupported', apiError('AtomicPublishUnsupportedHeaderBatchErr', { header: lastIdHeader }));
    }
    this.#open.delete(id);
    const ids = batch.members.map((member) => member.headers.get('Nats-Msg-Id') ?? '').filter((one) => one !== '');
    if (new Set(ids).size < ids.length) return refuse('AtomicPublishContainsDuplicateMessageErr');
    return { is: 'commit', id, members: batch.members, sealed: commit === '1' };
  }

  /** The batch that this sequence continues, opened when it is the first. */
  #at(id: string, sequence: number): OpenBatch<T> | BatchVerdict<T> {
    const batch = this.#open.get(id);
    if (batch !== undefined && sequence === batch.members.length + 1) return batch;
    if (batch !== undefined && sequence > 1) return this.#giveUp(id, 'incomplete', apiError('AtomicPublishIncompleteBatchErr'));
    if (sequence > 1) return refuse('AtomicPublishIncompleteBatchErr');
    if (batch === undefined && this.#open.size >= mostOpen) return refuse('AtomicPublishTooManyInflight');
    const fresh: OpenBatch<T> = { members: [], lastAtMs: 0 };
    this.#open.set(id, fresh);
    return fresh;
  }

  #giveUp(id: string, reason: 'incomplete' | 'large' | 'unsupported', error: ApiError): BatchVerdict<T> {
    this.#open.delete(id);
    return { is: 'refuse', error, abandoned: { id, reason } };
  }

  /** Gives up batches that nobody continued; answers their ids. */
  expire(nowMs: number): string[] {
    const idle = [...this.#open].filter(([, { lastAtMs }]) => nowMs - lastAtMs >= idleMs).map(([id]) => id);
    for (const id of idle) this.#open.delete(id);
    return idle;
  }
}

function refuse(id: Parameters<typeof apiError>[0]): { readonly is: 'refuse'; readonly error: ApiError } {
  return { is: 'refuse', error: apiError(id) };
}
