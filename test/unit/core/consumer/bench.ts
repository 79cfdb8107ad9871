// A consumer machine over a made-up stream, with the driver's loop around it: what tests of the machine stand on.

import assert from 'node:assert/strict';
import { filtersOf } from '../../../../ts/core/consumer/check-config.ts';
import type { ConsumerOutput, DeliverResult, DeliverWork } from '../../../../ts/core/consumer/contract.ts';
import { ConsumerMachine, type ConsumerStart } from '../../../../ts/core/consumer/machine.ts';
import { decodeConsumerState } from '../../../../ts/core/consumer/o-dat.ts';
import { PullRequests } from '../../../../ts/core/consumer/pull-request.ts';
import { settingsOf } from '../../../../ts/core/consumer/settings.ts';
import { consumerConfigSchema, type ConsumerConfig } from '../../../../ts/core/jetstream/consumer-config.ts';
import { emptyDocument } from '../../../../ts/core/jetstream/schema.ts';
import type { AckVerb } from '../../../../ts/core/consumer/ack.ts';

const encoder = new TextEncoder();
const messageBytes = 100;

export interface Delivery {
  readonly to: string;
  readonly seq: number;
  readonly consumerSeq: number;
  readonly deliveries: number;
}

export function configOf(given: Partial<ConsumerConfig>): ConsumerConfig {
  const defaults = {
    max_deliver: -1,
    max_waiting: 512,
    max_ack_pending: 1000,
    ack_policy: 'explicit',
    ack_wait: 30_000_000_000n,
    durable_name: 'C',
  };
  return { ...emptyDocument(consumerConfigSchema), ...defaults, ...given } as unknown as ConsumerConfig;
}

export class Bench {
  nowMs = 1_000_000;
  readonly messages = new Set<number>();
  lastSeq = 0;
  /** When messages were stored. */
  readonly storedMs = new Map<number, number>();
  #pins = 0;
  readonly deliveries: Delivery[] = [];
  readonly outputs: ConsumerOutput[] = [];
  readonly deaf = new Set<string>();
  config: ConsumerConfig;
  /** Subjects of messages; without one a message is everybody's. */
  readonly subjects = new Map<number, string>();
  machine: ConsumerMachine;

  constructor(config: Partial<ConsumerConfig> = {}, start: ConsumerStart = { firstSeq: 1 }) {
    this.config = configOf(config);
    this.machine = this.#machine(start);
  }

  #machine(start: ConsumerStart): ConsumerMachine {
    const lastSeq = (): number => this.lastSeq;
    const view = {
      countPending: (from: number) => this.#selected(from).length,
      isStored: (seq: number) => this.messages.has(seq),
      nextStoredMs: (from: number) => this.storedMs.get(this.#selected(from)[0] ?? 0) ?? 0,
      listens: (subject: string) => !this.deaf.has(subject),
      freshPin: () => `pin${++this.#pins}`,
      get visibleSeq() {
        return lastSeq();
      },
    };
    const identity = { stream: 'S', name: 'C', deliverSubject: this.config.deliver_subject };
    return new ConsumerMachine(identity, this.#settings(), view, start, this.nowMs);
  }

  #settings(): ReturnType<typeof settingsOf> {
    return settingsOf(this.config, { tellsSettled: true, maxMessageBytes: 1024 });
  }

