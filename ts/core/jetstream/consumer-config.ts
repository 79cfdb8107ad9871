// The consumer configuration document and the request that carries it: fields in nats-server's order, kinds, zero values.

import type { Instant } from './instant.ts';
import type { Field, Kind, Schema } from './schema.ts';
import { cannotUnmarshal } from './stream-config.ts';

export interface ConsumerConfig {
  readonly durable_name: string;
  readonly name: string;
  readonly description: string;
  readonly deliver_policy: 'all' | 'last' | 'new' | 'by_start_sequence' | 'by_start_time' | 'last_per_subject';
  readonly opt_start_seq: number;
  readonly opt_start_time: Instant | undefined;
  readonly ack_policy: 'none' | 'all' | 'explicit' | 'flow_control';
  readonly ack_wait: bigint;
  readonly max_deliver: number;
  readonly backoff: readonly bigint[];
  readonly filter_subject: string;
  readonly filter_subjects: readonly string[];
  readonly replay_policy: 'instant' | 'original';
  readonly rate_limit_bps: number;
  readonly sample_freq: string;
  readonly max_waiting: number;
  readonly max_ack_pending: number;
  readonly flow_control: boolean;
  readonly headers_only: boolean;
  readonly max_batch: number;
  readonly max_expires: bigint;
  readonly max_bytes: number;
  readonly deliver_subject: string;
  readonly deliver_group: string;
  readonly idle_heartbeat: bigint;
  readonly inactive_threshold: bigint;
  readonly num_replicas: number;
  readonly mem_storage: boolean;
  readonly direct: boolean;
  readonly sourcing: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly pause_until: Instant | undefined;
  readonly priority_groups: readonly string[];
  readonly priority_policy: 'none' | 'overflow' | 'pinned_client' | 'prioritized';
  readonly priority_timeout: bigint;
}

export interface ConsumerCreateRequest {
  readonly stream_name: string;
  readonly config: ConsumerConfig;
  readonly action: '' | 'create' | 'update';
  readonly pedantic: boolean;
}

const text: Field = { kind: { is: 'string' } };
const flag: Field = { kind: { is: 'bool' } };
const duration: Field = { kind: { is: 'duration' } };
const time: Field = { kind: { is: 'time' } };
const int: Field = { kind: { is: 'integer', type: 'int' } };
const uint64: Field = { kind: { is: 'integer', type: 'uint64' } };
const texts: Kind = { is: 'list', of: { is: 'string' }, goType: '[]string' };

function choice(values: readonly string[], always: boolean, complaint = cannotUnmarshal): Field {
  return { kind: { is: 'choice', values, complaint }, always };
}

const deliverPolicies = ['all', 'last', 'new', 'by_start_sequence', 'by_start_time', 'last_per_subject'];
const priorityPolicies = ['none', 'overflow', 'pinned_client', 'prioritized'];

const consumerConfigFields: { readonly [K in keyof ConsumerConfig]-?: Field } = {
  durable_name: text,
  name: text,
  description: text,
  deliver_policy: {
    kind: { is: 'choice', values: deliverPolicies, complaint: cannotUnmarshal, alias: 'undefined' },
    always: true,
  },
  opt_start_seq: uint64,
  opt_start_time: time,
  ack_policy: choice(['none', 'all', 'explicit', 'flow_control'], true),
  ack_wait: duration,
  max_deliver: int,
  backoff: { kind: { is: 'list', of: { is: 'duration' }, goType: '[]time.Duration' } },
  filter_subject: text,
  filter_subjects: { kind: texts },
  replay_policy: choice(['instant', 'original'], true),
  rate_limit_bps: uint64,
  sample_freq: text,
  max_waiting: int,
  max_ack_pending: int,
  flow_control: flag,
  headers_only: flag,
  max_batch: int,
  max_expires: duration,
  max_bytes: int,
  deliver_subject: text,
  deliver_group: text,
  idle_heartbeat: duration,
  inactive_threshold: duration,
  num_replicas: { kind: { is: 'integer', type: 'int' }, always: true },
  mem_storage: flag,
  direct: flag,
  sourcing: flag,
  metadata: { kind: { is: 'texts' } },
  pause_until: time,
  priority_groups: { kind: texts },
  priority_policy: choice(priorityPolicies, false, (raw) => `unknown priority policy: ${raw}`),
  priority_timeout: duration,
};

export const consumerConfigSchema: Schema = { name: 'ConsumerConfig', fields: consumerConfigFields };

export const consumerCreateSchema: Schema = {
  name: 'CreateConsumerRequest',
  fields: {
    stream_name: text,
    config: { kind: { is: 'document', schema: consumerConfigSchema, optional: false } },
    action: choice(['', 'create', 'update'], true, (raw) => `unknown consumer action: ${raw}`),
    pedantic: flag,
  },
};
