// The `cluster` and `gateway` blocks.
// Kept true: both know one user at most, and their names have no spaces.

import type { ConfigValue } from '../config-value.ts';
import { defineTable } from '../key-table.ts';
import type { SpreadType, ValueType } from '../key-table.ts';
import type { ClusterOptions, GatewayOptions, RemoteGatewayOptions } from '../options-network.ts';
import type { Permissions } from '../options-auth.ts';
import type { Reader } from '../reader.ts';
import { block, blocks, bool, duration, integer, listen, seconds, text, texts } from '../value-types.ts';
import { checkPeerAuthorization } from './authorization.ts';
import type { PeerAuthorization } from './authorization.ts';
import { compression, oneUrl, urlList, withMode, writeTimeout } from './peers.ts';
import { permissions } from './permissions.ts';
import { tls } from './tls.ts';

const MAX_ROUTE_PING_MS = 30_000;

function nameWithoutSpaces(what: string): ValueType<string> {
  return {
    name: 'string',
    read(value, reader, key) {
      const read = text.read(value, reader, key);
      return read?.includes(' ') ? reader.report(value.at, `${what} name cannot contain spaces`) : read;
    },
  };
}

/** Import and export of a route, from permissions that call them publish and subscribe. */
function routePermissions(read: Permissions): NonNullable<ClusterOptions['permissions']> {
  return {
    ...(read.publish === undefined ? {} : { import: read.publish }),
    ...(read.subscribe === undefined ? {} : { export: read.subscribe }),
  };
}

interface AuthorizationDraft extends PeerAuthorization {
  permissions?: Permissions;
}

const authorizationTable = defineTable<AuthorizationDraft>('authorization', [
  { key: 'user', aliases: ['username'], field: 'user', type: text, reload: 'yes', doc: 'User name.' },
  { key: 'password', aliases: ['pass'], field: 'pass', type: text, reload: 'yes', doc: 'Password.' },
  { key: 'timeout', field: 'timeoutMs', type: seconds, reload: 'yes', doc: 'How long a peer may take to authenticate.' },
  {
    key: 'permissions',
    aliases: ['default_permissions', 'default_permission'],
    field: 'permissions',
    type: permissions,
    reload: 'yes',
    doc: 'Older place of the permissions of routes.',
  },
]);

const OTHER_CREDENTIALS = new Set(['users', 'token', 'auth_callout', 'auth_hook']);

/** user, password and timeout of a peer, into a block that keeps them beside its own keys. */
function peerAuthorization<T extends { user: string; pass: string; authTimeoutMs: number | undefined }>(
  what: string,
  keepPermissions: (target: T, read: Permissions, value: ConfigValue, reader: Reader) => void,
): SpreadType<T> {
  return {
    name: 'map',
    table: authorizationTable,
    assign(target, value, reader, key) {
      if (value.kind !== 'map') {
        reader.wrongType(value, key, 'a map');
        return;
      }
      checkPeerAuthorization(value, reader, what);
      const own = [...value.entries.values()].filter((entry) => !OTHER_CREDENTIALS.has(entry.key.toLowerCase()));
      const read: AuthorizationDraft = { user: '', pass: '', timeoutMs: undefined };
      authorizationTable.fill(read, own, reader);
      target.user = read.user;
      target.pass = read.pass;
      target.authTimeoutMs = read.timeoutMs;
      if (read.permissions !== undefined) keepPermissions(target, read.permissions, value, reader);
    },
  };
}

const pingInterval: ValueType<number> = {
  name: 'duration',
  read(value, reader, key) {
    const ms = duration.read(value, reader, key);
    if (ms === undefined || ms <= MAX_ROUTE_PING_MS) return ms;
    reader.warn(value.at, `cluster '${key}' will reset to 30s which is the max for routes`);
    return MAX_ROUTE_PING_MS;
  },
};

