// Consumer configuration checks: defaults, then rules in nats-server's order, each with its exact error. Pure: stream and limits are handed in.

import { apiError, type ApiError, type ApiErrorId } from '../jetstream/errors.ts';
import type { ConsumerConfig } from '../jetstream/consumer-config.ts';
import { formatDuration } from '../jetstream/instant.ts';
import { isAssetName } from '../jetstream/names.ts';
import type { StreamConfig } from '../jetstream/stream-config.ts';
import { metadataLength } from '../stream/check-config.ts';
import { hasCovered } from '../subject/subject-sets.ts';
import { hasWildcard, isValidSubject, subjectsOverlap } from '../subject/subject.ts';

/** Limits of server and account; 0 is none. */
export interface ConsumerLimits {
  readonly maxAckPending: number;
  readonly maxRequestBatch: number;
  readonly accountMaxAckPending: number;
}

type Mutable = { -readonly [K in keyof ConsumerConfig]: ConsumerConfig[K] };
type Values = Readonly<Record<string, string | number>>;
type Wrong = (config: ConsumerConfig, stream: StreamConfig, limits: ConsumerLimits) => boolean;

/** A rule that refuses with a row of the error table; values are for its placeholders. */
interface Rule {
  readonly wrong: Wrong;
  readonly id: ApiErrorId;
  readonly values?: (config: ConsumerConfig, stream: StreamConfig, limits: ConsumerLimits) => Values;
}

const defaultMaxWaiting = 512;
const defaultMaxAckPending = 1000;
const defaultAckWait = 30_000_000_000n;
const defaultPinnedTtl = 120_000_000_000n;
const oneSecond = 1_000_000_000n;
const maxDescriptionLength = 4096;
export const priorityGroupName = /^[a-zA-Z0-9/_=-]{1,16}$/;
const maxMetadataKilobytes = 128;

/** Zero or negative values that mean "none", with what pedantic mode says about the negative ones. */
const floors: readonly (readonly [
  name: 'max_deliver' | 'max_waiting' | 'max_ack_pending' | 'max_batch' | 'max_bytes',
  least: number,
  says: string,
])[] = [
  ['max_deliver', -1, 'must be set to -1'],
  ['max_waiting', 0, 'must not be negative'],
  ['max_ack_pending', -1, 'must be set to -1'],
  ['max_batch', 0, 'must not be negative'],
  ['max_bytes', 0, 'must not be negative'],
];
const durationFloors = ['max_expires', 'idle_heartbeat', 'inactive_threshold', 'priority_timeout'] as const;

export type CheckedConsumer = { readonly config: ConsumerConfig } | { readonly error: ApiError };

/** The configuration with its defaults filled in, or the first error. */
export function checkConsumerConfig(
  given: ConsumerConfig,
  stream: StreamConfig,
  limits: ConsumerLimits,
  pedantic: boolean,
): CheckedConsumer {
  const config: Mutable = { ...given };
  const complaint = fillDefaults(config, stream, limits, pedantic);
  if (complaint !== undefined) return { error: apiError('PedanticErrF', { err: complaint }) };
  const broken = rules.find(({ wrong }) => wrong(config, stream, limits));
  if (broken !== undefined) return { error: apiError(broken.id, broken.values?.(config, stream, limits)) };
  return { config };
}

/** Fills defaults in place; the answer is what pedantic mode objects to. */
function fillDefaults(config: Mutable, stream: StreamConfig, limits: ConsumerLimits, pedantic: boolean): string | undefined {
  for (const [name, least, says] of floors) {
    if (config[name] >= least) continue;
    if (pedantic) return `${name} ${says}`;
    config[name] = least;
  }
  if (config.max_deliver === 0) config.max_deliver = -1;
  for (const name of durationFloors) {
    if (config[name] >= 0n) continue;
    if (pedantic) return `${name} must not be negative`;
    config[name] = 0n;
  }
  const pull = config.deliver_subject === '';
  if (pull && config.max_waiting === 0) config.max_waiting = defaultMaxWaiting;
  if (config.ack_wait === 0n && (config.ack_policy === 'explicit' || config.ack_policy === 'all'))
    config.ack_wait = defaultAckWait;
  const firstBackoff = config.backoff[0];
  if (firstBackoff !== undefined) {
    if (pedantic && config.ack_wait !== firstBackoff) return 'first backoff value has to equal batch AckWait';
    config.ack_wait = firstBackoff;
  }
  const complaint = fillFromStream(config, stream, limits, pedantic);
  if (complaint !== undefined) return complaint;
  if (pull && config.max_batch === 0 && limits.maxRequestBatch > 0) {
    if (pedantic) return "max_request_batch must be set if it's JetStream limits are set";
    config.max_batch = limits.maxRequestBatch;
  }
  if (config.priority_policy === 'pinned_client' && config.priority_timeout === 0n) config.priority_timeout = defaultPinnedTtl;
  if (config.ack_policy === 'flow_control' && !pedantic) {
    config.flow_control = true;
    config.idle_heartbeat = oneSecond;
  }
  return undefined;
}

