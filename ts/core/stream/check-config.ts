// Stream configuration checks: defaults, then rules in nats-server's order, each with its exact error. Pure: what the rules need
// to know about the account (other streams, limits) is handed in.

import { apiError, type ApiError, type ApiErrorId } from '../jetstream/errors.ts';
import { formatDuration } from '../jetstream/instant.ts';
import type { StreamConfig, StreamSource } from '../jetstream/stream-config.ts';
import { isAssetName, maxNameLength } from '../jetstream/names.ts';
import { firstOverlap, hasCovered } from '../subject/subject-sets.ts';
import { isSubsetMatch, isValidLiteral, isValidSubject, subjectsOverlap } from '../subject/subject.ts';

/** What stream checks ask about their surroundings. */
export interface StreamSurroundings {
  /** The server's limit on `duplicate_window`; 0n is none. */
  readonly duplicateWindowLimit: bigint;
  readonly maxBytesRequired: boolean;
  /** The account's largest `max_bytes` for this storage; 0 is none. */
  readonly maxStreamBytes: number;
  stream(name: string): StreamConfig | undefined;
  /** Complains about a subject transform, or undefined when it is good. */
  transformFault(src: string, dest: string): string | undefined;
  /** Whether messages can be published again so. */
  canRepublish(src: string, dest: string): boolean;
}

export type Checked = { readonly config: StreamConfig } | { readonly error: ApiError };

type Mutable = { -readonly [K in keyof StreamConfig]: StreamConfig[K] };

class Refusal extends Error {
  readonly error: ApiError;
  constructor(error: ApiError) {
    super(error.description);
    this.error = error;
  }
}

const maxDescriptionLength = 4096;
const maxMetadataLength = 128 * 1024;
const maxReplicas = 5;
const defaultDuplicateWindow = 120_000_000_000n;
const shortestSpan = 100_000_000n;
const oneSecond = 1_000_000_000n;
const apiPrefix = '$JS.API';

function refuse(id: ApiErrorId, values?: Readonly<Record<string, string | number>>): never {
  throw new Refusal(apiError(id, values));
}

function invalid(err: string): never {
  return refuse('StreamInvalidConfigF', { err });
}

function pedantry(err: string): never {
  return refuse('PedanticErrF', { err });
}

/** The configuration with its defaults filled in, or the first error. */
export function checkStreamConfig(given: StreamConfig, around: StreamSurroundings, pedantic: boolean): Checked {
  try {
    const config: Mutable = { ...given };
    checkNames(config);
    fillCounts(config, pedantic);
    checkSpans(config, around, pedantic);
    checkFeatures(config, pedantic);
    checkUpstreams(config, around, pedantic);
    checkCycles(config, around);
    checkSubjects(config);
    checkLimits(config, around);
    checkTransforms(config, around, pedantic);
    return { config };
  } catch (thrown) {
    if (thrown instanceof Refusal) return { error: thrown.error };
    throw thrown;
  }
}

const encoder = new TextEncoder();

export function metadataLength(metadata: Readonly<Record<string, string>>): number {
  return Object.entries(metadata).reduce(
    (sum, [key, value]) => sum + encoder.encode(key).length + encoder.encode(value).length,
    0,
  );
}

function checkNames(config: StreamConfig): void {
  if (!isAssetName(config.name)) invalid("stream name is required and can not contain '.', '*', '>', '\\', '/'");
  if (config.name.length > maxNameLength) invalid(`stream name is too long, maximum allowed is ${maxNameLength}`);
  if (config.description.length > maxDescriptionLength)
    invalid(`stream description is too long, maximum allowed is ${maxDescriptionLength}`);
  if (metadataLength(config.metadata) > maxMetadataLength)
    invalid(`stream metadata exceeds maximum size of ${maxMetadataLength} bytes`);
}

const counts = ['max_msgs', 'max_msgs_per_subject', 'max_bytes', 'max_msg_size', 'max_consumers'] as const;

