// A stream as the judge of its publishes sees it: everything appended so far, asked for only when a header needs it.

import type { ApiError } from '../../core/jetstream/errors.ts';
import { parseHeaders } from '../../core/jetstream/headers.ts';
import type { JudgeView, StoredHead } from '../../core/stream/judge-checks.ts';
import type { Instant } from '../../ports/clock.ts';
import type { Stream } from './stream.ts';

export class StreamJudgeView implements JudgeView {
  readonly #stream: Stream;
  readonly duplicateOf: (id: string) => number | undefined;

  constructor(stream: Stream, duplicateOf: (id: string) => number | undefined) {
    this.#stream = stream;
    this.duplicateOf = duplicateOf;
  }

  get messages(): number {
    return this.#stream.store.state.messages;
  }

  get bytes(): number {
    return this.#stream.store.state.bytes;
  }

  get lastSeq(): number {
    return this.#stream.store.lastSeq;
  }

  get now(): Instant {
    return this.#stream.ports.clock.wallInstant();
  }

  lastSeqOf(filter: string): number {
    return this.#stream.store.lastBySubject(filter)?.seq ?? 0;
  }

  lastOn(subject: string): StoredHead | undefined {
    const message = this.#stream.store.lastBySubject(subject);
    return message === undefined ? undefined : { ...message, headers: parseHeaders(message.headers) };
  }

  messagesOn(subject: string): number {
    return this.#stream.store.countOn(subject);
  }

  lastMessageId(): string {
    const { store } = this.#stream;
    const message = store.get(store.lastSeq);
    return message === undefined ? '' : (parseHeaders(message.headers).get('Nats-Msg-Id') ?? '');
  }

  roomFault(bytes: number): ApiError | undefined {
    return this.#stream.account.publishFault(this.#stream, bytes);
  }
}