function fillFromStream(config: Mutable, stream: StreamConfig, limits: ConsumerLimits, pedantic: boolean): string | undefined {
  const given = stream.consumer_limits;
  if (config.max_ack_pending === 0) {
    if (pedantic && given.max_ack_pending > 0) return "max_ack_pending must be set if it's configured in stream limits";
    config.max_ack_pending = given.max_ack_pending;
  }
  if (config.inactive_threshold === 0n) {
    if (pedantic && given.inactive_threshold > 0n) return "inactive_threshold must be set if it's configured in stream limits";
    config.inactive_threshold = given.inactive_threshold;
  }
  if (config.max_ack_pending === 0 && config.ack_policy !== 'none') {
    const caps = [limits.maxAckPending, limits.accountMaxAckPending].filter((limit) => limit > 0);
    config.max_ack_pending = Math.min(defaultMaxAckPending, ...caps);
  }
  return undefined;
}

const invalid = (wrong: Wrong, err: string): Rule => ({ wrong, id: 'StreamInvalidConfigF', values: () => ({ err }) });
const policy = (wrong: Wrong, err: string): Rule => ({ wrong, id: 'ConsumerInvalidPolicyErrF', values: () => ({ err }) });
const isPush = (config: ConsumerConfig): boolean => config.deliver_subject !== '';
const isFlow = (config: ConsumerConfig): boolean => config.ack_policy === 'flow_control';

export function filtersOf(config: ConsumerConfig): readonly string[] {
  return config.filter_subject === '' ? config.filter_subjects : [config.filter_subject, ...config.filter_subjects];
}

/** A policy's name in errors, and which start it takes. */
const startPolicies: readonly (readonly [
  policy: ConsumerConfig['deliver_policy'],
  words: string,
  takes?: 'seq' | 'time' | 'filter',
])[] = [
  ['all', 'all'],
  ['last', 'last'],
  ['last_per_subject', 'last per subject', 'filter'],
  ['new', 'new'],
  ['by_start_sequence', 'by start sequence', 'seq'],
  ['by_start_time', 'by start time', 'time'],
];

function startRules(): Rule[] {
  const out: Rule[] = [];
  for (const [name, words, takes] of startPolicies) {
    const is = (config: ConsumerConfig): boolean => config.deliver_policy === name;
    const seqWord = takes === 'time' ? 'start sequence' : 'sequence';
    const badSeq = policy(
      (c) => is(c) && c.opt_start_seq !== 0,
      `consumer delivery policy is deliver ${words}, but optional start ${seqWord} is also set`,
    );
    const badTime = policy(
      (c) => is(c) && c.opt_start_time !== undefined,
      `consumer delivery policy is deliver ${words}, but optional start time is also set`,
    );
    const notSet = (what: string): string => `consumer delivery policy is deliver ${words}, but optional ${what} is not set`;
    if (takes === 'seq')
      out.push(
        policy((c) => is(c) && c.opt_start_seq === 0, notSet('start sequence')),
        badTime,
      );
    else if (takes === 'time')
      out.push(
        policy((c) => is(c) && c.opt_start_time === undefined, notSet('start time')),
        badSeq,
      );
    else out.push(badSeq, badTime);
    if (takes === 'filter') out.push(policy((c) => is(c) && filtersOf(c).length === 0, notSet('filter subject')));
  }
  return out;
}

