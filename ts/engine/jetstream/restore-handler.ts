// STREAM.RESTORE: takes the chunks of a backup on a subject of its own, unpacks them beside the streams as they come, and opens the result.
//
// Each chunk is answered with an empty message; the empty chunk is the end, and its answer is the one of a stream's creation. A chunk that cannot be
// unpacked ends the restore with that answer at once; 5 s without a chunk end it without, and without an advisory.
//
// Kept true: nothing shows among the streams before all of it is on disk and was found whole; what fails leaves nothing behind.

import { ArchiveError } from '../../core/archive/archive-error.ts';
import { S2Decoder } from '../../core/archive/s2-stream.ts';
import { TarReader } from '../../core/archive/tar-reader.ts';
import { storedStreamMetadata } from '../../core/jetstream/api-level.ts';
import { streamMeta } from '../../core/jetstream/documents.ts';
import { apiError, type ApiError } from '../../core/jetstream/errors.ts';
import { formatInstant } from '../../core/jetstream/instant.ts';
import { encodeJson } from '../../core/jetstream/json.ts';
import type { Document, Schema } from '../../core/jetstream/schema.ts';
import { streamConfigSchema, type StreamConfig } from '../../core/jetstream/stream-config.ts';
import { responseType } from '../../core/jetstream/api.ts';
import { checkStreamConfig } from '../../core/stream/check-config.ts';
import type { Instant, Timer } from '../../ports/clock.ts';
import { StoreFault, type StreamStaging } from '../store/store.ts';
import type { JetStreamAccount } from './account.ts';
import type { InboundMessage, ServerSubscription } from './ports.ts';
import { openFound, readStreamMeta } from './recover.ts';
import { ApiRefusal, isEmptyRequest, readRequest, refuse, type ApiHandler } from './request.ts';
import { requesterOf } from './requester.ts';
import type { Stream } from './stream.ts';
import type { Transfer } from './transfers.ts';

const restoreSchema: Schema = {
  name: 'JSApiStreamRestoreRequest',
  fields: { config: { kind: { is: 'document', schema: streamConfigSchema, optional: false } }, state: { kind: { is: 'any' } } },
};
const patienceMs = 5000;
/** Content unpacked in one turn, give or take one block. */
const bytesATurn = 2 * 1024 * 1024;
const mostWaiting = 64 * 1024 * 1024;
const encoder = new TextEncoder();
const noBytes = new Uint8Array(0);

function failure(err: string): ApiError {
  return apiError('StreamRestoreErrF', { err });
}

/** Why the account may not have the stream of a backup: before the backup is sent, and when it is there. */
function accountFault(account: JetStreamAccount, config: StreamConfig): ApiError | undefined {
  return account.countFault(config) ?? account.roomFault(config);
}

/** What a client is told; what is our own mistake goes on. */
function errorOf(thrown: unknown): ApiError {
  if (thrown instanceof ApiRefusal) return thrown.error;
  if (thrown instanceof ArchiveError || thrown instanceof StoreFault) return failure(thrown.message);
  throw thrown;
}

interface Chunk {
  readonly reply: string;
  readonly isEnd: boolean;
  readonly length: number;
  /** What comes out of it. */
  readonly pieces: Generator<Uint8Array>;
}

class Restore implements Transfer {
  readonly deliverSubject: string;
  readonly #account: JetStreamAccount;
  readonly #config: StreamConfig;
  readonly #staging: StreamStaging;
  readonly #s2 = new S2Decoder();
  readonly #tar: TarReader;
  readonly #begun: Instant;
  readonly #client: Document;
  readonly #chunks: ServerSubscription;
  readonly #mostBytes: number;
  #patience: Timer | undefined;
  /** Chunks that are not unpacked yet, and the turn that goes on with them. */
  readonly #waiting: Chunk[] = [];
  #waitingBytes = 0;
  #work: Timer | undefined;
  #bytes = 0;
  #unpacked = 0;
  #ended = false;

