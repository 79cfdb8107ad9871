// One connection as monitoring shows it, read from its transport, its session and the kernel's counters.

import type { ClientConnection } from '../broker/client.ts';
import type { Kernel, ListedSubscription } from '../../kernel/kernel.ts';
import type { Instant } from '../../ports/clock.ts';
import type { TransportTls } from '../../ports/connection.ts';
import type { ConnectionSnapshot, SubscriptionSnapshot } from '../snapshot.ts';

/** Monitoring asks for all connections at a time, so fields without a value are left out without a detour. */
type Draft = { -readonly [K in keyof ConnectionSnapshot]: ConnectionSnapshot[K] };

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
  if (transport.tls !== undefined) describeTls(draft, transport.tls);
  return draft;
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
