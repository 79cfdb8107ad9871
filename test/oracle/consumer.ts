/**
 * A pull consumer in the plainest terms, the twin of ts/core/consumer: every question is answered by walking over all messages. It knows one
 * client that asks for messages without end of time; who of several gets a message is not its business.
 */
export interface PlainSettings {
  readonly ackPolicy: 'none' | 'all' | 'explicit';
  readonly ackWaitMs: number;
  readonly backoffMs: readonly number[];
  /** 0: without end. */
  readonly maxDeliver: number;
  /** 0: without end. */
  readonly maxAckPending: number;
  readonly filters: readonly string[];
  readonly pausedUntilMs: number;
}

export interface PlainDelivery {
  readonly seq: number;
  readonly consumerSeq: number;
  readonly deliveries: number;
}

interface Pending {
  readonly consumerSeq: number;
  sentAtMs: number;
}

export class PlainConsumer {
  settings: PlainSettings;
  nowMs: number;
  readonly deliveries: PlainDelivery[] = [];
  /** Sequences given up after `maxDeliver` deliveries. */
  readonly givenUp: number[] = [];
  readonly #messages = new Map<number, string>();
  readonly #pending = new Map<number, Pending>();
  readonly #again = new Map<number, number>();
  #queue: number[] = [];
  #next = 1;
  #last = 0;
  #wanted = 0;
  delivered = { consumer: 0, stream: 0 };
  floor = { consumer: 0, stream: 0 };

  constructor(settings: PlainSettings, nowMs: number) {
    this.settings = settings;
    this.nowMs = nowMs;
  }

  get ackPending(): number {
    return this.#pending.size;
  }

  get redelivered(): number {
    return this.settings.maxDeliver === 1 ? 0 : this.#again.size;
  }

