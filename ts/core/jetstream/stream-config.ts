// The stream configuration document: its fields in nats-server's order, with kinds and which zero values are written.

import type { Instant } from './instant.ts';
import type { Field, Kind, Schema } from './schema.ts';

export interface SubjectTransformConfig {
  readonly src: string;
  readonly dest: string;
}

export interface ExternalStream {
  readonly api: string;
  readonly deliver: string;
}

export interface StreamSource {
  readonly name: string;
  readonly opt_start_seq: number;
  readonly opt_start_time: Instant | undefined;
  readonly filter_subject: string;
  readonly subject_transforms: readonly SubjectTransformConfig[];
  readonly external: ExternalStream | undefined;
  readonly consumer: { readonly name: string; readonly deliver_subject: string } | undefined;
}

export interface StreamConfig {
  readonly name: string;
  readonly description: string;
  readonly subjects: readonly string[];
  readonly retention: 'limits' | 'interest' | 'workqueue';
  readonly max_consumers: number;
  readonly max_msgs: number;
  readonly max_bytes: number;
  readonly max_age: bigint;
  readonly max_msgs_per_subject: number;
  readonly max_msg_size: number;
  readonly discard: 'old' | 'new';
  readonly storage: 'file' | 'memory';
  readonly num_replicas: number;
  readonly no_ack: boolean;
  readonly duplicate_window: bigint;
  readonly placement: { readonly cluster: string; readonly tags: readonly string[]; readonly preferred: string } | undefined;
  readonly mirror: StreamSource | undefined;
  readonly sources: readonly StreamSource[];
  readonly compression: 'none' | 's2';
  readonly first_seq: number;
  readonly subject_transform: SubjectTransformConfig | undefined;
  readonly republish: { readonly src: string; readonly dest: string; readonly headers_only: boolean } | undefined;
  readonly allow_direct: boolean;
  readonly mirror_direct: boolean;
  readonly discard_new_per_subject: boolean;
  readonly sealed: boolean;
  readonly deny_delete: boolean;
  readonly deny_purge: boolean;
  readonly allow_rollup_hdrs: boolean;
  readonly consumer_limits: { readonly inactive_threshold: bigint; readonly max_ack_pending: number };
  readonly allow_msg_ttl: boolean;
  readonly subject_delete_marker_ttl: bigint;
  readonly allow_msg_counter: boolean;
  readonly allow_atomic: boolean;
  readonly allow_msg_schedules: boolean;
  readonly persist_mode: 'default' | 'async';
  readonly allow_batched: boolean;
  readonly metadata: Readonly<Record<string, string>>;
}

const text: Field = { kind: { is: 'string' } };
const textAlways: Field = { kind: { is: 'string' }, always: true };
const flag: Field = { kind: { is: 'bool' } };
const flagAlways: Field = { kind: { is: 'bool' }, always: true };
const duration: Field = { kind: { is: 'duration' } };
const durationAlways: Field = { kind: { is: 'duration' }, always: true };
const time: Field = { kind: { is: 'time' } };
const texts: Kind = { is: 'list', of: { is: 'string' }, goType: '[]string' };
const int: Field = { kind: { is: 'integer', type: 'int' } };
const intAlways: Field = { kind: { is: 'integer', type: 'int' }, always: true };
const int64Always: Field = { kind: { is: 'integer', type: 'int64' }, always: true };
const uint64: Field = { kind: { is: 'integer', type: 'uint64' } };

/** What is said of a value that is none of those an enumeration has. */
export const cannotUnmarshal = (raw: string): string => `can not unmarshal ${JSON.stringify(raw)}`;

function choice(values: readonly string[], always: boolean, complaint = cannotUnmarshal): Field {
  return { kind: { is: 'choice', values, complaint }, always };
}

function part(name: string, fields: Readonly<Record<string, Field>>): Field {
  return { kind: { is: 'document', schema: { name, fields }, optional: true } };
}

const transformFields = { src: textAlways, dest: textAlways };
const transforms: Field = {
  kind: {
    is: 'list',
    of: { is: 'document', schema: { name: 'SubjectTransformConfig', fields: transformFields }, optional: true },
    goType: '[]server.SubjectTransformConfig',
  },
};

const sourceFields: { readonly [K in keyof StreamSource]-?: Field } = {
  name: textAlways,
  opt_start_seq: uint64,
  opt_start_time: time,
  filter_subject: text,
  subject_transforms: transforms,
  external: part('ExternalStream', { api: textAlways, deliver: textAlways }),
  consumer: part('StreamConsumerSource', { name: text, deliver_subject: text }),
};

const source: Kind = { is: 'document', schema: { name: 'StreamSource', fields: sourceFields }, optional: true };

const streamConfigFields: { readonly [K in keyof StreamConfig]-?: Field } = {
  name: textAlways,
  description: text,
  subjects: { kind: texts },
  retention: choice(['limits', 'interest', 'workqueue'], true),
  max_consumers: intAlways,
  max_msgs: int64Always,
  max_bytes: int64Always,
  max_age: durationAlways,
  max_msgs_per_subject: int64Always,
  max_msg_size: { kind: { is: 'integer', type: 'int32' } },
  discard: choice(['old', 'new'], true),
  storage: choice(['file', 'memory'], true),
  num_replicas: intAlways,
  no_ack: flag,
  duplicate_window: duration,
  placement: part('Placement', { cluster: text, tags: { kind: texts }, preferred: text }),
  mirror: { kind: source },
  sources: { kind: { is: 'list', of: source, goType: '[]*server.StreamSource' } },
  compression: {
    kind: { is: 'choice', values: ['none', 's2'], complaint: () => 'unknown compression algorithm', isText: true },
    always: true,
  },
  first_seq: uint64,
  subject_transform: part('SubjectTransformConfig', transformFields),
  republish: part('RePublish', { src: text, dest: textAlways, headers_only: flag }),
  allow_direct: flagAlways,
  mirror_direct: flagAlways,
  discard_new_per_subject: flag,
  sealed: flagAlways,
  deny_delete: flagAlways,
  deny_purge: flagAlways,
  allow_rollup_hdrs: flagAlways,
  consumer_limits: {
    kind: {
      is: 'document',
      schema: { name: 'StreamConsumerLimits', fields: { inactive_threshold: duration, max_ack_pending: int } },
      optional: false,
    },
    always: true,
  },
  allow_msg_ttl: flagAlways,
  subject_delete_marker_ttl: duration,
  allow_msg_counter: flag,
  allow_atomic: flag,
  allow_msg_schedules: flag,
  persist_mode: { kind: { is: 'choice', values: ['default', 'async'], complaint: cannotUnmarshal, emptyIsFirst: true } },
  allow_batched: flag,
  metadata: { kind: { is: 'texts' } },
};

export const streamConfigSchema: Schema = { name: 'StreamConfig', fields: streamConfigFields };

/** The request of STREAM.CREATE and STREAM.UPDATE: a configuration and `pedantic`. */
export const streamConfigRequestSchema: Schema = {
  name: 'StreamConfigRequest',
  prefix: 'StreamConfig',
  fields: { ...streamConfigFields, pedantic: flag },
};
