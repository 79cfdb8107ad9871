// What one row of the metrics tables is: a figure's name, what it means, and where in a scrape it is read. Rows without labels give a number,
// rows with labels give one sample for each label set.

import type {
  AccountSnapshot,
  ConsumerSnapshot,
  JetStreamSnapshot,
  MatcherStats,
  ServerSnapshot,
  StreamSnapshot,
} from '../../engine/snapshot.ts';
import type { MetricHistogram, MetricSample } from '../../ports/metrics.ts';
import type { ProcessFacts } from '../../ports/process.ts';

/** Everything one scrape reads, taken once. */
export interface Scrape {
  readonly server: ServerSnapshot;
  readonly process: ProcessFacts;
  readonly matcher: MatcherStats | undefined;
  readonly accounts: readonly AccountSnapshot[];
  readonly pendingBytes: number;
  readonly healthy: boolean;
  readonly requests: ReadonlyMap<string, number>;
  readonly jetstream: JetStreamSnapshot | undefined;
  /** Those that have figures of their own. */
  readonly streams: readonly StreamInScrape[];
  /** How many have none, because they are too many. */
  readonly omitted: { readonly streams: number; readonly consumers: number };
}

export interface StreamInScrape {
  readonly account: string;
  readonly stream: Pick<StreamSnapshot, 'name' | 'state' | 'fault'>;
  readonly consumers: readonly ConsumerInScrape[];
}

export type ConsumerInScrape = Pick<ConsumerSnapshot, 'name' | 'info'>;

interface Named {
  readonly name: string;
  readonly help: string;
}

export interface HistogramRow extends Named {
  readonly type: 'histogram';
  readonly labels?: readonly [];
  readonly read: (scrape: Scrape) => MetricHistogram | undefined;
}

export interface FigureRow extends Named {
  readonly type: 'counter' | 'gauge';
  readonly labels?: readonly string[];
  readonly read: (scrape: Scrape) => number | readonly MetricSample[] | undefined;
}

export type MetricRow = FigureRow | HistogramRow;

/** A number inside a JSON document of the JetStream API; 0 where there is none. */
export function numberAt(document: unknown, ...path: readonly string[]): number {
  let at = document;
  for (const key of path) at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined;
  return typeof at === 'number' ? at : typeof at === 'bigint' ? Number(at) : 0;
}
