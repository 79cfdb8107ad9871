// How connz orders connections: one row a sort key. Counts come largest first, times and names smallest first, except where an operator
// looks for the latest. Equal connections are ordered by cid.

import type { ClosedConnection, ConnectionSnapshot, Instant } from '../../engine/snapshot.ts';
import { elapsedSeconds } from './context.ts';

/** A connection, open or closed. */
export type Listed = ConnectionSnapshot & Partial<Pick<ClosedConnection, 'stop' | 'reason' | 'subscriptionsList'>>;

interface SortRow {
  /** Positive when `a` comes after `b`. */
  readonly order: (a: Listed, b: Listed, now: Instant) => number;
  readonly closedOnly?: true;
}

function since(from: Instant, to: Instant): number {
  return elapsedSeconds(from, to);
}

function idle(connection: Listed, now: Instant): number {
  return since(connection.lastActivity, connection.stop ?? now);
}

function uptime(connection: Listed, now: Instant): number {
  return since(connection.start, connection.stop ?? now);
}

function stopped(connection: Listed): Instant {
  return connection.stop ?? connection.start;
}

function reasonOrder(a: Listed, b: Listed): number {
  const left = a.reason ?? '';
  const right = b.reason ?? '';
  return left < right ? -1 : left > right ? 1 : 0;
}

const sortKeys = {
  cid: { order: (a, b) => a.cid - b.cid },
  start: { order: (a, b) => since(b.start, a.start) },
  subs: { order: (a, b) => b.subscriptions - a.subscriptions },
  pending: { order: (a, b) => b.pendingBytes - a.pendingBytes },
  msgs_to: { order: (a, b) => b.outMsgs - a.outMsgs },
  msgs_from: { order: (a, b) => b.inMsgs - a.inMsgs },
  bytes_to: { order: (a, b) => b.outBytes - a.outBytes },
  bytes_from: { order: (a, b) => b.inBytes - a.inBytes },
  last: { order: (a, b) => since(a.lastActivity, b.lastActivity) },
  idle: { order: (a, b, now) => idle(b, now) - idle(a, now) },
  uptime: { order: (a, b, now) => uptime(a, now) - uptime(b, now) },
  stop: { order: (a, b) => since(stopped(a), stopped(b)), closedOnly: true },
  reason: { order: reasonOrder, closedOnly: true },
  rtt: { order: (a, b) => (b.rttMs ?? 0) - (a.rttMs ?? 0) },
} as const satisfies Record<string, SortRow>;

export type SortKey = keyof typeof sortKeys;

export function isSortKey(name: string): name is SortKey {
  return Object.hasOwn(sortKeys, name);
}

export function onlyOfClosed(key: SortKey): boolean {
  const row: SortRow = sortKeys[key];
  return row.closedOnly === true;
}

export function sorted(connections: readonly Listed[], key: SortKey, now: Instant): Listed[] {
  const { order }: SortRow = sortKeys[key];
  return [...connections].sort((a, b) => order(a, b, now) || a.cid - b.cid);
}
