// The schedules of a stream with `allow_msg_schedules`: one a subject, its last message. When one is due, the message it describes is published
// into the stream, and that message says when the schedule comes again or that it is over.
// Kept true: a firing that was missed while the server was away happens once; where schedules stand outlives a restart, by `sched.db` or by the
// messages they have published.

import { parseHeaders } from '../../core/jetstream/headers.ts';
import { instantMs, parseInstant, type Instant } from '../../core/jetstream/instant.ts';
import type { StreamConfig } from '../../core/jetstream/stream-config.ts';
import { DueHeap } from '../../core/stream/due-heap.ts';
import { nextFiring, scheduledMessage } from '../../core/stream/schedule.ts';
import { decodeTimes, encodeTimes } from '../../core/stream/times-file.ts';
import type { StoredMessage } from '../store/store.ts';
import type { AgingStream } from './ages.ts';
import { DueTimer } from './due-timer.ts';

interface Schedule {
  readonly seq: number;
  at: Instant;
}

type Headers = ReadonlyMap<string, string>;

export class Schedules {
  readonly #stream: AgingStream;
  readonly #schedules = new Map<string, Schedule>();
  readonly #subjects = new Map<number, string>();
  readonly #due = new DueHeap();
  #enabled = false;
  readonly #timer: DueTimer;

  constructor(stream: AgingStream) {
    this.#stream = stream;
    this.#timer = new DueTimer(stream, () => this.#fire());
  }

  configure({ allow_msg_schedules }: StreamConfig): void {
    this.#enabled = allow_msg_schedules;
    this.#wake();
  }

  /** Begins from what an earlier run has left; answers from which sequence on messages are to be shown to `found`. */
  recover(): number {
    const bytes = this.#enabled ? this.#stream.store.readBeside('sched.db') : undefined;
    const file = bytes === undefined ? undefined : decodeTimes('sched.db', bytes, this.#stream.store.lastSeq);
    for (const { subject, seq, at } of file?.entries ?? []) this.#add(subject, seq, at);
    this.#wake();
    return this.#enabled ? (file?.stamp ?? 1) : Infinity;
  }

  /** Forgets all of them, to be shown every message again: answers from which sequence on. */
  forget(): number {
    this.#schedules.clear();
    this.#subjects.clear();
    this.#due.clear();
    this.#timer.cancel();
    return this.#enabled ? 1 : Infinity;
  }

  /** A stored message of an earlier run. */
  found({ seq, subject, ts }: StoredMessage, headers: Headers): void {
    this.stored(seq, subject, ts, headers);
  }

  /** A message with headers was stored: it may be a schedule, end one, or come from one. */
  stored(seq: number, subject: string, ts: Instant, headers: Headers): void {
    if (!this.#enabled) return;
    const scheduler = headers.get('Nats-Scheduler') ?? '';
    const firing = nextFiring(headers, ts, this.#stream.ports.clock.wallInstant());
    if (!this.#isBefore(seq, subject)) {
      if (firing !== undefined && typeof firing !== 'string') this.#add(subject, seq, firing.at);
      else if (scheduler === '') this.#remove(subject);
    }
    const next = parseInstant(headers.get('Nats-Schedule-Next') ?? '');
    if (next !== undefined && !this.#isBefore(seq, scheduler)) this.#move(scheduler, next);
    this.#wake();
  }

  /** A message of an earlier run may be shown when its subject has a newer schedule already, about which it says nothing. */
  #isBefore(seq: number, subject: string): boolean {
    return seq < (this.#schedules.get(subject)?.seq ?? 0);
  }

  #add(subject: string, seq: number, at: Instant): void {
    this.#remove(subject);
    this.#schedules.set(subject, { seq, at });
    this.#subjects.set(seq, subject);
    this.#due.sweep((due) => this.#subjects.has(due.seq));
    this.#due.add({ seq, atMs: instantMs(at) });
  }

  #remove(subject: string): void {
    const schedule = this.#schedules.get(subject);
    if (schedule !== undefined) this.#subjects.delete(schedule.seq);
    this.#schedules.delete(subject);
  }

  #move(subject: string, at: Instant): void {
    const schedule = this.#schedules.get(subject);
    if (schedule === undefined) return;
    schedule.at = at;
    this.#due.add({ seq: schedule.seq, atMs: instantMs(at) });
  }

  #wake(): void {
    const nextMs = this.#enabled ? this.#due.nextMs : undefined;
    if (nextMs === undefined) this.#timer.cancel();
    else this.#timer.wakeAt(nextMs);
  }

  /** Publishes what is due, in order of the schedules' sequences. */
  #fire(): void {
    const { store, ports } = this.#stream;
    if (store.fault !== undefined) return;
    const nowMs = ports.clock.wallMs();
    const due = new Set<number>();
    for (let next = this.#due.take(nowMs); next !== undefined; next = this.#due.take(nowMs)) {
      const schedule = this.#schedules.get(this.#subjects.get(next.seq) ?? '');
      if (schedule !== undefined && instantMs(schedule.at) === next.atMs) due.add(next.seq);
    }
    for (const seq of [...due].sort((a, b) => a - b)) this.#publish(seq);
    this.#wake();
  }

  #publish(seq: number): void {
    const { store, ports } = this.#stream;
    const subject = this.#subjects.get(seq) ?? '';
    const schedule = this.#schedules.get(subject);
    const message = store.get(seq);
    // Another message on its subject has taken its place.
    const isLast = message !== undefined && store.lastBySubject(subject)?.seq === seq;
    const made =
      isLast && schedule !== undefined
        ? scheduledMessage(subject, message, schedule.at, ports.clock.wallInstant(), (source) => store.lastBySubject(source))
        : undefined;
    if (made === undefined) return this.#remove(subject);
    this.#stream.storeOwn({ subject: made.target, headers: made.headers, payload: made.payload });
    const again = this.#schedules.get(subject);
    if (again === undefined || again.seq !== seq || again.at !== schedule?.at) return;
    // There was no room for it: a schedule that repeats comes again at its time, another one is tried no more.
    const next = parseInstant(parseHeaders(made.headers).get('Nats-Schedule-Next') ?? '');
    if (next === undefined) this.#remove(subject);
    else this.#move(subject, next);
  }

  /** Stops; what is to come is written down. */
  stop(): void {
    this.#timer.cancel();
    if (!this.#enabled) return;
    const { store } = this.#stream;
    const entries = [...this.#schedules].map(([subject, { seq, at }]) => ({ subject, seq, at }));
    store.writeBeside('sched.db', encodeTimes('sched.db', { stamp: store.lastSeq + 1, entries }));
  }

  close(): void {
    this.#timer.cancel();
  }
}