const clusterTable = defineTable<ClusterOptions>('cluster', [
  {
    key: 'name',
    field: 'name',
    type: nameWithoutSpaces('cluster'),
    reload: 'no',
    default: 'made up',
    doc: 'Name of the cluster.',
  },
  { key: 'listen', spread: listen<ClusterOptions>(), fields: ['host', 'port'], reload: 'no', doc: 'Where routes are accepted.' },
  { key: 'host', aliases: ['net'], field: 'host', type: text, reload: 'no', default: '0.0.0.0', doc: 'Host of `listen`.' },
  { key: 'port', field: 'port', type: integer, reload: 'no', default: 'off', doc: 'Port of `listen`, -1 for any.' },
  {
    key: 'advertise',
    aliases: ['cluster_advertise'],
    field: 'advertise',
    type: text,
    reload: 'yes',
    doc: 'Address told to peers.',
  },
  {
    key: 'no_advertise',
    field: 'noAdvertise',
    type: bool,
    reload: 'yes',
    default: 'false',
    doc: 'Clients are not told of other servers.',
  },
  { key: 'routes', field: 'routes', type: urlList('route'), reload: 'yes', doc: 'Servers to connect to.' },
  {
    key: 'authorization',
    fields: ['user', 'pass', 'authTimeoutMs'],
    reload: 'yes',
    doc: 'One user that all routes use.',
    spread: peerAuthorization<ClusterOptions>('cluster', (cluster, read, value, reader) => {
      reader.warn(value.at, 'permissions within the authorization of a cluster are deprecated, put them into the cluster itself');
      cluster.permissions ??= routePermissions(read);
    }),
  },
  {
    key: 'permissions',
    fields: ['permissions'],
    reload: 'yes',
    doc: 'Subjects taken from (`import`) and offered to (`export`) peers.',
    spread: {
      name: 'map',
      ...(permissions.table === undefined ? {} : { table: permissions.table }),
      assign(cluster, value, reader, key) {
        const read = permissions.read(value, reader, key);
        if (read !== undefined) cluster.permissions = routePermissions(read);
      },
    },
  },
  { key: 'tls', field: 'tls', type: tls('peers'), reload: 'yes', doc: 'TLS between servers.' },
  {
    key: 'connect_retries',
    field: 'connectRetries',
    type: integer,
    reload: 'yes',
    default: '0',
    doc: 'Tries to reach a server that was only heard of.',
  },
  {
    key: 'connect_backoff',
    field: 'connectBackoff',
    type: bool,
    reload: 'yes',
    default: 'false',
    doc: 'Wait longer after each try.',
  },
  {
    key: 'pool_size',
    field: 'poolSize',
    type: integer,
    reload: 'yes',
    default: '3',
    doc: 'Connections to each server, -1 for one.',
  },
  { key: 'accounts', field: 'accounts', type: texts, reload: 'yes', doc: 'Accounts with a connection of their own.' },
  {
    key: 'compression',
    field: 'compression',
    type: compression('s2_fast'),
    reload: 'yes',
    default: 'accept',
    doc: 'Compression of routes.',
  },
  {
    key: 'ping_interval',
    field: 'pingIntervalMs',
    type: pingInterval,
    reload: 'yes',
    default: 'of the server, at most 30 s',
    doc: 'Time between pings.',
  },
  { key: 'ping_max', field: 'pingMax', type: integer, reload: 'yes', default: 'of the server', doc: 'Unanswered pings.' },
  {
    key: 'write_deadline',
    field: 'writeDeadlineMs',
    type: duration,
    reload: 'yes',
    default: 'of the server',
    doc: 'Time a write may take.',
  },
  { key: 'write_timeout', field: 'writeTimeout', type: writeTimeout, reload: 'yes', default: 'retry', doc: 'What happens then.' },
]);

