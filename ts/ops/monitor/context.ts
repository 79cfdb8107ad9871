// What every monitoring document is made from, and the few conversions all of them share. Documents are pure functions of this context
// and their options, so that the HTTP endpoints and, later, the system account's requests build the same ones.

import { formatDuration, formatInstant } from '../../core/jetstream/instant.ts';
import type { EngineView, Instant } from '../../engine/snapshot.ts';
import type { SliceClock } from '../../lib/in-slices.ts';
import type { JsonInput } from '../../lib/json-text.ts';
import type { ProcessPort } from '../../ports/process.ts';

export interface MonitorContext {
  readonly view: EngineView;
  readonly process: ProcessPort;
  /** Requests answered so far by path, as varz shows them. */
  readonly requests: ReadonlyMap<string, number>;
  /** For documents that take long to write. */
  readonly slices: SliceClock;
}

export type Document = Readonly<Record<string, JsonInput | undefined>>;

/** Absent instead of zero, empty or false: what Go calls omitempty. */
export function unlessEmpty<T extends JsonInput>(value: T | undefined): T | undefined {
  if (value === undefined || value === null || value === 0 || value === 0n || value === '' || value === false) return undefined;
  if (Array.isArray(value) && value.length === 0) return undefined;
  return typeof value === 'object' && Object.keys(value).length === 0 ? undefined : value;
}

/** Milliseconds as the integer nanoseconds that documents carry; a bigint only where a number would not be exact. */
export function nanoseconds(ms: number): number | bigint {
  const nanos = Math.round(ms * 1e6);
  return Number.isSafeInteger(nanos) ? nanos : BigInt(nanos);
}

export function seconds(ms: number): number {
  return ms / 1000;
}

export function instantText(at: Instant): string {
  return formatInstant(at);
}

/** `1.58755ms`, below a millisecond whole microseconds; `0s` before the first PONG. */
export function roundTripText(ms: number | undefined): string {
  if (ms === undefined || ms <= 0) return '0s';
  const isCut = ms > 0.001 && ms < 1;
  return formatDuration(BigInt(nanoseconds(isCut ? Math.floor(ms * 1000) / 1000 : ms)));
}

const day = 24 * 3600;
const year = 365 * day;

/** Whole seconds between two instants as `1y2d3h4m5s`, leading zero units left out. */
export function elapsedText(from: Instant, to: Instant): string {
  const total = Math.max(0, Math.trunc(to.seconds - from.seconds + (to.nanos - from.nanos) / 1e9));
  const parts = [
    [Math.floor(total / year), 'y'],
    [Math.floor((total % year) / day), 'd'],
    [Math.floor((total % day) / 3600), 'h'],
    [Math.floor((total % 3600) / 60), 'm'],
    [total % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first < 0 ? -1 : first)
    .map(([count, unit]) => `${count}${unit}`)
    .join('');
}

/** Seconds between two instants, with the fraction. */
export function elapsedSeconds(from: Instant, to: Instant): number {
  return to.seconds - from.seconds + (to.nanos - from.nanos) / 1e9;
}
