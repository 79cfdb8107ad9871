// An atomic batch that a crash cut short. Its members are written one after the other when it is committed, and acknowledged when all are
// synced; what a crash leaves of it is at the end of the stream, without the member that says `Nats-Batch-Commit`. That part goes.
//
// What stays true: only the message with the last sequence can be such a rest, so that deletes in a complete batch are not taken for one; the
// rest goes from its first member on, so that a crash on the way leaves a shorter rest.

import { parseHeaders } from '../../core/jetstream/headers.ts';
import type { StreamConfig } from '../../core/jetstream/stream-config.ts';
import type { StreamStore } from '../store/store.ts';

interface Member {
  readonly id: string;
  readonly place: number;
  readonly commits: boolean;
}

function memberAt(store: StreamStore, seq: number): Member | undefined {
  const message = store.get(seq);
  if (message === undefined || message.headers.length === 0) return undefined;
  const headers = parseHeaders(message.headers);
  const id = headers.get('Nats-Batch-Id');
  const place = Number(headers.get('Nats-Batch-Sequence') ?? 0);
  return id === undefined || !(place > 0) ? undefined : { id, place, commits: (headers.get('Nats-Batch-Commit') ?? '') !== '' };
}

/** Deletes what is left of a batch without its commit; returns how many messages went. */
export function dropTornBatch(store: StreamStore, config: StreamConfig): number {
  const { messages, lastSeq, firstSeq } = store.state;
  if (!config.allow_atomic || config.mirror !== undefined || config.sources.length > 0 || messages === 0) return 0;
  const last = memberAt(store, lastSeq);
  if (last === undefined || last.commits) return 0;
  const members: number[] = [];
  for (let seq = Math.max(firstSeq, lastSeq - last.place + 1); seq <= lastSeq; seq++) {
    if (memberAt(store, seq)?.id === last.id) members.push(seq);
  }
  for (const seq of members) store.delete(seq);
  return members.length;
}
