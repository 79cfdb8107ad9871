// Lists of users, as `authorization` and each account hold them.
// Kept true: a user that gets through has either a name or a valid public nkey, and the default permissions when it has none of its own.

import type { ConfigValue } from '../config-value.ts';
import { defineTable } from '../key-table.ts';
import type { ValueType } from '../key-table.ts';
import { decodeNkey } from '../../../lib/nkey.ts';
import type { NkeyKind } from '../../../lib/nkey.ts';
import { GLOBAL_ACCOUNT } from '../options.ts';
import type { ConnectionType, UserOptions } from '../options-auth.ts';
import type { Reader } from '../reader.ts';
import { block, blocks, bool, text, texts } from '../value-types.ts';
import { permissions } from './permissions.ts';

const CONNECTION_TYPES: ReadonlySet<string> = new Set([
  'STANDARD',
  'WEBSOCKET',
  'LEAFNODE',
  'LEAFNODE_WS',
  'MQTT',
  'MQTT_WS',
  'IN_PROCESS',
]);

/** A public nkey of one kind; `what` says whose it is. */
export function publicNkey(kind: NkeyKind, what: string): ValueType<string> {
  return {
    name: `public ${kind} nkey`,
    read(value, reader, key) {
      const read = text.read(value, reader, key);
      if (read === undefined || decodeNkey(kind, read) !== undefined) return read;
      return reader.report(value.at, `not a valid public nkey for ${what}: "${read}"`);
    },
  };
}

const connectionTypes: ValueType<ConnectionType[]> = {
  name: [...CONNECTION_TYPES].map((type) => `\`${type}\``).join(', '),
  read(value, reader, key) {
    const read = texts.read(value, reader, key)?.map((type) => type.toUpperCase());
    const wrong = read?.filter((type) => !CONNECTION_TYPES.has(type)) ?? [];
    if (wrong.length > 0) return reader.report(value.at, `invalid connection types ${JSON.stringify(wrong)}`);
    return read as ConnectionType[] | undefined;
  },
};

const userTable = defineTable<UserOptions>('users', [
  { key: 'user', aliases: ['username'], field: 'user', type: text, reload: 'yes', doc: 'User name.' },
  { key: 'pass', aliases: ['password'], field: 'pass', type: text, reload: 'yes', doc: 'Password, plain or as a bcrypt hash.' },
  {
    key: 'nkey',
    field: 'nkey',
    type: publicNkey('user', 'a user'),
    reload: 'yes',
    doc: 'Public user key, instead of name and password.',
  },
  {
    key: 'permissions',
    aliases: ['permission', 'authorization'],
    field: 'permissions',
    type: permissions,
    reload: 'yes',
    doc: 'What this user may do.',
  },
  {
    key: 'allowed_connection_types',
    aliases: ['connection_types', 'clients'],
    field: 'allowedConnectionTypes',
    type: connectionTypes,
    reload: 'yes',
    doc: 'How this user may connect; any way when absent.',
  },
  {
    key: 'proxy_required',
    field: 'proxyRequired',
    type: bool,
    reload: 'no',
    doc: 'The connection must come through a trusted proxy.',
  },
]);

function emptyUser(): UserOptions {
  return { user: '', pass: '', nkey: '', account: GLOBAL_ACCOUNT, proxyRequired: false };
}

function checkUser(user: UserOptions, value: ConfigValue, reader: Reader): void {
  if (user.nkey !== '' && (user.user !== '' || user.pass !== '')) {
    reader.report(value.at, 'nkey users do not take usernames or passwords');
  } else if (user.nkey === '' && user.user === '' && !hasEntry(value, 'nkey')) {
    reader.report(value.at, 'user entry requires a user');
  }
}

/** The key is there, whatever became of its value. */
function hasEntry(value: ConfigValue, key: string): boolean {
  return value.kind === 'map' && [...value.entries.keys()].some((name) => name.toLowerCase() === key);
}

export const users: ValueType<UserOptions[]> = blocks(block(userTable, emptyUser, checkUser));
