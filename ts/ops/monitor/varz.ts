// /varz: the server as a whole - what it is, what it was told, what it has done. Tools poll it to learn that the server is ready and which
// features it has, so the names and units are exactly theirs: durations are nanoseconds, timeouts of handshakes are seconds.

import { featureFlagsOf } from '../../core/config/feature-flags.ts';
import { authTimeoutMs, type Options } from '../../core/config/options.ts';
import type { EngineView, OcspCacheSnapshot, PeerCounts, ServerSnapshot } from '../../engine/snapshot.ts';
import type { ProcessFacts } from '../../ports/process.ts';
import { elapsedText, instantText, nanoseconds, seconds, unlessEmpty, type Document, type MonitorContext } from './context.ts';
import { jetstreamConfigDocument, jetstreamLimitsDocument, jetstreamStatsDocument } from './jetstream-document.ts';
import { clusterBlock, gatewayBlock, leafBlock, mqttBlock, websocketBlock } from './varz-listeners.ts';

const defaultTlsTimeoutSeconds = 2;

export function varz({ view, process, requests }: MonitorContext): Document {
  const server = view.server();
  return {
    ...identity(server),
    ...limits(server),
    cluster: clusterBlock(server),
    gateway: gatewayBlock(server),
    leaf: leafBlock(server),
    mqtt: mqttBlock(server),
    websocket: websocketBlock(server),
    jetstream: jetstreamBlock(view, server.options),
    tls_timeout: server.options.tls === undefined ? defaultTlsTimeoutSeconds : seconds(server.options.tls.timeoutMs),
    write_deadline: nanoseconds(server.options.writeDeadlineMs),
    write_timeout: server.options.writeTimeout === 'default' ? undefined : server.options.writeTimeout,
    ...resources(server, process.facts()),
    ...traffic(server),
    http_req_stats: Object.fromEntries([...requests].sort(([a], [b]) => (a < b ? -1 : 1))),
    ...configuration(server),
    slow_consumer_stats: peerCounts(server.slowConsumers),
    stale_connection_stats: peerCounts(server.staleConnections),
    disk_io_wait_stats: { waiters: 0, waits: 0, wait_time: 0, max_wait_time: 0 },
    proxies:
      server.options.trustedProxies.length === 0 ? undefined : { trusted: server.options.trustedProxies.map((key) => ({ key })) },
    ocsp_peer_cache: server.ocspCache && ocspCacheBlock(server.ocspCache),
    tls_cert_not_after: server.tlsCertificateNotAfter === undefined ? undefined : instantText(server.tlsCertificateNotAfter),
  };
}

function ocspCacheBlock({ hits, misses, responses, good, revoked, unknown }: OcspCacheSnapshot): Document {
  return {
    cache_type: 'local',
    cache_hits: unlessEmpty(hits),
    cache_misses: unlessEmpty(misses),
    cached_responses: unlessEmpty(responses),
    cached_revoked_responses: unlessEmpty(revoked),
    cached_good_responses: unlessEmpty(good),
    cached_unknown_responses: unlessEmpty(unknown),
  };
}

function identity(server: ServerSnapshot): Document {
  const { host, port } = clientAddress(server);
  return {
    server_id: server.id,
    server_name: server.name,
    version: server.version,
    proto: server.proto,
    git_commit: unlessEmpty(server.gitCommit),
    go: server.runtime,
    host,
    port,
    auth_required: unlessEmpty(server.authRequired),
    tls_required: unlessEmpty(server.options.tls !== undefined && !server.options.allowNonTls),
    tls_verify: unlessEmpty(server.options.tls?.verify),
    tls_ocsp_peer_verify: unlessEmpty(!server.options.allowNonTls && server.options.tls?.ocspPeer?.verify === true),
    connect_urls: unlessEmpty(server.connectUrls),
    ws_connect_urls: unlessEmpty(server.websocketConnectUrls),
  };
}

/** As INFO has it: the advertised address where there is one. */
function clientAddress({ options, listening }: ServerSnapshot): { host: string; port: number } {
  const own = listening.client ?? { host: options.host, port: options.port };
  const advertised = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(options.clientAdvertise);
  if (options.clientAdvertise === '' || advertised === null) return own;
  const [, bracketed, plain, port] = advertised;
  return { host: bracketed ?? plain ?? own.host, port: port === undefined ? own.port : Number(port) };
}

function limits({ options, listening }: ServerSnapshot): Document {
  return {
    max_connections: options.maxConnections,
    max_subscriptions: unlessEmpty(options.maxSubscriptions),
    ping_interval: nanoseconds(options.pingIntervalMs),
    ping_max: options.pingMax,
    http_host: options.httpHost || options.host,
    http_port: listening.http?.port ?? options.httpPort,
    http_base_path: options.httpBasePath,
    https_port: listening.https?.port ?? options.httpsPort,
    auth_timeout: seconds(authTimeoutMs(options)),
    max_control_line: options.maxControlLine,
    max_payload: options.maxPayload,
    max_pending: options.maxPending,
  };
}

function jetstreamBlock(view: EngineView, options: Options): Document {
  const jetstream = view.jetstream();
  if (jetstream === undefined) return {};
  return {
    config: jetstreamConfigDocument(jetstream, options),
    stats: jetstreamStatsDocument(jetstream),
    limits: jetstreamLimitsDocument(options),
  };
}

function resources(server: ServerSnapshot, facts: ProcessFacts): Document {
  return {
    start: instantText(server.start),
    now: instantText(server.now),
    uptime: elapsedText(server.start, server.now),
    mem: facts.memoryBytes,
    cores: facts.cores,
    gomaxprocs: facts.threads,
    gomemlimit: unlessEmpty(facts.memoryLimitBytes),
    cpu: facts.cpuPercent,
  };
}

function traffic(server: ServerSnapshot): Document {
  return {
    connections: server.connections,
    total_connections: server.totalConnections,
    routes: server.routes,
    remotes: server.remotes,
    leafnodes: server.leafnodes,
    in_msgs: server.inMsgs,
    in_bytes: server.inBytes,
    in_client_msgs: server.inClientMsgs,
    in_client_bytes: server.inClientBytes,
    out_msgs: server.outMsgs,
    out_bytes: server.outBytes,
    out_client_msgs: server.outClientMsgs,
    out_client_bytes: server.outClientBytes,
    slow_consumers: sum(server.slowConsumers),
    stale_connections: sum(server.staleConnections),
    stalled_clients: server.stalledClients,
    subscriptions: server.subscriptions,
  };
}

function configuration(server: ServerSnapshot): Document {
  return {
    config_load_time: instantText(server.configLoadTime),
    config_digest: server.options.configDigest,
    tags: unlessEmpty(server.options.serverTags),
    metadata: unlessEmpty(server.options.serverMetadata),
    feature_flags: featureFlagsOf(server.options.featureFlags),
    trusted_operators_jwt: unlessEmpty(server.options.operators.map(({ jwt }) => jwt)),
    trusted_operators_claim: unlessEmpty(server.options.operators.map(({ jwt }) => claimsOf(jwt))),
    system_account: unlessEmpty(server.systemAccount),
  };
}

/** The members of a JWT that was checked when it was read. */
function claimsOf(jwt: string): Document {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8')) as Document;
}

function sum({ clients, routes, gateways, leafs }: PeerCounts): number {
  return clients + routes + gateways + leafs;
}

function peerCounts({ clients, routes, gateways, leafs }: PeerCounts): Document {
  return { clients, routes, gateways, leafs };
}
