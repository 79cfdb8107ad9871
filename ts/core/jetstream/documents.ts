// The documents of answers: states and infos in nats-server's field order, ready for `encodeJson`, which leaves out what is undefined. Those of
// files are texts already.

import type { JsonInput } from '../../lib/json-text.ts';
import { shownMetadata } from './api-level.ts';
import { consumerConfigSchema, type ConsumerConfig } from './consumer-config.ts';
import { encodeBehind, encodeJson } from './json.ts';
import { formatInstant, instantMs, instantOfMs, zeroInstant, type Instant } from './instant.ts';
import { writeDocument, type Document } from './schema.ts';
import { streamConfigSchema, type StreamConfig } from './stream-config.ts';
import type { ConsumerInfoState } from '../consumer/contract.ts';

export interface StreamStateFacts {
  readonly messages: number;
  readonly bytes: number;
  readonly firstSeq: number;
  readonly firstTs?: Instant | undefined;
  readonly lastSeq: number;
  readonly lastTs?: Instant | undefined;
  readonly numSubjects: number;
  readonly numDeleted: number;
  readonly lost?: { readonly bytes: number; readonly messages: readonly number[] } | undefined;
}

/** Details that only some requests ask for. */
export interface StateDetails {
  readonly subjects?: JsonInput | undefined;
  readonly deleted?: readonly number[] | undefined;
}

const orUndefined = (value: number): number | undefined => (value === 0 ? undefined : value);

export function streamStateDocument(state: StreamStateFacts, consumers: number, details: StateDetails = {}): Document {
  return {
    messages: state.messages,
    bytes: state.bytes,
    first_seq: state.firstSeq,
    first_ts: formatInstant(state.firstTs ?? zeroInstant),
    last_seq: state.lastSeq,
    last_ts: formatInstant(state.lastTs ?? zeroInstant),
    num_subjects: orUndefined(state.numSubjects),
    subjects: details.subjects,
    num_deleted: orUndefined(state.numDeleted),
    deleted: details.deleted !== undefined && details.deleted.length > 0 ? details.deleted : undefined,
    lost: state.lost === undefined ? undefined : { msgs: state.lost.messages, bytes: state.lost.bytes },
    consumer_count: consumers,
  };
}

export interface StreamInfoFacts {
  readonly config: StreamConfig;
  readonly created: Instant;
  readonly state: Document;
  readonly domain: string;
  /** The server's name, where the answer tells the leader. */
  readonly leader: string | undefined;
  /** Of a mirror or of sources: how far they are. */
  readonly upstreams: { readonly mirror?: Document; readonly sources?: readonly Document[] } | undefined;
  readonly now: Instant;
  /** Answers of single streams add this server's version to the metadata; lists do not. */
  readonly versions: boolean;
}

export function streamInfoDocument(facts: StreamInfoFacts): Document {
  const { config, created, state, domain, leader, upstreams, now, versions } = facts;
  const shown = versions ? { ...config, metadata: shownMetadata(config.metadata) } : config;
  return {
    config: writeDocument(streamConfigSchema, shown),
    created: formatInstant(created),
    state,
    domain: domain === '' ? undefined : domain,
    cluster: leader === undefined ? undefined : { leader },
    mirror: upstreams?.mirror,
    sources: upstreams?.sources,
    ts: formatInstant(now),
  };
}

export interface ConsumerInfoFacts {
  readonly stream: string;
  readonly name: string;
  readonly created: Instant;
  readonly config: ConsumerConfig;
  readonly state: ConsumerInfoState;
  readonly now: Instant;
  readonly versions: boolean;
}

export function consumerInfoDocument({ stream, name, created, config, state, now, versions }: ConsumerInfoFacts): Document {
  const shown = versions ? { ...config, metadata: shownMetadata(config.metadata) } : config;
  const pauseMs = config.pause_until === undefined ? 0 : instantMs(config.pause_until) - instantMs(now);
  return {
    stream_name: stream,
    name,
    created: formatInstant(created),
    config: writeDocument(consumerConfigSchema, shown),
    delivered: sequenceInfo(state.delivered, state.deliveredAtMs),
    ack_floor: sequenceInfo(state.ackFloor, state.ackedAtMs),
    num_ack_pending: state.ackPending,
    num_redelivered: state.redelivered,
    num_waiting: state.waiting,
    num_pending: state.pending,
    push_bound: state.pushActive ? true : undefined,
    paused: pauseMs > 0 ? true : undefined,
    pause_remaining: pauseMs > 0 ? BigInt(Math.round(pauseMs * 1e6)) : undefined,
    ts: formatInstant(now),
    priority_groups: priorityGroups(config, state),
  };
}

/** Only the first group is shown, as it is the only one that can have a pinned client. */
function priorityGroups({ priority_groups }: ConsumerConfig, { pin }: ConsumerInfoState): readonly Document[] | undefined {
  const [group] = priority_groups;
  if (group === undefined) return undefined;
  const pinned_ts = formatInstant(pin.id === '' ? zeroInstant : instantOfMs(pin.sinceMs));
  return [{ group, pinned_client_id: pin.id === '' ? undefined : pin.id, pinned_ts }];
}

function sequenceInfo(pair: { readonly consumer: number; readonly stream: number }, atMs: number): Document {
  return {
    consumer_seq: pair.consumer,
    stream_seq: pair.stream,
    last_active: atMs === 0 ? undefined : formatInstant(instantOfMs(atMs)),
  };
}

/** The content of a stream's meta.inf. */
export function streamMeta(config: StreamConfig, created: Instant): string {
  return encodeBehind(`"Created":"${formatInstant(created)}"`, writeDocument(streamConfigSchema, config));
}

/** The content of a consumer's meta.inf; `Name` and `name` are two keys. */
export function consumerMeta(config: ConsumerConfig, name: string, created: Instant): string {
  return encodeBehind(
    `"Created":"${formatInstant(created)}","Name":${encodeJson(name)}`,
    writeDocument(consumerConfigSchema, config),
  );
}
