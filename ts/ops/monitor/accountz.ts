// /accountz and /accstatz: the accounts of this server, what one of them looks like, and what their connections have moved.

import type { LatencyOptions } from '../../core/config/options-auth.ts';
import type { AccountSnapshot, EngineView, SignedAccountSnapshot, Traffic } from '../../engine/snapshot.ts';
import { instantText, unlessEmpty, type Document } from './context.ts';
import { BadRequest, flag, text } from './query.ts';
import { matcherDocument } from './subsz.ts';

export interface AccountzOptions {
  /** Empty: only the names of all. */
  readonly account: string;
}

export function accountzOptions(query: URLSearchParams): AccountzOptions {
  return { account: text(query, 'acc') };
}

export function accountz(view: EngineView, options: AccountzOptions): Document {
  const server = view.server();
  const accounts = view.accounts();
  const head = { server_id: server.id, now: instantText(server.now), system_account: unlessEmpty(server.systemAccount) };
  if (options.account === '') return { ...head, accounts: unlessEmpty(accounts.map(({ name }) => name)) };
  const account = accounts.find(({ name }) => name === options.account);
  if (account === undefined) throw new BadRequest(`Account ${options.account} does not exist`);
  return { ...head, account_detail: accountDetail(view, account) };
}

function accountDetail(view: EngineView, account: AccountSnapshot): Document {
  const { signed } = account;
  return {
    account_name: account.name,
    update_time: instantText(account.updateTime),
    is_system: unlessEmpty(account.system),
    expired: signed?.expired ?? false,
    complete: signed?.complete ?? true,
    jetstream_enabled: account.jetstreamEnabled,
    leafnode_connections: account.leafnodeConnections,
    client_connections: account.clientConnections,
    subscriptions: account.subscriptions,
    mappings: mappingsDocument(account),
    exports: unlessEmpty(exportsDocument(account)),
    imports: unlessEmpty([...importsDocument(account), ...systemImports(view, account)]),
    jwt: signed?.jwt,
    issuer_key: signed?.issuerKey,
    name_tag: account.nameTag ?? account.name,
    tags: unlessEmpty(signed?.tags ?? []),
    decoded_jwt: signed?.claims as Document | undefined,
    validation_result_jwt: unlessEmpty(
      (signed?.problems ?? []).map((text) => ({ description: text, blocking: true, time_check: false })),
    ),
    revoked_user: signed && revokedDocument(signed),
    sublist_stats: matcherDocument(view.matcher(account.name)),
  };
}

function revokedDocument({ revocations }: SignedAccountSnapshot): Document | undefined {
  const rows = [...revocations].map(([user, seconds]) => [user, instantText({ seconds, nanos: 0 })]);
  return unlessEmpty(Object.fromEntries(rows) as Document);
}

function mappingsDocument({ mappings = [] }: AccountSnapshot): Document | undefined {
  const rows = mappings.map(({ source, destinations }) => [
    source,
    destinations.map(({ subject, weight, cluster }) => ({ subject, weight, cluster: unlessEmpty(cluster) })),
  ]);
  return unlessEmpty(Object.fromEntries(rows) as Document);
}

function latencyDocument({ sampling, subject }: LatencyOptions): Document {
  return { sampling: sampling === 0 ? 'headers' : sampling, results: subject };
}

const responseTypes = { singleton: 'Singleton', stream: 'Streamed', chunked: 'Chunked' } as const;

/** Services before streams. */
function exportsDocument({ exports = [] }: AccountSnapshot): Document[] {
  const of = (wanted: 'service' | 'stream'): Document[] =>
    exports
      .filter(({ kind }) => kind === wanted)
      .map(({ subject, kind, responseType, accounts, latency }) => ({
        subject,
        type: kind,
        response_type: kind === 'service' ? responseTypes[responseType] : undefined,
        service_latency: latency && latencyDocument(latency),
        approved_accounts: unlessEmpty(accounts),
      }));
  return [...of('service'), ...of('stream')];
}

function importsDocument({ imports }: AccountSnapshot): Document[] {
  const { streams = [], services = [] } = imports ?? {};
  const state = { invalid: false, share: false, tracking: false };
  return [
    ...streams.map(({ from, account, local }) => ({ subject: from, account, local_subject: local, type: 'stream', ...state })),
    ...services.map(({ to, account, local, share, exported: { latency } }) => ({
      subject: to,
      account,
      to: local,
      local_subject: local,
      type: 'service',
      ...state,
      share,
      latency: latency && latencyDocument(latency),
    })),
  ];
}

/** What accounts ask the system account about themselves; `*` is the account's name. */
const systemServices: readonly { readonly to: string; readonly local: string; readonly share?: true }[] = [
  { to: '$SYS.REQ.ACCOUNT.*.CONNZ', local: '$SYS.REQ.ACCOUNT.PING.CONNZ' },
  { to: '$SYS.REQ.ACCOUNT.*.CONNZ', local: '$SYS.REQ.SERVER.PING.CONNZ' },
  { to: '$SYS.REQ.ACCOUNT.*.STATZ', local: '$SYS.REQ.ACCOUNT.PING.STATZ' },
  { to: '$SYS.REQ.USER.*.INFO', local: '$SYS.REQ.USER.INFO', share: true },
];
const jetstreamService = { to: '$JS.API.>', local: '$JS.API.>', share: true } as const;

/** Shown as the imports they are in nats-server. */
function systemImports(view: EngineView, { name, system }: AccountSnapshot): Document[] {
  const account = view.server().systemAccount;
  if (system || account === undefined) return [];
  const services = view.jetstream() === undefined ? systemServices : [...systemServices, jetstreamService];
  return services.map(({ to, local, share = false }) => ({
    subject: to.replace('*', name),
    account,
    to: local,
    local_subject: local,
    type: 'service',
    invalid: false,
    share,
    tracking: false,
  }));
}

export interface AccstatzOptions {
  /** Accounts without connections too. */
  readonly unused: boolean;
}

export function accstatzOptions(query: URLSearchParams): AccstatzOptions {
  return { unused: flag(query, 'unused') };
}

export function accstatz(view: EngineView, options: AccstatzOptions): Document {
  const server = view.server();
  const used = (account: AccountSnapshot): boolean => account.clientConnections + account.leafnodeConnections > 0;
  const accounts = view.accounts().filter((account) => options.unused || used(account));
  return { server_id: server.id, now: instantText(server.now), account_statz: accounts.map(accountStat) };
}

function accountStat(account: AccountSnapshot): Document {
  return {
    acc: account.name,
    name: account.nameTag ?? account.name,
    conns: account.clientConnections,
    leafnodes: account.leafnodeConnections,
    total_conns: account.clientConnections + account.leafnodeConnections,
    num_subscriptions: account.subscriptions,
    sent: trafficDocument(account.sent),
    received: trafficDocument(account.received),
    slow_consumers: account.slowConsumers,
  };
}

const nothing = { msgs: 0, bytes: 0 };

/** A single server moves nothing over gateways, routes or leaf nodes. */
function trafficDocument({ msgs, bytes }: Traffic): Document {
  return { msgs, bytes, gateways: nothing, routes: nothing, leafs: nothing };
}
