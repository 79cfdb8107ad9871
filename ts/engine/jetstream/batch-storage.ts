// What the batches of a stream, of both kinds, need of its publishing, and what they ask of every message before they look at its batch.

import { apiError, type ApiError } from '../../core/jetstream/errors.ts';
import { withoutHeaders } from '../../core/jetstream/headers.ts';
import type { Document } from '../../core/jetstream/schema.ts';
import type { StreamConfig } from '../../core/jetstream/stream-config.ts';
import type { Accepted } from '../../core/stream/judge.ts';
import { checkMessageSize, storedBytes, type Headers, type JudgeView, type Publish } from '../../core/stream/judge-checks.ts';
import type { JudgedPublish } from '../store/store.ts';

export interface BatchStorage {
  readonly view: JudgeView;
  publishOf(message: JudgedPublish, headers: Headers): Publish;
  /** Stores an accepted message without an acknowledgement; undefined: the store refused. */
  append(message: JudgedPublish, verdict: Accepted): number | undefined;
  refuse(reply: string, error: ApiError): void;
  pubAck(fields: { readonly seq: number; readonly batch?: string; readonly count?: number }): Document;
  /** Sends when everything so far is synced. */
  answer(reply: string, text: string): void;
}

/** What every batch is refused for before it is looked at. */
export function earlyFault(
  config: StreamConfig,
  { subject, headers, payload }: JudgedPublish,
  view: JudgeView,
): ApiError | undefined {
  if (config.sealed) return apiError('StreamSealedErr');
  const bytes = storedBytes(config, { subject, headerBytes: headers.length, payloadBytes: payload.length });
  const room = view.roomFault(bytes);
  return room ?? checkMessageSize(config, headers, payload);
}

const levelHeader = 'Nats-Required-Api-Level';

/** The level that a member asks for is not stored. */
export function withoutLevel(message: JudgedPublish, headers: Headers): JudgedPublish {
  return headers.has(levelHeader)
    ? { ...message, headers: withoutHeaders(message.headers, (name) => name === levelHeader) }
    : message;
}