  /** Messages that the consumer's filters select, from a sequence on. */
  #selected(from: number): number[] {
    const filters = filtersOf(this.config);
    const wanted = (seq: number): boolean => filters.length === 0 || filters.includes(this.subjects.get(seq) ?? '');
    return [...this.messages].filter((seq) => seq >= from && wanted(seq));
  }

  /** Changes the configuration. */
  configure(change: Partial<ConsumerConfig>): void {
    this.config = { ...this.config, ...change };
    this.machine.configure(this.#settings(), this.config.deliver_subject, this.nowMs);
    this.run();
  }

  /** A message is removed from the stream. */
  remove(seq: number): void {
    this.messages.delete(seq);
    this.machine.step({ is: 'removed', fromSeq: seq, toSeq: seq }, this.nowMs);
    this.run();
  }

  /** Messages are purged from the stream; below `firstSeq` none is left for this consumer. */
  purge(seqs: readonly number[], firstSeq: number): void {
    for (const seq of seqs) this.messages.delete(seq);
    this.machine.step({ is: 'purged', firstSeq }, this.nowMs);
    this.run();
  }

  /** A new machine with the state of the old one, or another, in a stream that may begin later. */
  restart(firstSeq = 1, state = decodeConsumerState(this.machine.encodeState(this.nowMs))): void {
    assert.ok(state);
    this.machine = this.#machine({ firstSeq: 1 });
    this.machine.restore(state, firstSeq);
  }

  /** A new machine that begins with the stream as it is. */
  reopen(): void {
    this.machine = this.#machine({ firstSeq: 1 });
  }

  publish(count: number, subject = ''): void {
    for (let index = 0; index < count; index++) {
      this.messages.add(++this.lastSeq);
      this.storedMs.set(this.lastSeq, this.nowMs);
      this.subjects.set(this.lastSeq, subject);
    }
    this.run();
  }

  pull(payload: unknown = '', reply = 'in'): void {
    const bytes = encoder.encode(typeof payload === 'string' ? payload : JSON.stringify(payload));
    this.machine.step({ is: 'pull', reply, request: new PullRequests(this.config).read(bytes) }, this.nowMs);
    this.run();
  }

  ack({ seq, consumerSeq, deliveries }: Delivery, verb: AckVerb = { is: 'ack' }, reply = ''): void {
    this.machine.step({ is: 'ack', streamSeq: seq, consumerSeq, deliveries, verb, reply }, this.nowMs);
    this.run();
  }

  listen(active: boolean): void {
    this.machine.step({ is: 'interest', active }, this.nowMs);
    this.run();
  }

  /** Time passes, with a tick whenever the machine asked for one. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (let next = this.machine.nextTickMs(); next <= untilMs; next = this.machine.nextTickMs()) {
      this.nowMs = Math.max(this.nowMs, next);
      this.machine.tick(this.nowMs);
      this.run();
      if (this.outputs.some(({ is }) => is === 'inactive')) break;
    }
    this.nowMs = untilMs;
  }

  run(): void {
    for (let work = this.machine.ready(this.nowMs); work !== undefined; work = this.machine.ready(this.nowMs)) {
      this.machine.delivered(work, this.#deliver(work), this.nowMs);
    }
    this.outputs.push(...this.machine.takeOutputs());
  }

  #deliver(work: DeliverWork): DeliverResult {
    const seqs: number[] = [];
    const end = (stopped: DeliverResult['stopped'], nextSeq: number): DeliverResult => {
      return { messages: seqs.length, bytes: seqs.length * messageBytes, nextSeq, seqs, picked: seqs.length, stopped };
    };
    if (this.deaf.has(work.deliverSubject)) return end('interest', work.fromSeq);
    const to = work.toSeq === 0 ? this.lastSeq : Math.min(work.toSeq, this.lastSeq);
    for (const seq of this.#selected(work.fromSeq)) {
      if (seq > to || work.picks?.includes(seq) === false) continue;
      if (seqs.length === work.maxMessages) return end('messages', seq);
      if ((seqs.length + 1) * messageBytes > work.maxBytes) return end('bytes', seq);
      this.deliveries.push({
        to: work.deliverSubject,
        seq,
        consumerSeq: work.firstConsumerSeq + seqs.length,
        deliveries: work.deliveries,
      });
      seqs.push(seq);
    }
    return end('end', to + 1);
  }

  /** Sequences delivered so far. */
  get seqs(): number[] {
    return this.deliveries.map(({ seq }) => seq);
  }

  last(): Delivery {
    const delivery = this.deliveries.at(-1);
    if (delivery === undefined) throw new Error('nothing was delivered');
    return delivery;
  }

  /** Status lines sent, with their headers. */
  get statuses(): string[] {
    return this.outputs.flatMap((output) => {
      if (output.is !== 'status') return [];
      return [`${output.to}: ${output.status}${output.headers.map(([name, value]) => ` ${name}=${value}`).join('')}`];
    });
  }

  advisories(): unknown[] {
    return this.outputs.flatMap((output) => (output.is === 'advisory' ? [[output.id, output.fields]] : []));
  }
}
