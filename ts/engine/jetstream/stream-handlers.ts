// STREAM requests: create, update, names, list, info, delete, purge.

import { storedStreamMetadata } from '../../core/jetstream/api-level.ts';
import { parseJsonValues } from '../../core/jetstream/parse-json.ts';
import type { Schema } from '../../core/jetstream/schema.ts';
import { streamConfigRequestSchema, type StreamConfig } from '../../core/jetstream/stream-config.ts';
import { checkStreamConfig, filterFault, highestStart, type Checked } from '../../core/stream/check-config.ts';
import { checkStreamUpdate, sameStreamConfig } from '../../core/stream/check-update.ts';
import { subjectsOverlap } from '../../core/subject/subject.ts';
import type { JetStreamAccount } from './account.ts';
import { listSubjects, type ListedSubjects } from './listed-subjects.ts';
import {
  isObject,
  pageOf,
  readRequest,
  refuse,
  streamOf,
  whenFree,
  whenShown,
  ApiRefusal,
  type Answer,
  type ApiHandler,
  type ApiRequest,
} from './request.ts';
import { Stream } from './stream.ts';

const namesLimit = 1024;
const listLimit = 256;
const detailsLimit = 100_000;
/** More deleted sequences are not listed: a gap may be wider than any answer. */
const deletedLimit = 4_000_000;

const offset = { kind: { is: 'integer', type: 'int' } } as const;
const text = { kind: { is: 'string' } } as const;
const ownText = { kind: { is: 'string' }, own: true } as const;
const ownFlag = { kind: { is: 'bool' }, own: true } as const;
const uint64 = { kind: { is: 'integer', type: 'uint64' } } as const;
const pageFields = { offset, subject: ownText };
const namesSchema: Schema = { name: 'JSApiStreamNamesRequest', prefix: 'ApiPagedRequest', fields: pageFields };
const listSchema: Schema = { ...namesSchema, name: 'JSApiStreamListRequest' };
const infoSchema: Schema = {
  name: 'JSApiStreamInfoRequest',
  prefix: 'ApiPagedRequest',
  fields: { offset, deleted_details: ownFlag, subjects_filter: ownText },
};
const purgeSchema: Schema = { name: 'JSApiStreamPurgeRequest', fields: { seq: uint64, filter: text, keep: uint64 } };

type ConfigRequest = StreamConfig & { readonly pedantic: boolean };

function readConfig(request: ApiRequest): { readonly config: StreamConfig; readonly pedantic: boolean } {
  const config = readRequest<ConfigRequest>(request, streamConfigRequestSchema);
  return { config, pedantic: config.pedantic };
}

function mustBeNamed({ name }: StreamConfig, { parts }: ApiRequest): void {
  if (name !== parts[0]) refuse('StreamMismatchErr');
}

function accepted(checked: Checked): StreamConfig {
  if ('error' in checked) throw new ApiRefusal(checked.error);
  return { ...checked.config, metadata: storedStreamMetadata(checked.config) };
}

/** Whether a configuration says where messages are stored, by any name that is read as this field's. */
function tellsStorage({ message }: ApiRequest): boolean {
  const values = [...parseJsonValues(new TextDecoder().decode(message.payload))];
  const members = values.flatMap((node) => (node.kind === 'object' ? node.members : []));
  return members.some(([name]) => name.toLowerCase() === 'storage');
}

/** The answer to who made a stream does not tell the domain. */
function created(stream: Stream): Answer {
  return { fields: Object.assign(stream.info({}, true), { domain: undefined, did_create: true }), after: stream };
}

export const create: ApiHandler = (request) => {
  const { account } = request;
  const given = readConfig(request);
  mustBeNamed(given.config, request);
  if (/[\\/]/.test(given.config.name)) refuse('StreamNameContainsPathSeparatorsErr');
  if (given.config.sealed) refuse('StreamInvalidConfigF', { err: 'stream configuration for create can not be sealed' });
  if (given.config.mirror_direct && given.config.mirror === undefined) {
    refuse('StreamInvalidConfigF', { err: 'stream has no mirror but does have mirror direct' });
  }
  // Whether there is room is asked of what was given, before anything else is said of it.
  const full = account.countFault(given.config) ?? account.consumersFault(given.config);
  if (full !== undefined) return { error: full };
  const bytes = account.bytesFault(given.config);
  if (bytes !== undefined && tellsStorage(request)) return { error: bytes };
  const leaving = account.leaving(given.config.name);
  return leaving === undefined ? make(account, given) : leaving.then(() => make(account, given));
};

function make(account: JetStreamAccount, given: ReturnType<typeof readConfig>): Answer {
  const config = accepted(checkStreamConfig(given.config, account.surroundings(given.config.storage), given.pedantic));
  if (config.num_replicas > 1) refuse('StreamReplicasNotSupportedErr');
  const existing = account.streams.get(config.name);
  if (existing !== undefined) {
    if (!sameStreamConfig(config, existing.config)) refuse('StreamNameExistErr');
    return created(existing);
  }
  if (account.offline.has(config.name)) refuse('StreamNameExistErr');
  const fault = account.roomFault(config);
  if (fault !== undefined) return { error: fault };
  const wrong = filterFault(config);
  if (wrong !== undefined) refuse('StreamCreateErrF', { err: wrong });
  if (account.overlaps(config.subjects, config.name)) refuse('StreamSubjectOverlapErr');
  const stream = account.addStream(config, account.ports.clock.wallInstant());
  if (!(stream instanceof Stream)) return { error: stream };
  return created(stream);
}

