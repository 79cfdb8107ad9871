// The single checks of a publish, each a pure function that answers a row of the error table or nothing. `judge.ts` and `staged-judge.ts` put them
// in nats-server's two orders: that of plain publishes and that of batches.

import { apiError, type ApiError } from '../jetstream/errors.ts';
import type { Instant } from '../jetstream/instant.ts';
import type { StreamConfig } from '../jetstream/stream-config.ts';
import { isValidLiteral, subjectsOverlap } from '../subject/subject.ts';
import { parseIncrement } from './counter.ts';
import { parseTtl } from './message-ttl.ts';
import { nextFiring } from './schedule.ts';

export type Headers = ReadonlyMap<string, string>;

export interface StoredHead {
  readonly seq: number;
  readonly headers: Headers;
  readonly payload: Uint8Array;
}

/** What the judge may ask about the stream, everything appended so far included. */
export interface JudgeView {
  readonly messages: number;
  readonly bytes: number;
  readonly lastSeq: number;
  readonly now: Instant;
  /** The last sequence on subjects that match, 0 for none. */
  lastSeqOf(filter: string): number;
  /** The last message on a subject. */
  lastOn(subject: string): StoredHead | undefined;
  messagesOn(subject: string): number;
  /** The message id of the last message, '' for none. */
  lastMessageId(): string;
  /** The sequence a message id was stored under within the duplicate window. */
  duplicateOf(id: string): number | undefined;
  /** Why the server or the account has no room for so many bytes more. */
  roomFault(bytes: number): ApiError | undefined;
}

export interface Publish {
  readonly subject: string;
  readonly headers: Headers;
  /** The raw header block. */
  readonly block: Uint8Array;
  readonly payload: Uint8Array;
  /** Another stream has judged it already. */
  readonly sourced: boolean;
}

const encoder = new TextEncoder();
const maxHeaderBytes = 65_535;
const recordOverhead = 30;
const headerOverhead = 4;
const memoryOverhead = 16;

export function valueOf(headers: Headers, name: string): string {
  return headers.get(name) ?? '';
}

/** Bytes of a text in UTF-8; subjects are ASCII with few exceptions. */
function encodedLength(text: string): number {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return encoder.encode(text).length;
  return text.length;
}

/** Bytes a message counts in a stream of this storage. */
export function storedBytes(
  { storage }: StreamConfig,
  {
    subject,
    headerBytes,
    payloadBytes,
  }: { readonly subject: string; readonly headerBytes: number; readonly payloadBytes: number },
): number {
  const content = encodedLength(subject) + headerBytes + payloadBytes;
  if (storage === 'memory') return memoryOverhead + content;
  return recordOverhead + content + (headerBytes > 0 ? headerOverhead : 0);
}

/** A sequence that is no number matches nothing. */
export function expectedSequence(headers: Headers, name: string): number | undefined {
  const text = valueOf(headers, name);
  if (text === '') return undefined;
  return /^\d+$/.test(text) ? Number(text) : -1;
}

const counterForbids = [
  'Nats-Rollup',
  'Nats-Expected-Stream',
  'Nats-Expected-Last-Msg-Id',
  'Nats-Expected-Last-Subject-Sequence-Subject',
  'Nats-Expected-Last-Sequence',
  'Nats-Expected-Last-Subject-Sequence',
];

export function checkIncrement(config: StreamConfig, { headers, payload, sourced }: Publish): ApiError | undefined {
  const by = parseIncrement(valueOf(headers, 'Nats-Incr'));
  if (by === undefined) return undefined;
  if (by === 'invalid') return apiError('MessageIncrInvalidErr');
  if (sourced) return undefined;
  if (!config.allow_msg_counter) return apiError('MessageIncrDisabledErr');
  if (payload.length > 0) return apiError('MessageIncrPayloadErr');
  return counterForbids.some((name) => valueOf(headers, name) !== '') ? apiError('MessageIncrInvalidErr') : undefined;
}

export function checkExpectedStream(config: StreamConfig, { headers }: Publish): ApiError | undefined {
  const stream = valueOf(headers, 'Nats-Expected-Stream');
  return stream === '' || stream === config.name ? undefined : apiError('StreamNotMatchErr');
}

/** A readable TTL where none is allowed. */
export function checkTtlAllowed(config: StreamConfig, { headers, sourced }: Publish): ApiError | undefined {
  if (sourced || config.allow_msg_ttl) return undefined;
  return (parseTtl(valueOf(headers, 'Nats-TTL')) ?? 0) === 0 ? undefined : apiError('MessageTTLDisabledErr');
}

