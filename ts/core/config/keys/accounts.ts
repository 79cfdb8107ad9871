// The `accounts` block: each account's users, limits, JetStream, mappings, exports and imports.
// Kept true: `$G` is never configured here, and an account stands once in the list.

import type { ConfigValue } from '../config-value.ts';
import { defineTable } from '../key-table.ts';
import type { SpreadType, ValueType } from '../key-table.ts';
import { isValidSubject, isValidLiteral } from '../../subject/subject.ts';
import { emptyAccount, unlimitedAccount, unlimitedJetStream } from '../options-auth.ts';
import type { AccountJetStreamLimits, AccountLimits, AccountOptions, MessageTraceOptions } from '../options-auth.ts';
import { GLOBAL_ACCOUNT } from '../options.ts';
import type { Options } from '../options.ts';
import type { Reader } from '../reader.ts';
import { block, bool, integer, oneOf, size, text } from '../value-types.ts';
import { exportList, importList } from './exports.ts';
import { mappings } from './mappings.ts';
import { permissions } from './permissions.ts';
import { publicNkey, users } from './users.ts';

const limitsTable = defineTable<AccountLimits>('limits', [
  {
    key: 'max_connections',
    aliases: ['max_conn'],
    field: 'maxConnections',
    type: integer,
    reload: 'yes',
    doc: 'Client connections.',
  },
  {
    key: 'max_subscriptions',
    aliases: ['max_subs'],
    field: 'maxSubscriptions',
    type: integer,
    reload: 'yes',
    doc: 'Subscriptions.',
  },
  { key: 'max_payload', aliases: ['max_pay'], field: 'maxPayload', type: size, reload: 'yes', doc: 'Bytes of a message.' },
  {
    key: 'max_leafnodes',
    aliases: ['max_leafs'],
    field: 'maxLeafnodes',
    type: integer,
    reload: 'yes',
    status: 'later',
    doc: 'Leaf node connections.',
  },
]);

/** JetStream limits of an account while they are read; cluster traffic is a setting of the account itself. */
type JetStreamDraft = AccountJetStreamLimits & { clusterTraffic: string };

const jetstreamTable = defineTable<JetStreamDraft>('jetstream', [
  {
    key: 'max_memory',
    aliases: ['max_mem', 'mem', 'memory'],
    field: 'maxMemory',
    type: size,
    reload: 'yes',
    doc: 'Bytes in memory.',
  },
  {
    key: 'max_store',
    aliases: ['max_file', 'max_disk', 'store', 'disk'],
    field: 'maxStore',
    type: size,
    reload: 'yes',
    doc: 'Bytes on disk.',
  },
  { key: 'max_streams', aliases: ['streams'], field: 'maxStreams', type: integer, reload: 'yes', doc: 'Streams.' },
  {
    key: 'max_consumers',
    aliases: ['consumers'],
    field: 'maxConsumers',
    type: integer,
    reload: 'yes',
    doc: 'Consumers of one stream.',
  },
  {
    key: 'max_bytes_required',
    aliases: ['max_stream_bytes', 'max_bytes'],
    field: 'maxBytesRequired',
    type: bool,
    reload: 'yes',
    doc: 'Every stream must have a size limit.',
  },
  {
    key: 'mem_max_stream_bytes',
    aliases: ['memory_max_stream_bytes'],
    field: 'memMaxStreamBytes',
    type: size,
    reload: 'yes',
    doc: 'Bytes of one stream in memory.',
  },
  {
    key: 'disk_max_stream_bytes',
    aliases: ['store_max_stream_bytes'],
    field: 'diskMaxStreamBytes',
    type: size,
    reload: 'yes',
    doc: 'Bytes of one stream on disk.',
  },
  {
    key: 'max_ack_pending',
    field: 'maxAckPending',
    type: integer,
    reload: 'yes',
    doc: 'Unacknowledged messages of one consumer.',
  },
  {
    key: 'cluster_traffic',
    field: 'clusterTraffic',
    type: oneOf({ system: 'system', owner: 'owner' }),
    reload: 'yes',
    doc: 'The account whose routes carry replication.',
    status: 'later',
  },
]);
const jetstreamMap = block<JetStreamDraft>(jetstreamTable, () => ({ ...unlimitedJetStream(), clusterTraffic: '' }));
const jetstreamWord = oneOf({ enabled: true, enable: true, disabled: false, disable: false });

const accountJetstream: SpreadType<AccountOptions> = {
  name: 'boolean, `enabled`, `disabled` or map',
  table: jetstreamTable,
  assign(account, value, reader, key) {
    if (value.kind === 'map') {
      const read = jetstreamMap.read(value, reader, key);
      if (read === undefined) return;
      const { clusterTraffic, ...limits } = read;
      account.jetstream = limits;
      account.clusterTraffic = clusterTraffic;
      return;
    }
    const on = value.kind === 'bool' ? value.value : jetstreamWord.read(value, reader, key);
    if (on === true) account.jetstream = unlimitedJetStream();
    else delete account.jetstream;
  },
};

