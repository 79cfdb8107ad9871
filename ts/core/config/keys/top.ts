// The keys of the file's own level, which the whole configuration is read by.
// Kept true: this is the only list of them; the parser, the policy of reloads and the documentation all read it.

import { defineTable } from '../key-table.ts';
import type { BlockTable, SpreadType } from '../key-table.ts';
import type { Options } from '../options.ts';
import { bool, integer, listen, readHostPort, text } from '../value-types.ts';
import { accounts } from './accounts.ts';
import { authorization } from './authorization.ts';
import { cluster, gateway } from './cluster.ts';
import { jetstream, storeDir } from './jetstream.ts';
import { leafnodes } from './leafnodes.ts';
import { mappings } from './mappings.ts';
import { accessRows } from './access.ts';
import { identityRows } from './identity.ts';
import { limitsRows } from './limits.ts';
import { loggingRows } from './logging.ts';
import { tls } from './tls.ts';
import { mqtt, websocket } from './websocket.ts';

const listenTopLevel: SpreadType<Options> = listen<Options>();

/** `http` and `https`: port or host and port. Of the two only one may be set, which the start checks. */
function httpListen(field: 'httpPort' | 'httpsPort'): SpreadType<Options> {
  return {
    name: 'port or host:port',
    assign(options, value, reader) {
      const read = readHostPort(value, reader);
      if (read === undefined) return;
      options[field] = read.port;
      if (read.host !== undefined) options.httpHost = read.host;
    },
  };
}

const topStoreDir: SpreadType<Options> = {
  name: storeDir.name,
  assign(options, value, reader, key) {
    storeDir.assign(options.jetstream, value, reader, key);
  },
};

export const topTable: BlockTable<Options> = defineTable<Options>('', [
  {
    key: 'listen',
    spread: listenTopLevel,
    fields: ['host', 'port'],
    reload: 'no',
    default: '0.0.0.0:4222',
    doc: 'Where clients are accepted.',
  },
  { key: 'host', aliases: ['net'], field: 'host', type: text, reload: 'no', default: '0.0.0.0', doc: 'Host of `listen`.' },
  { key: 'port', field: 'port', type: integer, reload: 'no', default: '4222', doc: 'Port of `listen`, -1 for any.' },
  {
    key: 'client_advertise',
    field: 'clientAdvertise',
    type: text,
    reload: 'yes',
    doc: 'Address told to clients and other servers.',
  },
  {
    key: 'http',
    spread: httpListen('httpPort'),
    fields: ['httpHost', 'httpPort'],
    reload: 'no',
    doc: 'Where monitoring answers.',
  },
  {
    key: 'https',
    spread: httpListen('httpsPort'),
    fields: ['httpHost', 'httpsPort'],
    reload: 'no',
    doc: 'Where monitoring answers with TLS.',
  },
  {
    key: 'http_port',
    aliases: ['monitor_port'],
    field: 'httpPort',
    type: integer,
    reload: 'no',
    default: 'off',
    doc: 'Port of `http`.',
  },
  { key: 'https_port', field: 'httpsPort', type: integer, reload: 'no', default: 'off', doc: 'Port of `https`.' },
  {
    key: 'http_base_path',
    field: 'httpBasePath',
    type: text,
    reload: 'no',
    default: '/',
    doc: 'Put before the paths of monitoring.',
  },
  {
    key: 'no_header_support',
    field: 'noHeaderSupport',
    type: bool,
    reload: 'no',
    default: 'false',
    doc: 'Messages have no headers.',
  },
  {
    key: 'disable_sublist_cache',
    aliases: ['no_sublist_cache'],
    field: 'disableSublistCache',
    type: bool,
    reload: 'no',
    default: 'false',
    doc: 'What matches a subject is searched for each time, in place of being remembered.',
  },
  { key: 'store_dir', aliases: ['storedir'], spread: topStoreDir, reload: 'no', doc: 'As `store_dir` of `jetstream`.' },
  { key: 'tls', field: 'tls', type: tls('clients'), reload: 'yes', doc: 'TLS of the client listener.' },
  ...identityRows,
  ...loggingRows,
  ...limitsRows,
  ...accessRows,
  { key: 'authorization', field: 'authorization', type: authorization, reload: 'yes', doc: 'Who may connect.' },
  {
    key: 'accounts',
    spread: accounts,
    fields: ['accounts'],
    reload: 'yes',
    doc: 'Separate subject spaces with users of their own.',
  },
  {
    key: 'mappings',
    aliases: ['maps'],
    field: 'mappings',
    type: mappings,
    reload: 'yes',
    doc: 'Subject mappings of the global account.',
  },
  { key: 'jetstream', spread: jetstream, fields: ['jetstream'], reload: 'part', doc: 'Streams and consumers.' },
  {
    key: 'cluster',
    field: 'cluster',
    type: cluster,
    reload: 'part',
    status: 'later',
    doc: 'Routes to servers of the same cluster.',
  },
  { key: 'gateway', field: 'gateway', type: gateway, reload: 'part', status: 'later', doc: 'Connections to other clusters.' },
  { key: 'leafnodes', aliases: ['leaf'], field: 'leafnodes', type: leafnodes, reload: 'part', doc: 'Connections of leaf nodes.' },
  { key: 'websocket', aliases: ['ws'], field: 'websocket', type: websocket, reload: 'part', doc: 'Clients over WebSocket.' },
  { key: 'mqtt', field: 'mqtt', type: mqtt, reload: 'part', status: 'later', doc: 'Clients over MQTT.' },
]);