const pushRules: readonly Rule[] = [
  { wrong: (c) => hasWildcard(c.deliver_subject), id: 'ConsumerDeliverToWildcardsErr' },
  { wrong: (c) => !isValidSubject(c.deliver_subject), id: 'ConsumerInvalidDeliverSubject' },
  {
    wrong: (c, stream) => stream.subjects.some((subject) => subjectsOverlap(subject, c.deliver_subject)),
    id: 'ConsumerDeliverCycleErr',
  },
  { wrong: (c) => c.max_waiting !== 0, id: 'ConsumerPushMaxWaitingErr' },
  { wrong: (c) => c.max_ack_pending > 0 && c.ack_policy === 'none', id: 'ConsumerMaxPendingAckPolicyRequiredErr' },
  { wrong: (c) => c.idle_heartbeat > 0n && c.idle_heartbeat < 100_000_000n, id: 'ConsumerSmallHeartbeatErr' },
];

const pullRules: readonly Rule[] = [
  { wrong: (c, stream) => c.ack_policy === 'none' && stream.retention === 'workqueue', id: 'ConsumerPullRequiresAckErr' },
  { wrong: (c) => c.rate_limit_bps > 0, id: 'ConsumerPullWithRateLimitErr' },
  { wrong: (c) => c.idle_heartbeat > 0n, id: 'ConsumerHBRequiresPushErr' },
  { wrong: (c) => c.flow_control, id: 'ConsumerFCRequiresPushErr' },
  { wrong: (c) => c.max_expires !== 0n && c.max_expires < 1_000_000n, id: 'ConsumerMaxRequestExpiresTooSmall' },
  {
    wrong: (c, _, limits) => limits.maxRequestBatch > 0 && c.max_batch > limits.maxRequestBatch,
    id: 'ConsumerMaxRequestBatchExceededF',
    values: (_, __, limits) => ({ limit: limits.maxRequestBatch }),
  },
];

function only(when: Wrong, rules: readonly Rule[]): Rule[] {
  return rules.map((rule) => ({
    ...rule,
    wrong: (config, stream, limits) => when(config, stream, limits) && rule.wrong(config, stream, limits),
  }));
}

function ackPendingRule(limit: (stream: StreamConfig, limits: ConsumerLimits) => number): Rule {
  return {
    wrong: (c, stream, limits) => limit(stream, limits) > 0 && c.max_ack_pending > limit(stream, limits),
    id: 'ConsumerMaxPendingAckExcessErrF',
    values: (_, stream, limits) => ({ limit: limit(stream, limits) }),
  };
}

