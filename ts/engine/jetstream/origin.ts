// The port between a mirror or source and the stream it takes from. A stream of the same account is read straight from its store
// (upstream.ts); one of another account or domain is asked for (external.ts).
// Kept true: an origin shows what is synced and nothing beyond; it tells its followers when it goes.

import type { StreamSource } from '../../core/jetstream/stream-config.ts';
import type { StreamStore } from '../store/store.ts';

/** The account in which a stream asks for an origin elsewhere and listens to it. */
export interface Asker {
  readonly number: number;
  unique(length: number): string;
}

export type OriginStore = Pick<StreamStore, 'syncedSeq' | 'state' | 'nextSeq' | 'get' | 'seqAtTime' | 'countPending'>;

export interface OriginFollower {
  /** More messages may be shown. */
  synced(): void;
  /** The origin is being closed: nothing of it may be touched any more. */
  gone(): void;
  /** Whether the follower has still to take this message: streams that keep messages for consumers keep it. */
  needs(seq: number, subject: string): boolean;
}

export interface Origin {
  readonly store: OriginStore;
  follow(follower: OriginFollower): void;
  unfollow(follower: OriginFollower): void;
  /** A follower has these on disk. */
  release(seqs: readonly number[]): void;
}

export interface Origins {
  /** Where a stream asks whose origin is not served here; undefined: it is. */
  asker(source: StreamSource): Asker | undefined;
  /** Undefined: there is no such stream (yet). */
  find(source: StreamSource): Origin | undefined;
}
