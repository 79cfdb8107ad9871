// /connz: the connections, open or closed, chosen, ordered and cut into pages as the query asks.
// `total` counts what the state and account chose before user, cid and page narrow it; `num_connections` what is listed.

import { GLOBAL_ACCOUNT } from '../../core/config/options.ts';
import { isSubsetMatch } from '../../core/subject/subject.ts';
import type { EngineView, Instant, SubscriptionSnapshot } from '../../engine/snapshot.ts';
import type { Document } from './context.ts';
import { elapsedText, instantText, roundTripText, unlessEmpty } from './context.ts';
import { isSortKey, onlyOfClosed, sorted, type Listed, type SortKey } from './connz-sort.ts';
import {
  BadRequest,
  flag,
  page,
  slice,
  subscriptionDetail,
  text,
  unsigned,
  type Page,
  type SubscriptionDetail,
} from './query.ts';
import { subscriptionDocument } from './subscription-document.ts';

export type ConnectionState = 'open' | 'closed' | 'all';

export interface ConnzOptions {
  readonly sort: SortKey;
  readonly auth: boolean;
  readonly subscriptions: SubscriptionDetail;
  readonly page: Page;
  /** 0: all. */
  readonly cid: number;
  readonly state: ConnectionState;
  readonly user: string;
  readonly account: string;
  readonly mqttClient: string;
  /** Only connections of `account` with a subscription that covers this subject; not to be had over HTTP. */
  readonly filterSubject: string;
}

const states: Readonly<Record<string, ConnectionState>> = { '': 'open', open: 'open', closed: 'closed', any: 'all', all: 'all' };

const nothing: ReadonlyMap<number, readonly SubscriptionSnapshot[]> = new Map();

export function connzOptions(query: URLSearchParams): ConnzOptions {
  const sort = text(query, 'sort') || 'cid';
  const auth = flag(query, 'auth');
  const subscriptions = subscriptionDetail(query);
  const wanted = page(query);
  const cid = unsigned(query, 'cid');
  const state = states[text(query, 'state').toLowerCase()];
  if (state === undefined) throw new BadRequest(`Error decoding state for ${text(query, 'state')}`);
  if (!isSortKey(sort)) throw new BadRequest(`invalid sorting option: ${sort}`);
  if (onlyOfClosed(sort) && state !== 'closed') throw new BadRequest(`sort by ${sort} only valid on closed connections`);
  return {
    sort,
    auth,
    subscriptions,
    page: cid === 0 ? wanted : { offset: wanted.offset, limit: 1 },
    cid,
    state,
    user: text(query, 'user'),
    account: text(query, 'acc'),
    mqttClient: text(query, 'mqtt_client'),
    filterSubject: '',
  };
}

export function connz(view: EngineView, options: ConnzOptions): Document {
  const server = view.server();
  const { offset, limit } = options.page;
  if (options.account !== '' && view.accounts().every((account) => account.name !== options.account)) {
    return { server_id: '', now: instantText(server.now), num_connections: 0, total: 0, offset, limit, connections: null };
  }
  const inState = candidates(view, options.state);
  const ofAccount = options.account === '' ? inState : inState.filter((connection) => connection.account === options.account);
  const chosen = narrowed(view, options.cid === 0 ? ofAccount : inState, options);
  const listed: readonly Listed[] = slice(sorted(chosen, options.sort, server.now), options.page);
  const subscriptions = options.subscriptions === 'none' ? nothing : subscriptionsByCid(view, listed);
  return {
    server_id: server.id,
    now: instantText(server.now),
    num_connections: listed.length,
    total: ofAccount.length,
    offset,
    limit,
    connections: listed.map((connection) =>
      connectionDocument(connection, subscriptions.get(connection.cid), options, server.now),
    ),
  };
}

function candidates(view: EngineView, state: ConnectionState): Listed[] {
  const open: readonly Listed[] = state === 'closed' ? [] : view.connections();
  const closed: readonly Listed[] = state === 'open' ? [] : view.closed();
  return [...open, ...closed];
}

