// The metrics port: figures as a scraper asks for them, whatever exposition format carries them.

export interface MetricSample {
  /** One value for each label of the family, in its order. */
  readonly labels: readonly string[];
  readonly value: number;
}

/** Bounds, how many were at most as large as each, how many there were, and their sum. */
export interface MetricHistogram {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly count: number;
  readonly sum: number;
}

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly samples: readonly MetricSample[];
  /** Of a histogram, which has no samples. */
  readonly histogram?: MetricHistogram;
}

/** All families with their values, made as they are taken; the same families at every call. Undefined: more is to come. */
export type MetricsSource = () => Iterable<MetricFamily | undefined>;