export const update: ApiHandler = (request) => {
  const { account } = request;
  const given = readConfig(request);
  const surroundings = account.surroundings(given.config.storage);
  accepted(checkStreamConfig(given.config, surroundings, given.pedantic));
  mustBeNamed(given.config, request);
  const stream = streamOf(request);
  const config = accepted(checkStreamUpdate(given.config, stream.config, surroundings, given.pedantic));
  const broken = [...stream.consumers.values()].filter(({ config: { inactive_threshold, max_ack_pending } }) => {
    const limits = config.consumer_limits;
    const slow = limits.inactive_threshold > 0n && inactive_threshold > limits.inactive_threshold;
    return slow || (limits.max_ack_pending > 0 && max_ack_pending > limits.max_ack_pending);
  });
  if (broken.length > 0) {
    const names = broken.map(({ name }) => name).join(', ');
    refuse('StreamUpdateErrF', { err: `change to limits violates consumers: ${names}` });
  }
  if (account.overlaps(config.subjects, config.name)) refuse('StreamSubjectOverlapErr');
  const fault = account.roomFault(config, stream.config);
  if (fault !== undefined) return { error: fault };
  stream.update(config);
  return whenFree(stream, () => {
    stream.removed(1, stream.store.lastSeq);
    account.advise('streamUpdated', { stream: stream.name, action: 'modify' }, stream.name);
    return { fields: stream.info({}, true), after: stream };
  });
};

function selected(request: ApiRequest, schema: Schema): { readonly streams: Stream[]; readonly offset: number } {
  const page = isObject(request) ? readRequest<{ offset: number; subject: string }>(request, schema) : { offset: 0, subject: '' };
  const all = request.account.sorted();
  const { subject } = page;
  const streams =
    subject === '' ? all : all.filter(({ config }) => config.subjects.some((theirs) => subjectsOverlap(theirs, subject)));
  return { streams, offset: page.offset };
}

export const names: ApiHandler = (request) => {
  const found = selected(request, namesSchema);
  const { page, fields } = pageOf(found.streams, found.offset, namesLimit);
  return { fields: { ...fields, streams: page.length === 0 ? null : page.map(({ name }) => name) } };
};

export const list: ApiHandler = (request) => {
  const found = selected(request, listSchema);
  const { page, fields } = pageOf(found.streams, found.offset, listLimit);
  const { offline } = request.account;
  return {
    fields: {
      ...fields,
      streams: page.map((stream) => stream.info({}, false)),
      offline: offline.size === 0 ? undefined : Object.fromEntries(offline),
    },
  };
};

export const info: ApiHandler = (request) => {
  const asked = isObject(request)
    ? readRequest<{ offset: number; deleted_details: boolean; subjects_filter: string }>(request, infoSchema)
    : { offset: 0, deleted_details: false, subjects_filter: '' };
  const stream = streamOf(request);
  const leader = request.account.settings.serverName;
  if (asked.deleted_details && stream.store.state.numDeleted > deletedLimit) refuse('InsufficientResourcesErr');
  const describe = ({ total, subjects }: ListedSubjects): Answer => {
    const page = total === 0 ? { total, offset: 0, limit: 0 } : { total, offset: from, limit: detailsLimit };
    const deleted = asked.deleted_details ? stream.store.deleted(deletedLimit) : undefined;
    return { fields: { ...page, ...stream.info({ deleted, subjects }, true, leader) }, ...whenShown(stream) };
  };
  const from = Math.max(0, asked.offset);
  if (asked.subjects_filter === '') return describe({ total: 0, subjects: undefined });
  const listed = listSubjects(stream, asked.subjects_filter, from, detailsLimit);
  return listed instanceof Promise ? listed.then(describe) : describe(listed);
};

export const remove: ApiHandler = async (request) => {
  const stream = streamOf(request);
  await request.account.removeStream(stream);
  return { fields: { success: true } };
};

/** A purge up to a sequence beyond what a stream may begin at is one of everything there is. */
function highestPurge({ store }: Stream): number {
  return Math.max(highestStart, store.lastSeq + 1);
}

export const purge: ApiHandler = (request) => {
  const asked = isObject(request) ? readRequest<{ seq: number; filter: string; keep: number }>(request, purgeSchema) : undefined;
  if (asked !== undefined && asked.seq > 0 && asked.keep > 0) refuse('BadRequestErr');
  const stream = streamOf(request);
  if (stream.config.sealed) refuse('StreamSealedErr');
  if (stream.config.deny_purge) refuse('StreamPurgeFailedF', { err: 'stream purge not permitted' });
  const wanted = {
    ...(asked === undefined || asked.filter === '' ? {} : { filter: asked.filter }),
    ...(asked === undefined || asked.seq === 0 ? {} : { seq: Math.min(asked.seq, highestPurge(stream)) }),
    ...(asked === undefined || asked.keep === 0 ? {} : { keep: asked.keep }),
  };
  let purged = 0;
  stream.store.purgeInPieces(wanted, (count) => (purged += count));
  return whenFree(stream, () => {
    stream.purged(wanted.filter);
    return { fields: { success: true, purged }, after: stream };
  });
};
