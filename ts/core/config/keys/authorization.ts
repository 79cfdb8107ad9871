// The top-level `authorization` block, and the smaller ones of listeners that have credentials of their own.
// Kept true: credentials are given in exactly one way: one user with a password, or one token, or a list of users.

import type { ConfigValue } from '../config-value.ts';
import { defineTable } from '../key-table.ts';
import type { ValueType } from '../key-table.ts';
import type { AuthCalloutOptions, AuthorizationOptions } from '../options-auth.ts';
import type { ListenerAuthorization } from '../options-network.ts';
import { GLOBAL_ACCOUNT } from '../options.ts';
import type { Reader } from '../reader.ts';
import { block, bool, seconds, text, textList, texts } from '../value-types.ts';
import { permissions } from './permissions.ts';
import { publicNkey, users } from './users.ts';

const calloutTable = defineTable<AuthCalloutOptions>('auth_callout', [
  {
    key: 'issuer',
    field: 'issuer',
    type: publicNkey('account', 'the issuer of an auth callout'),
    reload: 'no',
    doc: 'Public account key that signs the answers. Required.',
  },
  {
    key: 'account',
    aliases: ['acc'],
    field: 'account',
    type: text,
    reload: 'no',
    default: '$G',
    doc: 'The account that requests are sent to.',
  },
  {
    key: 'auth_users',
    aliases: ['users'],
    field: 'authUsers',
    type: textList,
    reload: 'no',
    doc: 'Users that connect without the callout. Required.',
  },
  {
    key: 'xkey',
    aliases: ['key'],
    field: 'xkey',
    type: publicNkey('curve', 'an auth callout'),
    reload: 'no',
    doc: 'Public curve key; requests and answers are encrypted.',
  },
  {
    key: 'allowed_accounts',
    field: 'allowedAccounts',
    type: texts,
    reload: 'no',
    doc: 'Accounts that answers may name; any when empty.',
  },
]);

function checkCallout(read: AuthCalloutOptions, value: ConfigValue, reader: Reader): void {
  const failed = value.kind === 'map' && value.entries.has('issuer') && read.issuer === '';
  if (read.issuer === '' && !failed) reader.report(value.at, 'authorization callouts require an issuer to be specified');
  else if (read.authUsers.length === 0)
    reader.report(value.at, 'authorization callouts require authorized users to be specified');
}

const callout = block<AuthCalloutOptions>(
  calloutTable,
  () => ({ issuer: '', account: GLOBAL_ACCOUNT, authUsers: [], xkey: '', allowedAccounts: [] }),
  checkCallout,
);

const authorizationTable = defineTable<AuthorizationOptions>('authorization', [
  { key: 'user', aliases: ['username'], field: 'user', type: text, reload: 'yes', doc: 'The one user name.' },
  {
    key: 'pass',
    aliases: ['password'],
    field: 'pass',
    type: text,
    reload: 'yes',
    doc: 'Its password, plain or as a bcrypt hash.',
  },
  { key: 'token', field: 'token', type: text, reload: 'yes', doc: 'The one token, plain or as a bcrypt hash.' },
  {
    key: 'timeout',
    field: 'timeoutMs',
    type: seconds,
    reload: 'yes',
    default: '2 s, with TLS its timeout and 1 s',
    doc: 'How long a client may take to authenticate.',
  },
  { key: 'users', field: 'users', type: users, reload: 'yes', doc: 'Several users, of the global account.' },
  {
    key: 'default_permissions',
    aliases: ['default_permission', 'permissions'],
    field: 'defaultPermissions',
    type: permissions,
    reload: 'yes',
    doc: 'Permissions of users that have none of their own.',
  },
  {
    key: 'auth_callout',
    aliases: ['auth_hook'],
    field: 'authCallout',
    type: callout,
    reload: 'no',
    doc: 'A service decides who may connect.',
  },
  {
    key: 'proxy_required',
    field: 'proxyRequired',
    type: bool,
    reload: 'no',
    doc: 'Every connection must come through a trusted proxy.',
  },
]);

/** One way of giving credentials, and no other. A password alone beside users is only some variable's name. */
function checkExclusive(read: AuthorizationOptions, value: ConfigValue, reader: Reader): void {
  const hasUsers = value.kind === 'map' && [...value.entries.keys()].some((key) => key.toLowerCase() === 'users');
  if (read.token !== '' && (read.user !== '' || read.pass !== '')) reader.report(value.at, 'cannot have a user/pass and a token');
  else if (read.user !== '' && hasUsers) reader.report(value.at, 'cannot have a single user/pass and a users array');
  else if (read.token !== '' && hasUsers) reader.report(value.at, 'cannot have a token and a users array');
  if (hasUsers && read.user === '') read.pass = '';
}

export const authorization: ValueType<AuthorizationOptions> = block<AuthorizationOptions>(
  authorizationTable,
  () => ({ user: '', pass: '', token: '', timeoutMs: undefined, users: [], proxyRequired: false }),
  (read, value, reader) => {
    checkExclusive(read, value, reader);
    const { defaultPermissions } = read;
    for (const user of read.users) if (defaultPermissions !== undefined) user.permissions ??= defaultPermissions;
  },
);

const listenerTable = defineTable<ListenerAuthorization>('authorization', [
  { key: 'user', aliases: ['username'], field: 'user', type: text, reload: 'no', doc: 'User name.' },
  { key: 'pass', aliases: ['password'], field: 'pass', type: text, reload: 'no', doc: 'Password.' },
  { key: 'token', field: 'token', type: text, reload: 'no', doc: 'Token.' },
  { key: 'timeout', field: 'timeoutMs', type: seconds, reload: 'no', doc: 'How long a client may take to authenticate.' },
]);

/** user, pass, token and timeout: WebSocket and MQTT listeners. */
export const listenerAuthorization: ValueType<ListenerAuthorization> = block<ListenerAuthorization>(listenerTable, () => ({
  user: '',
  pass: '',
  token: '',
  timeoutMs: undefined,
}));

/** A cluster or gateway knows one user only. */
export interface PeerAuthorization {
  user: string;
  pass: string;
  timeoutMs: number | undefined;
}

export function checkPeerAuthorization(value: ConfigValue, reader: Reader, what: string): void {
  if (value.kind !== 'map') return;
  for (const entry of value.entries.values()) {
    const key = entry.key.toLowerCase();
    if (key === 'users') reader.report(entry.value.at, `${what} authorization does not allow multiple users`);
    else if (key === 'token') reader.report(entry.value.at, `${what} authorization does not support tokens`);
    else if (key === 'auth_callout' || key === 'auth_hook') {
      reader.report(entry.value.at, `${what} authorization does not support callouts`);
    }
  }
}
