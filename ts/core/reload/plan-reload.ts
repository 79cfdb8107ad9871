// What a reload would do: the running options against newly read ones, by the policy of the tables of keys. Nothing is changed here;
// the caller carries the changes out in order, or none of them when there is an error.
// Kept true: every field of Options is compared, through the row of its key. Certificates may have changed in their files while the
// options stayed the same, so whoever carries out a reload reads them again in any case.

import { rowOfField } from '../config/key-table.ts';
import type { KeyRow } from '../config/key-table.ts';
import { topTable } from '../config/keys/top.ts';
import type { Options } from '../config/options.ts';
import { diffAuthorization, diffBlock, diffJetStream, diffLeafnodes, diffNoAuthUser, diffTls } from './block-rules.ts';
import { PlanDraft, shownValue } from './reload-change.ts';
import type { ReloadAction, ReloadPlan } from './reload-change.ts';
import { sameValue } from './same-value.ts';

type Values = Readonly<Record<string, unknown>>;

/** Who acts on keys that may change freely; those not listed are the sessions' limits. */
const ACTIONS: Readonly<Record<string, ReloadAction>> = {
  client_advertise: 'info',
  server_tags: 'identity',
  server_metadata: 'identity',
  debug: 'log',
  trace: 'log',
  trace_verbose: 'log',
  trace_headers: 'log',
  logtime: 'log',
  logtime_utc: 'log',
  log_file: 'log',
  syslog: 'log',
  remote_syslog: 'log',
  max_traced_msg_len: 'log',
  pid_file: 'files',
  ports_file_dir: 'files',
  prof_block_rate: 'profile',
  connect_error_reports: 'reports',
  reconnect_error_reports: 'reports',
  accounts: 'accounts',
  mappings: 'accounts',
  default_sentinel: 'authorization',
  proxies: 'trust',
  resolver_tls: 'trust',
  resolver_preload: 'trust',
  resolver_pinned_accounts: 'trust',
  ocsp: 'trust',
  ocsp_cache: 'trust',
};

/** Lines that are worded in their own way. */
const LINES: Readonly<Record<string, (now: unknown) => string>> = {
  server_tags: () => 'tags',
  server_metadata: () => 'metadata',
  accounts: () => 'accounts',
  mappings: () => 'mappings',
  ocsp: () => 'OCSP',
  ocsp_cache: () => 'OCSP peer cache',
  no_fast_producer_stall: (now) => `fast producers will ${now === true ? 'not ' : ''}be stalled`,
};

/** Blocks that are compared key by key, without rules of their own. */
const PLAIN_BLOCKS: Readonly<Record<string, ReloadAction>> = {
  cluster: 'cluster',
  gateway: 'gateway',
  websocket: 'websocket',
  mqtt: 'mqtt',
};

function diffResolver(draft: PlanDraft, old: Options, now: Options): void {
  if (old.resolver === undefined || now.resolver === undefined) {
    draft.errors.push('config reload does not support moving to or from an account resolver');
  } else {
    draft.change('resolver', old.resolver, now.resolver, 'trust', 'account resolver');
  }
}

/** True when the row was compared by a rule of its own. */
function diffSpecially(draft: PlanDraft, row: KeyRow, old: Options, now: Options): boolean {
  const { table } = row;
  const [before, after] = [old, now].map((options) => options[row.key as keyof Options] ?? row.blank?.()) as [Values, Values];
  if (row.key === 'no_auth_user') diffNoAuthUser(draft, old, now);
  else if (row.key === 'resolver') diffResolver(draft, old, now);
  else if (row.key === 'tls') diffTls(draft, old, now);
  else if (table === undefined) return false;
  else if (row.key === 'authorization') diffAuthorization(draft, table, old, now);
  else if (row.key === 'jetstream') diffJetStream(draft, table, old, now);
  else if (row.key === 'leafnodes') diffLeafnodes(draft, table, before, after, [old, now]);
  else if (PLAIN_BLOCKS[row.key] !== undefined) diffBlock(draft, table, PLAIN_BLOCKS[row.key] ?? 'limits', before, after);
  else return false;
  return true;
}

function diffRow(draft: PlanDraft, row: KeyRow, field: keyof Options, old: Options, now: Options): void {
  if (diffSpecially(draft, row, old, now)) return;
  if (row.reload === 'no') {
    draft.refuse(row.key, old[field], now[field]);
    return;
  }
  const line = LINES[row.key]?.(now[field]) ?? `${row.key} = ${shownValue(row.key, now[field])}`;
  draft.change(row.key, old[field], now[field], ACTIONS[row.key] ?? 'limits', line);
}

export function planReload(old: Options, now: Options): ReloadPlan {
  const draft = new PlanDraft();
  for (const [field, row] of rowOfField(topTable)) {
    const name = field as keyof Options;
    if (!sameValue(old[name], now[name])) diffRow(draft, row, name, old, now);
  }
  return draft.errors.length > 0 ? { changes: [], errors: draft.errors } : draft;
}

/** The lines of a successful reload, the last one with the digest of the file. */
export function reloadLines(plan: ReloadPlan, now: Options): string[] {
  const done = `Reloaded server configuration${now.configDigest === '' ? '' : ` (${now.configDigest})`}`;
  return [...plan.changes.map(({ line }) => `Reloaded: ${line}`), done];
}
