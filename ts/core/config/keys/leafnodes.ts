// The `leafnodes` block: its listener, who may connect to it, and what it dials.
// Kept true: credentials are given as one user or as a list of them, never both.

import { defineTable } from '../key-table.ts';
import type { ValueType } from '../key-table.ts';
import type { LeafnodeAuthorization, LeafnodesOptions, LeafnodeUser } from '../options-network.ts';
import { block, blocks, bool, duration, integer, listen, seconds, text } from '../value-types.ts';
import { remotes } from './leaf-remotes.ts';
import { compression, withMode, writeTimeout } from './peers.ts';
import { tls } from './tls.ts';
import { publicNkey } from './users.ts';

const userTable = defineTable<LeafnodeUser>('users', [
  { key: 'user', aliases: ['username'], field: 'user', type: text, reload: 'no', doc: 'User name.' },
  { key: 'password', aliases: ['pass'], field: 'pass', type: text, reload: 'no', doc: 'Password.' },
  { key: 'account', field: 'account', type: text, reload: 'no', default: '$G', doc: 'The account it belongs to.' },
  { key: 'proxy_required', field: 'proxyRequired', type: bool, reload: 'no', doc: 'Only through a trusted proxy.' },
]);
const users = blocks(block<LeafnodeUser>(userTable, () => ({ user: '', pass: '', account: '', proxyRequired: false })));

const authorizationTable = defineTable<LeafnodeAuthorization>('authorization', [
  { key: 'user', aliases: ['username'], field: 'user', type: text, reload: 'no', doc: 'The one user name.' },
  { key: 'password', aliases: ['pass'], field: 'pass', type: text, reload: 'no', doc: 'Its password.' },
  {
    key: 'nkey',
    field: 'nkey',
    type: publicNkey('user', 'leafnode authorization'),
    reload: 'no',
    doc: 'Public user key instead.',
  },
  { key: 'account', field: 'account', type: text, reload: 'no', default: '$G', doc: 'The account of that user.' },
  { key: 'timeout', field: 'timeoutMs', type: seconds, reload: 'no', doc: 'How long a leaf node may take to authenticate.' },
  { key: 'users', field: 'users', type: users, reload: 'no', doc: 'Several users.' },
  { key: 'proxy_required', field: 'proxyRequired', type: bool, reload: 'no', doc: 'Only through a trusted proxy.' },
]);
const authorization = block<LeafnodeAuthorization>(
  authorizationTable,
  () => ({ user: '', pass: '', nkey: '', account: '', timeoutMs: undefined, users: [], proxyRequired: false }),
  (read, value, reader) => {
    const single = read.user !== '' || read.nkey !== '';
    if (single && read.users.length > 0) reader.report(value.at, 'can not have a single user/pass and a users array');
    const names = read.users.map(({ user }) => user);
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) reader.report(value.at, `duplicate user "${twice}" detected`);
  },
);

/** 2.8.0 is the first version that can be asked for. */
const minVersion: ValueType<string> = {
  name: 'version from 2.8.0',
  read(value, reader, key) {
    const read = text.read(value, reader, key);
    if (read === undefined) return undefined;
    const version = /^v?(\d+)\.(\d+)\.(\d+)/.exec(read);
    if (version === null) return reader.report(value.at, `invalid leafnode's minimum version: "${read}"`);
    const isOld = Number(version[1]) < 2 || (Number(version[1]) === 2 && Number(version[2]) < 8);
    return isOld ? reader.report(value.at, 'the minimum version should be at least 2.8.0') : read;
  },
};

const leafnodesTable = defineTable<LeafnodesOptions>('leafnodes', [
  {
    key: 'listen',
    spread: listen<LeafnodesOptions>(),
    fields: ['host', 'port'],
    reload: 'no',
    doc: 'Where leaf nodes are accepted.',
  },
  { key: 'host', aliases: ['net'], field: 'host', type: text, reload: 'no', default: '0.0.0.0', doc: 'Host of `listen`.' },
  { key: 'port', field: 'port', type: integer, reload: 'no', default: 'off', doc: 'Port of `listen`, -1 for any.' },
  {
    key: 'advertise',
    aliases: ['leafnode_advertise'],
    field: 'advertise',
    type: text,
    reload: 'no',
    doc: 'Address told to leaf nodes.',
  },
  {
    key: 'no_advertise',
    field: 'noAdvertise',
    type: bool,
    reload: 'no',
    status: 'later',
    default: 'false',
    doc: 'Leaf nodes are not told of other servers.',
  },
  { key: 'authorization', field: 'authorization', type: authorization, reload: 'no', doc: 'Users of leaf nodes.' },
  { key: 'tls', field: 'tls', type: tls('clients'), reload: 'yes', doc: 'TLS of the listener.' },
  {
    key: 'compression',
    field: 'compression',
    type: compression('s2_auto'),
    reload: 'yes',
    status: 'later',
    default: 's2_auto',
    doc: 'Compression.',
  },
  {
    key: 'min_version',
    aliases: ['minimum_version'],
    field: 'minVersion',
    type: minVersion,
    reload: 'no',
    status: 'later',
    doc: 'The oldest leaf node accepted.',
  },
  {
    key: 'isolate_leafnode_interest',
    aliases: ['isolate'],
    field: 'isolateLeafnodeInterest',
    type: bool,
    reload: 'no',
    status: 'later',
    default: 'false',
    doc: 'Interest of other leaf nodes is not told.',
  },
  {
    key: 'reconnect',
    aliases: ['reconnect_delay', 'reconnect_interval'],
    field: 'reconnectMs',
    type: duration,
    reload: 'no',
    status: 'later',
    default: '1 s',
    doc: 'Time between tries to connect.',
  },
  {
    key: 'dial_timeout',
    field: 'dialTimeoutMs',
    type: duration,
    reload: 'no',
    status: 'later',
    default: '1 s',
    doc: 'Time to connect.',
  },
  {
    key: 'write_deadline',
    field: 'writeDeadlineMs',
    type: duration,
    reload: 'no',
    default: 'of the server',
    doc: 'Time a write may take.',
  },
  {
    key: 'write_timeout',
    field: 'writeTimeout',
    type: writeTimeout,
    reload: 'no',
    status: 'later',
    default: 'retry',
    doc: 'What happens then.',
  },
  {
    key: 'remotes',
    field: 'remotes',
    type: remotes,
    reload: 'part',
    status: 'later',
    doc: 'Servers this one is a leaf node of.',
  },
]);

export const leafnodes: ValueType<LeafnodesOptions> = block<LeafnodesOptions>(leafnodesTable, () => ({
  host: '0.0.0.0',
  port: 0,
  advertise: '',
  noAdvertise: false,
  compression: withMode('s2_auto'),
  minVersion: '',
  isolateLeafnodeInterest: false,
  reconnectMs: 1_000,
  dialTimeoutMs: 1_000,
  writeDeadlineMs: undefined,
  writeTimeout: 'default',
  remotes: [],
}));
