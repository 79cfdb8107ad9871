// Looks through the messages a stream has from earlier runs for headers that mean something later: TTLs and schedules. In slices, so that a
// large stream does not hold the others up.

import { parseHeaders } from '../../core/jetstream/headers.ts';
import type { StoredMessage, StreamStore } from '../store/store.ts';
import type { JetStreamPorts } from './ports.ts';

const sliceMessages = 2_000;

export interface HeaderReader {
  /** From which sequence on it wants to see messages; Infinity: none. */
  readonly fromSeq: number;
  found(message: StoredMessage, headers: ReadonlyMap<string, string>): void;
}

export class HeaderScan {
  readonly #store: StreamStore;
  readonly #ports: JetStreamPorts;
  readonly #readers: readonly HeaderReader[];
  readonly #toSeq: number;
  #seq: number;
  #cancelled = false;

  constructor(store: StreamStore, ports: JetStreamPorts, readers: readonly HeaderReader[]) {
    this.#store = store;
    this.#ports = ports;
    this.#readers = readers;
    this.#toSeq = store.lastSeq;
    this.#seq = Math.min(...readers.map(({ fromSeq }) => fromSeq));
  }

  run(): void {
    for (let looked = 0; looked < sliceMessages; looked++) {
      const seq = this.#cancelled || this.#seq > this.#toSeq ? 0 : this.#store.nextSeq([], this.#seq);
      if (seq === 0 || seq > this.#toSeq) return;
      const message = this.#store.get(seq);
      if (message !== undefined && message.headers.length > 0) this.#show(message);
      this.#seq = seq + 1;
    }
    this.#ports.clock.after(0, () => this.#ports.door.soon(() => this.run()));
  }

  #show(message: StoredMessage): void {
    const headers = parseHeaders(message.headers);
    for (const reader of this.#readers) if (message.seq >= reader.fromSeq) reader.found(message, headers);
  }

  cancel(): void {
    this.#cancelled = true;
  }
}
