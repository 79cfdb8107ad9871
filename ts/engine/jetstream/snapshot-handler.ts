// STREAM.SNAPSHOT: the stream as an S2-packed tar, sent in chunks to the subject that the request names.
//
// Each full chunk has a reply `$JS.SNAPSHOT.ACK.<stream>.<id>.<length>.<index>`, to be answered; at most window / chunk of them are unanswered. The
// rest follows without a reply, then an empty message: plain when there was no full chunk, else with status 204; 408 when nobody takes or answers
// the chunks, 500 when the stream cannot be read.
//
// Kept true: the archive is open as long as a transfer runs and no longer; it is packed beside the event loop and no further ahead than the client
// takes it, and a turn sends a bounded amount, so that a backup delays nobody.

import { consumerMeta, streamMeta, streamStateDocument } from '../../core/jetstream/documents.ts';
import { buildHeaders } from '../../core/jetstream/headers.ts';
import { formatInstant } from '../../core/jetstream/instant.ts';
import { writeDocument, type Document, type Schema } from '../../core/jetstream/schema.ts';
import { streamConfigSchema } from '../../core/jetstream/stream-config.ts';
import { copyBytes } from '../../kernel/copy.ts';
import { isValidLiteral } from '../../core/subject/subject.ts';
import type { Instant, Timer } from '../../ports/clock.ts';
import type { StreamDescription } from '../store/archive.ts';
import type { StreamArchive } from '../store/store.ts';
import type { ServerSubscription } from './ports.ts';
import { isEmptyRequest, readRequest, refuse, streamOf, type ApiHandler } from './request.ts';
import { requesterOf } from './requester.ts';
import type { Stream } from './stream.ts';
import type { Transfer } from './transfers.ts';
import { messageOf } from '../../lib/message-of.ts';

const text = { kind: { is: 'string' } } as const;
const flag = { kind: { is: 'bool' } } as const;
const int = { kind: { is: 'integer', type: 'int' } } as const;
const snapshotSchema: Schema = {
  name: 'JSApiStreamSnapshotRequest',
  fields: { deliver_subject: text, no_consumers: flag, chunk_size: int, window_size: int, jsck: flag },
};

interface SnapshotRequest {
  readonly deliver_subject: string;
  readonly no_consumers: boolean;
  readonly chunk_size: number;
  readonly window_size: number;
}

const least = 1024;
const chunkBytes = { usual: 128 * 1024, most: 1024 * 1024 };
const windowBytes = { usual: 8 * 1024 * 1024, most: 32 * 1024 * 1024 };
/** Sent in one turn, give or take a chunk. */
const bytesATurn = 1024 * 1024;
const patienceMs = 5000;
/** How long a listener is waited for. */
const listenerMs = 2000;
const noBytes = new Uint8Array(0);

function within(asked: number, { usual, most }: { readonly usual: number; readonly most: number }): number {
  return asked <= 0 ? usual : Math.min(Math.max(asked, least), most);
}

/** What goes into the archive besides the messages. */
function describe(stream: Stream, noConsumers: boolean): StreamDescription {
  const kept = noConsumers ? [] : [...stream.consumers.values()].filter(({ isVolatile }) => !isVolatile);
  return {
    meta: streamMeta(stream.config, stream.created),
    consumers: kept.map(({ name, config, created, machine }) => ({
      name,
      meta: consumerMeta(config, name, created),
      state: machine.encodeState(stream.ports.clock.wallMs()),
    })),
  };
}

class Snapshot implements Transfer {
  readonly #stream: Stream;
  readonly #archive: StreamArchive;
  readonly #deliver: string;
  readonly #ackPrefix: string;
  readonly #chunk: Uint8Array;
  readonly #mostUnanswered: number;
  readonly #begun: Instant;
  readonly #client: Document;
  readonly #acks: ServerSubscription;
  #filled = 0;
  /** What is packed and not sent; undefined behind the end. */
  #rest: Uint8Array | undefined = noBytes;
  #isPacking = false;
  #failure: string | undefined;
  #begunSending = false;
  #isSoon = false;
  #sent = 0;
  #unanswered = 0;
  #queued: Timer | undefined;
  #patience: Timer | undefined;
  #watch: ServerSubscription | undefined;
  #ended = false;

  constructor(stream: Stream, archive: StreamArchive, request: SnapshotRequest, begun: Instant, client: Document) {
    const { account, ports, name } = stream;
    const chunk = within(request.chunk_size, chunkBytes);
    this.#stream = stream;
    this.#archive = archive;
    this.#deliver = request.deliver_subject;
    this.#begun = begun;
    this.#client = client;
    this.#ackPrefix = `$JS.SNAPSHOT.ACK.${name}.${account.unique(22)}`;
    this.#chunk = new Uint8Array(chunk);
    this.#mostUnanswered = Math.max(1, Math.floor(within(request.window_size, windowBytes) / chunk));
    this.#acks = ports.door.subscribe(account.number, `${this.#ackPrefix}.*.*`, () => this.#answered());
    this.#pack();
  }

  /**
   * Begins when somebody listens on the very subject: a client may subscribe only when it has the answer to its request, while a wildcard for
   * all its answers is there already. One that has only the wildcard gets the chunks a little later.
   */
  begin(): void {
    const { account, ports } = this.#stream;
    const start = (): void => {
      if (this.#begunSending || this.#ended) return;
      this.#begunSending = true;
      this.#stopLooking();
      this.#later(0, () => this.#send());
    };
    const look = (): void => {
      if (ports.door.hasLiteralInterest(account.number, this.#deliver)) start();
    };
    this.#watch = ports.door.watch(account.number, this.#deliver, look);
    this.#patience = ports.clock.after(listenerMs, start);
    look();
  }

  #stopLooking(): void {
    this.#watch?.cancel();
    this.#watch = undefined;
    this.#patience?.cancel();
    this.#patience = undefined;
  }

  /** Goes on behind what the turn under way still has to say. */
  #later(delayMs: number, call: () => void): void {
    if (this.#ended || this.#queued !== undefined) return;
    this.#queued = this.#stream.ports.clock.after(delayMs, () => {
      this.#queued = undefined;
      call();
    });
  }