  get unseen(): number {
    return [...this.#messages.keys()].filter((seq) => seq >= this.#next && this.#selects(seq)).length;
  }

  #selects(seq: number): boolean {
    const { filters } = this.settings;
    return filters.length === 0 || filters.includes(this.#messages.get(seq) ?? '');
  }

  #selectedFrom(from: number): number | undefined {
    return [...this.#messages.keys()].find((seq) => seq >= from && this.#selects(seq));
  }

  #wait(seq: number): number {
    const { backoffMs, ackWaitMs } = this.settings;
    return backoffMs[Math.min(this.#again.get(seq) ?? 0, backoffMs.length - 1)] ?? ackWaitMs;
  }

  publish(seq: number, subject: string): void {
    this.#messages.set(seq, subject);
    this.#last = seq;
    this.#run();
  }

  pull(count: number): void {
    this.#wanted += count;
    this.#run();
  }

  #run(): void {
    for (;;) {
      if (this.#wanted === 0 || this.nowMs < this.settings.pausedUntilMs) return;
      const again = this.#nextAgain();
      if (again !== undefined) {
        if (this.#messages.has(again) && this.#selects(again)) this.#deliver(again);
        else this.#over(again);
        continue;
      }
      const { maxAckPending } = this.settings;
      if (maxAckPending > 0 && this.#pending.size >= maxAckPending) return;
      const fresh = this.#selectedFrom(this.#next);
      if (fresh === undefined) {
        this.#next = Math.max(this.#next, this.#last + 1);
        return;
      }
      this.#next = this.#selectedFrom(fresh + 1) ?? this.#last + 1;
      this.#deliver(fresh);
    }
  }

  #nextAgain(): number | undefined {
    const { maxDeliver } = this.settings;
    for (let seq = this.#queue[0]; seq !== undefined; seq = this.#queue[0]) {
      const deliveries = (this.#again.get(seq) ?? 0) + 1;
      if (maxDeliver === 0 || deliveries < maxDeliver) return seq;
      this.#giveUp(seq, deliveries);
    }
    return undefined;
  }

  #giveUp(seq: number, deliveries: number): void {
    this.givenUp.push(seq);
    this.#pending.delete(seq);
    this.#queue = this.#queue.filter((other) => other !== seq);
    this.#again.set(seq, deliveries);
  }

  #deliver(seq: number): void {
    this.#wanted -= 1;
    const consumerSeq = this.delivered.consumer + 1;
    const pending = this.#pending.get(seq);
    const isAgain = this.#queue.includes(seq);
    if (isAgain) {
      this.#again.set(seq, (this.#again.get(seq) ?? 0) + 1);
      this.#queue = this.#queue.filter((other) => other !== seq);
      if (pending !== undefined) pending.sentAtMs = this.nowMs;
    } else if (this.settings.ackPolicy !== 'none') this.#pending.set(seq, { consumerSeq, sentAtMs: this.nowMs });
    this.delivered = { consumer: consumerSeq, stream: Math.max(this.delivered.stream, seq) };
    if (this.settings.ackPolicy === 'none') this.floor = { ...this.delivered };
    this.deliveries.push({ seq, consumerSeq, deliveries: (this.#again.get(seq) ?? 0) + 1 });
  }

  /** Nothing is waited for any more of a message; the floor follows. */
  #over(seq: number): void {
    const pending = this.#pending.get(seq);
    this.#pending.delete(seq);
    this.#again.delete(seq);
    this.#queue = this.#queue.filter((other) => other !== seq);
    if (pending === undefined) return;
    if (this.#pending.size === 0) this.floor = { ...this.delivered };
    else if (pending.consumerSeq === this.floor.consumer + 1) this.#raise(seq, pending.consumerSeq);
  }

  /** Everything before the lowest pending message is done. */
  #raise(seq: number, consumerSeq: number): void {
    const lowest = Math.min(...this.#pending.keys());
    const first = this.#pending.get(lowest)?.consumerSeq ?? 0;
    const to = lowest > seq ? { consumer: first - 1, stream: lowest - 1 } : { consumer: consumerSeq, stream: lowest - 1 };
    this.floor = { consumer: Math.max(this.floor.consumer, to.consumer), stream: Math.max(this.floor.stream, to.stream) };
  }

  ack({ seq, consumerSeq }: PlainDelivery): void {
    const { ackPolicy } = this.settings;
    if (ackPolicy === 'explicit') this.#over(seq);
    if (ackPolicy === 'all' && consumerSeq > this.floor.consumer && seq > this.floor.stream) {
      for (const low of [...this.#pending.keys()]) {
        if (low > seq) continue;
        this.#pending.delete(low);
        this.#again.delete(low);
        this.#queue = this.#queue.filter((other) => other !== low);
      }
      this.floor = { consumer: consumerSeq, stream: seq };
    }
    this.#run();
  }

  nak({ seq, consumerSeq }: PlainDelivery, delayMs: number | undefined): void {
    const pending = this.#pending.get(seq);
    if (pending === undefined || consumerSeq <= this.floor.consumer) return;
    if (delayMs === undefined) {
      if (!this.#queue.includes(seq)) this.#queue.push(seq);
    } else {
      this.#queue = this.#queue.filter((other) => other !== seq);
      pending.sentAtMs = this.nowMs - this.#wait(seq) + delayMs;
    }
    this.#run();
  }

  progress({ seq }: PlainDelivery): void {
    const pending = this.#pending.get(seq);
    if (pending !== undefined) pending.sentAtMs = this.nowMs;
  }

  remove(seq: number): void {
    this.#messages.delete(seq);
    if (this.#pending.has(seq)) this.#over(seq);
    this.#run();
  }

  configure(settings: PlainSettings): void {
    this.settings = settings;
    this.#run();
  }

  /** What is kept on disk: times in whole seconds, and who waits and what is queued not at all. */
  restart(): void {
    for (const pending of this.#pending.values()) pending.sentAtMs = Math.floor(pending.sentAtMs / 1000) * 1000;
    this.#queue = [];
    this.#wanted = 0;
    this.#next = this.delivered.stream + 1;
  }

  /** Time goes on from one thing that is due to the next. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const dues = [...this.#pending]
        .filter(([seq]) => !this.#queue.includes(seq))
        .map(([seq, { sentAtMs }]) => sentAtMs + this.#wait(seq));
      if (this.settings.pausedUntilMs > this.nowMs) dues.push(this.settings.pausedUntilMs);
      const dueMs = Math.max(this.nowMs, Math.min(...dues));
      if (dueMs > untilMs || dues.length === 0) break;
      this.nowMs = dueMs;
      this.#expire();
      this.#run();
    }
    this.nowMs = untilMs;
  }

  #expire(): void {
    const late = [...this.#pending].filter(
      ([seq, { sentAtMs }]) => !this.#queue.includes(seq) && sentAtMs + this.#wait(seq) <= this.nowMs,
    );
    for (const [seq] of late.sort(([a], [b]) => a - b)) {
      const deliveries = (this.#again.get(seq) ?? 0) + 1;
      if (this.settings.maxDeliver > 0 && deliveries >= this.settings.maxDeliver) this.#giveUp(seq, deliveries);
      else this.#queue.push(seq);
    }
  }
}
