/** Turns samples into medians and ratios, and prints them as a table; the same numbers go to a JSON file. */
import type { Measure } from './workload.ts';

/** What one round of a workload on one server gave: measures, or why there are none. */
export type Sample = { readonly measures: readonly Measure[] } | { readonly lacking: string };

export interface Row {
  readonly workload: string;
  readonly measure: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly natsServer: number | null;
  readonly slipstream: number | null;
  /** Slipstream's value over nats-server's. */
  readonly ratio: number | null;
  readonly note?: string;
}

function median(values: readonly number[]): number | null {
  const sorted = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

function valuesOf(samples: readonly Sample[], measure: string): number[] {
  return samples.flatMap((sample) =>
    'measures' in sample ? sample.measures.filter(({ name }) => name === measure).map(({ value }) => value) : [],
  );
}

function lackingOf(name: string, samples: readonly Sample[]): string | undefined {
  const lacking = samples.find((sample) => 'lacking' in sample);
  return lacking !== undefined && 'lacking' in lacking ? `${name}: ${lacking.lacking}` : undefined;
}

export function rowsOf(workload: string, natsServer: readonly Sample[], slipstream: readonly Sample[]): Row[] {
  const measures = new Map<string, Measure>();
  for (const sample of [...natsServer, ...slipstream])
    if ('measures' in sample) for (const measure of sample.measures) measures.set(measure.name, measure);
  const notes = [lackingOf('nats-server', natsServer), lackingOf('Slipstream', slipstream)].filter((note) => note !== undefined);
  const note = notes.length === 0 ? {} : { note: notes.join('; ') };
  if (measures.size === 0)
    return [{ workload, measure: '', unit: '', better: 'more', natsServer: null, slipstream: null, ratio: null, ...note }];
  return [...measures.values()].map(({ name, unit, better }) => {
    const theirs = median(valuesOf(natsServer, name));
    const ours = median(valuesOf(slipstream, name));
    const ratio = theirs === null || ours === null || theirs === 0 ? null : ours / theirs;
    return { workload, measure: name, unit, better, natsServer: theirs, slipstream: ours, ratio, ...note };
  });
}

function shown(value: number | null, unit: string): string {
  if (value === null) return '-';
  const digits = value >= 1000 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${unit}`;
}

export function tableOf(rows: readonly Row[]): string {
  const header = ['workload', 'measure', 'nats-server', 'Slipstream', 'ratio', ''];
  const lines = rows.map((row) => [
    row.workload,
    row.measure,
    shown(row.natsServer, row.unit),
    shown(row.slipstream, row.unit),
    row.ratio === null ? '-' : `${row.ratio.toFixed(2)} ${row.ratio >= 1 === (row.better === 'more') ? 'better' : 'worse'}`,
    row.note ?? '',
  ]);
  const widths = header.map((title, column) => Math.max(title.length, ...lines.map((line) => (line[column] as string).length)));
  const laid = (line: readonly string[]): string =>
    line
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] as number) : cell.padStart(column < 5 ? (widths[column] as number) : 0),
      )
      .join('  ');
  return [
    laid(header),
    widths
      .slice(0, 5)
      .map((width) => '-'.repeat(width))
      .join('  '),
    ...lines.map(laid),
  ]
    .map((line) => line.trimEnd())
    .join('\n');
}
