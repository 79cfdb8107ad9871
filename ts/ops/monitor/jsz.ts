// /jsz: JetStream of this server, down to its consumers when asked. Each wish implies the coarser one:
// consumers imply streams, streams and an account name imply accounts. Direct consumers are a wish beside these.

import type { ConsumerSnapshot, EngineView, JetStreamAccountSnapshot, StreamSnapshot } from '../../engine/snapshot.ts';
import { instantText, unlessEmpty, type Document } from './context.ts';
import {
  jetstreamAccountStats,
  jetstreamConfigDocument,
  jetstreamLimitsDocument,
  jetstreamStatsDocument,
} from './jetstream-document.ts';
import { flag, page, slice, text, type Page } from './query.ts';

export interface JszOptions {
  readonly account: string;
  readonly accounts: boolean;
  readonly streams: boolean;
  readonly consumers: boolean;
  readonly directConsumers: boolean;
  readonly config: boolean;
  readonly leaderOnly: boolean;
  readonly streamLeaderOnly: boolean;
  readonly raft: boolean;
  readonly page: Page;
}

export function jszOptions(query: URLSearchParams): JszOptions {
  const accounts = flag(query, 'accounts');
  const streams = flag(query, 'streams');
  const consumers = flag(query, 'consumers');
  const directConsumers = flag(query, 'direct-consumers');
  const account = text(query, 'acc');
  const withStreams = streams || consumers;
  return {
    account,
    accounts: accounts || withStreams || account !== '',
    streams: withStreams,
    consumers,
    directConsumers,
    config: flag(query, 'config'),
    leaderOnly: flag(query, 'leader-only'),
    streamLeaderOnly: flag(query, 'stream-leader-only'),
    raft: flag(query, 'raft'),
    page: page(query),
  };
}

export function jsz(view: EngineView, options: JszOptions): Document {
  const server = view.server();
  const jetstream = view.jetstream();
  if (jetstream === undefined) return disabled(server.id, instantText(server.now));
  const accounts = jetstream.accounts();
  const chosen = options.account === '' ? slice(accounts, options.page) : accounts.filter(({ id }) => id === options.account);
  return {
    ...jetstreamStatsDocument(jetstream),
    server_id: server.id,
    now: instantText(server.now),
    config: jetstreamConfigDocument(jetstream, server.options),
    limits: jetstreamLimitsDocument(server.options),
    streams: jetstream.streams,
    streams_leader: options.raft ? orUndefined(jetstream.streams) : undefined,
    consumers: jetstream.consumers,
    consumers_leader: options.raft ? orUndefined(jetstream.consumers) : undefined,
    messages: jetstream.messages,
    bytes: jetstream.bytes,
    account_details: options.accounts ? unlessEmpty(chosen.map((one) => accountDetail(one, options, server.name))) : undefined,
    total: accounts.length,
  };
}

/** Counts that are left out when they are 0. */
function orUndefined(count: number): number | undefined {
  return count === 0 ? undefined : count;
}

/** What a server without JetStream answers. */
function disabled(serverId: string, now: string): Document {
  return {
    memory: 0,
    storage: 0,
    reserved_memory: 0,
    reserved_storage: 0,
    accounts: 0,
    ha_assets: 0,
    api: { level: 0, total: 0, errors: 0 },
    server_id: serverId,
    now,
    disabled: true,
    config: { max_memory: 0, max_storage: 0 },
    streams: 0,
    consumers: 0,
    messages: 0,
    bytes: 0,
    total: 0,
  };
}

function accountDetail(account: JetStreamAccountSnapshot, options: JszOptions, serverName: string): Document {
  const streams = options.streams ? account.streams() : [];
  return {
    name: account.name,
    id: account.id,
    ...jetstreamAccountStats(account),
    stream_detail: unlessEmpty(streams.map((stream) => streamDetail(stream, options, serverName))),
  };
}

function streamDetail(stream: StreamSnapshot, options: JszOptions, serverName: string): Document {
  const wanted = options.consumers || options.directConsumers ? stream.consumers() : [];
  const some = (direct: boolean): Document[] | undefined =>
    unlessEmpty(wanted.filter((consumer) => (consumer.direct ?? false) === direct).map((one) => consumerDetail(one, options)));
  return {
    name: stream.name,
    created: instantText(stream.created),
    cluster: { leader: serverName },
    config: options.config ? stream.config : undefined,
    state: stream.state,
    consumer_detail: options.consumers ? some(false) : undefined,
    direct_consumer_detail: options.directConsumers ? some(true) : undefined,
    mirror: stream.mirror,
    sources: stream.sources,
  };
}

function consumerDetail({ info }: ConsumerSnapshot, options: JszOptions): Document {
  return options.config ? info : { ...info, config: undefined };
}