function fillCounts(config: Mutable, pedantic: boolean): void {
  if (config.num_replicas === 0) config.num_replicas = 1;
  if (config.num_replicas > maxReplicas) invalid(`maximum replicas is ${maxReplicas}`);
  if (config.num_replicas < 0) refuse('ReplicasCountCannotBeNegative');
  for (const name of counts) {
    if (config[name] > 0 || config[name] === -1) continue;
    if (pedantic && config[name] < -1) pedantry(`${name} must be set to -1`);
    config[name] = -1;
  }
}

/**
 * The highest sequence a stream may be told to begin at. Sequences above 2^53 cannot be counted here, and no stream that begins below this will
 * ever get there.
 */
export const highestStart = 2 ** 52;

function checkSpans(config: Mutable, around: StreamSurroundings, pedantic: boolean): void {
  if (config.first_seq > highestStart) invalid(`first sequence must not be above ${highestStart}`);
  if (config.max_age < 0n) invalid('max age can not be negative');
  if (config.max_age !== 0n && config.max_age < shortestSpan) invalid('max age needs to be >= 100ms');
  const limit = around.duplicateWindowLimit;
  if (config.duplicate_window === 0n && config.mirror === undefined && config.sources.length === 0) {
    let window = defaultDuplicateWindow;
    if (limit > 0n && window > limit) {
      if (pedantic) pedantry('duplicate window limits are higher than current limits');
      window = limit;
    }
    if (config.max_age !== 0n && config.max_age < window) {
      if (pedantic) pedantry('duplicate window cannot be bigger than max age');
      window = config.max_age;
    }
    config.duplicate_window = window;
  }
  const window = config.duplicate_window;
  if (window < 0n) invalid('duplicates window can not be negative');
  if (config.max_age !== 0n && window > config.max_age) invalid('duplicates window can not be larger then max age');
  if (limit > 0n && window > limit) invalid(`duplicates window can not be larger then server limit of ${formatDuration(limit)}`);
  if (window > 0n && window < shortestSpan) invalid('duplicates window needs to be >= 100ms');
}

/** Pairs of settings that exclude each other, in the order they are complained about. */
const exclusions: readonly (readonly [wrong: (config: StreamConfig) => boolean, text: string])[] = [
  [(c) => c.deny_purge && c.allow_rollup_hdrs, 'roll-ups require the purge permission'],
  [(c) => c.allow_msg_counter && c.discard === 'new', 'counter stream cannot use discard new'],
  [(c) => c.allow_msg_counter && c.allow_msg_ttl, 'counter stream cannot use message TTLs'],
  [(c) => c.allow_msg_counter && c.allow_msg_schedules, 'counter stream cannot use message schedules'],
  [(c) => c.allow_msg_counter && c.retention !== 'limits', 'counter stream can only use limits retention'],
  [(c) => c.discard_new_per_subject && c.discard !== 'new', 'discard new per subject requires discard new policy to be set'],
  [(c) => c.discard_new_per_subject && c.max_msgs_per_subject <= 0, 'discard new per subject requires max msgs per subject > 0'],
];

const asyncExclusions: typeof exclusions = [
  [(c) => c.storage !== 'file', 'async persist mode is only supported on file storage'],
  [(c) => c.num_replicas > 1, 'async persist mode is not supported on replicated streams'],
  [(c) => c.allow_atomic, 'async persist mode is not supported with atomic batch publish'],
];

function exclude(pairs: typeof exclusions, config: StreamConfig): void {
  const broken = pairs.find((pair) => pair[0](config));
  if (broken !== undefined) invalid(broken[1]);
}

function checkFeatures(config: Mutable, pedantic: boolean): void {
  exclude(exclusions, config);
  const marker = config.subject_delete_marker_ttl;
  if (marker < 0n) invalid('subject delete marker TTL must not be negative');
  if (marker > 0n) {
    if (marker < oneSecond) invalid('subject delete marker TTL must be at least 1 second');
    if (!config.allow_msg_ttl && pedantic) invalid('subject delete marker cannot be set if message TTLs are disabled');
    config.allow_msg_ttl = true;
    allowRollup(config, pedantic, 'subject delete marker cannot be set if roll-ups are disabled');
  }
  if (config.allow_msg_schedules) {
    if (config.discard === 'new') invalid('message scheduling cannot use discard new');
    allowRollup(config, pedantic, 'message scheduling cannot be set if roll-ups are disabled');
  }
  if (config.persist_mode === 'async') exclude(asyncExclusions, config);
}

