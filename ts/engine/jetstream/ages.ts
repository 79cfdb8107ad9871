// How messages of a stream with `allow_msg_ttl` end: each by its own `Nats-TTL`, all by `max_age` unless their TTL is `never`, and the last one of
// a subject by a marker that takes its place when the stream has `subject_delete_marker_ttl`. Streams without TTLs leave `max_age` to their store.
// Kept true: what is due when the server starts goes then; a TTL outlives a restart, by `thw.db` or by the header of its message.

import { buildHeaders, parseHeaders } from '../../core/jetstream/headers.ts';
import { compareInstants, formatDuration, instantMs, instantOfMs, millis, nanosPerSecond } from '../../core/jetstream/instant.ts';
import type { StreamConfig } from '../../core/jetstream/stream-config.ts';
import { DueHeap } from '../../core/stream/due-heap.ts';
import { forever, isMarker, ttlOf } from '../../core/stream/message-ttl.ts';
import { decodeTimes, encodeTimes } from '../../core/stream/times-file.ts';
import type { StoredMessage, StreamStore } from '../store/store.ts';
import { DueTimer } from './due-timer.ts';
import type { JetStreamPorts } from './ports.ts';

/** What ages need of their stream. */
export interface AgingStream {
  readonly store: StreamStore;
  readonly ports: JetStreamPorts;
  /** Stores a message of the stream's own. */
  storeOwn(message: { readonly subject: string; readonly headers: Uint8Array; readonly payload: Uint8Array }): void;
  /** Messages of this range went, if not all of it. */
  removed(fromSeq: number, toSeq: number): void;
}

/** Messages looked at in one turn. */
const atOnce = 5_000;
const noBytes = new Uint8Array(0);

export class Ages {
  readonly #stream: AgingStream;
  readonly #due = new DueHeap();
  #ttls = false;
  #maxAgeMs = 0;
  #markerTtl = 0n;
  /** Everything before it is gone or lives for ever. */
  #cursor = 1;
  readonly #timer: DueTimer;

  constructor(stream: AgingStream) {
    this.#stream = stream;
    this.#timer = new DueTimer(stream, () => this.#expire());
  }

  configure(config: StreamConfig): void {
    this.#ttls = config.allow_msg_ttl;
    this.#maxAgeMs = config.allow_msg_ttl ? millis(config.max_age) : 0;
    this.#markerTtl = (config.subject_delete_marker_ttl / nanosPerSecond) * nanosPerSecond;
    this.#cursor = 1;
    this.wake();
  }

  /** Begins from what an earlier run has left; answers from which sequence on messages are to be shown to `found`. */
  recover(): number {
    const bytes = this.#ttls ? this.#stream.store.readBeside('thw.db') : undefined;
    const file = bytes === undefined ? undefined : decodeTimes('thw.db', bytes, this.#stream.store.lastSeq);
    for (const { seq, at } of file?.entries ?? []) this.#due.add({ seq, atMs: instantMs(at) });
    this.wake();
    return this.#ttls ? (file?.stamp ?? 1) : Infinity;
  }

  /** Forgets all of them, to be shown every message again: answers from which sequence on. */
  forget(): number {
    this.#due.clear();
    this.#cursor = 1;
    this.#timer.cancel();
    this.wake();
    return this.#ttls ? 1 : Infinity;
  }

  /** A stored message of an earlier run. */
  found({ seq, ts }: StoredMessage, headers: ReadonlyMap<string, string>): void {
    if (this.#ttls) this.stored(seq, instantMs(ts), ttlOf(headers));
  }

  /** A message was stored with a TTL of its own. */
  stored(seq: number, atMs: number, ttlSeconds: number): void {
    if (ttlSeconds <= 0) return;
    const { store } = this.#stream;
    this.#due.sweep((due) => store.nextSeq([], due.seq) === due.seq);
    this.#due.add({ seq, atMs: atMs + ttlSeconds * 1000 });
    this.wake();
  }

  /** The stream may have got its first message. */
  synced(): void {
    if (this.#ttls && !this.#timer.isSet) this.wake();
  }

  /** Something may be due sooner than the timer goes. */
  wake(): void {
    if (!this.#ttls) return this.#timer.cancel();
    const nextMs = Math.min(this.#due.nextMs ?? Infinity, this.#nextAgeMs());
    if (nextMs < Infinity) this.#timer.wakeAt(nextMs);
  }

  #nextAgeMs(): number {
    if (this.#maxAgeMs === 0) return Infinity;
    const message = this.#firstMortal();
    return message === undefined ? Infinity : instantMs(message.ts) + this.#maxAgeMs;
  }

  /** The first message that max_age may take. */
  #firstMortal(): StoredMessage | undefined {
    const { store } = this.#stream;
    for (let looked = 0; looked < atOnce; looked++) {
      const seq = store.nextSeq([], this.#cursor);
      const message = seq === 0 ? undefined : store.get(seq);
      if (message === undefined && seq === 0) return undefined;
      if (message !== undefined && (message.headers.length === 0 || ttlOf(parseHeaders(message.headers)) !== forever))
        return message;
      this.#cursor = seq + 1;
    }
    return undefined;
  }

  #expire(): void {
    const { store, ports } = this.#stream;
    if (store.fault !== undefined) return;
    const nowMs = ports.clock.wallMs();
    const oldest = instantOfMs(nowMs - this.#maxAgeMs);
    let gone = 0;
    while (this.#maxAgeMs > 0 && gone < atOnce) {
      const message = this.#firstMortal();
      if (message === undefined || compareInstants(message.ts, oldest) > 0) break;
      this.#end(message);
      this.#cursor = message.seq + 1;
      gone += 1;
    }
    while (gone < atOnce) {
      const due = this.#due.take(nowMs);
      if (due === undefined) break;
      const message = store.get(due.seq);
      if (message !== undefined) this.#end(message);
      gone += 1;
    }
    if (gone > 0) this.#stream.removed(1, store.lastSeq);
    this.wake();
  }

  /** Removes a message, or puts a marker in its place when it is the last of its subject. */
  #end({ seq, subject, headers }: StoredMessage): void {
    const { store } = this.#stream;
    const marks = this.#markerTtl > 0n && store.countOn(subject) === 1 && !isMarker(parseHeaders(headers));
    if (!marks) return void store.delete(seq);
    const marker = buildHeaders('', [
      ['Nats-Marker-Reason', 'MaxAge'],
      ['Nats-TTL', formatDuration(this.#markerTtl)],
      ['Nats-Rollup', 'sub'],
    ]);
    this.#stream.storeOwn({ subject, headers: marker, payload: noBytes });
  }

  /** Stops; what is to come is written down. */
  stop(): void {
    this.#timer.cancel();
    if (!this.#ttls) return;
    const { store } = this.#stream;
    const entries = this.#due.all().map(({ seq, atMs }) => ({ seq, at: instantOfMs(atMs), subject: '' }));
    store.writeBeside('thw.db', encodeTimes('thw.db', { stamp: store.lastSeq + 1, entries }));
  }

  close(): void {
    this.#timer.cancel();
  }
}
