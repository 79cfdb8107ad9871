// STREAM.RESTORE: takes the chunks of a backup on a subject of its own, unpacks them beside the streams as they come, and opens the result.
//
// Each chunk is answered with an empty message when there is room for more; the empty chunk is the end, and its answer is the one of a stream's
// creation. What cannot be unpacked ends the restore with that answer, to the first chunk that has none yet or to the next one; 5 s without a chunk
// end it without, and without an advisory.
//
// Kept true: nothing shows among the streams before all of it is on disk and was found whole; what fails leaves nothing behind; no more content
// is in memory than a few stretches of the archive, however little was sent for it.

import { ArchiveError } from '../../core/archive/archive-error.ts';
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
import type { Unpacking } from '../store/unpacking.ts';
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
/** Chunks are answered as long as less content than this is not on its way to the disk. */
const mostHeld = 8 * 1024 * 1024;
const mostOwed = 64 * 1024 * 1024;
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

/** A chunk that is not answered. */
interface Owed {
  readonly reply: string;
  readonly length: number;
}

class Restore implements Transfer {
  readonly deliverSubject: string;
  readonly #account: JetStreamAccount;
  readonly #config: StreamConfig;
  readonly #staging: StreamStaging;
  readonly #s2: Unpacking;
  readonly #tar: TarReader;
  readonly #begun: Instant;
  readonly #client: Document;
  readonly #chunks: ServerSubscription;
  readonly #mostBytes: number;
  #patience: Timer | undefined;
  readonly #owed: Owed[] = [];
  #owedBytes = 0;
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
    this.#s2 = staging.unpacking(
      (content) => this.#take(content),
      () => this.#moved(),
    );
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
    if (payload.length === 0) return this.#end(reply);
    this.#bytes += payload.length;
    this.#owed.push({ reply, length: payload.length });
    this.#owedBytes += payload.length;
    try {
      if (this.#s2.failure !== undefined) throw this.#s2.failure;
      if (this.#owedBytes > mostOwed) throw new ArchiveError('chunks are sent faster than they are answered');
      this.#s2.push(payload);
    } catch (thrown) {
      return this.#fail(thrown);
    }
    this.#acknowledge();
  }

  /** Something that was sent has been unpacked and written, or cannot be: then the oldest chunk without an answer gets that, or the next one. */
  #moved(): void {
    if (this.#ended) return;
    this.#rearm();
    if (this.#s2.failure !== undefined && this.#owed.length > 0) this.#fail(this.#s2.failure);
    else this.#acknowledge();
  }

  #acknowledge(): void {
    while (this.#s2.heldBytes < mostHeld) {
      const owed = this.#owed.shift();
      if (owed === undefined) return;
      this.#owedBytes -= owed.length;
      this.#publish(owed.reply, noBytes);
    }
  }

  #fail(thrown: unknown): void {
    const { reply } = this.#owed[0] ?? { reply: '' };
    const error = errorOf(thrown);
    this.cancel();
    this.#answer(reply, { error });
  }

  #take(content: Uint8Array): Promise<void> | undefined {
    this.#unpacked += content.length;
    if (this.#unpacked > this.#mostBytes) refuse('StorageResourcesExceededErr');
    this.#tar.push(content);
    return this.#staging.written();
  }

  #end(reply: string): void {
    for (const owed of this.#owed.splice(0)) this.#publish(owed.reply, noBytes);
    this.#hangUp();
    this.#finish(reply).catch((thrown: unknown) => this.#account.ports.log.error(`JetStream restore: ${String(thrown)}`));
  }

  async #finish(reply: string): Promise<void> {
    let stream: Stream | undefined;
    try {
      await this.#s2.end();
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
    this.#patience?.cancel();
    this.#chunks.cancel();
  }

  cancel(): void {
    this.#hangUp();
    this.#s2.stop();
    this.#owed.length = 0;
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
