// /jsz: JetStream of this server, down to its consumers when asked. Each wish implies the coarser one:
// consumers imply streams, streams and an account name imply accounts. Direct consumers are a wish beside these.

import type { ConsumerSnapshot, EngineView, JetStreamAccountSnapshot, StreamSnapshot } from '../../engine/snapshot.ts';
import { LaterItems } from '../../lib/json-text.ts';
import { instantText, type Document } from './context.ts';
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
    account_details: options.accounts
      ? new LaterItems(() => chosen.map((one) => accountDetail(one, options, server.name)))
      : undefined,
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
  return {
    name: account.name,
    id: account.id,
    ...jetstreamAccountStats(account),
    stream_detail: options.streams ? new LaterItems(() => streamDetails(account, options, serverName)) : undefined,
  };
}

function* streamDetails(account: JetStreamAccountSnapshot, options: JszOptions, serverName: string): Generator<Document> {
  for (const stream of account.streams()) yield streamDetail(stream, options, serverName);
}

function streamDetail(stream: StreamSnapshot, options: JszOptions, serverName: string): Document {
  return {
    name: stream.name,
    created: instantText(stream.created),
    cluster: { leader: serverName },
    config: options.config ? stream.config : undefined,
    state: stream.state,
    consumer_detail: options.consumers ? new LaterItems(() => consumerDetails(stream, false, options)) : undefined,
    direct_consumer_detail: options.directConsumers ? new LaterItems(() => consumerDetails(stream, true, options)) : undefined,
    mirror: stream.mirror,
    sources: stream.sources,
  };
}

function* consumerDetails(stream: StreamSnapshot, direct: boolean, options: JszOptions): Generator<Document> {
  for (const consumer of stream.consumers()) if ((consumer.direct ?? false) === direct) yield consumerDetail(consumer, options);
}

function consumerDetail({ info }: ConsumerSnapshot, options: JszOptions): Document {
  return options.config ? info : { ...info, config: undefined };
}
