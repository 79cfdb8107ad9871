// Republishing: messages of a stream go out once more under another subject, when they are on disk.
// Kept true: every message that was stored goes out, also one that limits have removed since; it says which sequence was before it on its subject.

import { addHeaders } from '../../core/jetstream/headers.ts';
import { formatInstant, type Instant } from '../../core/jetstream/instant.ts';
import type { StreamConfig } from '../../core/jetstream/stream-config.ts';
import { isValidLiteral, tokens } from '../../core/subject/subject.ts';
import { compileTransform, type Transform } from '../../core/subject/transform.ts';
import type { StreamStore } from '../store/store.ts';
import type { JetStreamPorts } from './ports.ts';

const noBytes = new Uint8Array(0);

export interface RepublishedMessage {
  readonly seq: number;
  readonly subject: string;
  readonly ts: Instant;
  readonly headers: Uint8Array;
  readonly payload: Uint8Array;
  /** The sequence before it on its subject, 0 for none. */
  readonly before: number;
}

export class Republisher {
  readonly #store: StreamStore;
  readonly #ports: JetStreamPorts;
  readonly #account: number;
  #transform: Transform | undefined;
  #headersOnly = false;
  /** Stored, and not on disk yet. */
  #waiting: RepublishedMessage[] = [];
  #syncedSeq = 0;

  constructor(store: StreamStore, ports: JetStreamPorts, account: number) {
    this.#store = store;
    this.#ports = ports;
    this.#account = account;
  }

  configure({ republish }: StreamConfig): void {
    const compiled = republish === undefined ? undefined : compileTransform(republish.src, republish.dest);
    this.#transform = compiled?.ok === true ? compiled.transform : undefined;
    this.#headersOnly = republish?.headers_only ?? false;
  }

  /** The last sequence on a subject, asked before the next message is stored there; undefined: it is not republished. */
  before(subject: string): number | undefined {
    if (this.#transform?.matches(tokens(subject)) !== true) return undefined;
    return this.#store.lastSeqs([subject])[0] ?? 0;
  }

  stored(message: RepublishedMessage): void {
    if (message.seq <= this.#syncedSeq) this.#send(message);
    else this.#waiting.push(message);
  }

  /** Messages up to this sequence may be shown. */
  synced(upToSeq: number): void {
    this.#syncedSeq = upToSeq;
    if (this.#waiting.length === 0) return;
    const later = this.#waiting.findIndex(({ seq }) => seq > upToSeq);
    const shown = this.#waiting.splice(0, later < 0 ? this.#waiting.length : later);
    for (const message of shown) this.#send(message);
  }

  #send({ seq, subject, headers, payload, ts, before }: RepublishedMessage): void {
    const added: [string, string | number][] = [
      ['Nats-Stream', this.#store.name],
      ['Nats-Subject', subject],
      ['Nats-Sequence', seq],
      ['Nats-Time-Stamp', formatInstant(ts)],
      ['Nats-Last-Sequence', before],
    ];
    if (this.#headersOnly) added.push(['Nats-Msg-Size', payload.length]);
    const to = this.#transform?.apply(subject, (limit) => this.#ports.random.below(limit)) ?? '';
    if (!isValidLiteral(to)) return;
    this.#ports.door.publish(this.#account, to, '', addHeaders(headers, added), this.#headersOnly ? noBytes : payload);
  }
}
