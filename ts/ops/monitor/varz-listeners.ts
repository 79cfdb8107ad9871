// The blocks of /varz about listeners other than the client one. Each is `{}` while its feature is not configured;
// a configured one tells the port really taken.

import type { ListenerAuthorization, TlsOptions, WriteTimeout } from '../../core/config/options.ts';
import type { ListenAddress, ServerSnapshot } from '../../engine/snapshot.ts';
import { nanoseconds, seconds, unlessEmpty, type Document } from './context.ts';

const defaultTimeoutSeconds = 2;

/** Shown only where the configuration says something else. */
const mqttDefaults = { ackWaitMs: 30_000, maxAckPending: 1024 };

interface PeerListener {
  readonly host: string;
  readonly port: number;
  readonly tls?: TlsOptions;
  readonly writeDeadlineMs: number | undefined;
  readonly writeTimeout: WriteTimeout;
}

/** Listening address: what was taken, else what was asked for; absent when it does not listen. */
function address(options: { host: string; port: number }, taken: ListenAddress | undefined): Document {
  const { host, port } = taken ?? options;
  return port === 0 ? {} : { host, port };
}

function authTimeout(configuredMs: number | undefined, tls: TlsOptions | undefined): number {
  if (configuredMs !== undefined) return seconds(configuredMs);
  return tls === undefined ? defaultTimeoutSeconds : seconds(tls.timeoutMs) + 1;
}

function tlsTimeout(tls: TlsOptions | undefined): number {
  return tls === undefined ? defaultTimeoutSeconds : seconds(tls.timeoutMs);
}

function tlsFields(tls: TlsOptions | undefined): Document {
  return { tls_required: unlessEmpty(tls !== undefined), tls_verify: unlessEmpty(tls !== undefined && tls.verify) };
}

function ocspPeerField(tls: TlsOptions | undefined): Document {
  return { tls_ocsp_peer_verify: unlessEmpty(tls?.ocspPeer?.verify === true) };
}

function writeFields(block: PeerListener): Document {
  return {
    write_deadline: block.writeDeadlineMs === undefined ? undefined : unlessEmpty(nanoseconds(block.writeDeadlineMs)),
    write_timeout: block.writeTimeout === 'default' ? undefined : block.writeTimeout,
  };
}

/** `host:port` of a URL; anything else as it is. */
function hostAndPort(url: string): string {
  return url.replace(/^[a-z-]+:\/\/(?:[^@/]*@)?/i, '').replace(/\/.*$/, '');
}

export function clusterBlock({ options: { cluster }, listening }: ServerSnapshot): Document {
  if (cluster === undefined) return {};
  const { host, port } = address(cluster, listening.cluster);
  return {
    name: unlessEmpty(cluster.name),
    addr: host,
    cluster_port: port,
    auth_timeout: authTimeout(cluster.authTimeoutMs, cluster.tls),
    urls: unlessEmpty(cluster.routes.map(hostAndPort)),
    tls_timeout: tlsTimeout(cluster.tls),
    ...tlsFields(cluster.tls),
    pool_size: unlessEmpty(cluster.poolSize),
    ...writeFields(cluster),
  };
}

export function gatewayBlock({ options: { gateway }, listening }: ServerSnapshot): Document {
  if (gateway === undefined) return {};
  return {
    name: unlessEmpty(gateway.name),
    ...address(gateway, listening.gateway),
    auth_timeout: authTimeout(gateway.authTimeoutMs, gateway.tls),
    tls_timeout: tlsTimeout(gateway.tls),
    ...tlsFields(gateway.tls),
    advertise: unlessEmpty(gateway.advertise),
    connect_retries: unlessEmpty(gateway.connectRetries),
    gateways: unlessEmpty(
      gateway.gateways.map((remote) => ({
        name: remote.name,
        tls_timeout: remote.tls === undefined ? undefined : tlsTimeout(remote.tls),
        urls: unlessEmpty(remote.urls.map(hostAndPort)),
      })),
    ),
    reject_unknown: unlessEmpty(gateway.rejectUnknownCluster),
    ...writeFields(gateway),
  };
}

export function leafBlock({ options: { leafnodes }, listening }: ServerSnapshot): Document {
  if (leafnodes === undefined) return {};
  return {
    ...address(leafnodes, listening.leafnodes),
    auth_timeout: authTimeout(leafnodes.authorization?.timeoutMs, leafnodes.tls),
    tls_timeout: tlsTimeout(leafnodes.tls),
    ...tlsFields(leafnodes.tls),
    remotes: unlessEmpty(
      leafnodes.remotes.map((remote) => ({
        local_account: unlessEmpty(remote.account),
        tls_timeout: remote.tls === undefined ? undefined : tlsTimeout(remote.tls),
        urls: unlessEmpty(remote.urls.map(hostAndPort)),
        deny: denied(remote.denyImports, remote.denyExports),
        ...ocspPeerField(remote.tls),
      })),
    ),
    ...ocspPeerField(leafnodes.tls),
    ...writeFields(leafnodes),
  };
}

function denied(imports: readonly string[], exports: readonly string[]): Document | undefined {
  if (imports.length === 0 && exports.length === 0) return undefined;
  return { exports: unlessEmpty(exports), imports: unlessEmpty(imports) };
}

function ownAuthTimeout(authorization: ListenerAuthorization | undefined): number | undefined {
  const timeoutMs = authorization?.timeoutMs;
  return timeoutMs === undefined ? undefined : unlessEmpty(seconds(timeoutMs));
}

export function mqttBlock({ options: { mqtt }, listening }: ServerSnapshot): Document {
  if (mqtt === undefined) return {};
  return {
    ...address(mqtt, listening.mqtt),
    no_auth_user: unlessEmpty(mqtt.noAuthUser),
    auth_timeout: ownAuthTimeout(mqtt.authorization),
    tls_map: unlessEmpty(mqtt.tls?.verifyAndMap),
    tls_timeout: tlsTimeout(mqtt.tls),
    tls_pinned_certs: unlessEmpty(mqtt.tls?.pinnedCerts),
    js_domain: unlessEmpty(mqtt.jsDomain),
    ack_wait: mqtt.ackWaitMs === mqttDefaults.ackWaitMs ? undefined : nanoseconds(mqtt.ackWaitMs),
    max_ack_pending: mqtt.maxAckPending === mqttDefaults.maxAckPending ? undefined : mqtt.maxAckPending,
    ...ocspPeerField(mqtt.tls),
  };
}

export function websocketBlock({ options: { websocket }, listening }: ServerSnapshot): Document {
  if (websocket === undefined) return {};
  return {
    ...address(websocket, listening.websocket),
    advertise: unlessEmpty(websocket.advertise),
    no_auth_user: unlessEmpty(websocket.noAuthUser),
    jwt_cookie: unlessEmpty(websocket.jwtCookie),
    handshake_timeout: unlessEmpty(nanoseconds(websocket.handshakeTimeoutMs)),
    auth_timeout: ownAuthTimeout(websocket.authorization),
    no_tls: unlessEmpty(websocket.noTls),
    tls_map: unlessEmpty(websocket.tls?.verifyAndMap),
    tls_pinned_certs: unlessEmpty(websocket.tls?.pinnedCerts),
    same_origin: unlessEmpty(websocket.sameOrigin),
    allowed_origins: unlessEmpty(websocket.allowedOrigins),
    compression: unlessEmpty(websocket.compression),
    ...ocspPeerField(websocket.tls),
  };
}