function samplingFault(config: ConsumerConfig): string | undefined {
  const text = config.sample_freq.replace(/%$/, '');
  if (config.sample_freq === '' || /^\+?\d+$/.test(text)) return undefined;
  return /^-\d+$/.test(text) ? '<nil>' : `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
}

const rules: readonly Rule[] = [
  invalid((c) => c.name !== '' && !isAssetName(c.name), "consumer name can not contain '.', '*', '>', '\\', '/'"),
  invalid(
    (c) => c.durable_name !== '' && !isAssetName(c.durable_name),
    "consumer durable name can not contain '.', '*', '>', '\\', '/'",
  ),
  { wrong: (c, stream) => c.num_replicas > stream.num_replicas, id: 'ConsumerReplicasExceedsStream' },
  { wrong: (c) => c.num_replicas < 0, id: 'ReplicasCountCannotBeNegative' },
  {
    wrong: (c, stream) => stream.retention !== 'limits' && c.num_replicas !== 0 && c.num_replicas !== stream.num_replicas,
    id: 'ConsumerReplicasShouldMatchStream',
  },
  { wrong: (c) => c.backoff.some((wait) => wait < 0n), id: 'ConsumerBackOffNegativeErr' },
  { wrong: (c) => c.ack_wait < 0n, id: 'ConsumerAckWaitNegativeErr' },
  ...only(isFlow, [
    { wrong: (c) => !isPush(c), id: 'ConsumerAckFCRequiresPushErr' },
    { wrong: (c) => !c.flow_control, id: 'ConsumerAckFCRequiresFCErr' },
    invalid((c) => c.idle_heartbeat !== oneSecond, 'flow control ack policy heartbeat needs to be 1s'),
    { wrong: (c) => c.max_ack_pending <= 0, id: 'ConsumerAckFCRequiresMaxAckPendingErr' },
    { wrong: (c) => c.ack_wait !== 0n || c.backoff.length > 0, id: 'ConsumerAckFCRequiresNoAckWaitErr' },
    { wrong: (c) => c.max_deliver > 0, id: 'ConsumerAckFCRequiresNoMaxDeliverErr' },
  ]),
  { wrong: (c) => c.max_deliver !== -1 && c.backoff.length > c.max_deliver, id: 'ConsumerMaxDeliverBackoffErr' },
  {
    wrong: (c) => c.description.length > maxDescriptionLength,
    id: 'ConsumerDescriptionTooLongErrF',
    values: () => ({ max: maxDescriptionLength }),
  },
  ...only(isPush, pushRules),
  ...only((c) => !isPush(c), pullRules),
  ackPendingRule((_, limits) => limits.maxAckPending),
  ackPendingRule((_, limits) => limits.accountMaxAckPending),
  ackPendingRule((stream) => stream.consumer_limits.max_ack_pending),
  {
    wrong: (c, stream) =>
      stream.consumer_limits.inactive_threshold > 0n && c.inactive_threshold > stream.consumer_limits.inactive_threshold,
    id: 'ConsumerInactiveThresholdExcess',
    values: (_, stream) => ({ limit: formatDuration(stream.consumer_limits.inactive_threshold) }),
  },
  { wrong: (c) => c.direct && !isPush(c), id: 'ConsumerDirectRequiresPushErr' },
  { wrong: (c) => c.direct && c.durable_name !== '', id: 'ConsumerDirectRequiresEphemeralErr' },
  { wrong: (c) => c.filter_subject !== '' && c.filter_subjects.length > 0, id: 'ConsumerDuplicateFilterSubjects' },
  invalid((c) => c.filter_subject !== '' && !isValidSubject(c.filter_subject), 'invalid subject'),
  { wrong: (c) => c.filter_subjects.includes(''), id: 'ConsumerEmptyFilter' },
  invalid((c) => filtersOf(c).some((filter) => !isValidSubject(filter)), 'invalid subject'),
  { wrong: (c) => hasCovered(filtersOf(c)), id: 'ConsumerOverlappingSubjectFilters' },
  ...startRules(),
  {
    wrong: (c) => samplingFault(c) !== undefined,
    id: 'ConsumerInvalidSamplingErrF',
    values: (c) => ({ err: samplingFault(c) ?? '' }),
  },
  { wrong: (c) => c.flow_control && c.idle_heartbeat === 0n, id: 'ConsumerWithFlowControlNeedsHeartbeats' },
  {
    wrong: (c) => c.durable_name !== '' && c.name !== '' && c.durable_name !== c.name,
    id: 'ConsumerCreateDurableAndNameMismatch',
  },
  {
    wrong: (c) => metadataLength(c.metadata) > maxMetadataKilobytes * 1024,
    id: 'ConsumerMetadataLengthErrF',
    values: () => ({ limit: `${maxMetadataKilobytes}KB` }),
  },
  ...only(
    (c) => c.priority_policy !== 'none',
    [
      { wrong: isPush, id: 'ConsumerPushWithPriorityGroupErr' },
      { wrong: (c) => c.priority_groups.length === 0, id: 'ConsumerPriorityPolicyWithoutGroup' },
      { wrong: (c) => c.priority_groups.includes(''), id: 'ConsumerEmptyGroupName' },
      {
        wrong: (c) => c.priority_groups.some((group) => !priorityGroupName.test(group)),
        id: 'ConsumerInvalidGroupNameErr',
      },
    ],
  ),
  ...only(
    (c) => c.priority_policy === 'none',
    [
      { wrong: (c) => c.priority_groups.length > 0, id: 'ConsumerPriorityGroupWithPolicyNone' },
      { wrong: (c) => c.priority_timeout > 0n, id: 'ConsumerPinnedTTLWithoutPriorityPolicyNone' },
    ],
  ),
];
