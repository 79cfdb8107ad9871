// Republishing: messages of a stream go out once more under another subject, when they are on disk.

import { addHeaders } from '../../core/jetstream/headers.ts';
import { formatInstant } from '../../core/jetstream/instant.ts';
import type { StreamConfig } from '../../core/jetstream/stream-config.ts';
import { tokens } from '../../core/subject/subject.ts';
import { compileTransform, type Transform } from '../../core/subject/transform.ts';
import type { StreamStore } from '../store/store.ts';
import type { JetStreamPorts } from './ports.ts';

const noBytes = new Uint8Array(0);

export class Republisher {
  readonly #store: StreamStore;
  readonly #ports: JetStreamPorts;
  readonly #account: number;
  #transform: Transform | undefined;
  #headersOnly = false;
  #doneSeq: number;

  constructor(store: StreamStore, ports: JetStreamPorts, account: number) {
    this.#store = store;
    this.#ports = ports;
    this.#account = account;
    this.#doneSeq = store.state.lastSeq;
  }

  configure({ republish }: StreamConfig): void {
    const compiled = republish === undefined ? undefined : compileTransform(republish.src, republish.dest);
    this.#transform = compiled?.ok === true ? compiled.transform : undefined;
    this.#headersOnly = republish?.headers_only ?? false;
  }

  /** Messages up to this sequence may be shown. */
  synced(upToSeq: number): void {
    const from = this.#doneSeq + 1;
    this.#doneSeq = Math.max(this.#doneSeq, upToSeq);
    if (this.#transform === undefined) return;
    for (let seq = from; seq <= upToSeq; seq++) this.#send(seq, this.#transform);
  }

  #send(seq: number, transform: Transform): void {
    const message = this.#store.get(seq);
    if (message === undefined || !transform.matches(tokens(message.subject))) return;
    const { subject, headers, payload, ts } = message;
    const added: [string, string | number][] = [
      ['Nats-Stream', this.#store.name],
      ['Nats-Subject', subject],
      ['Nats-Sequence', seq],
      ['Nats-Time-Stamp', formatInstant(ts)],
      ['Nats-Last-Sequence', this.#store.lastSeqs(subject, seq - 1)[0] ?? 0],
    ];
    if (this.#headersOnly) added.push(['Nats-Msg-Size', payload.length]);
    const to = transform.apply(subject, (limit) => this.#ports.random.below(limit));
    this.#ports.door.publish(this.#account, to, '', addHeaders(headers, added), this.#headersOnly ? noBytes : payload);
  }
}