  #answered(): void {
    if (this.#unanswered > 0) this.#unanswered -= 1;
    this.#patience?.cancel();
    this.#patience = undefined;
    this.#soon();
  }

  /** Sends once before the turn's output is flushed, however many chunks were answered in it. */
  #soon(): void {
    if (this.#isSoon) return;
    this.#isSoon = true;
    this.#stream.ports.door.soon(() => {
      this.#isSoon = false;
      if (this.#queued === undefined) this.#send();
    });
  }

  /** Gets the next stretch of the archive. */
  #pack(): void {
    this.#isPacking = true;
    const packed = this.#archive.packed().then(
      (stretch) => (this.#rest = stretch),
      (thrown: unknown) => (this.#failure = messageOf(thrown)),
    );
    void packed.then(() => {
      this.#isPacking = false;
      if (this.#begunSending) this.#soon();
    });
  }

  #send(): void {
    let left = bytesATurn;
    while (!this.#ended && !this.#isPacking) {
      if (this.#unanswered >= this.#mostUnanswered) return this.#wait();
      if (left <= 0) return this.#later(0, () => this.#send());
      if (this.#failure !== undefined) return this.#fail(this.#failure);
      if (this.#rest === undefined) return this.#finish();
      const chunk = this.#nextChunk(this.#rest);
      if (chunk === undefined) return this.#pack();
      left -= chunk.length;
      const reply = `${this.#ackPrefix}.${chunk.length}.${this.#sent + 1}`;
      if (!this.#publish(reply, undefined, chunk)) return this.#end('408 No Interest');
      this.#sent += 1;
      this.#unanswered += 1;
    }
  }

  /** A full chunk, out of the stretch itself where it holds one; undefined: the stretch is used up. */
  #nextChunk(rest: Uint8Array): Uint8Array | undefined {
    const size = this.#chunk.length;
    const taken = Math.min(size - this.#filled, rest.length);
    const part = rest.subarray(0, taken);
    this.#rest = rest.subarray(taken);
    if (taken === size) return part;
    copyBytes(this.#chunk, part, this.#filled);
    this.#filled += taken;
    if (this.#filled < size) return undefined;
    this.#filled = 0;
    return this.#chunk;
  }

  /** False: nobody took it. */
  #publish(reply: string, headers: Uint8Array | undefined, bytes: Uint8Array): boolean {
    const { door } = this.#stream.ports;
    return door.publish(this.#stream.account.number, this.#deliver, reply, headers, bytes) > 0;
  }

  #wait(): void {
    this.#patience ??= this.#stream.ports.clock.after(patienceMs, () => this.#end('408 No Flow Response'));
  }

  #fail(message: string): void {
    const { account, name, ports } = this.#stream;
    ports.log.error(`Snapshot of stream '${account.name} > ${name}': ${message}`);
    this.#end(`500 ${message}`);
  }

  #finish(): void {
    if (this.#filled > 0) this.#publish('', undefined, this.#chunk.subarray(0, this.#filled));
    this.#end(this.#sent === 0 ? '' : '204');
  }

  /** Says how it ended and lets go of everything. */
  #end(status: string): void {
    const { account, name, ports } = this.#stream;
    this.#publish('', status === '' ? undefined : buildHeaders(status), noBytes);
    this.cancel();
    account.advise(
      'snapshotComplete',
      {
        stream: name,
        start: formatInstant(this.#begun),
        end: formatInstant(ports.clock.wallInstant()),
        client: this.#client,
      },
      name,
    );
  }

  cancel(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#queued?.cancel();
    this.#stopLooking();
    this.#acks.cancel();
    this.#archive.close();
    this.#stream.account.transfers.endSnapshot(this.#stream);
  }
}

export const snapshot: ApiHandler = async (request) => {
  if (isEmptyRequest(request)) refuse('BadRequestErr');
  const stream = streamOf(request);
  const asked = readRequest<SnapshotRequest>(request, snapshotSchema);
  const { account } = request;
  if (!isValidLiteral(asked.deliver_subject)) refuse('SnapshotDeliverSubjectInvalidErr');
  const failed = (err: string): never => refuse('StreamSnapshotErrF', { err });
  if (stream.config.storage === 'memory') failed('no impl');
  if (account.transfers.isSnapshotting(stream)) failed('snapshot in progress');
  account.transfers.beginSnapshot(stream, { cancel: () => account.transfers.endSnapshot(stream) });
  const client = requesterOf(account, request.message);
  let state: Document = {};
  let archive: StreamArchive;
  try {
    archive = await stream.store.archive(() => {
      state = streamStateDocument(stream.store.state, stream.consumers.size);
      return describe(stream, asked.no_consumers);
    });
  } catch (thrown) {
    account.transfers.endSnapshot(stream);
    return failed(messageOf(thrown));
  }
  if (!account.transfers.isSnapshotting(stream)) archive.close();
  else {
    const transfer = new Snapshot(stream, archive, asked, account.ports.clock.wallInstant(), client);
    account.transfers.beginSnapshot(stream, transfer);
    account.advise('snapshotCreate', { stream: stream.name, state, client }, stream.name);
    transfer.begin();
  }
  return { fields: { config: writeDocument(streamConfigSchema, stream.config), state } };
};