function narrowed(view: EngineView, from: readonly Listed[], options: ConnzOptions): readonly Listed[] {
  if (options.cid !== 0) return from.filter(({ cid }) => cid === options.cid);
  let chosen = from;
  if (options.user !== '') chosen = chosen.filter(({ authorizedUser }) => authorizedUser === options.user);
  if (options.mqttClient !== '') chosen = chosen.filter(({ mqttClient }) => mqttClient === options.mqttClient);
  if (options.filterSubject === '' || options.account === '') return chosen;
  const subscribed = view
    .subscriptions({ account: options.account })
    .filter(({ subject }) => isSubsetMatch(options.filterSubject, subject));
  const cids = new Set(subscribed.map(({ cid }) => cid));
  return chosen.filter(({ cid }) => cids.has(cid));
}

function connectionDocument(
  connection: Listed,
  subscriptions: readonly SubscriptionSnapshot[] | undefined,
  options: ConnzOptions,
  now: Instant,
): Document {
  const end = connection.stop ?? now;
  return {
    cid: connection.cid,
    kind: connection.kind,
    type: connection.type,
    ip: connection.ip,
    port: connection.port,
    start: instantText(connection.start),
    last_activity: instantText(connection.lastActivity),
    stop: connection.stop === undefined ? undefined : instantText(connection.stop),
    reason: unlessEmpty(connection.reason),
    rtt: roundTripText(connection.rttMs),
    uptime: elapsedText(connection.start, end),
    idle: elapsedText(connection.lastActivity, end),
    pending_bytes: connection.pendingBytes,
    in_msgs: connection.inMsgs,
    out_msgs: connection.outMsgs,
    in_bytes: connection.inBytes,
    out_bytes: connection.outBytes,
    stalls: unlessEmpty(connection.stalls),
    subscriptions: connection.subscriptions,
    name: unlessEmpty(connection.name),
    lang: unlessEmpty(connection.lang),
    version: unlessEmpty(connection.version),
    ...tlsFields(connection, options.auth),
    ...identityFields(connection, subscriptions ?? [], options),
    mqtt_client: unlessEmpty(connection.mqttClient),
    proxy: connection.proxyKey === undefined ? undefined : { key: connection.proxyKey },
  };
}

/** Certificates are kept while the connection is open, and shown with `auth`. */
function tlsFields(connection: Listed, auth: boolean): Document {
  const certificates = auth && connection.stop === undefined ? connection.tlsPeerCertificates : [];
  return {
    tls_version: unlessEmpty(connection.tlsVersion),
    tls_cipher_suite: unlessEmpty(connection.tlsCipherSuite),
    tls_peer_certs: unlessEmpty(
      certificates?.map(({ subject, spkiSha256, certSha256 }) => ({
        subject,
        spki_sha256: spkiSha256,
        cert_sha256: certSha256,
      })),
    ),
    tls_first: unlessEmpty(connection.tlsFirst),
  };
}

/** Who the connection is, shown with `auth`, around its subscriptions, shown with `subs`. */
function identityFields(connection: Listed, subscriptions: readonly SubscriptionSnapshot[], options: ConnzOptions): Document {
  const shown = options.auth;
  const closed = connection.stop !== undefined;
  return {
    authorized_user: shown ? unlessEmpty(connection.authorizedUser) : undefined,
    account: shown && connection.account !== GLOBAL_ACCOUNT ? unlessEmpty(connection.account) : undefined,
    subscriptions_list:
      options.subscriptions === 'subjects' ? unlessEmpty(subscriptions.map(({ subject }) => subject)) : undefined,
    subscriptions_list_detail:
      options.subscriptions === 'detail'
        ? unlessEmpty(subscriptions.map((subscription) => subscriptionDocument(subscription, closed)))
        : undefined,
    jwt: shown ? unlessEmpty(connection.jwt) : undefined,
    issuer_key: shown ? unlessEmpty(connection.issuerKey) : undefined,
    name_tag: shown ? unlessEmpty(connection.nameTag ?? connection.account) : undefined,
    tags: shown ? unlessEmpty(connection.tags) : undefined,
  };
}

/** Closed connections carry theirs; those of all open ones are asked for at once. */
function subscriptionsByCid(view: EngineView, listed: readonly Listed[]): ReadonlyMap<number, readonly SubscriptionSnapshot[]> {
  const byCid = new Map<number, SubscriptionSnapshot[]>();
  for (const { cid, subscriptionsList = [] } of listed) byCid.set(cid, [...subscriptionsList]);
  const open = new Set(listed.filter(({ stop }) => stop === undefined).map(({ cid }) => cid));
  for (const subscription of view.subscriptions({ cids: open })) byCid.get(subscription.cid)?.push(subscription);
  return byCid;
}
