// The metrics port: figures as a scraper asks for them, whatever exposition format carries them.

export interface MetricSample {
  /** One value for each label of the family, in its order. */
  readonly labels: readonly string[];
  readonly value: number;
}

export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly labels: readonly string[];
  readonly samples: readonly MetricSample[];
}

/** All families with their values of this moment; the same families at every call. */
export type MetricsSource = () => readonly MetricFamily[];
