// The INFO of the client and the WebSocket listener, made from options, identity and the ports really listened on.
import type { AuthTable } from '../../core/auth/table.ts';
import type { Options, TlsOptions } from '../../core/config/options.ts';
import type { ServerInfo } from '../../core/session/info.ts';

/** Who this server is; fixed for the life of the process. */
export interface ServerIdentity {
  readonly serverId: string;
  readonly serverName: string;
  /** The nats-server level clients may expect. */
  readonly version: string;
  readonly gitCommit: string;
  readonly go: string;
  readonly xkey: string;
  readonly apiLevel: number;
}

/** Changes while a server runs: real ports, peers, JetStream and lame duck. */
export interface ListenPorts {
  readonly clientPort: number;
  readonly webSocketPort: number;
  readonly connectUrls: readonly string[];
  readonly webSocketConnectUrls: readonly string[];
  readonly lameDuck: boolean;
}

/** `host`, `host:port` or `[v6]:port`; the port falls back to the one listened on. */
function advertised(text: string, host: string, port: number): { host: string; port: number } {
  if (text === '') return { host, port };
  const match = /^(?:\[([^\]]+)\]|([^:]*))(?::(-?\d+))?$/.exec(text);
  if (match === null) return { host: text, port };
  const given = Number(match[3] ?? 0);
  return { host: match[1] ?? match[2] ?? host, port: given > 0 ? given : port };
}

function tlsFields(
  tls: TlsOptions | undefined,
  optional: boolean,
): Pick<ServerInfo, 'tlsRequired' | 'tlsVerify' | 'tlsAvailable'> {
  return {
    tlsRequired: tls !== undefined && !optional,
    tlsVerify: tls !== undefined && (tls.verify || tls.verifyAndMap),
    tlsAvailable: tls !== undefined && optional,
  };
}

function common(
  options: Options,
  identity: ServerIdentity,
  listening: ListenPorts,
  table: AuthTable,
): Omit<ServerInfo, 'host' | 'port' | 'connectUrls'> {
  return {
    ...identity,
    headers: !options.noHeaderSupport,
    authRequired: table.required,
    ...tlsFields(options.tls, options.allowNonTls),
    maxPayload: options.maxPayload,
    jetstream: options.jetstream.enabled,
    cluster: options.cluster?.name ?? '',
    clusterDynamic: options.cluster !== undefined && options.cluster.name === '',
    domain: options.jetstream.enabled ? options.jetstream.domain : '',
    lameDuck: listening.lameDuck,
  };
}

export function serverInfo(options: Options, identity: ServerIdentity, listening: ListenPorts, table: AuthTable): ServerInfo {
  const address = advertised(options.clientAdvertise, options.host, listening.clientPort);
  return { ...common(options, identity, listening, table), ...address, connectUrls: listening.connectUrls };
}

export function webSocketInfo(options: Options, identity: ServerIdentity, listening: ListenPorts, table: AuthTable): ServerInfo {
  const block = options.websocket;
  const address = advertised(block?.advertise ?? '', block?.host ?? options.host, listening.webSocketPort);
  return {
    ...common(options, identity, listening, table),
    ...tlsFields(block?.tls, false),
    ...address,
    connectUrls: listening.webSocketConnectUrls,
  };
}
