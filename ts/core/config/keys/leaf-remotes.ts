// The remotes of `leafnodes`: servers that this one dials as a leaf node.
// Kept true: a remote is unique by where it goes and as whom, and names one kind of credentials.

import type { ConfigValue } from '../config-value.ts';
import { defineTable } from '../key-table.ts';
import type { SpreadType, ValueType } from '../key-table.ts';
import { isNkeySeed } from '../../../lib/nkey.ts';
import type { LeafnodeRemoteOptions, ProxyOptions } from '../options-network.ts';
import { GLOBAL_ACCOUNT } from '../options.ts';
import type { Reader } from '../reader.ts';
import { block, blocks, bool, duration, quotedDuration, text } from '../value-types.ts';
import { compression, oneUrl, urlList, withMode } from './peers.ts';
import { subjects } from './permissions.ts';
import { tls } from './tls.ts';

const proxyTable = defineTable<ProxyOptions>('proxy', [
  { key: 'url', field: 'url', type: text, reload: 'no', doc: 'Where it is, http or https.' },
  { key: 'username', field: 'user', type: text, reload: 'no', doc: 'User name.' },
  { key: 'password', field: 'pass', type: text, reload: 'no', doc: 'Password.' },
  { key: 'timeout', field: 'timeoutMs', type: duration, reload: 'no', doc: 'Time to connect.' },
]);
const proxy = block<ProxyOptions>(
  proxyTable,
  () => ({ url: '', user: '', pass: '', timeoutMs: 0 }),
  (read, value, reader) => {
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(read.url)?.[1]?.toLowerCase() ?? '';
    if (scheme !== 'http' && scheme !== 'https')
      reader.report(value.at, `proxy URL scheme must be http or https, got: ${scheme}`);
    else if (!/^[^:]*:\/\/[^/?#]/.test(read.url)) reader.report(value.at, 'proxy URL must specify a host');
    if ((read.user === '') !== (read.pass === '')) {
      reader.report(value.at, 'proxy username and password must both be specified or both be empty');
    }
  },
);

const seed: ValueType<string> = {
  name: 'user seed',
  read(value, reader, key) {
    const read = text.read(value, reader, key);
    if (read === undefined || isNkeySeed('user', read)) return read;
    return reader.report(value.at, 'the nkey of a remote leaf node is not a valid seed');
  },
};

const migrateTable = defineTable<LeafnodeRemoteOptions>('jetstream_cluster_migrate', [
  {
    key: 'leader_migrate_delay',
    field: 'leaderMigrateDelayMs',
    type: quotedDuration,
    reload: 'no',
    doc: 'Wait that long before.',
  },
]);
const migrate: SpreadType<LeafnodeRemoteOptions> = {
  name: 'boolean or map',
  table: migrateTable,
  assign(remote, value, reader, key) {
    if (value.kind === 'bool') remote.jetstreamClusterMigrate = value.value;
    else if (value.kind !== 'map') reader.wrongType(value, key, 'a boolean or a map');
    else {
      remote.jetstreamClusterMigrate = true;
      migrateTable.fill(remote, value.entries.values(), reader);
    }
  },
};

const remoteTable = defineTable<LeafnodeRemoteOptions>('remotes', [
  { key: 'url', field: 'urls', type: oneUrl('leafnode'), reload: 'no', doc: 'Server to connect to.' },
  { key: 'urls', field: 'urls', type: urlList('leafnode'), reload: 'no', doc: 'Servers, one of which is connected to.' },
  {
    key: 'account',
    aliases: ['local'],
    field: 'account',
    type: text,
    reload: 'no',
    default: '$G',
    doc: 'The account here that is joined.',
  },
  { key: 'credentials', aliases: ['creds'], field: 'credentials', type: text, reload: 'no', doc: 'Credentials file.' },
  { key: 'nkey', aliases: ['seed'], field: 'nkey', type: seed, reload: 'no', doc: 'User seed, instead of a file.' },
  { key: 'tls', field: 'tls', type: tls('others'), reload: 'yes', doc: 'TLS to it.' },
  { key: 'hub', field: 'hub', type: bool, reload: 'no', default: 'false', doc: 'This side is the hub.' },
  {
    key: 'deny_imports',
    aliases: ['deny_import'],
    field: 'denyImports',
    type: subjects(false),
    reload: 'no',
    doc: 'Subjects not taken in.',
  },
  {
    key: 'deny_exports',
    aliases: ['deny_export'],
    field: 'denyExports',
    type: subjects(false),
    reload: 'no',
    doc: 'Subjects not given out.',
  },
  {
    key: 'no_randomize',
    aliases: ['dont_randomize'],
    field: 'noRandomize',
    type: bool,
    reload: 'no',
    default: 'false',
    doc: 'Try URLs in order.',
  },
  {
    key: 'ws_compression',
    aliases: ['ws_compress', 'websocket_compress', 'websocket_compression'],
    field: 'wsCompression',
    type: bool,
    reload: 'no',
    default: 'false',
    doc: 'Compression of WebSocket.',
  },
  {
    key: 'ws_no_masking',
    aliases: ['websocket_no_masking'],
    field: 'wsNoMasking',
    type: bool,
    reload: 'no',
    default: 'false',
    doc: 'WebSocket frames without masks.',
  },
  {
    key: 'jetstream_cluster_migrate',
    aliases: ['js_cluster_migrate'],
    spread: migrate,
    fields: ['jetstreamClusterMigrate', 'leaderMigrateDelayMs'],
    reload: 'no',
    doc: 'Leaders of streams move away while it is not connected.',
  },
  {
    key: 'isolate_leafnode_interest',
    aliases: ['isolate'],
    field: 'isolateLeafnodeInterest',
    type: bool,
    reload: 'no',
    default: 'false',
    doc: 'Interest of other leaf nodes is not told.',
  },
  {
    key: 'request_isolation',
    field: 'requestIsolation',
    type: bool,
    reload: 'no',
    default: 'false',
    doc: 'Ask the other side for that.',
  },
  {
    key: 'compression',
    field: 'compression',
    type: compression('s2_auto'),
    reload: 'yes',
    default: 's2_auto',
    doc: 'Compression.',
  },
  {
    key: 'first_info_timeout',
    field: 'firstInfoTimeoutMs',
    type: duration,
    reload: 'no',
    default: '1 s',
    doc: 'Time until INFO must be there.',
  },
  { key: 'dial_timeout', field: 'dialTimeoutMs', type: duration, reload: 'no', default: '1 s', doc: 'Time to connect.' },
  { key: 'disabled', field: 'disabled', type: bool, reload: 'yes', default: 'false', doc: 'Not used for now.' },
  {
    key: 'ignore_discovered_servers',
    field: 'ignoreDiscoveredServers',
    type: bool,
    reload: 'no',
    default: 'false',
    doc: 'Only the URLs given here.',
  },
  { key: 'proxy', field: 'proxy', type: proxy, reload: 'no', doc: 'HTTP proxy for WebSocket.' },
]);

/** A URL as it may be shown. */
function hidePassword(url: string): string {
  return url.replace(/^([^:]*:\/\/[^/?#@]*?:)[^/?#]*@/, '$1xxxxx@');
}

function isWebsocket(url: string): boolean {
  return /^wss?:/i.test(url);
}

function checkRemote(remote: LeafnodeRemoteOptions, value: ConfigValue, reader: Reader): void {
  if (remote.credentials !== '' && remote.nkey !== '') {
    reader.report(value.at, 'a remote leaf node can not have both credentials and an nkey');
  }
  const secured = remote.urls.find((url) => /^wss:/i.test(url));
  if (remote.proxy !== undefined && secured !== undefined && remote.tls === undefined) {
    reader.report(
      value.at,
      `a proxy is configured, but remote URL ${hidePassword(secured)} needs TLS, and no tls block is there`,
    );
  }
  if (remote.proxy !== undefined && !remote.urls.some(isWebsocket)) {
    reader.warn(value.at, 'proxy configuration will be ignored: it applies to ws:// and wss:// URLs only');
  }
}

const remoteList = blocks(
  block<LeafnodeRemoteOptions>(
    remoteTable,
    () => ({
      urls: [],
      account: '',
      credentials: '',
      nkey: '',
      hub: false,
      denyImports: [],
      denyExports: [],
      noRandomize: false,
      wsCompression: false,
      wsNoMasking: false,
      jetstreamClusterMigrate: false,
      leaderMigrateDelayMs: 0,
      isolateLeafnodeInterest: false,
      requestIsolation: false,
      compression: withMode('s2_auto'),
      firstInfoTimeoutMs: 1_000,
      dialTimeoutMs: undefined,
      disabled: false,
      ignoreDiscoveredServers: false,
    }),
    checkRemote,
  ),
);

/** Refuses a remote that goes to the same place as the same user as one before it. */
export const remotes: ValueType<LeafnodeRemoteOptions[]> = {
  ...remoteList,
  read(value, reader, key) {
    const read = remoteList.read(value, reader, key);
    const seen = new Set<string>();
    for (const remote of read ?? []) {
      const who = JSON.stringify([
        remote.urls,
        remote.account === '' ? GLOBAL_ACCOUNT : remote.account,
        remote.credentials,
        remote.nkey,
      ]);
      if (seen.has(who) && remote.urls.length > 0) {
        reader.report(
          value.at,
          `duplicate remote urls=${JSON.stringify(remote.urls.map(hidePassword))}, account="${remote.account || GLOBAL_ACCOUNT}"`,
        );
      }
      seen.add(who);
    }
    return read;
  },
};
