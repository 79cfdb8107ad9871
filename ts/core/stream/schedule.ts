// Message schedules: a stored message with `Nats-Schedule` says when a message is to be published to its `Nats-Schedule-Target`, once or
// again and again. This reads the pattern, and makes the message that is published from the one that is stored.
//
//   @at 2026-11-23T05:00:00Z        once
//   @every 1h30m                    an interval of at least a second
//   0 30 9 * * mon-fri              six cron fields, in `Nats-Schedule-Time-Zone` or UTC; also @hourly, @daily and the like

import { addHeaders, parseHeaders, withoutHeaders } from '../jetstream/headers.ts';
import {
  compareInstants,
  formatInstant,
  nanosPerSecond,
  parseDuration,
  parseInstant,
  type Instant,
} from '../jetstream/instant.ts';
import { nextCron, parseCron, type ZoneOffset } from './cron.ts';
import { parseTtl } from './message-ttl.ts';
import { timeZone, utc } from './time-zone.ts';

type Headers = ReadonlyMap<string, string>;

export interface Firing {
  readonly at: Instant;
  readonly repeats: boolean;
  /** What the schedule's own zone is ahead of UTC then, in seconds. */
  readonly offset: number;
}

const named: Readonly<Record<string, string>> = {
  '@yearly': '0 0 0 1 1 *',
  '@annually': '0 0 0 1 1 *',
  '@monthly': '0 0 0 1 * *',
  '@weekly': '0 0 0 * * 0',
  '@daily': '0 0 0 * * *',
  '@midnight': '0 0 0 * * *',
  '@hourly': '0 0 * * * *',
};

/** Why a message's schedule cannot be followed. */
export type ScheduleFault = 'zone' | 'pattern';

/** When a message's schedule comes next behind `after`, never before `now`; undefined: it has none. */
export function nextFiring(headers: Headers, after: Instant, now: Instant): Firing | ScheduleFault | undefined {
  const zoneName = headers.get('Nats-Schedule-Time-Zone');
  const zone = zoneName === undefined || zoneName === '' ? undefined : timeZone(zoneName);
  if (zoneName !== undefined && zone === undefined) return 'zone';
  const pattern = headers.get('Nats-Schedule') ?? '';
  return pattern === '' ? undefined : (firing(pattern, zone, after, now) ?? 'pattern');
}

function firing(pattern: string, zone: ZoneOffset | undefined, after: Instant, now: Instant): Firing | undefined {
  if (pattern.startsWith('@at ')) {
    const at = zone === undefined ? parseInstant(pattern.slice(4)) : undefined;
    if (at === undefined) return undefined;
    const { seconds, nanos } = at;
    return { at: { seconds, nanos }, repeats: false, offset: 0 };
  }
  if (pattern.startsWith('@every ')) return zone === undefined ? every(pattern.slice(7), after, now) : undefined;
  const cron = parseCron(named[pattern] ?? pattern);
  if (cron === undefined) return undefined;
  const offset = zone ?? utc;
  let seconds = nextCron(cron, after.seconds, offset);
  if (seconds !== undefined && isBefore(seconds, 0, now)) seconds = nextCron(cron, rounded(now), offset);
  return seconds === undefined ? undefined : { at: { seconds, nanos: 0 }, repeats: true, offset: offset(seconds) };
}

function isBefore(seconds: number, nanos: number, now: Instant): boolean {
  return compareInstants({ seconds, nanos }, now) < 0;
}

function rounded({ seconds, nanos }: Instant): number {
  return seconds + (nanos >= 500_000_000 ? 1 : 0);
}

function every(text: string, after: Instant, now: Instant): Firing | undefined {
  const interval = parseDuration(text);
  if (interval === undefined || interval < nanosPerSecond) return undefined;
  const whole = Number(interval / nanosPerSecond);
  const nanos = Number(interval % nanosPerSecond);
  const from = isBefore(rounded(after) + whole, nanos, now) ? rounded(now) : rounded(after);
  return { at: { seconds: from + whole, nanos }, repeats: true, offset: 0 };
}

/** An instant as a schedule's own zone writes it. */
function formatIn({ seconds, nanos }: Instant, offset: number): string {
  if (offset === 0) return formatInstant({ seconds, nanos });
  const minutes = Math.abs(Math.trunc(offset / 60));
  const two = (value: number): string => String(value).padStart(2, '0');
  const shown = formatInstant({ seconds: seconds + offset, nanos }).slice(0, -1);
  return `${shown}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/** What is published when a schedule fires. */
export interface ScheduledMessage {
  readonly target: string;
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
}

interface StoredPart {
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
}

const dropped = ['Nats-Msg-Id', 'Nats-TTL', 'Nats-Rollup'];

/**
 * The message that a schedule stored under `subject` publishes; `last` finds the last message of a subject. Undefined: the schedule cannot be
 * followed, and is left for ever.
 */
export function scheduledMessage(
  subject: string,
  schedule: StoredPart,
  due: Instant,
  now: Instant,
  last: (subject: string) => StoredPart | undefined,
): ScheduledMessage | undefined {
  const headers = parseHeaders(schedule.headers);
  const next = nextFiring(headers, due, now);
  const target = headers.get('Nats-Schedule-Target') ?? '';
  const ttl = headers.get('Nats-Schedule-TTL') ?? '';
  const rollup = headers.get('Nats-Schedule-Rollup') ?? '';
  if (next === undefined || typeof next === 'string' || target === '' || parseTtl(ttl) === undefined) return undefined;
  const source = headers.get('Nats-Schedule-Source') ?? '';
  const content = (source === '' ? undefined : last(source)) ?? schedule;
  const kept = withoutHeaders(
    content.headers,
    (name) => name.startsWith('Nats-Schedule') || name.startsWith('Nats-Expected-') || dropped.includes(name),
  );
  return {
    target,
    payload: content.payload,
    headers: addHeaders(kept, [
      ['Nats-Scheduler', subject],
      ['Nats-Schedule-Next', next.repeats ? formatIn(next.at, next.offset) : 'purge'],
      ...(ttl === '' ? [] : [['Nats-TTL', ttl] as const]),
      ...(rollup === '' ? [] : [['Nats-Rollup', rollup] as const]),
    ]),
  };
}