  constructor(account: JetStreamAccount, config: StreamConfig, staging: StreamStaging, client: Document) {
    const { door, clock } = account.ports;
    this.#account = account;
    this.#config = config;
    this.#staging = staging;
    this.#client = client;
    this.#tar = new TarReader(staging);
    this.#begun = clock.wallInstant();
    this.#mostBytes = account.limits.maxStorage < 0 ? Infinity : account.limits.maxStorage - account.stored('file');
    this.deliverSubject = `$JS.SNAPSHOT.RESTORE.${config.name}.${account.unique(22)}`;
    this.#chunks = door.subscribe(account.number, this.deliverSubject, (message) => this.#receive(message));
    this.#rearm();
  }

  #rearm(): void {
    this.#patience?.cancel();
    this.#patience = this.#account.ports.clock.after(patienceMs, () => {
      this.cancel();
      this.#log('stalled');
    });
  }

  #receive({ payload, reply }: InboundMessage): void {
    if (this.#ended) return;
    if (reply === '') {
      this.cancel();
      return this.#tell('each chunk needs a reply subject');
    }
    this.#rearm();
    this.#bytes += payload.length;
    this.#waitingBytes += payload.length;
    this.#waiting.push({ reply, isEnd: payload.length === 0, length: payload.length, pieces: this.#s2.push(payload) });
    if (this.#work === undefined) this.#unpack();
  }

  /** Unpacks what has come, a bounded amount in a turn: a small chunk may be much content. */
  #unpack(): void {
    this.#work = undefined;
    let left = bytesATurn;
    for (let chunk = this.#waiting[0]; chunk !== undefined && !this.#ended; chunk = this.#waiting[0]) {
      if (chunk.isEnd) return this.#end(chunk.reply);
      try {
        if (this.#waitingBytes > mostWaiting) throw new ArchiveError('chunks are sent faster than they are answered');
        const next = chunk.pieces.next();
        if (next.done === true) this.#acknowledge(chunk);
        else left -= this.#take(next.value);
      } catch (thrown) {
        this.cancel();
        return this.#answer(chunk.reply, { error: errorOf(thrown) });
      }
      if (left > 0) continue;
      this.#rearm();
      this.#work = this.#account.ports.clock.after(0, () => this.#unpack());
      return;
    }
  }

  #acknowledge({ reply, length }: Chunk): void {
    this.#waiting.shift();
    this.#waitingBytes -= length;
    this.#publish(reply, noBytes);
  }

  #take(piece: Uint8Array): number {
    this.#unpacked += piece.length;
    if (this.#unpacked > this.#mostBytes) refuse('StorageResourcesExceededErr');
    this.#tar.push(piece);
    return piece.length;
  }

  #end(reply: string): void {
    this.#hangUp();
    this.#finish(reply).catch((thrown: unknown) => this.#account.ports.log.error(`JetStream restore: ${String(thrown)}`));
  }

  async #finish(reply: string): Promise<void> {
    let stream: Stream | undefined;
    try {
      this.#s2.end();
      this.#tar.end();
      await this.#staging.complete();
      await this.#account.leaving(this.#config.name);
      await this.#staging.vacated(this.#config.name);
      stream = await this.#open();
    } catch (thrown) {
      this.cancel();
      return this.#answer(reply, { error: errorOf(thrown) });
    }
    this.#account.transfers.endRestore(this);
    const opened = stream;
    this.#account.advise('streamCreated', { stream: opened.name, action: 'create' }, opened.name);
    opened.whenSynced(() => this.#answer(reply, opened.info({}, true)));
  }

  /** Looks at what was unpacked, moves it to the streams and opens it. */
  async #open(): Promise<Stream> {
    const account = this.#account;
    const config = this.#config;
    const { meta } = this.#staging;
    if (meta === undefined) throw new ArchiveError('the backup has no meta.inf');
    const read = readStreamMeta(meta);
    if ('problem' in read) throw new ArchiveError(read.problem);
    if (read.config.name !== config.name) throw new ArchiveError('stream names do not match');
    const { problem } = this.#staging.find(config.name);
    if (problem !== undefined) throw new ArchiveError(problem);
    if (account.streams.has(config.name)) refuse('StreamNameExistRestoreFailedErr');
    if (account.overlaps(config.subjects, config.name)) refuse('StreamSubjectOverlapErr');
    const full = accountFault(account, config);
    if (full !== undefined) throw new ApiRefusal(full);
    const created = read.created ?? account.ports.clock.wallInstant();
    this.#staging.writeMeta(config.name, streamMeta(config, created));
    this.#staging.install(config.name);
    return openFound(account, config, created);
  }

  #publish(reply: string, bytes: Uint8Array): void {
    if (reply !== '') this.#account.ports.door.publish(this.#account.number, reply, '', undefined, bytes);
  }

  #answer(reply: string, fields: Document): void {
    const { error } = fields as { readonly error?: ApiError };
    this.#tell(error === undefined ? 'completed' : error.description);
    this.#publish(reply, encoder.encode(encodeJson({ type: responseType('stream_create_response'), ...fields })));
  }

  /** The end, for operators. */
  #tell(result: string): void {
    const account = this.#account;
    const { name } = this.#config;
    this.#log(result);
    account.advise(
      'restoreComplete',
      {
        stream: name,
        start: formatInstant(this.#begun),
        end: formatInstant(account.ports.clock.wallInstant()),
        bytes: this.#bytes,
        client: this.#client,
      },
      name,
    );
  }

  #log(result: string): void {
    const { name, ports } = this.#account;
    const line = `Restore of stream '${name} > ${this.#config.name}', ${this.#bytes} bytes: ${result}`;
    if (result === 'completed') ports.log.info(line);
    else ports.log.warn(line);
  }

  #hangUp(): void {
    this.#ended = true;
    this.#waiting.length = 0;
    this.#work?.cancel();
    this.#patience?.cancel();
    this.#chunks.cancel();
  }

  cancel(): void {
    this.#hangUp();
    this.#account.transfers.endRestore(this);
    this.#staging.discard();
  }
}

