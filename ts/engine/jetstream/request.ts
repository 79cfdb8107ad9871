// One API request on its way through a handler, and what handlers answer.

import { apiError, type ApiError } from '../../core/jetstream/errors.ts';
import { JsonError } from '../../core/jetstream/parse-json.ts';
import { readDocument, readDocuments, type Document, type Schema } from '../../core/jetstream/schema.ts';
import { DiskFault } from '../../ports/disk.ts';
import { StoreFault } from '../store/store.ts';
import type { JetStreamAccount } from './account.ts';
import type { Consumer } from './consumer.ts';
import type { InboundMessage } from './ports.ts';
import type { Stream } from './stream.ts';

export interface ApiRequest {
  readonly account: JetStreamAccount;
  readonly message: InboundMessage;
  /** What the wildcards of the subject stood for. */
  readonly parts: readonly string[];
}

/**
 * What a handler answers: fields of the response, or an error; with `after` the answer leaves when that stream is synced.
 * Fields that are a function are drawn as the answer leaves, for state that others act on by then.
 */
export type Answer =
  | {
      readonly error: ApiError;
      readonly fields?: Document;
      readonly after?: Stream;
      /** Errors found only in the store are not among those that INFO counts. */
      readonly isCounted?: false;
    }
  | { readonly fields: Document | (() => Document); readonly after?: Stream }
  /** The whole response as it is sent, where many of its kind are asked for. */
  | { readonly text: string; readonly after?: Stream };

/** `undefined`: not answered, or the handler answers by other means. */
export type ApiHandler = (request: ApiRequest) => Answer | undefined | Promise<Answer | undefined>;

/** Whether something failed on the disk's side, to be told rather than to end the process. */
export function isFault(thrown: unknown): thrown is StoreFault | DiskFault {
  return thrown instanceof StoreFault || thrown instanceof DiskFault;
}

/** When an answer that only reads may leave: with the state it was drawn from, or at once when the stream writes no more. */
export function whenShown(stream: Stream): { readonly after?: Stream } {
  return stream.store.fault === undefined ? { after: stream } : {};
}

/** An answer that is drawn when no work on a stream is under way. */
export function whenFree({ store }: Stream, answer: () => Answer): Answer | Promise<Answer> {
  if (!store.works.any) return answer();
  return new Promise((resolve, reject) => {
    store.works.whenFree((error) => {
      if (error === undefined) resolve(answer());
      else reject(error);
    });
  });
}

/** Ends a request with an error. */
export class ApiRefusal extends Error {
  readonly error: ApiError;
  constructor(error: ApiError) {
    super(error.description);
    this.error = error;
  }
}

const decoder = new TextDecoder();

/** Ends the handling of a request: its answer is this error. */
export function refuse(...args: Parameters<typeof apiError>): never {
  throw new ApiRefusal(apiError(...args));
}

/** The request's document; empty payloads give its zero values. */
export function readRequest<T>(request: ApiRequest, schema: Schema): T {
  return readText(request, schema, decoder.decode(request.message.payload)) as T;
}

function readText(request: ApiRequest, schema: Schema, text: string): Document {
  try {
    const { strict } = request.account.settings;
    return (strict ? readDocuments : readDocument)(schema, text.trim() === '' ? '{}' : text, strict);
  } catch (thrown) {
    if (thrown instanceof JsonError) refuse('InvalidJSONErr', { err: thrown.message });
    throw thrown;
  }
}

/** The same of requests whose unknown members are passed over, and whose errors do not tell where. */
export function readLenient<T>({ message }: ApiRequest, schema: Schema): T {
  try {
    return readDocument(schema, decoder.decode(message.payload), false) as T;
  } catch (thrown) {
    if (!(thrown instanceof JsonError)) throw thrown;
    return refuse('InvalidJSONErr', { err: thrown.plain });
  }
}

/** Whether the payload is a JSON object or array; optional requests that are neither are taken as empty. */
export function isObject(request: ApiRequest): boolean {
  return /^[ \t\n\r]*[{[]/.test(decoder.decode(request.message.payload));
}

/** No document, or one without members. */
export function isEmptyRequest(request: ApiRequest): boolean {
  return /^\s*(\{\s*\})?\s*$/.test(decoder.decode(request.message.payload));
}

/** The stream that the request's subject names; refused where there is none. */
export function streamOf({ account, parts }: ApiRequest): Stream {
  const stream = account.streams.get(parts[0] ?? '');
  if (stream !== undefined) return stream;
  const reason = account.offline.get(parts[0] ?? '');
  if (reason !== undefined) refuse('StreamOfflineReasonErrF', { err: reason });
  return refuse('StreamNotFoundErr');
}

/** The consumer that the request's subject names; refused where there is none. */
export function consumerOf(request: ApiRequest): Consumer {
  return streamOf(request).consumers.get(request.parts[1] ?? '') ?? refuse('ConsumerNotFoundErr');
}

/** One page of sorted things. */
export function pageOf<T>(
  all: readonly T[],
  offset: number,
  limit: number,
): { readonly page: readonly T[]; readonly fields: Document } {
  const from = Math.min(Math.max(0, offset), all.length);
  return { page: all.slice(from, from + limit), fields: { total: all.length, offset: from, limit } };
}
