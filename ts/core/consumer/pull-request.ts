// Pull requests: payload to numbers, and the refusals that need nothing but the consumer's configuration.

import { formatDuration, millis } from '../jetstream/instant.ts';
import type { ConsumerConfig } from '../jetstream/consumer-config.ts';
import { JsonError } from '../jetstream/parse-json.ts';
import { readDocument, type Schema } from '../jetstream/schema.ts';

export interface PullRequest {
  readonly batch: number;
  /** 0: no limit. */
  readonly maxBytes: number;
  /** 0: waits as long as somebody listens. */
  readonly expiresMs: number;
  readonly noWait: boolean;
  /** 0: none. */
  readonly heartbeatMs: number;
  /** Who asks, of a consumer with priority groups; undefined for requests that are no JSON. */
  readonly priority?: RequestPriority;
}

export interface RequestPriority {
  readonly group: string;
  /** Served only while at least so many messages are to be delivered, or so many to be acknowledged; 0: says nothing. */
  readonly minPending: number;
  readonly minAckPending: number;
  /** The pin the client holds; '' for none. */
  readonly pinId: string;
  /** 0 goes first. */
  readonly level: number;
}

/** A status line that answers a request instead of messages. */
export interface Refusal {
  readonly status: string;
}

interface Wire {
  readonly batch: number;
  readonly expires: bigint;
  readonly no_wait: boolean;
  readonly max_bytes: number;
  readonly idle_heartbeat: bigint;
  readonly group: string;
  readonly min_pending: number;
  readonly min_ack_pending: number;
  readonly id: string;
  readonly priority: number;
}

const lowestLevel = 9;

const int = { kind: { is: 'integer', type: 'int' } } as const;
const duration = { kind: { is: 'duration' } } as const;
const text = { kind: { is: 'string' } } as const;
const schema: Schema = {
  name: 'JSApiConsumerGetNextRequest',
  fields: {
    expires: duration,
    batch: int,
    max_bytes: int,
    no_wait: { kind: { is: 'bool' } },
    idle_heartbeat: duration,
    group: text,
    min_pending: { kind: { is: 'integer', type: 'int64' } },
    min_ack_pending: { kind: { is: 'integer', type: 'int64' } },
    id: text,
    priority: int,
  },
};

const decoder = new TextDecoder();
const single: PullRequest = { batch: 1, maxBytes: 0, expiresMs: 0, noWait: false, heartbeatMs: 0 };

function readPullRequest(text: string, config: ConsumerConfig): PullRequest | Refusal {
  if (config.deliver_subject !== '') return { status: '409 Consumer is push based' };
  const body = text.trim();
  if (body === '') return single;
  if (!body.startsWith('{')) return /^[+-]?\d+$/.test(body) ? bounded({ ...single, batch: Number(body) }, 0n, config) : single;
  let wire: Wire;
  try {
    wire = readDocument(schema, body, false) as unknown as Wire;
  } catch (thrown) {
    if (!(thrown instanceof JsonError)) throw thrown;
    return { status: `400 Bad Request - ${thrown.plain}` };
  }
  if (wire.idle_heartbeat > 0n && wire.idle_heartbeat * 2n > wire.expires)
    return { status: '400 Bad Request - heartbeat value too large' };
  const request: PullRequest = {
    batch: wire.batch,
    maxBytes: Math.max(0, wire.max_bytes),
    expiresMs: wire.expires === 0n ? 0 : Math.max(millis(wire.expires), Number.MIN_VALUE),
    noWait: wire.no_wait,
    heartbeatMs: Math.max(0, millis(wire.idle_heartbeat)),
    priority: {
      group: wire.group,
      minPending: wire.min_pending,
      minAckPending: wire.min_ack_pending,
      pinId: wire.id,
      level: wire.priority,
    },
  };
  const judged = bounded(request, wire.expires, config);
  const complaint = 'status' in judged ? undefined : priorityFault(wire, config);
  return complaint === undefined ? judged : { status: `400 Bad Request - ${complaint}` };
}

/** Requests kept as they were read. */
const MOST_KEPT = 32;
const LONGEST_KEPT = 256;

/** Reads the requests to consumers of one configuration. A client asks for the same again and again: what was read lately is not read anew. */
export class PullRequests {
  readonly #config: ConsumerConfig;
  #kept: Map<string, PullRequest | Refusal> | undefined;

  constructor(config: ConsumerConfig) {
    this.#config = config;
  }

  read(payload: Uint8Array): PullRequest | Refusal {
    const asked = decoder.decode(payload);
    const known = this.#kept?.get(asked);
    if (known !== undefined) return known;
    const request = readPullRequest(asked, this.#config);
    this.#kept ??= new Map();
    if (this.#kept.size === MOST_KEPT) this.#kept.clear();
    if (asked.length <= LONGEST_KEPT) this.#kept.set(asked, request);
    return request;
  }
}

/** What stands against a request's priority. */
function priorityFault(wire: Wire, { priority_policy, priority_groups }: ConsumerConfig): string | undefined {
  if ((wire.min_pending !== 0 || wire.min_ack_pending !== 0) && priority_policy !== 'overflow')
    return 'Not a Overflow Priority consumer';
  if (wire.id !== '' && priority_policy !== 'pinned_client') return 'Not a Pinned Client Priority consumer';
  if (wire.priority < 0 || wire.priority > lowestLevel) return `Priority must be between 0 and ${lowestLevel}`;
  if (priority_policy === 'none') return undefined;
  if (wire.group === '') return 'Priority Group missing';
  return priority_groups.includes(wire.group) ? undefined : 'Invalid Priority Group';
}

function bounded(request: PullRequest, expires: bigint, config: ConsumerConfig): PullRequest | Refusal {
  if (config.max_batch > 0 && request.batch > config.max_batch)
    return { status: `409 Exceeded MaxRequestBatch of ${config.max_batch}` };
  if (config.max_expires > 0n && expires > config.max_expires) {
    return { status: `409 Exceeded MaxRequestExpires of ${formatDuration(config.max_expires)}` };
  }
  if (config.max_bytes > 0 && request.maxBytes > config.max_bytes)
    return { status: `409 Exceeded MaxRequestMaxBytes of ${config.max_bytes}` };
  return { ...request, batch: Math.max(1, request.batch) };
}