function allowRollup(config: Mutable, pedantic: boolean, complaint: string): void {
  if (config.allow_rollup_hdrs) return;
  if (pedantic) invalid(complaint);
  config.allow_rollup_hdrs = true;
  config.deny_purge = false;
}

const mirrorExclusions: readonly (readonly [wrong: (config: StreamConfig) => boolean, id: ApiErrorId])[] = [
  [(c) => c.first_seq > 0, 'MirrorWithFirstSeqErr'],
  [(c) => c.subjects.length > 0, 'MirrorWithSubjectsErr'],
  [(c) => c.sources.length > 0, 'MirrorWithSourcesErr'],
  [(c) => c.allow_msg_counter, 'MirrorWithCountersErr'],
  [(c) => c.allow_atomic, 'MirrorWithAtomicPublishErr'],
  [(c) => c.allow_batched, 'MirrorWithBatchPublishErr'],
  [(c) => c.allow_msg_schedules, 'MirrorWithMsgSchedulesErr'],
];

interface External {
  readonly deliverPrefixes: string[];
  readonly apiPrefixes: string[];
  readonly subjects: string[];
}

function checkUpstreams(config: Mutable, around: StreamSurroundings, pedantic: boolean): void {
  if (config.mirror === undefined && config.sources.length === 0) return;
  const external: External = { deliverPrefixes: [], apiPrefixes: [], subjects: [] };
  if (config.mirror !== undefined) checkMirror(config, config.mirror, around, pedantic, external);
  if (config.sources.length > 0 && config.allow_msg_schedules) refuse('SourceWithMsgSchedulesErr');
  const names = new Set<string>();
  const consumers = new Set<string>();
  for (const source of config.sources) checkSource(config, source, around, external, names, consumers);
  for (const prefix of external.deliverPrefixes) {
    if (!isValidLiteral(prefix)) refuse('StreamInvalidExternalDeliverySubjErrF', { prefix });
    for (const subject of external.subjects) {
      if (subjectsOverlap(subject, `${prefix}.${subject}`)) refuse('StreamExternalDelPrefixOverlapsErrF', { prefix, subject });
    }
  }
  for (const prefix of external.apiPrefixes) {
    if (!isValidLiteral(prefix))
      invalid(`stream external api prefix ${JSON.stringify(prefix)} must be a valid subject without wildcards`);
    if (subjectsOverlap(prefix, apiPrefix)) refuse('StreamExternalApiOverlapErrF', { prefix, subject: apiPrefix });
  }
}

function checkMirror(
  config: Mutable,
  mirror: StreamSource,
  around: StreamSurroundings,
  pedantic: boolean,
  external: External,
): void {
  for (const [wrong, id] of mirrorExclusions) if (wrong(config)) refuse(id);
  if (!isGoodSourceConsumer(mirror)) refuse('MirrorDurableConsumerCfgInvalid');
  if (mirror.filter_subject !== '' && mirror.subject_transforms.length > 0) refuse('MirrorMultipleFiltersNotAllowed');
  if (config.subject_delete_marker_ttl > 0n) invalid('subject delete markers forbidden on mirrors');
  const overlapping = firstOverlap(mirror.subject_transforms.map(({ src }) => src));
  for (const [index, { src, dest }] of mirror.subject_transforms.entries()) {
    if (src !== '' && !isValidSubject(src)) refuse('MirrorInvalidSubjectFilter', { err: `invalid subject ${src}` });
    const fault = around.transformFault(src, dest);
    if (fault !== undefined) refuse('MirrorInvalidTransformDestination', { err: fault });
    if (index === overlapping) refuse('MirrorOverlappingSubjectFilters');
  }
  if (mirror.external !== undefined) return noteExternal(mirror, external);
  if (!isAssetName(mirror.name)) refuse('MirrorInvalidStreamName');
  const origin = around.stream(mirror.name);
  if (origin === undefined) return;
  external.subjects.push(...origin.subjects);
  if (isTooSmallFor(config, origin)) refuse('MirrorMaxMessageSizeTooBigErr');
  if (pedantic && config.mirror_direct !== origin.allow_direct)
    pedantry('origin stream has direct get set, mirror has it disabled');
  config.mirror_direct = origin.allow_direct;
}

