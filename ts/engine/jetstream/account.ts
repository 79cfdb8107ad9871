// JetStream of one account: its streams, limits, counts, and its advisories.

import type { ConsumerLimits } from '../../core/consumer/check-config.ts';
import { ConfigPool } from '../../core/consumer/config-pool.ts';
import { advisoryOf, type AdvisoryId } from '../../core/jetstream/advisories.ts';
import { streamMeta } from '../../core/jetstream/documents.ts';
import { apiError, type ApiError } from '../../core/jetstream/errors.ts';
import { formatInstant } from '../../core/jetstream/instant.ts';
import { encodeJson } from '../../core/jetstream/json.ts';
import type { Document } from '../../core/jetstream/schema.ts';
import type { StreamConfig, StreamSource } from '../../core/jetstream/stream-config.ts';
import type { StreamSurroundings } from '../../core/stream/check-config.ts';
import { Claims } from '../../core/stream/claims.ts';
import { compileStreamTransform, compileTransform } from '../../core/subject/transform.ts';
import type { Instant } from '../../ports/clock.ts';
import { StoreFault, type StreamOptions } from '../store/store.ts';
import { apiPrefixes } from './api-subjects.ts';
import type { Origin } from './origin.ts';
import type { AccountLimits, JetStreamPorts, JetStreamSettings } from './ports.ts';
import type { ServerRoom } from './server-room.ts';
import { storeLimits, Stream } from './stream.ts';
import { Transfers } from './transfers.ts';
import { uniqueName } from './unique.ts';

/** Between two warnings that say the same. */
const quietMs = 1_000;

function transformFault(src: string, dest: string): string | undefined {
  if (dest === '') return undefined;
  const result = compileStreamTransform(src === '' ? '>' : src, dest);
  return result.ok ? undefined : result.problem;
}

function canRepublish(src: string, dest: string): boolean {
  return dest === '' || compileTransform(src, dest).ok;
}

export class JetStreamAccount {
  readonly name: string;
  /** The account's number in the kernel. */
  readonly number: number;
  readonly ports: JetStreamPorts;
  settings: JetStreamSettings;
  limits: AccountLimits;
  readonly #streams = new Map<string, Stream>();
  /** Streams that were deleted and are still on the disk. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #claims = new Claims();
  /** Those that mirror or source others. */
  readonly #following = new Set<Stream>();
  /** Streams found on disk that could not be opened: name and reason. */
  readonly offline = new Map<string, string>();
  readonly transfers = new Transfers();
  readonly consumerConfigs = new ConfigPool();
  /** What all accounts share. */
  readonly room: ServerRoom;
  #warnedFullMs = -Infinity;
  apiTotal = 0;
  apiErrors = 0;

  constructor(
    name: string,
    number: number,
    ports: JetStreamPorts,
    settings: JetStreamSettings,
    limits: AccountLimits,
    room: ServerRoom,
  ) {
    this.room = room;
    this.name = name;
    this.number = number;
    this.ports = ports;
    this.settings = settings;
    this.limits = limits;
  }

  get streams(): ReadonlyMap<string, Stream> {
    return this.#streams;
  }

  /** A stream has come. */
  enter(stream: Stream): void {
    this.#streams.set(stream.name, stream);
    this.#claims.add(stream.config);
    this.#noteFollowing(stream);
  }

  /** A stream has another configuration than before. */
  changed(stream: Stream, before: StreamConfig): void {
    this.#claims.remove(before);
    this.#claims.add(stream.config);
    this.#noteFollowing(stream);
  }

  #leave(stream: Stream): void {
    if (this.#streams.get(stream.name) !== stream) return;
    this.#streams.delete(stream.name);
    this.#claims.remove(stream.config);
    this.#following.delete(stream);
  }

