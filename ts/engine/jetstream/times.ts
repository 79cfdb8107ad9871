// What comes to messages with time: TTLs of their own (ages.ts) and schedules (schedules.ts), found again in what earlier runs have stored.
// There may be very many streams, most with neither: nothing is made for those.

import { parseHeaders } from '../../core/jetstream/headers.ts';
import type { StreamConfig } from '../../core/jetstream/stream-config.ts';
import type { Accepted } from '../../core/stream/judge.ts';
import { Ages, type AgingStream } from './ages.ts';
import { HeaderScan } from './header-scan.ts';
import { Schedules } from './schedules.ts';

export class Times {
  readonly #stream: AgingStream;
  #ages: Ages | undefined;
  #schedules: Schedules | undefined;
  #scan: HeaderScan | undefined;

  constructor(stream: AgingStream) {
    this.#stream = stream;
  }

  configure(config: StreamConfig): void {
    if (config.allow_msg_ttl) this.#ages ??= new Ages(this.#stream);
    if (config.allow_msg_schedules) this.#schedules ??= new Schedules(this.#stream);
    this.#ages?.configure(config);
    this.#schedules?.configure(config);
  }

  /** Goes on where an earlier run has left them. */
  recover(): void {
    this.#scanFor((times) => times.recover());
  }

  /** The stream has lost what was not on disk: all of it is looked for again. */
  revived(): void {
    this.#scanFor((times) => times.forget());
  }

  #scanFor(from: (times: Ages | Schedules) => number): void {
    this.#scan?.cancel();
    const times = [this.#ages, this.#schedules].filter((one) => one !== undefined);
    if (times.length === 0) return;
    const readers = times.map((one) => ({ fromSeq: from(one), found: one.found.bind(one) }));
    this.#scan = new HeaderScan(this.#stream.store, this.#stream.ports, readers);
    this.#scan.run();
  }

  /** A message is stored. */
  stored(seq: number, subject: string, { block, ttlSeconds }: Accepted): void {
    const { clock } = this.#stream.ports;
    if (ttlSeconds > 0) {
      this.#ages ??= new Ages(this.#stream);
      this.#ages.stored(seq, clock.wallMs(), ttlSeconds);
    }
    if (block.length > 0) this.#schedules?.stored(seq, subject, clock.wallInstant(), parseHeaders(block));
  }

  /** The stream may have got its first message. */
  synced(): void {
    this.#ages?.synced();
  }

  /** Stops; what is to come is written down. */
  stop(): void {
    this.#scan?.cancel();
    this.#ages?.stop();
    this.#schedules?.stop();
  }

  close(): void {
    this.#scan?.cancel();
    this.#ages?.close();
    this.#schedules?.close();
  }
}
