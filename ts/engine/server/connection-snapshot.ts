// One connection as monitoring shows it, read from its transport, its session and the kernel's counters.

import type { ClientConnection } from '../broker/client.ts';
import type { Kernel, ListedSubscription } from '../../kernel/kernel.ts';
import type { Instant } from '../../ports/clock.ts';
import type { TransportTls } from '../../ports/connection.ts';
import type { ClosedConnection, ConnectionSnapshot, SubscriptionSnapshot } from '../snapshot.ts';

/** Monitoring asks for all connections at a time, so fields without a value are left out without a detour. */
type Draft = { -readonly [K in keyof ConnectionSnapshot]: ConnectionSnapshot[K] };

/** What the last word on a connection adds. */
type Ending = Pick<ClosedConnection, 'stop' | 'reason' | 'subscriptionsList'>;

export function snapshotOf(connection: ClientConnection, kernel: Kernel, lastActivity: Instant): ConnectionSnapshot {
  const { transport, index } = connection;
  const { facts } = connection.session;
  const { exports } = kernel;
  const draft: Draft = {
    cid: connection.cid,
    kind: 'Client',
    type: transport.kind === 'websocket' ? 'websocket' : 'nats',
    ip: transport.remoteAddress,
    port: transport.remotePort,
    start: connection.start,
    lastActivity,
    pendingBytes: kernel.pendingBytes(index),
    inMsgs: exports.connectionInMsgs(index),
    outMsgs: exports.connectionOutMsgs(index),
    inBytes: exports.connectionInBytes(index),
    outBytes: exports.connectionOutBytes(index),
    stalls: connection.stalls,
    subscriptions: exports.connectionSubs(index) >>> 0,
  };
  if (facts.rttMs !== undefined) draft.rttMs = facts.rttMs;
  if (facts.name !== '') draft.name = facts.name;
  if (facts.lang !== '') draft.lang = facts.lang;
  if (facts.version !== '') draft.version = facts.version;
  const { authorizedUser } = facts;
  if (authorizedUser !== '') draft.authorizedUser = authorizedUser;
  if (facts.authorized && facts.account !== '') draft.account = facts.account;
  if (facts.jwt !== '') draft.jwt = facts.jwt;
  if (facts.tags.length > 0) draft.tags = facts.tags;
  if (facts.issuerKey !== '') draft.issuerKey = facts.issuerKey;
  if (facts.nameTag !== '') draft.nameTag = facts.nameTag;
  if (transport.tls !== undefined) describeTls(draft, transport.tls);
  return draft;
}

/**
 * The last word on a connection. Ten thousand are kept, so fields are added in place, in one order: objects put together from others would not
 * share their shape, which takes more memory than what they say.
 */
export function closedSnapshotOf(
  connection: ClientConnection,
  kernel: Kernel,
  lastActivity: Instant,
  { stop, reason, subscriptionsList }: Ending,
): ClosedConnection {
  const draft: Draft = snapshotOf(connection, kernel, lastActivity);
  const { last } = connection;
  if (last !== undefined) {
    draft.pendingBytes = last.pendingBytes;
    draft.subscriptions = last.count;
  }
  return Object.assign(draft, { stop, reason, subscriptionsList });
}

function describeTls(draft: Draft, { version, cipher, peerCertificates, handshakeFirst }: TransportTls): void {
  draft.tlsVersion = version;
  draft.tlsCipherSuite = cipher;
  if (peerCertificates.length > 0) draft.tlsPeerCertificates = peerCertificates;
  if (handshakeFirst) draft.tlsFirst = true;
}

/** The subscriptions of one connection: those it has, or `rows` where they were read before. */
export function subscriptionsOf(
  connection: ClientConnection,
  kernel: Kernel,
  rows: readonly ListedSubscription[] = kernel.subscriptionsOf(connection.index),
): SubscriptionSnapshot[] {
  const account = connection.account?.name ?? '';
  return rows.map((row) => ({
    account,
    subject: row.subject,
    ...(row.queue === '' ? {} : { queue: row.queue }),
    sid: row.sid,
    cid: connection.cid,
    msgs: row.delivered,
    ...(row.max === 0 ? {} : { max: row.max }),
  }));
}
