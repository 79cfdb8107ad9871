// CONSUMER requests: create in its three subject forms, names, list, info, delete.

import { checkConsumerConfig, filtersOf } from '../../core/consumer/check-config.ts';
import { consumerUpdateFault, sameConsumerConfig } from '../../core/consumer/check-update.ts';
import { storedConsumerMetadata } from '../../core/jetstream/api-level.ts';
import { consumerCreateSchema, type ConsumerConfig, type ConsumerCreateRequest } from '../../core/jetstream/consumer-config.ts';
import { instantMs, type Instant } from '../../core/jetstream/instant.ts';
import { maxNameLength } from '../../core/jetstream/names.ts';
import type { Schema } from '../../core/jetstream/schema.ts';
import { subjectsOverlap } from '../../core/subject/subject.ts';
import {
  consumerOf,
  isFault,
  isObject,
  pageOf,
  readRequest,
  refuse,
  streamOf,
  whenShown,
  ApiRefusal,
  type Answer,
  type ApiHandler,
  type ApiRequest,
} from './request.ts';
import type { Consumer } from './consumer.ts';
import type { Stream } from './stream.ts';

const namesLimit = 1024;
const listLimit = 256;
const generatedNameLength = 8;
const ephemeralInactive = 5_000_000_000n;

const pageSchema: Schema = {
  name: 'JSApiConsumersRequest',
  prefix: 'ApiPagedRequest',
  fields: { offset: { kind: { is: 'integer', type: 'int' } } },
};

export const createDurable: ApiHandler = (request) => {
  const asked = readRequest<ConsumerCreateRequest>(request, consumerCreateSchema);
  if (asked.stream_name !== request.parts[0]) refuse('StreamMismatchErr');
  const { durable_name } = asked.config;
  if (durable_name === '') refuse('ConsumerDurableNameNotSetErr');
  if (durable_name !== request.parts[1]) refuse('ConsumerDurableNameNotMatchSubjectErr');
  return place(request, { ...asked, config: { ...asked.config, name: durable_name } }, durable_name);
};

export const create: ApiHandler = (request) => {
  const asked = readRequest<ConsumerCreateRequest>(request, consumerCreateSchema);
  if (asked.stream_name !== request.parts[0]) refuse('StreamMismatchErr');
  const { config } = asked;
  const rest = request.parts[1];
  if (rest === undefined) {
    if (config.durable_name !== '') refuse('ConsumerEphemeralWithDurableNameErr');
    return place(request, asked, config.name);
  }
  const [name = '', ...filter] = rest.split('.');
  if (/[\\/]/.test(name)) refuse('ConsumerNameContainsPathSeparatorsErr');
  if (filter.length > 0) {
    if (config.filter_subjects.length > 0) refuse('ConsumerMultipleFiltersNotAllowed');
    if (config.filter_subject !== filter.join('.')) refuse('ConsumerCreateFilterSubjectMismatchErr');
  }
  if (config.durable_name !== '' && config.durable_name !== name) refuse('ConsumerDurableNameNotMatchSubjectErr');
  return place(request, { ...asked, config: { ...config, name } }, name);
};

/** Creates or updates by the request's action. */
function place(request: ApiRequest, asked: ConsumerCreateRequest, wantedName: string): Answer {
  if (asked.config.num_replicas > 1) refuse('StreamReplicasNotSupportedErr');
  const stream = streamOf(request);
  const checked = checkConsumerConfig(asked.config, stream.config, request.account.consumerLimits(), asked.pedantic);
  if ('error' in checked) throw new ApiRefusal(checked.error);
  const existing = stream.consumers.get(wantedName);
  let { config } = checked;
  if (existing !== undefined) config = { ...config, pause_until: existing.config.pause_until };
  config = { ...config, metadata: storedConsumerMetadata({ ...asked.config, pause_until: config.pause_until }) };
  if (existing !== undefined && asked.action === 'create') checkSame(config, existing.config);
  if ((existing?.config ?? config).durable_name === '' && config.inactive_threshold === 0n)
    config = { ...config, inactive_threshold: ephemeralInactive };
  if (wantedName.length > maxNameLength) refuse('ConsumerNameTooLongErrF', { max: maxNameLength });
  if (existing !== undefined) return change(stream, existing, { ...config, name: existing.config.name });
  if (asked.action === 'update') refuse('ConsumerDoesNotExist');
  const most = mostConsumers(stream);
  if (most > 0 && stream.consumers.size >= most && counted(stream) >= most) refuse('MaximumConsumersLimitErr');
  checkWorkQueue(stream, config, wantedName);
  const name = wantedName === '' ? freshName(stream) : wantedName;
  if (config.name !== '' || config.durable_name === '') config = { ...config, name };
  const nameless = wantedName === '' && asked.config.name === '' && request.parts.length === 1;
  const consumer = added(stream, name, config, request.account.ports.clock.wallInstant());
  advisePause(consumer);
  const fields = (): Record<string, unknown> => (nameless ? withoutName(consumer.info(true)) : consumer.info(true));
  return consumer.waitsForSync ? { fields, after: stream } : { fields };
}

/** A configuration with the level that another one asks for. */
function withLevelOf(config: ConsumerConfig, { metadata }: ConsumerConfig): ConsumerConfig {
  const level = metadata['_nats.req.level'];
  return level === undefined ? config : { ...config, metadata: { ...config.metadata, '_nats.req.level': level } };
}