export const restore: ApiHandler = (request) => {
  if (isEmptyRequest(request)) refuse('BadRequestErr');
  const { account, parts } = request;
  const { config: read } = readRequest<{ config: StreamConfig }>(request, restoreSchema);
  const given = read.name === '' ? { ...read, name: parts[0] ?? '' } : read;
  if (given.name !== parts[0]) refuse('StreamMismatchErr');
  if (/[\\/]/.test(given.name)) refuse('StreamNameContainsPathSeparatorsErr');
  const checked = checkStreamConfig(given, account.surroundings(given.storage), false);
  if ('error' in checked) return { error: checked.error };
  const full = accountFault(account, checked.config);
  if (full !== undefined) return { error: full };
  if (account.streams.has(given.name) || account.offline.has(given.name)) refuse('StreamNameExistRestoreFailedErr');
  const config = { ...checked.config, metadata: storedStreamMetadata(checked.config) };
  if (config.num_replicas > 1) refuse('StreamReplicasNotSupportedErr');
  let staging: StreamStaging;
  try {
    staging = account.ports.store.stage(account.name, account.unique(9));
  } catch (thrown) {
    if (!(thrown instanceof StoreFault)) throw thrown;
    account.ports.log.error(`restore of stream '${account.name} > ${config.name}': ${thrown.message}`);
    return { error: apiError('TempStorageFailedErr') };
  }
  const client = requesterOf(account, request.message);
  const transfer = new Restore(account, config, staging, client);
  account.transfers.beginRestore(transfer);
  account.advise('restoreCreate', { stream: config.name, client }, config.name);
  return { fields: { deliver_subject: transfer.deliverSubject } };
};
