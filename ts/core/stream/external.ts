// What a mirror or source of another account or domain says to its origin and hears from it: the request for a consumer of its own, and the
// deliveries of that consumer, numbered so that a lost one is noticed. Requests and answers are those of nats-server, which may be on the
// other end.

import { apiPrefix } from '../jetstream/api.ts';
import { formatInstant, type Instant } from '../jetstream/instant.ts';
import type { ApiError } from '../jetstream/errors.ts';
import type { Document } from '../jetstream/schema.ts';
import type { StreamSource } from '../jetstream/stream-config.ts';

/** The consumer says every second that it is there. */
const HEARTBEAT_MS = 1_000;
/** Without a word for so long it is taken for gone. */
export const SILENCE_MS = 10_000;
/** Requests are not made more often than this; each failure doubles the wait. */
const RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 60_000;
const ACK_WAIT_NANOS = 22n * 3_600n * 1_000_000_000n;

/** Where the consumer begins: at a sequence, at a time, or with the first message. */
export type Beginning = { readonly seq: number } | { readonly at: Instant } | undefined;

export function retryDelayMs(failures: number): number {
  return Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** Math.max(0, failures - 1));
}

function dotted(subject: string): string {
  return subject.replaceAll('..', '.');
}

/** A subject for deliveries: below the prefix that the other side exports, or one of ours. */
export function deliverSubject({ external }: StreamSource, kind: 'M' | 'S', unique: string): string {
  const prefix = external?.deliver ?? '';
  return dotted(`${prefix === '' ? '$JS' : prefix}.${kind}.${unique}`);
}

export interface ConsumerRequest {
  readonly subject: string;
  readonly body: Document;
}

export function consumerRequest(
  { name: stream, external, filter_subject, subject_transforms }: StreamSource,
  consumer: string,
  deliver: string,
  beginning: Beginning,
): ConsumerRequest {
  const filters =
    subject_transforms.length > 0 ? subject_transforms.map(({ src }) => src) : filter_subject === '' ? [] : [filter_subject];
  const [only] = filters.length === 1 ? filters : [];
  const api = external?.api ?? '';
  const config: Document = {
    name: consumer,
    deliver_subject: deliver,
    ...policyOf(beginning),
    ack_policy: 'none',
    ack_wait: ACK_WAIT_NANOS,
    max_deliver: 1,
    filter_subject: only,
    filter_subjects: filters.length > 1 ? filters : undefined,
    replay_policy: 'instant',
    flow_control: true,
    idle_heartbeat: BigInt(HEARTBEAT_MS) * 1_000_000n,
    inactive_threshold: BigInt(SILENCE_MS) * 1_000_000n,
    direct: true,
  };
  const tail = only === undefined ? stream : `${stream}.${consumer}.${only}`;
  return { subject: dotted(`${api}.CONSUMER.CREATE.${tail}`), body: { stream_name: stream, config } };
}

/** A consumer that was made beforehand begins anew behind what it knows to be stored. */
export function resetRequest({ name, external, consumer }: StreamSource): string {
  return dotted(`${external?.api ?? apiPrefix}.CONSUMER.RESET.${name}.${consumer?.name ?? ''}`);
}

function policyOf(beginning: Beginning): Document {
  if (beginning === undefined) return { deliver_policy: 'all' };
  if ('seq' in beginning) return { deliver_policy: 'by_start_sequence', opt_start_seq: beginning.seq };
  return { deliver_policy: 'by_start_time', opt_start_time: formatInstant(beginning.at) };
}

export type ConsumerAnswer =
  | { readonly ok: true; readonly pending: number; readonly delivered: number; readonly ackPolicy: string }
  | { readonly ok: false; readonly error: ApiError };

/** Undefined for what is no answer to the request. */
export function readConsumerAnswer(text: string): ConsumerAnswer | undefined {
  let answer: { error?: ApiError; config?: { ack_policy?: string }; num_pending?: number; delivered?: { stream_seq?: number } };
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch {
    return undefined;
  }
  if (answer.error !== undefined) return { ok: false, error: answer.error };
  if (answer.config === undefined) return undefined;
  return {
    ok: true,
    pending: answer.num_pending ?? 0,
    delivered: answer.delivered?.stream_seq ?? 0,
    ackPolicy: answer.config.ack_policy ?? '',
  };
}

/** A delivery's numbers, from its reply subject. */
export interface Delivery {
  readonly seq: number;
  readonly consumerSeq: number;
  readonly ts: Instant;
  readonly pending: number;
}

/** `$JS.ACK.<stream>.<consumer>.<deliveries>.<seq>.<consumer seq>.<ns>.<pending>`, or with domain and account in front of the stream. */
export function readDelivery(reply: string): Delivery | undefined {
  const parts = reply.split('.');
  if (parts[0] !== '$JS' || parts[1] !== 'ACK' || (parts.length !== 9 && parts.length < 11)) return undefined;
  const [seq, consumerSeq, nanos, pending] = parts.slice(parts.length === 9 ? 5 : 7);
  if (![seq, consumerSeq, nanos, pending].every((part) => part !== undefined && /^\d+$/.test(part))) return undefined;
  const time = BigInt(nanos ?? 0);
  return {
    seq: Number(seq),
    consumerSeq: Number(consumerSeq),
    ts: { seconds: Number(time / 1_000_000_000n), nanos: Number(time % 1_000_000_000n) },
    pending: Number(pending),
  };
}
