// Where a new consumer begins in its stream, by its deliver policy.

import { filtersOf } from '../../core/consumer/check-config.ts';
import type { ConsumerStart } from '../../core/consumer/machine.ts';
import type { ConsumerConfig } from '../../core/jetstream/consumer-config.ts';
import type { StreamStore } from '../store/store.ts';

/** Where a new consumer begins in what its stream has. */
export function startOf(config: ConsumerConfig, store: StreamStore): ConsumerStart {
  const { firstSeq, lastSeq, messages } = store.state;
  const picks = config.deliver_policy === 'last_per_subject' ? store.lastSeqs(filtersOf(config), lastSeq) : undefined;
  if (picks !== undefined && picks.length > 0) return { firstSeq: picks[0] ?? 1, picks, resumeAfterSeq: lastSeq };
  if (config.opt_start_seq > 0) return { firstSeq: Math.max(config.opt_start_seq, firstSeq) };
  if (lastSeq === 0 && messages === 0) return { firstSeq: 1 };
  return { firstSeq: Math.max(firstSeq, Math.min(chosen(config, store, firstSeq, lastSeq), lastSeq + 1)) };
}

function chosen(config: ConsumerConfig, store: StreamStore, firstSeq: number, lastSeq: number): number {
  const filters = filtersOf(config);
  switch (config.deliver_policy) {
    case 'all':
      return firstSeq;
    case 'last':
      return filters.length === 0 ? lastSeq : Math.max(0, ...filters.map((filter) => store.lastBySubject(filter)?.seq ?? 0));
    case 'by_start_time':
      return config.opt_start_time === undefined ? firstSeq : store.seqAtTime(config.opt_start_time);
    case 'last_per_subject':
      return lastSeq;
    case 'new':
    case 'by_start_sequence':
      return lastSeq + 1;
  }
}