const traceSampling: ValueType<number> = {
  name: '1..100 or "n%"',
  read(value, reader) {
    const written = value.kind === 'string' ? value.value.replace(/%$/, '') : value.kind === 'integer' ? String(value.value) : '';
    const percent = /^\d+$/.test(written) ? Number(written) : 0;
    if (percent >= 1 && percent <= 100) return percent;
    return reader.report(value.at, 'trace destination sampling needs to be 1 to 100');
  },
};
const traceTable = defineTable<MessageTraceOptions>('msg_trace', [
  { key: 'dest', field: 'dest', type: text, reload: 'yes', doc: 'Where traces are published.' },
  { key: 'sampling', field: 'sampling', type: traceSampling, reload: 'yes', default: '100', doc: 'Percent of the messages.' },
]);
const traceMap = block<MessageTraceOptions>(
  traceTable,
  () => ({ dest: '', sampling: 100 }),
  (read, value, reader) => {
    const isSampled = value.kind === 'map' && value.entries.has('sampling');
    if (read.dest === '' && isSampled) reader.warn(value.at, 'trace destination sampling ignored since no destination was set');
  },
);

const messageTrace: ValueType<MessageTraceOptions> = {
  name: 'subject or map',
  table: traceTable,
  read(value, reader, key) {
    const read = value.kind === 'string' ? { dest: value.value, sampling: 100 } : traceMap.read(value, reader, key);
    if (read === undefined || read.dest === '' || isValidLiteral(read.dest)) return read;
    return reader.report(value.at, `trace destination "${read.dest}" is not valid`);
  },
};

const accountTable = defineTable<AccountOptions>('accounts', [
  { key: 'nkey', field: 'nkey', type: publicNkey('account', 'an account'), reload: 'yes', doc: 'Public account key.' },
  { key: 'users', field: 'users', type: users, reload: 'yes', doc: 'Who belongs to this account.' },
  {
    key: 'default_permissions',
    field: 'defaultPermissions',
    type: permissions,
    reload: 'yes',
    doc: 'Permissions of users that have none of their own.',
  },
  {
    key: 'limits',
    field: 'limits',
    type: block(limitsTable, unlimitedAccount),
    reload: 'yes',
    doc: 'Limits of the whole account, -1 for none.',
  },
  { key: 'jetstream', spread: accountJetstream, reload: 'yes', doc: 'Streams of its own; off when absent.' },
  { key: 'mappings', aliases: ['maps'], field: 'mappings', type: mappings, reload: 'yes', doc: 'Subject mappings.' },
  {
    key: 'msg_trace',
    aliases: ['trace_dest'],
    field: 'messageTrace',
    type: messageTrace,
    reload: 'yes',
    doc: 'Trace messages that carry a trace parent header.',
  },
  { key: 'exports', field: 'exports', type: exportList, reload: 'yes', doc: 'What other accounts may import.' },
  {
    key: 'imports',
    field: 'imports',
    type: importList,
    reload: 'yes',
    doc: 'What is taken from other accounts.',
  },
]);

function finishAccount(account: AccountOptions, value: ConfigValue, reader: Reader): void {
  for (const user of account.users) {
    user.account = account.name;
    if (account.defaultPermissions !== undefined) user.permissions ??= account.defaultPermissions;
  }
  for (const { subject } of account.exports) {
    if (subject !== '' && !isValidSubject(subject)) reader.warn(value.at, `exported subject "${subject}" is not a valid subject`);
  }
}

function addAccount(
  name: string,
  value: ConfigValue,
  reader: Reader,
  into: Map<string, AccountOptions>,
): AccountOptions | undefined {
  if (name === GLOBAL_ACCOUNT) return reader.report(value.at, `"${GLOBAL_ACCOUNT}" is a Reserved Account`);
  if (into.has(name)) return reader.report(value.at, `duplicate account entry: ${name}`);
  const account = emptyAccount(name);
  into.set(name, account);
  return account;
}

export const accounts: SpreadType<Options> = {
  name: 'map of accounts, or list of names',
  table: accountTable,
  assign(options, value, reader, key) {
    if (value.kind === 'array') {
      for (const item of value.items) {
        const name = text.read(item, reader, key);
        if (name !== undefined) addAccount(name, item, reader, options.accounts);
      }
      return;
    }
    if (value.kind !== 'map') {
      reader.wrongType(value, key, 'a map of accounts');
      return;
    }
    for (const entry of value.entries.values()) {
      // What a variable stands for is no account.
      if (entry.referenced) continue;
      if (entry.value.kind !== 'map') {
        reader.wrongType(entry.value, entry.key, 'a map for the account');
        continue;
      }
      const account = addAccount(entry.key, entry.value, reader, options.accounts);
      if (account === undefined) continue;
      accountTable.fill(account, entry.value.entries.values(), reader);
      finishAccount(account, entry.value, reader);
    }
  },
};
