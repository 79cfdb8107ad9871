// How the blocks of the configuration may change in a reload. A block's own table says which of its keys may; the rules here are for
// those that need more than that.
// Kept true: a block that is absent is compared as one that says nothing.

import { rowOfField } from '../config/key-table.ts';
import type { KeyTable } from '../config/key-table.ts';
import type { LeafnodeRemoteOptions, Options } from '../config/options.ts';
import { allUsers } from '../config/options.ts';
import type { PlanDraft, ReloadAction } from './reload-change.ts';
import { shownBytes, shownValue } from './reload-change.ts';
import { sameValue } from './same-value.ts';

type Values = Readonly<Record<string, unknown>>;

/** Compares two blocks key by key by the policy of their table. `special` handles a key itself when it answers true. */
export function diffBlock(
  draft: PlanDraft,
  table: KeyTable,
  action: ReloadAction,
  old: Values,
  now: Values,
  special: (key: string) => boolean = () => false,
): void {
  for (const [field, row] of rowOfField(table)) {
    if (sameValue(old[field], now[field]) || special(row.key)) continue;
    const option = `${table.name}.${row.key}`;
    if (row.reload === 'no') draft.refuse(option, old[field], now[field]);
    else {
      const shown = shownValue(option, now[field]);
      const line = typeof now[field] === 'object' || shown === '[REDACTED]' ? option : `${option} = ${shown}`;
      draft.change(option, old[field], now[field], action, line);
    }
  }
}

/** One line for each part; what was configured is secret. */
export function diffAuthorization(draft: PlanDraft, table: KeyTable, old: Options, now: Options): void {
  const names: Readonly<Record<string, string>> = { user: 'username', pass: 'password', token: 'token', users: 'users' };
  const before = old.authorization as unknown as Values;
  const after = now.authorization as unknown as Values;
  diffBlock(draft, table, 'authorization', before, after, (key) => {
    const name = names[key];
    if (name !== undefined) draft.change(`authorization.${key}`, undefined, undefined, 'authorization', `authorization ${name}`);
    return name !== undefined;
  });
}

/** A reload may only take the user away, and only when it is no user any more. */
export function diffNoAuthUser(draft: PlanDraft, old: Options, now: Options): void {
  const gone = !allUsers(now).some(({ user, nkey }) => user === old.noAuthUser || nkey === old.noAuthUser);
  if (now.noAuthUser === '' && gone) draft.change('no_auth_user', old.noAuthUser, '', 'authorization', 'no_auth_user removed');
  else draft.refuse('no_auth_user', old.noAuthUser, now.noAuthUser);
}

/** TLS of clients may come, go and change. */
export function diffTls(draft: PlanDraft, old: Options, now: Options): void {
  const { tls: before } = old;
  const { tls: after } = now;
  if (before === undefined || after === undefined) {
    draft.change('tls', before, after, 'tls', `tls = ${after === undefined ? 'disabled' : 'enabled'}`);
    return;
  }
  if (before.timeoutMs !== after.timeoutMs) {
    draft.change('tls.timeout', before.timeoutMs, after.timeoutMs, 'tls', `tls timeout = ${after.timeoutMs / 1_000}`);
  }
  if (before.handshakeFirst !== after.handshakeFirst || before.handshakeFirstFallbackMs !== after.handshakeFirstFallbackMs) {
    const line = `Client TLS handshake first: ${after.handshakeFirst}`;
    draft.change('tls.handshake_first', before.handshakeFirst, after.handshakeFirst, 'tls', line);
  }
  const { timeoutMs, handshakeFirst, handshakeFirstFallbackMs } = after;
  if (!sameValue({ ...before, timeoutMs, handshakeFirst, handshakeFirstFallbackMs }, after)) {
    draft.change('tls', before, after, 'tls', 'tls = enabled');
  }
}

const STORE_LIMITS = { max_memory_store: 'maxMemory', max_file_store: 'maxFile' } as const;

function diffStoreLimit(draft: PlanDraft, key: keyof typeof STORE_LIMITS, old: Options, now: Options): void {
  const before = old.jetstream[STORE_LIMITS[key]];
  const after = now.jetstream[STORE_LIMITS[key]];
  if (before !== undefined && after !== undefined && after > before) {
    draft.change(`jetstream.${key}`, before, after, 'jetstream', `JetStream ${key} = ${shownBytes(after)}`);
  } else {
    draft.errors.push(`config reload not supported for decreasing jetstream ${key}`);
  }
}

/** On and off at any time; while it stays on, only what its table allows. */
export function diffJetStream(draft: PlanDraft, table: KeyTable, old: Options, now: Options): void {
  if (old.jetstream.enabled !== now.jetstream.enabled) {
    draft.change('jetstream', old.jetstream.enabled, now.jetstream.enabled, 'jetstream', 'JetStream');
    return;
  }
  if (!now.jetstream.enabled) return;
  diffBlock(draft, table, 'jetstream', old.jetstream as unknown as Values, now.jetstream as unknown as Values, (key) => {
    if (key !== 'max_memory_store' && key !== 'max_file_store') return false;
    diffStoreLimit(draft, key, old, now);
    return true;
  });
}

function identityOf(remote: LeafnodeRemoteOptions): string {
  return JSON.stringify([remote.urls, remote.account, remote.credentials, remote.nkey]);
}

/** Remotes come and go; one that stays may change what its table allows. */
function diffRemotes(draft: PlanDraft, table: KeyTable, old: Options, now: Options): void {
  const before = new Map((old.leafnodes?.remotes ?? []).map((remote) => [identityOf(remote), remote]));
  const after = new Map((now.leafnodes?.remotes ?? []).map((remote) => [identityOf(remote), remote]));
  for (const [identity, remote] of after) {
    const known = before.get(identity);
    if (known === undefined) draft.change('leafnodes.remotes', undefined, undefined, 'leafnodes', 'LeafNode remote added');
    else diffBlock(draft, table, 'leafnodes', known as unknown as Values, remote as unknown as Values);
  }
  for (const identity of before.keys()) {
    if (!after.has(identity)) draft.change('leafnodes.remotes', undefined, undefined, 'leafnodes', 'LeafNode remote removed');
  }
}

export function diffLeafnodes(
  draft: PlanDraft,
  table: KeyTable,
  old: Values,
  now: Values,
  options: readonly [Options, Options],
): void {
  diffBlock(draft, table, 'leafnodes', old, now, (key) => {
    const remotes = table.rows.find((row) => row.key === key && key === 'remotes')?.table;
    if (remotes === undefined) return false;
    diffRemotes(draft, remotes, ...options);
    return true;
  });
}
