// Time zones by their IANA names: how far each is ahead of UTC at an instant.

import type { ZoneOffset } from './cron.ts';

const known = new Map<string, ZoneOffset>();
const mostKnown = 500;

export const utc: ZoneOffset = () => 0;

/** The zone of a name, or undefined when there is none of it. */
export function timeZone(name: string): ZoneOffset | undefined {
  if (name === 'UTC') return utc;
  const before = known.get(name);
  if (before !== undefined) return before;
  // A name is no offset: `+01:00` names no zone.
  if (!/^[A-Za-z]/.test(name)) return undefined;
  const format = formatFor(name);
  if (format === undefined) return undefined;
  const offset: ZoneOffset = (seconds) => shownSeconds(format, seconds) - seconds;
  if (known.size >= mostKnown) known.clear();
  known.set(name, offset);
  return offset;
}

function formatFor(name: string): Intl.DateTimeFormat | undefined {
  const two = '2-digit';
  try {
    return new Intl.DateTimeFormat('en-US', {
      ...(name === 'Local' ? {} : { timeZone: name }),
      hourCycle: 'h23',
      year: 'numeric',
      month: two,
      day: two,
      hour: two,
      minute: two,
      second: two,
    });
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

function shownSeconds(format: Intl.DateTimeFormat, seconds: number): number {
  const shown: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of format.formatToParts(new Date(seconds * 1000))) shown[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = shown;
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}
