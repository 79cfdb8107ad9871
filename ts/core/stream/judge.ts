// Judges a publish whose headers ask for more than storing: message ids, expected sequences, rollups, TTLs. A pure function over the
// stream's configuration and a view of its state; checks are in nats-server's order and refuse with rows of the error table.

import { apiError, type ApiError } from '../jetstream/errors.ts';
import { parseDuration } from '../jetstream/instant.ts';
import type { StreamConfig } from '../jetstream/stream-config.ts';

/** What the judge may ask about the stream, everything appended so far included. */
export interface JudgeView {
  readonly messages: number;
  readonly bytes: number;
  readonly lastSeq: number;
  /** The last sequence on subjects that match, 0 for none. */
  lastSeqOf(filter: string): number;
  messagesOn(subject: string): number;
  /** The message id of the last message, '' for none. */
  lastMessageId(): string;
  /** The sequence a message id was stored under within the duplicate window. */
  duplicateOf(id: string): number | undefined;
}

/** What `checkRoom` looks at. */
export type Room = Pick<Publish, 'subject' | 'size' | 'headerSize' | 'recordBytes'>;
export type RoomView = Pick<JudgeView, 'messages' | 'bytes' | 'messagesOn'>;

export interface Publish {
  readonly subject: string;
  readonly headers: ReadonlyMap<string, string>;
  /** Length of headers and payload. */
  readonly size: number;
  readonly headerSize: number;
  /** Bytes the record will take in the store. */
  readonly recordBytes: number;
}

export type Verdict =
  | { readonly is: 'accept'; readonly messageId: string; readonly rollup: 'none' | 'sub' | 'all' }
  | { readonly is: 'duplicate'; readonly seq: number }
  | { readonly is: 'refuse'; readonly error: ApiError };

const maxHeaderBytes = 65_535;

/** Headers whose features come with later milestones would be silently ignored otherwise: a publish that needs them is refused. */
export function judgePublish(config: StreamConfig, publish: Publish, view: JudgeView): Verdict {
  const { headers } = publish;
  const error = config.sealed
    ? apiError('StreamSealedErr')
    : (checkExpectations(config, publish, view) ?? checkTtl(config, headers));
  if (error !== undefined) return { is: 'refuse', error };
  const messageId = headers.get('Nats-Msg-Id') ?? '';
  if (messageId !== '') {
    const seq = view.duplicateOf(messageId);
    if (seq !== undefined) return { is: 'duplicate', seq };
  }
  const expectedId = headers.get('Nats-Expected-Last-Msg-Id') ?? '';
  if (expectedId !== '' && expectedId !== view.lastMessageId()) {
    return { is: 'refuse', error: apiError('StreamWrongLastMsgIDErrF', { id: view.lastMessageId() }) };
  }
  const rollup = headers.get('Nats-Rollup') ?? '';
  const late = checkRollup(config, rollup) ?? checkRoom(config, publish, view);
  if (late !== undefined) return { is: 'refuse', error: late };
  return { is: 'accept', messageId, rollup: rollup === '' ? 'none' : rollup.toLowerCase() === 'all' ? 'all' : 'sub' };
}

/** A sequence that is no number matches nothing. */
function expectedSequence(headers: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = headers.get(name) ?? '';
  if (text === '') return undefined;
  return /^\d+$/.test(text) ? Number(text) : -1;
}

function checkExpectations(config: StreamConfig, publish: Publish, view: JudgeView): ApiError | undefined {
  const { headers, subject } = publish;
  if (headers.has('Nats-Incr') && !config.allow_msg_counter) return apiError('MessageIncrDisabledErr');
  const stream = headers.get('Nats-Expected-Stream') ?? '';
  if (stream !== '' && stream !== config.name) return apiError('StreamNotMatchErr');
  if (headers.has('Nats-TTL') && headers.get('Nats-TTL') !== '' && !config.allow_msg_ttl)
    return apiError('MessageTTLDisabledErr');
  const onSubject = expectedSequence(headers, 'Nats-Expected-Last-Subject-Sequence');
  const filter = headers.get('Nats-Expected-Last-Subject-Sequence-Subject') ?? '';
  if (onSubject !== undefined) {
    const last = view.lastSeqOf(filter === '' ? subject : filter);
    if (last !== onSubject) return apiError('StreamWrongLastSequenceErrF', { seq: last });
  } else if (filter !== '') return apiError('StreamExpectedLastSeqPerSubjectInvalid');
  const onStream = expectedSequence(headers, 'Nats-Expected-Last-Sequence');
  if (onStream !== undefined && onStream !== view.lastSeq) return apiError('StreamWrongLastSequenceErrF', { seq: view.lastSeq });
  if (headers.has('Nats-Schedule') && !config.allow_msg_schedules) return apiError('MessageSchedulesDisabledErr');
  return undefined;
}

function checkTtl(config: StreamConfig, headers: ReadonlyMap<string, string>): ApiError | undefined {
  const text = headers.get('Nats-TTL') ?? '';
  if (text === '' || !config.allow_msg_ttl || parseTtl(text) !== undefined) return undefined;
  return apiError('MessageTTLInvalidErr');
}

/** Seconds a message lives; 0 is for ever; undefined is no TTL at all. */
export function parseTtl(text: string): number | undefined {
  if (text.toLowerCase() === 'never') return 0;
  if (/^\d+$/.test(text)) return Number(text);
  const nanos = parseDuration(text);
  return nanos === undefined || nanos < 1_000_000_000n ? undefined : Math.floor(Number(nanos / 1_000_000_000n));
}

function checkRollup(config: StreamConfig, rollup: string): ApiError | undefined {
  if (rollup === '') return undefined;
  if (!config.allow_rollup_hdrs || config.deny_purge) return apiError('StreamRollupFailedF', { err: 'rollup not permitted' });
  if (['sub', 'all'].includes(rollup.toLowerCase())) return undefined;
  return apiError('StreamRollupFailedF', { err: `rollup value invalid: ${JSON.stringify(rollup)}` });
}

/** Sizes and, with discard new, the stream's limits. */
export function checkRoom(config: StreamConfig, publish: Room, view: RoomView): ApiError | undefined {
  if (config.max_msg_size >= 0 && publish.size > config.max_msg_size) return apiError('StreamMessageExceedsMaximumErr');
  if (publish.headerSize > maxHeaderBytes) return apiError('StreamHeaderExceedsMaximumErr');
  if (config.discard !== 'new') return undefined;
  if (config.max_msgs_per_subject > 0 && view.messagesOn(publish.subject) >= config.max_msgs_per_subject) {
    return config.discard_new_per_subject
      ? apiError('StreamStoreFailedF', { err: 'maximum messages per subject exceeded' })
      : undefined;
  }
  if (config.max_msgs > 0 && view.messages >= config.max_msgs)
    return apiError('StreamStoreFailedF', { err: 'maximum messages exceeded' });
  if (config.max_bytes > 0 && view.bytes + publish.recordBytes > config.max_bytes) {
    return apiError('StreamStoreFailedF', { err: 'maximum bytes exceeded' });
  }
  return undefined;
}
