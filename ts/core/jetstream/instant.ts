// Instants and durations as API documents carry them: RFC 3339 with up to nine fraction digits in UTC, and integer nanoseconds.
// An instant is two numbers and a duration in a document is a bigint, because nanoseconds do not fit one JS number;
// machines get milliseconds, made once by `millis`.

/** A point in time, UTC: whole seconds since 1970 and the nanoseconds beyond (0..999_999_999). */
export interface Instant {
  readonly seconds: number;
  readonly nanos: number;
  /** East of Greenwich, of the zone it was given in; documents say it in that zone again. */
  readonly zoneMinutes?: number;
}

/** The year 1, which documents use for "no time". */
export const zeroInstant: Instant = { seconds: -62135596800, nanos: 0 };

export const nanosPerMilli = 1_000_000n;
export const nanosPerSecond = 1_000_000_000n;

/** Go's time that was never set. */
export function isZeroInstant(at: Instant): boolean {
  return at.seconds === zeroInstant.seconds && at.nanos === 0;
}

export function compareInstants(a: Instant, b: Instant): number {
  return a.seconds - b.seconds || a.nanos - b.nanos;
}

/** Milliseconds since 1970, with the part below a millisecond as a fraction. */
export function instantMs(at: Instant): number {
  return at.seconds * 1000 + at.nanos / 1e6;
}

export function instantOfMs(ms: number): Instant {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.min(999_999_999, Math.max(0, Math.round((ms - seconds * 1000) * 1e6))) };
}

/** Milliseconds of a duration in nanoseconds. */
export function millis(nanos: bigint): number {
  return Number(nanos) / 1e6;
}

const two = (value: number): string => (value < 10 ? `0${value}` : `${value}`);

/** Year, month and day of a count of days since 1970, by counting in eras of 400 years that begin on the first of March. */
function civil(days: number): string {
  const shifted = days + 719468;
  const era = Math.floor(shifted / 146097);
  const day = shifted - era * 146097;
  const year = Math.floor((day - Math.floor(day / 1460) + Math.floor(day / 36524) - Math.floor(day / 146096)) / 365);
  const ofYear = day - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  const march = Math.floor((5 * ofYear + 2) / 153);
  const month = march < 10 ? march + 3 : march - 9;
  const full = year + era * 400 + (month <= 2 ? 1 : 0);
  return `${String(full).padStart(4, '0')}-${two(month)}-${two(ofYear - Math.floor((153 * march + 2) / 5) + 1)}`;
}

function zoneText(minutes: number): string {
  if (minutes === 0) return 'Z';
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** Date and time of a second. */
function secondText(seconds: number): string {
  const days = Math.floor(seconds / 86400);
  const ofDay = seconds - days * 86400;
  return `${civil(days)}T${two(Math.floor(ofDay / 3600))}:${two(Math.floor(ofDay / 60) % 60)}:${two(ofDay % 60)}`;
}

const zeroText = `${secondText(zeroInstant.seconds)}Z`;
/** The second that was told last: most documents tell the same one several times. */
let latest = { seconds: 0, text: secondText(0) };

/** `2026-11-23T05:30:27.363694238Z`: fraction digits only as far as they are not zero. */
export function formatInstant({ seconds: utc, nanos, zoneMinutes = 0 }: Instant): string {
  if (utc === zeroInstant.seconds && nanos === 0 && zoneMinutes === 0) return zeroText;
  const seconds = utc + zoneMinutes * 60;
  if (latest.seconds !== seconds) latest = { seconds, text: secondText(seconds) };
  const zone = zoneText(zoneMinutes);
  if (nanos === 0) return `${latest.text}${zone}`;
  let digits = String(nanos).padStart(9, '0');
  let end = 9;
  while (digits.charCodeAt(end - 1) === 0x30) end -= 1;
  if (end < 9) digits = digits.slice(0, end);
  return `${latest.text}.${digits}${zone}`;
}

const rfc3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,18}))?(Z|[+-]\d{2}:\d{2})$/;

/** The instant a text names, or undefined when it is no RFC 3339 time. */
export function parseInstant(text: string): Instant | undefined {
  const parts = rfc3339.exec(text);
  if (parts === null) return undefined;
  const at = (index: number): number => Number(parts[index]);
  const month = at(2);
  if (month < 1 || month > 12 || at(4) > 23 || at(5) > 59 || at(6) > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(at(1), month - 1, at(3));
  if (date.getUTCMonth() !== month - 1 || at(3) < 1) return undefined;
  const zone = parts[8] ?? 'Z';
  const sign = zone.startsWith('-') ? -1 : 1;
  const zoneMinutes = zone === 'Z' ? 0 : sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6)));
  const seconds = date.getTime() / 1000 + at(4) * 3600 + at(5) * 60 + at(6) - zoneMinutes * 60;
  const nanos = Number((parts[7] ?? '').padEnd(9, '0').slice(0, 9));
  return { seconds, nanos, ...(zoneMinutes === 0 ? {} : { zoneMinutes }) };
}

/** A duration as Go prints it: `2m0s`, `1h0m0s`, `1.5s`, `100ms`. */
export function formatDuration(nanos: bigint): string {
  if (nanos === 0n) return '0s';
  if (nanos < 0n) return `-${formatDuration(-nanos)}`;
  if (nanos < 1_000n) return `${nanos}ns`;
  if (nanos < nanosPerMilli) return `${fraction(nanos, 1_000n)}µs`;
  if (nanos < nanosPerSecond) return `${fraction(nanos, nanosPerMilli)}ms`;
  const minutes = nanos / (60n * nanosPerSecond);
  const seconds = `${fraction(nanos % (60n * nanosPerSecond), nanosPerSecond)}s`;
  if (minutes === 0n) return seconds;
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

function fraction(nanos: bigint, unit: bigint): string {
  const rest = nanos % unit;
  if (rest === 0n) return String(nanos / unit);
  const digits = String(rest)
    .padStart(String(unit).length - 1, '0')
    .replace(/0+$/, '');
  return `${nanos / unit}.${digits}`;
}

const unitNanos: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** Nanoseconds of a duration as Go reads it (`1h2m`, `1.5s`, `0`), or undefined when it is none. */
export function parseDuration(text: string): bigint | undefined {
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0n;
  if (!/^((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/.test(body)) return undefined;
  let total = 0n;
  for (const [, digits, unit] of body.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const scale = unitNanos[unit ?? ''] ?? 0;
    const [whole = '0', part = ''] = (digits ?? '').split('.');
    total += BigInt(whole || '0') * BigInt(scale) + BigInt(Math.trunc(Number(`0.${part || '0'}`) * scale));
  }
  return text.startsWith('-') ? -total : total;
}