/** What a new mirror or source cannot begin with, found only when everything else is in order. */
export function filterFault({ mirror, sources }: StreamConfig): string | undefined {
  const isWrong = ({ filter_subject: filter }: StreamSource): boolean => filter !== '' && !isValidSubject(filter);
  if (mirror !== undefined && isWrong(mirror)) return `subject filter '${mirror.filter_subject}' for the mirror invalid subject`;
  const source = sources.find(isWrong);
  return source === undefined ? undefined : `subject filter '${source.filter_subject}' for the source: invalid subject`;
}

function noteExternal(source: StreamSource, external: External): void {
  if (source.external === undefined) return;
  if (source.external.deliver !== '') external.deliverPrefixes.push(source.external.deliver);
  if (source.external.api !== '') external.apiPrefixes.push(source.external.api);
}

function isTooSmallFor(config: StreamConfig, origin: StreamConfig): boolean {
  return config.max_msg_size > 0 && origin.max_msg_size > 0 && config.max_msg_size < origin.max_msg_size;
}

function isGoodSourceConsumer(source: StreamSource): boolean {
  const consumer = source.consumer;
  if (consumer === undefined) return true;
  if (!isAssetName(consumer.name) || !isValidLiteral(consumer.deliver_subject)) return false;
  return source.opt_start_seq === 0 && source.opt_start_time === undefined && source.filter_subject === '';
}

function sourceIdentity(source: StreamSource): string {
  const filters =
    source.subject_transforms.length > 0
      ? source.subject_transforms.map(({ src, dest }) => `${src || '>'} ${dest || '>'}`)
      : [source.filter_subject || '>'];
  return `${source.name}:${source.external?.api ?? ''} ${filters.join(',')}`;
}

function checkSource(
  config: StreamConfig,
  source: StreamSource,
  around: StreamSurroundings,
  external: External,
  names: Set<string>,
  consumers: Set<string>,
): void {
  if (!isAssetName(source.name)) refuse('SourceInvalidStreamName');
  const identity = sourceIdentity(source);
  if (names.has(identity)) refuse('SourceDuplicateDetected');
  names.add(identity);
  if (source.filter_subject !== '' && source.subject_transforms.length > 0) refuse('SourceMultipleFiltersNotAllowed');
  for (const { src, dest } of source.subject_transforms) {
    if (src !== '' && !isValidSubject(src)) refuse('SourceInvalidSubjectFilter', { err: `invalid subject ${src}` });
    const fault = around.transformFault(src, dest);
    if (fault !== undefined) refuse('SourceInvalidTransformDestination', { err: fault });
  }
  if (hasCovered(source.subject_transforms.map(({ src }) => src))) refuse('SourceOverlappingSubjectFilters');
  if (source.consumer !== undefined) {
    if (!isGoodSourceConsumer(source)) refuse('SourceDurableConsumerCfgInvalid');
    const consumer = `${source.consumer.name}:${source.external?.api ?? ''}`;
    if (consumers.has(consumer)) refuse('SourceDurableConsumerDuplicateDetected');
    consumers.add(consumer);
  }
  if (source.external !== undefined) return noteExternal(source, external);
  const origin = around.stream(source.name);
  if (origin === undefined) return;
  external.subjects.push(...origin.subjects);
  if (isTooSmallFor(config, origin)) refuse('SourceMaxMessageSizeTooBigErr');
}