/** A cluster block that says nothing. */
export function emptyCluster(): ClusterOptions {
  return {
    name: '',
    host: '0.0.0.0',
    port: 0,
    advertise: '',
    noAdvertise: false,
    user: '',
    pass: '',
    authTimeoutMs: undefined,
    routes: [],
    connectRetries: 0,
    connectBackoff: false,
    poolSize: 3,
    accounts: [],
    compression: withMode('accept'),
    pingIntervalMs: undefined,
    pingMax: undefined,
    writeDeadlineMs: undefined,
    writeTimeout: 'default',
  };
}

export const cluster: ValueType<ClusterOptions> = block<ClusterOptions>(clusterTable, emptyCluster);

const remoteTable = defineTable<RemoteGatewayOptions>('gateways', [
  { key: 'name', field: 'name', type: text, reload: 'no', doc: 'Name of the other cluster.' },
  { key: 'url', field: 'urls', type: oneUrl('gateway'), reload: 'no', doc: 'One of its servers.' },
  { key: 'urls', field: 'urls', type: urlList('gateway'), reload: 'no', doc: 'Several of its servers.' },
  { key: 'tls', field: 'tls', type: tls('peers'), reload: 'yes', doc: 'TLS to it.' },
]);
const remotes = blocks(block<RemoteGatewayOptions>(remoteTable, () => ({ name: '', urls: [] })));

const gatewayTable = defineTable<GatewayOptions>('gateway', [
  { key: 'name', field: 'name', type: nameWithoutSpaces('gateway'), reload: 'no', doc: 'Name of this cluster. Required.' },
  {
    key: 'listen',
    spread: listen<GatewayOptions>(),
    fields: ['host', 'port'],
    reload: 'no',
    doc: 'Where gateways are accepted.',
  },
  { key: 'host', aliases: ['net'], field: 'host', type: text, reload: 'no', default: '0.0.0.0', doc: 'Host of `listen`.' },
  { key: 'port', field: 'port', type: integer, reload: 'no', doc: 'Port of `listen`, -1 for any. Required.' },
  { key: 'advertise', field: 'advertise', type: text, reload: 'no', doc: 'Address told to other clusters.' },
  {
    key: 'authorization',
    spread: peerAuthorization<GatewayOptions>('gateway', () => undefined),
    fields: ['user', 'pass', 'authTimeoutMs'],
    reload: 'no',
    doc: 'One user that all gateways use.',
  },
  { key: 'tls', field: 'tls', type: tls('peers'), reload: 'yes', doc: 'TLS between clusters.' },
  {
    key: 'connect_retries',
    field: 'connectRetries',
    type: integer,
    reload: 'no',
    default: '0',
    doc: 'Tries to reach a cluster that was only heard of.',
  },
  {
    key: 'connect_backoff',
    field: 'connectBackoff',
    type: bool,
    reload: 'no',
    default: 'false',
    doc: 'Wait longer after each try.',
  },
  {
    key: 'reject_unknown_cluster',
    aliases: ['reject_unknown'],
    field: 'rejectUnknownCluster',
    type: bool,
    reload: 'no',
    default: 'false',
    doc: 'Only the clusters listed here.',
  },
  {
    key: 'write_deadline',
    field: 'writeDeadlineMs',
    type: duration,
    reload: 'no',
    default: 'of the server',
    doc: 'Time a write may take.',
  },
  { key: 'write_timeout', field: 'writeTimeout', type: writeTimeout, reload: 'no', default: 'retry', doc: 'What happens then.' },
  { key: 'gateways', field: 'gateways', type: remotes, reload: 'no', doc: 'Other clusters.' },
]);

export const gateway: ValueType<GatewayOptions> = block<GatewayOptions>(gatewayTable, () => ({
  name: '',
  host: '0.0.0.0',
  port: 0,
  advertise: '',
  user: '',
  pass: '',
  authTimeoutMs: undefined,
  connectRetries: 0,
  connectBackoff: false,
  rejectUnknownCluster: false,
  gateways: [],
  writeDeadlineMs: undefined,
  writeTimeout: 'default',
}));
