// Judges a publish whose headers ask for more than storing: message ids, expected sequences, rollups, TTLs, counters, schedules. Pure functions
// over the stream's configuration and a view of its state; checks are in nats-server's order and refuse with rows of the error table. What is
// accepted may be stored with other headers or another payload than it came with.

import { apiError, type ApiError } from '../jetstream/errors.ts';
import { addHeaders, setHeader, withoutHeaders } from '../jetstream/headers.ts';
import type { StreamConfig } from '../jetstream/stream-config.ts';
import { count, parseIncrement, storedCounter, zeroCounter, type Counted, type CounterState } from './counter.ts';
import {
  checkExpectedStream,
  checkHeaderSize,
  checkIncrement,
  checkMessageSize,
  checkRollup,
  checkSchedule,
  checkTtlAllowed,
  checkTtlValid,
  expectedSequence,
  isSchedule,
  storedBytes,
  valueOf,
  type JudgeView,
  type Publish,
} from './judge-checks.ts';
import { parseTtl } from './message-ttl.ts';

export interface Accepted {
  readonly is: 'accept';
  readonly messageId: string;
  readonly rollup: 'none' | 'sub' | 'all';
  /** Headers and payload as they are stored. */
  readonly block: Uint8Array;
  readonly payload: Uint8Array;
  /** Seconds the message lives, 0 for no limit of its own, -1 for ever. */
  readonly ttlSeconds: number;
  /** The subject of the schedule that this message ends, '' for none. */
  readonly cancels: string;
  /** A counter's value after it. */
  readonly value?: string;
}

export type Verdict =
  Accepted | { readonly is: 'duplicate'; readonly seq: number } | { readonly is: 'refuse'; readonly error: ApiError };

type Refused = Verdict & { readonly is: 'refuse' };

export function refusal(error: ApiError): Refused {
  return { is: 'refuse', error };
}

/** The verdict over a publish outside of batches. */
export function judgePublish(config: StreamConfig, publish: Publish, view: JudgeView): Verdict {
  if (config.sealed) return refusal(apiError('StreamSealedErr'));
  const { headers } = publish;
  const early =
    checkIncrement(config, publish) ??
    checkExpectedStream(config, publish) ??
    checkTtlAllowed(config, publish) ??
    checkSequences(publish, view) ??
    checkSchedule(config, publish, view);
  if (early !== undefined) return refusal(early);
  const id = valueOf(headers, 'Nats-Msg-Id');
  const seq = id === '' || config.mirror !== undefined ? undefined : view.duplicateOf(id);
  if (seq !== undefined) return { is: 'duplicate', seq };
  const late = checkLastId(publish, view) ?? checkRollup(config, publish);
  if (late !== undefined) return refusal(late);
  const counted = countFor(config, publish, () => counterOn(view, publish.subject));
  if ('err_code' in counted) return refusal(counted);
  const { block, payload } = stored(config, publish, counted);
  const bytes = storedBytes(config, { subject: publish.subject, headerBytes: block.length, payloadBytes: payload.length });
  const isRollup = valueOf(headers, 'Nats-Rollup') !== '';
  const error =
    checkMessageSize(config, block, payload) ??
    checkHeaderSize(block) ??
    view.roomFault(bytes) ??
    checkTtlValid(publish) ??
    checkRoom(config, { subject: publish.subject, bytes, isRollup }, view);
  return error === undefined ? accept(config, publish, block, payload, counted) : refusal(error);
}

/** The verdict over a member of a batch whose headers were checked before: what is left is what its storing may run into. */
export function accept(
  config: StreamConfig,
  { headers, sourced }: Publish,
  block: Uint8Array,
  payload: Uint8Array,
  counted: Counted | NotCounted,
): Accepted {
  const rollup = valueOf(headers, 'Nats-Rollup').toLowerCase();
  const may = config.allow_rollup_hdrs && !config.deny_purge;
  const schedule = config.allow_msg_schedules && valueOf(headers, 'Nats-Schedule') !== '';
  const next = valueOf(headers, 'Nats-Schedule-Next');
  const isSub = rollup === 'sub' || (schedule && !sourced);
  return {
    is: 'accept',
    messageId: valueOf(headers, 'Nats-Msg-Id'),
    rollup: !may ? 'none' : isSub ? 'sub' : rollup === 'all' ? 'all' : 'none',
    block: raisedTtl(config, headers, block),
    payload,
    ttlSeconds: effectiveTtl(config, headers),
    cancels: may && next === 'purge' ? valueOf(headers, 'Nats-Scheduler') : '',
    ...('state' in counted ? { value: `${counted.state.total}` } : {}),
  };
}

