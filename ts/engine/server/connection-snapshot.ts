// One connection as monitoring shows it, read from its transport, its session and the kernel's counters.

import type { ClientConnection } from '../broker/client.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Instant } from '../../ports/clock.ts';
import type { ConnectionSnapshot, SubscriptionSnapshot } from '../snapshot.ts';

function known(text: string): string | undefined {
  return text === '' ? undefined : text;
}

/** Drops fields without a value: a snapshot leaves them out. */
function present<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

export function snapshotOf(connection: ClientConnection, kernel: Kernel, lastActivity: Instant): ConnectionSnapshot {
  const { transport, index } = connection;
  const { facts } = connection.session;
  const { exports } = kernel;
  const { tls } = transport;
  return present<ConnectionSnapshot>({
    cid: connection.cid,
    kind: 'Client',
    type: transport.kind === 'websocket' ? 'websocket' : 'nats',
    ip: transport.remoteAddress,
    port: transport.remotePort,
    start: connection.start,
    lastActivity,
    rttMs: facts.rttMs,
    pendingBytes: kernel.pendingBytes(index),
    inMsgs: exports.connectionInMsgs(index),
    outMsgs: exports.connectionOutMsgs(index),
    inBytes: exports.connectionInBytes(index),
    outBytes: exports.connectionOutBytes(index),
    stalls: connection.stalls,
    subscriptions: exports.connectionSubs(index) >>> 0,
    name: known(facts.name),
    lang: known(facts.lang),
    version: known(facts.version),
    tlsVersion: tls?.version,
    tlsCipherSuite: tls?.cipher,
    tlsPeerCertificates: tls !== undefined && tls.peerCertificates.length > 0 ? tls.peerCertificates : undefined,
    tlsFirst: tls?.handshakeFirst === true ? true : undefined,
    authorizedUser: known(facts.authorizedUser),
    account: facts.authorized ? known(facts.account) : undefined,
    mqttClient: undefined,
    jwt: known(facts.jwt),
    issuerKey: undefined,
    nameTag: undefined,
    tags: facts.tags.length > 0 ? facts.tags : undefined,
    proxyKey: undefined,
  });
}

/** The subscriptions of one connection. */
export function subscriptionsOf(connection: ClientConnection, kernel: Kernel): SubscriptionSnapshot[] {
  const account = connection.account?.name ?? '';
  return kernel.subscriptionsOf(connection.index).map((row) => ({
    account,
    subject: row.subject,
    ...(row.queue === '' ? {} : { queue: row.queue }),
    sid: row.sid,
    cid: connection.cid,
    msgs: row.delivered,
    ...(row.max === 0 ? {} : { max: row.max }),
  }));
}