function checkCycles(config: StreamConfig, around: StreamSurroundings): void {
  if (config.mirror === undefined && config.sources.length === 0) return;
  const queue: StreamConfig[] = [config];
  const visited = new Set<string>();
  for (let current = queue.shift(); current !== undefined; current = queue.shift()) {
    visited.add(current.name);
    const { subjects } = current;
    for (const source of current.sources) {
      if (source.external !== undefined) continue;
      const filter = source.filter_subject;
      if (visited.has(source.name)) {
        if (filter === '' || subjects.some((subject) => subjectsOverlap(subject, filter))) invalid('detected cycle');
      } else visit(source.name);
    }
    if (current.mirror === undefined || current.mirror.external !== undefined) continue;
    if (visited.has(current.mirror.name)) invalid('detected cycle');
    visit(current.mirror.name);
  }

  function visit(name: string): void {
    const next = around.stream(name);
    if (next !== undefined) queue.push(next);
  }
}

const serverSpaces = ['$JS.>', '$JSC.>', '$NRG.>'];

function checkSubjects(config: Mutable): void {
  const { subjects } = config;
  if (subjects.length === 0) {
    if (config.mirror === undefined && config.sources.length === 0) config.subjects = [config.name];
    return;
  }
  const overlapping = firstOverlap(subjects);
  for (let index = 0; index < subjects.length; index++) {
    const subject = subjects[index] ?? '';
    if (!isValidSubject(subject)) invalid('invalid subject');
    if (subject === '>') {
      if (!config.no_ack) invalid('capturing all subjects requires no-ack to be true');
      if (config.num_replicas !== 1) invalid('capturing all subjects requires replicas of 1');
    }
    if (!config.no_ack) {
      if (serverSpaces.some((space) => subjectsOverlap(subject, space)) && !isSubsetMatch(subject, '$JS.EVENT.>')) {
        invalid('subjects that overlap with jetstream api require no-ack to be true');
      }
      if (subjectsOverlap(subject, '$SYS.>') && !isSubsetMatch(subject, '$SYS.ACCOUNT.>')) {
        invalid('subjects that overlap with system api require no-ack to be true');
      }
    }
    if (index !== overlapping) continue;
    const other = subjects.slice(index + 1).find((later) => subjectsOverlap(later, subject));
    invalid(`subject ${JSON.stringify(subject)} overlaps with ${JSON.stringify(other)}`);
  }
}

function checkLimits(config: StreamConfig, around: StreamSurroundings): void {
  if (around.maxBytesRequired && config.max_bytes <= 0) refuse('StreamMaxBytesRequired');
  if (around.maxStreamBytes > 0 && config.max_bytes > around.maxStreamBytes) refuse('StreamMaxStreamBytesExceeded');
}

function checkTransforms(config: Mutable, around: StreamSurroundings, pedantic: boolean): void {
  const transform = config.subject_transform;
  if (transform !== undefined) {
    if (transform.src !== '' && !isValidSubject(transform.src))
      refuse('StreamTransformInvalidSource', { err: `invalid subject ${transform.src}` });
    const fault = around.transformFault(transform.src, transform.dest);
    if (fault !== undefined) refuse('StreamTransformInvalidDestination', { err: fault });
  }
  if (config.republish !== undefined) {
    let { src, dest } = config.republish;
    if (src === '') {
      if (pedantic) pedantry('republish source can not be empty');
      src = '>';
    }
    if (
      dest === '>' &&
      src === '>' &&
      transform !== undefined &&
      config.subjects.length === 1 &&
      transform.src === config.subjects[0]
    ) {
      if (pedantic) pedantry('implicit republish based on subject transform');
      src = dest = transform.dest;
    }
    if (config.subjects.some((subject) => subjectsOverlap(dest, subject)))
      invalid('stream configuration for republish destination forms a cycle');
    if (!around.canRepublish(src, dest))
      invalid(`stream configuration for republish with transform from '${src}' to '${dest}' not valid`);
    config.republish = { ...config.republish, src, dest };
  }
  const place = config.placement;
  if (place === undefined) return;
  if (place.preferred !== '') invalid('preferred server not permitted in placement');
  if (place.cluster === '' && place.tags.length === 0) config.placement = undefined;
}