/** With delete markers, a TTL shorter than theirs might end before an earlier marker: it is raised. */
function effectiveTtl(config: StreamConfig, headers: Publish['headers']): number {
  const ttl = parseTtl(valueOf(headers, 'Nats-TTL')) ?? 0;
  const least = Number(config.subject_delete_marker_ttl / 1_000_000_000n);
  return ttl > 0 && least > 0 && config.max_msgs_per_subject !== 1 ? Math.max(ttl, least) : ttl;
}

function raisedTtl(config: StreamConfig, headers: Publish['headers'], block: Uint8Array): Uint8Array {
  const ttl = effectiveTtl(config, headers);
  if (ttl === (parseTtl(valueOf(headers, 'Nats-TTL')) ?? 0)) return block;
  return addHeaders(
    withoutHeaders(block, (name) => name === 'Nats-TTL'),
    [['Nats-TTL', ttl]],
  );
}

function checkSequences({ headers, subject }: Publish, view: JudgeView): ApiError | undefined {
  const onSubject = expectedSequence(headers, 'Nats-Expected-Last-Subject-Sequence');
  const filter = valueOf(headers, 'Nats-Expected-Last-Subject-Sequence-Subject');
  if (onSubject !== undefined) {
    const last = view.lastSeqOf(filter === '' ? subject : filter);
    if (last !== onSubject) return apiError('StreamWrongLastSequenceErrF', { seq: last });
  } else if (filter !== '') return apiError('StreamExpectedLastSeqPerSubjectInvalid');
  const onStream = expectedSequence(headers, 'Nats-Expected-Last-Sequence');
  if (onStream === undefined || onStream === view.lastSeq) return undefined;
  return apiError('StreamWrongLastSequenceErrF', { seq: view.lastSeq });
}

export function checkLastId({ headers }: Publish, view: JudgeView): ApiError | undefined {
  const expected = valueOf(headers, 'Nats-Expected-Last-Msg-Id');
  if (expected === '' || expected === view.lastMessageId()) return undefined;
  return apiError('StreamWrongLastMsgIDErrF', { id: view.lastMessageId() });
}

/** The stream or the message has nothing to do with counters. */
export interface NotCounted {
  readonly isCounter: false;
}

/** What a counter stream stores for an increment. */
export function countFor(
  config: StreamConfig,
  { headers, subject, block, payload }: Publish,
  before: () => CounterState | undefined,
): Counted | NotCounted | ApiError {
  if (!config.allow_msg_counter) return { isCounter: false };
  const by = parseIncrement(valueOf(headers, 'Nats-Incr'));
  if (typeof by !== 'bigint') return apiError('MessageIncrMissingErr');
  const state = before();
  if (state === undefined) return apiError('MessageCounterBrokenErr');
  const source = valueOf(headers, 'Nats-Stream-Source');
  return count(state, { subject, headers: block, payload, by, source }) ?? apiError('MessageCounterBrokenErr');
}

/** The counter on a subject as it is stored; undefined: what is stored there is none. */
export function counterOn(view: JudgeView, subject: string): CounterState | undefined {
  const last = view.lastOn(subject);
  return last === undefined ? zeroCounter : storedCounter(last.payload, last.headers);
}

/** Headers and payload that are stored, as far as counting and scheduling change them. */
export function stored(
  config: StreamConfig,
  publish: Publish,
  counted: Counted | NotCounted,
): { readonly block: Uint8Array; readonly payload: Uint8Array } {
  if ('state' in counted) return { block: counted.headers, payload: counted.payload };
  const adds =
    config.allow_msg_schedules && !publish.sourced && isSchedule(publish) && valueOf(publish.headers, 'Nats-Rollup') === '';
  return { block: adds ? setHeader(publish.block, 'Nats-Rollup', 'sub') : publish.block, payload: publish.payload };
}

/**
 * With discard new, whether the stream's limits leave room for a message. One on a subject that is full takes the place of that subject's oldest;
 * a rollup purges behind itself.
 */
function checkRoom(
  config: StreamConfig,
  message: { readonly subject: string; readonly bytes: number; readonly isRollup: boolean },
  view: Pick<JudgeView, 'messages' | 'bytes' | 'messagesOn'>,
): ApiError | undefined {
  if (config.discard !== 'new') return undefined;
  const full = (err: string): ApiError => apiError('StreamStoreFailedF', { err });
  const { max_msgs, max_bytes, max_msgs_per_subject } = config;
  const isFull = max_msgs_per_subject > 0 && view.messagesOn(message.subject) >= max_msgs_per_subject;
  if (isFull && config.discard_new_per_subject && !message.isRollup) return full('maximum messages per subject exceeded');
  if (isFull) return undefined;
  if (max_msgs > 0 && view.messages >= max_msgs) return full('maximum messages exceeded');
  return max_bytes > 0 && view.bytes + message.bytes > max_bytes ? full('maximum bytes exceeded') : undefined;
}
