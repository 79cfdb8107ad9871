// From where and when a user may connect.

import { parseAddress } from '../../lib/ip-address.ts';
import { parseCidr } from './check-claims.ts';
import type { TimeRange, UserBounds } from './user-claims.ts';

const DAY_MS = 86_400_000;

function contains(cidr: string, address: readonly number[]): boolean {
  const net = parseCidr(cidr);
  if (net === undefined || net.bytes.length !== address.length) return false;
  return address.every((byte, at) => {
    const bits = Math.min(8, Math.max(0, net.bits - at * 8));
    const mask = (0xff << (8 - bits)) & 0xff;
    return (byte & mask) === ((net.bytes[at] ?? 0) & mask);
  });
}

export function isFromAllowedPlace({ sources }: Pick<UserBounds, 'sources'>, clientIp: string): boolean {
  if (sources.length === 0) return true;
  const address = parseAddress(clientIp);
  return address !== undefined && sources.some((cidr) => contains(cidr, address));
}

/** Milliseconds since midnight where a clock shows the time of a zone. */
function timeOfDayMs(nowMs: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat('en-GB', {
    ...(timeZone === '' ? {} : { timeZone }),
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
  return clockMs(format.format(nowMs)) + (nowMs % 1000);
}

function clockMs(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number);
  return ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

/** How long a range still lasts; undefined outside of it. One that ends before it starts goes over midnight. */
function leftOf({ start, end }: TimeRange, now: number): number | undefined {
  const from = clockMs(start);
  const to = clockMs(end);
  if (from < now && now < to) return to - now;
  if (from <= to) return undefined;
  if (now < to) return to - now;
  return from < now ? to + DAY_MS - now : undefined;
}

/** How long the user may stay from now on; Infinity: without end, undefined: not now. */
export function allowedForMs({ times, timeZone }: Pick<UserBounds, 'times' | 'timeZone'>, nowMs: number): number | undefined {
  if (times.length === 0) return Infinity;
  const now = timeOfDayMs(nowMs, timeZone);
  const left = times.map((range) => leftOf(range, now)).filter((ms) => ms !== undefined);
  return left.length === 0 ? undefined : Math.max(...left);
}