export function checkTtlValid({ headers }: Publish): ApiError | undefined {
  return parseTtl(valueOf(headers, 'Nats-TTL')) === undefined ? apiError('MessageTTLInvalidErr') : undefined;
}

/** What checks of schedules ask about the stream. */
export type ScheduleView = Pick<JudgeView, 'now' | 'lastOn'>;

export function checkSchedule(config: StreamConfig, publish: Publish, view: ScheduleView): ApiError | undefined {
  if (publish.sourced) return undefined;
  return checkScheduled(config, publish, view) ?? checkScheduler(config, publish, view);
}

export function isSchedule(publish: Publish): boolean {
  return valueOf(publish.headers, 'Nats-Schedule') !== '';
}

function checkScheduled(config: StreamConfig, { headers, subject }: Publish, view: ScheduleView): ApiError | undefined {
  if (!headers.has('Nats-Schedule') && !headers.has('Nats-Schedule-Time-Zone')) return undefined;
  const { now } = view;
  const firing = nextFiring(headers, now, now);
  if (firing === undefined) return undefined;
  if (!config.allow_msg_schedules) return apiError('MessageSchedulesDisabledErr');
  if (firing === 'zone') return apiError('MessageSchedulesTimeZoneInvalidErr');
  if (firing === 'pattern') return apiError('MessageSchedulesPatternInvalidErr');
  const ttl = valueOf(headers, 'Nats-Schedule-TTL');
  if (parseTtl(ttl) === undefined) return apiError('MessageSchedulesTTLInvalidErr');
  const ownRollup = valueOf(headers, 'Nats-Schedule-Rollup');
  if (ownRollup !== '' && ownRollup !== 'sub') return apiError('MessageSchedulesRollupInvalidErr');
  if (ttl !== '' && !config.allow_msg_ttl) return apiError('MessageTTLDisabledErr');
  const target = valueOf(headers, 'Nats-Schedule-Target');
  const source = valueOf(headers, 'Nats-Schedule-Source');
  if (!isValidLiteral(target) || target === subject) return apiError('MessageSchedulesTargetInvalidErr');
  if (source !== '' && (source === target || source === subject || !isValidLiteral(source)))
    return apiError('MessageSchedulesSourceInvalidErr');
  const isOurs = (other: string): boolean => config.subjects.some((ours) => subjectsOverlap(ours, other));
  if (!isOurs(target)) return apiError('MessageSchedulesTargetInvalidErr');
  if (source !== '' && !isOurs(source)) return apiError('MessageSchedulesSourceInvalidErr');
  const rollup = valueOf(headers, 'Nats-Rollup').toLowerCase();
  return rollup === '' || rollup === 'sub' ? undefined : apiError('MessageSchedulesRollupInvalidErr');
}

/** A client may name a scheduler only to end its schedule. */
function checkScheduler(config: StreamConfig, { headers, subject }: Publish, view: ScheduleView): ApiError | undefined {
  const next = valueOf(headers, 'Nats-Schedule-Next');
  const scheduler = valueOf(headers, 'Nats-Scheduler');
  if (next === '' && scheduler === '') return undefined;
  if (next !== 'purge' || scheduler === subject || !isValidLiteral(scheduler))
    return apiError('MessageSchedulesSchedulerInvalidErr');
  if (!config.allow_msg_schedules) return apiError('MessageSchedulesDisabledErr');
  const last = view.lastOn(scheduler);
  if (last === undefined || valueOf(last.headers, 'Nats-Schedule') !== '') return undefined;
  return apiError('MessageSchedulesSchedulerInvalidErr');
}

export function checkRollup(config: StreamConfig, { headers, sourced }: Publish): ApiError | undefined {
  const rollup = valueOf(headers, 'Nats-Rollup').toLowerCase();
  if (rollup === '') return undefined;
  if (!sourced && (!config.allow_rollup_hdrs || config.deny_purge))
    return apiError('StreamRollupFailedF', { err: 'rollup not permitted' });
  if (rollup === 'sub' || rollup === 'all') return undefined;
  return apiError('StreamRollupFailedF', { err: `rollup value invalid: ${JSON.stringify(rollup)}` });
}

export function checkHeaderSize(block: Uint8Array): ApiError | undefined {
  return block.length > maxHeaderBytes ? apiError('StreamHeaderExceedsMaximumErr') : undefined;
}

export function checkMessageSize(config: StreamConfig, block: Uint8Array, payload: Uint8Array): ApiError | undefined {
  const tooLarge = config.max_msg_size >= 0 && block.length + payload.length > config.max_msg_size;
  return tooLarge ? apiError('StreamMessageExceedsMaximumErr') : undefined;
}