/** Whoever creates or changes a paused consumer is told that it is. */
function advisePause(consumer: Consumer): void {
  const { pause_until } = consumer.config;
  const { clock, door } = consumer.stream.ports;
  if (pause_until !== undefined && instantMs(pause_until) > clock.wallMs()) door.soon(() => consumer.advisePaused());
}

/** The stricter of the stream's and the account's limit; 0 or less: none. */
function mostConsumers({ config, account }: Stream): number {
  const { max_consumers } = config;
  const { maxConsumers } = account.limits;
  return max_consumers <= 0 || (maxConsumers > 0 && maxConsumers < max_consumers) ? maxConsumers : max_consumers;
}

/** Consumers that count against limits. */
function counted(stream: Stream): number {
  let count = 0;
  for (const { isDirect } of stream.consumers.values()) if (!isDirect) count += 1;
  return count;
}

function hasCounted(stream: Stream): boolean {
  for (const { isDirect } of stream.consumers.values()) if (!isDirect) return true;
  return false;
}

/** Adds a consumer, or refuses and leaves nothing of it when the disk does. */
function added(stream: Stream, name: string, config: ConsumerConfig, created: Instant): Consumer {
  try {
    return stream.addConsumer(name, config, created);
  } catch (thrown) {
    if (!isFault(thrown)) throw thrown;
    stream.consumers.get(name)?.close('409 Consumer Deleted');
    stream.consumers.delete(name);
    stream.ports.log.error(`consumer '${stream.name} > ${name}': ${thrown.message}`);
    return refuse('ConsumerStoreFailedErrF', { err: thrown.message });
  }
}

/** A name that the server gave is not part of the configuration that the answer shows. */
function withoutName(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { name: _, ...config } = fields['config'] as Record<string, unknown>;
  return { ...fields, config };
}

function freshName(stream: Stream): string {
  for (;;) {
    const name = stream.account.unique(generatedNameLength);
    if (!stream.consumers.has(name)) return name;
  }
}

/** Who asks to create what is there asks for the same; what an ephemeral one was given because nothing was said is not the same. */
function checkSame(asked: ConsumerConfig, existing: ConsumerConfig): void {
  const { name } = existing;
  if (!sameConsumerConfig(withLevelOf({ ...asked, name }, existing), existing)) refuse('ConsumerAlreadyExists');
}

function change(stream: Stream, consumer: Consumer, config: ConsumerConfig): Answer {
  const before = consumer.config;
  if (stream.config.retention === 'workqueue') checkUnique(stream, config, consumer.name);
  const fault = consumerUpdateFault(config, before, consumer.machine.info().pushActive);
  if (fault !== undefined) return { error: fault };
  if (!sameConsumerConfig(config, before)) consumer.update(config);
  advisePause(consumer);
  return { fields: consumer.info(true), after: stream };
}

function checkWorkQueue(stream: Stream, config: ConsumerConfig, name: string): void {
  if (stream.config.retention !== 'workqueue' || config.direct || config.sourcing) return;
  if (config.ack_policy !== 'explicit' && config.ack_policy !== 'flow_control') refuse('ConsumerWQRequiresExplicitAckErr');
  if (config.deliver_policy !== 'all') refuse('ConsumerWQConsumerNotDeliverAllErr');
  if (!hasCounted(stream)) return;
  if (filtersOf(config).length === 0) refuse('ConsumerWQMultipleUnfilteredErr');
  checkUnique(stream, config, name);
}

function checkUnique(stream: Stream, config: ConsumerConfig, name: string): void {
  const ours = filtersOf(config);
  for (const other of stream.consumers.values()) {
    if (other.name === name || other.isDirect) continue;
    const theirs = other.filters;
    const overlap =
      ours.length === 0 || theirs.length === 0 || ours.some((mine) => theirs.some((filter) => subjectsOverlap(mine, filter)));
    if (overlap) refuse('ConsumerWQConsumerNotUniqueErr');
  }
}

function selected(request: ApiRequest): { readonly consumers: Consumer[]; readonly offset: number } {
  const { offset } = isObject(request) ? readRequest<{ offset: number }>(request, pageSchema) : { offset: 0 };
  const consumers = [...streamOf(request).consumers.values()].filter(({ isDirect }) => !isDirect);
  return { consumers: consumers.sort((a, b) => (a.name < b.name ? -1 : 1)), offset };
}

export const names: ApiHandler = (request) => {
  const { consumers, offset } = selected(request);
  const { page, fields } = pageOf(consumers, offset, namesLimit);
  return { fields: { ...fields, consumers: page.map(({ name }) => name) } };
};

export const list: ApiHandler = (request) => {
  const { consumers, offset } = selected(request);
  const { page, fields } = pageOf(consumers, offset, listLimit);
  return { fields: { ...fields, consumers: page.map((consumer) => consumer.info(false)) }, ...whenShown(streamOf(request)) };
};

export const info: ApiHandler = (request) => {
  const consumer = consumerOf(request);
  consumer.checkInterest();
  return { fields: consumer.info(true), ...whenShown(consumer.stream) };
};

export const remove: ApiHandler = (request) => {
  const consumer = consumerOf(request);
  consumer.stream.removeConsumer(consumer);
  return { fields: { success: true }, after: consumer.stream };
};