  #noteFollowing(stream: Stream): void {
    const { mirror, sources } = stream.config;
    if (mirror !== undefined || sources.length > 0) this.#following.add(stream);
    else this.#following.delete(stream);
  }

  /** The stream a mirror or source takes from, when it is served here. */
  find(source: StreamSource): Origin | undefined {
    const stream = this.asker(source) === undefined ? this.streams.get(source.name) : undefined;
    return stream?.isOpen === true ? stream : undefined;
  }

  /** An external prefix that is this account's own domain means a stream of its own; a consumer made beforehand is asked for wherever it is. */
  asker({ external, consumer }: StreamSource): JetStreamAccount | undefined {
    if (consumer !== undefined) return this;
    return external === undefined || external.api === '' || this.apiPrefixes.includes(external.api) ? undefined : this;
  }

  /** Tells mirrors and sources that a stream has appeared. */
  originOpened(): void {
    for (const stream of this.#following) stream.originOpened();
  }

  /** What requests begin with: `$JS.API`, and with a domain its own form. */
  get apiPrefixes(): readonly string[] {
    return apiPrefixes(this.settings.domain);
  }

  /** Streams by name. */
  sorted(): Stream[] {
    return [...this.streams.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Mirrors and sources count as well: in nats-server each has a consumer of its own. */
  consumerCount(): number {
    let count = 0;
    for (const { consumers, followerCount } of this.streams.values()) count += consumers.size + followerCount;
    return count;
  }

  surroundings(storage: StreamConfig['storage']): StreamSurroundings {
    const { maxBytesRequired, memoryMaxStreamBytes, storageMaxStreamBytes } = this.limits;
    return {
      duplicateWindowLimit: this.settings.limits.duplicateWindowNanos,
      maxBytesRequired,
      maxStreamBytes: storage === 'memory' ? memoryMaxStreamBytes : storageMaxStreamBytes,
      stream: (name) => this.streams.get(name)?.config,
      transformFault,
      canRepublish,
    };
  }

  consumerLimits(): ConsumerLimits {
    const { maxAckPending, maxRequestBatch } = this.settings.limits;
    return { maxAckPending, maxRequestBatch, accountMaxAckPending: Math.max(0, this.limits.maxAckPending) };
  }

  /** Whether another stream listens on one of the subjects. */
  overlaps(subjects: readonly string[], except: string): boolean {
    return this.#claims.overlaps(subjects, except);
  }

  /** Bytes that streams have reserved by `max_bytes`. */
  reserved(storage: StreamConfig['storage']): number {
    return this.#claims.reserved(storage);
  }

  stored(storage: StreamConfig['storage']): number {
    let bytes = 0;
    for (const { config, store } of this.streams.values()) if (config.storage === storage) bytes += store.state.bytes;
    return bytes;
  }

  /** Whether the account may not have another stream; one that is there is no other. */
  countFault({ name }: StreamConfig): ApiError | undefined {
    const { limits, streams } = this;
    if (limits.tiers !== undefined && limits.tiers['R1'] === undefined) return apiError('NoLimitsErr');
    const others = streams.size - (streams.has(name) ? 1 : 0);
    return limits.maxStreams > 0 && others >= limits.maxStreams ? apiError('MaximumStreamsLimitErr') : undefined;
  }

  /** Why the account has no room for a stream, or for what an update makes of it. */
  roomFault(config: StreamConfig, before?: StreamConfig): ApiError | undefined {
    return this.consumersFault(config) ?? this.bytesFault(config, before);
  }

  consumersFault({ max_consumers }: StreamConfig): ApiError | undefined {
    const { maxConsumers } = this.limits;
    return maxConsumers > 0 && max_consumers > maxConsumers ? apiError('MaximumConsumersLimitErr') : undefined;
  }

  bytesFault(config: StreamConfig, before?: StreamConfig): ApiError | undefined {
    const { limits, room } = this;
    const isNew = before === undefined;
    const isMemory = config.storage === 'memory';
    // A new stream without an end counts as one byte: where everything is reserved there is no room for it either.
    const bytes = isNew && config.max_bytes < 0 ? 1 : Math.max(0, config.max_bytes, before?.max_bytes ?? 0);
    const limit = isMemory ? limits.maxMemory : limits.maxStorage;
    const ownOf = (stream: StreamConfig | undefined): number =>
      stream?.storage === config.storage ? Math.max(0, stream.max_bytes) : 0;
    // Who asks for a stream that is there already needs room for it in the server once more, not in the account.
    const own = ownOf(before ?? this.streams.get(config.name)?.config);
    const wanted = bytes * Math.max(1, config.num_replicas);
    const fitsAccount = limit < 0 || this.reserved(config.storage) - own + wanted <= limit;
    if (fitsAccount && room.reserved(config.storage) - ownOf(before) + bytes <= room.limit(config.storage)) return undefined;
    return apiError(isMemory ? 'MemoryResourcesExceededErr' : 'StorageResourcesExceededErr');
  }

  /** Why there is no room for a message of so many bytes. */
  publishFault(stream: Stream, bytes: number): ApiError | undefined {
    const full = this.room.claim(this, stream, bytes);
    if (full === undefined) return undefined;
    if (full === 'account') this.#warnFull(stream.config.storage);
    return apiError(full === 'server' ? 'InsufficientResourcesErr' : 'AccountResourcesExceededErr');
  }

  /** The log says so, and not for every message. */
  #warnFull(storage: StreamConfig['storage']): void {
    const nowMs = this.ports.clock.monotonicMs();
    if (nowMs - this.#warnedFullMs < quietMs) return;
    this.#warnedFullMs = nowMs;
    this.ports.log.warn(`JetStream ${storage} resource limits exceeded for account: ${JSON.stringify(this.name)}`);
  }

  options(config: StreamConfig): StreamOptions {
    const { domain } = this.settings;
    return {
      accountName: this.name,
      account: this.number,
      name: config.name,
      storage: config.storage,
      retention: config.retention,
      limits: storeLimits(config),
      noAck: config.no_ack,
      sealed: config.sealed,
      compression: config.compression,
      persist: config.persist_mode,
      firstSeq: config.first_seq,
      ...(domain === '' ? {} : { domain }),
    };
  }

  /** Adds a checked stream, or tells why the store refused. */
  addStream(config: StreamConfig, created: Instant): Stream | ApiError {
    try {
      const store = this.ports.store.create(this.options(config), streamMeta(config, created));
      const stream = new Stream(this, config, created, store);
      this.enter(stream);
      stream.open();
      this.advise('streamCreated', { stream: config.name, action: 'create' }, config.name);
      return stream;
    } catch (thrown) {
      if (!(thrown instanceof StoreFault)) throw thrown;
      this.ports.log.error(`stream '${this.name} > ${config.name}': ${thrown.message}`);
      return apiError('StreamCreateErrF', { err: thrown.message });
    }
  }

  /** Resolves when a stream of this name, which was deleted, has left the disk; undefined: there is none. */
  leaving(name: string): Promise<void> | undefined {
    return this.#leaving.get(name);
  }

  async removeStream(stream: Stream): Promise<void> {
    this.#leave(stream);
    const removal = stream.remove();
    // Who waits for its name asks the disk again.
    const gone = removal.catch(() => {}).then(() => void this.#leaving.delete(stream.name));
    this.#leaving.set(stream.name, gone);
    await removal;
    this.advise('streamDeleted', { stream: stream.name, action: 'delete' }, stream.name);
  }

  /** Sends an advisory when somebody listens. */
  advise(id: AdvisoryId, fields: Document, stream = '', consumer = ''): void {
    const { subject, type } = advisoryOf(id, stream, consumer);
    const { door, clock } = this.ports;
    if (!door.hasInterest(this.number, subject)) return;
    const { domain } = this.settings;
    const document = {
      type,
      id: this.unique(22),
      timestamp: formatInstant(clock.wallInstant()),
      ...fields,
      domain: domain === '' ? undefined : domain,
    };
    door.publish(this.number, subject, '', undefined, encodeJson(document));
  }

  /** A random name of letters and digits. */
  unique(length: number): string {
    return uniqueName(this.ports.random, length);
  }
}
