// The consumer's account of what it delivered: what is pending, what is acknowledged, what has to be delivered again and when.
// Kept true: the ack floor and the delivered sequences never go back; a message leaves the pending ones only when it is acknowledged,
// terminated, gone from the stream, or delivered `maxDeliver` times.

import type { AckVerb } from './ack.ts';
import { encodeConsumerState, type ConsumerState, type SequencePair } from './o-dat.ts';
import type { Outputs } from './outputs.ts';
import { PendingMessages } from './pending.ts';
import type { ConsumerSettings } from './settings.ts';

/** Shared by those that have none, as most consumers are idle. */
const nonePending = new PendingMessages();
/** Late ones are looked for among so many pending messages at a time: two or three milliseconds where all of them are late. */
const checkedAtOnce = 5_000;
const removedReason = 'Unacknowledged message was deleted';

export class DeliveryLedger {
  #pending = nonePending;
  readonly #outputs: Outputs;
  #settings: ConsumerSettings;
  #delivered: SequencePair;
  #ackFloor: SequencePair;
  #ackedAtMs = 0;
  #checkAtMs = Infinity;
  /** Late acknowledgements are being looked for, from this sequence on. */
  #checkingFrom: number | undefined;
  #sampled = 0;
  #revision = 0;

  /** `startSeq`: where the consumer begins in its stream. */
  constructor(settings: ConsumerSettings, startSeq: number, outputs: Outputs) {
    this.#settings = settings;
    this.#outputs = outputs;
    this.#delivered = this.#ackFloor = { consumer: 0, stream: Math.max(0, startSeq - 1) };
  }

  get delivered(): SequencePair {
    return this.#delivered;
  }

  get ackFloor(): SequencePair {
    return this.#ackFloor;
  }

  get ackedAtMs(): number {
    return this.#ackedAtMs;
  }

  /** When late acknowledgements are to be looked for next. */
  get checkAtMs(): number {
    return this.isChecking ? 0 : this.#checkAtMs;
  }

  /** Not all of what is late is queued yet: nothing new may go out before it. */
  get isChecking(): boolean {
    return this.#checkingFrom !== undefined;
  }

  /** Counts changes of what `encodeState` holds. */
  get revision(): number {
    return this.#revision;
  }

  get pending(): number {
    return this.#pending.messages.size;
  }

  isPending(seq: number): boolean {
    return this.#pending.messages.has(seq);
  }

  /** Whether a delivered message is still needed: pending, or given up without an acknowledgement. */
  keeps(seq: number): boolean {
    return this.isPending(seq) || this.#pending.redeliveryCount(seq) > 0;
  }

  get redelivered(): number {
    return this.#settings.maxDeliver === 1 ? 0 : this.#pending.redelivered;
  }

  /** Messages waiting to be delivered again. */
  get queued(): number {
    return this.#pending.queued;
  }

  configure(settings: ConsumerSettings): void {
    this.#settings = settings;
    if (this.pending > 0) this.#checkAtMs = 0;
  }

  /** Begins anew: nothing was delivered, `nextSeq` comes next. */
  reset(nextSeq: number): void {
    this.#pending = nonePending;
    this.#checkAtMs = Infinity;
    this.#checkingFrom = undefined;
    this.#ackedAtMs = 0;
    this.#delivered = this.#ackFloor = { consumer: 0, stream: nextSeq - 1 };
    this.#revision += 1;
  }

  /** Goes on from what an earlier run left, in a stream that begins at `firstSeq`: what is pending before that is over. */
  restore({ delivered, ackFloor, pending, redelivered }: ConsumerState, firstSeq: number): void {
    this.#delivered = { ...delivered };
    this.#ackFloor = { ...ackFloor };
    if (pending.length > 0 || redelivered.length > 0) this.#pending = new PendingMessages();
    for (const { stream, consumer, seconds } of [...pending].sort((a, b) => a.stream - b.stream)) {
      this.#pending.messages.add(stream, consumer, seconds * 1000);
    }
    for (const { stream, count } of redelivered) this.#pending.setRedeliveries(stream, count);
    this.#forgetBefore(Math.max(firstSeq, ackFloor.stream + 1));
    if (this.pending > 0) this.#checkAtMs = 0;
  }

  /** The floor follows each of them, also where it has passed their delivery; without any left it is what was delivered. */
  #forgetBefore(firstSeq: number): void {
    const { messages } = this.#pending;
    if (messages.size === 0) return;
    for (let low = messages.lowest(); low !== undefined && low < firstSeq; low = messages.lowest()) {
      const consumerSeq = this.#pending.remove(low) ?? 0;
      const { consumer, stream } = this.#ackFloor;
      this.#ackFloor = { consumer: Math.max(consumer, consumerSeq), stream: Math.max(stream, low) };
      this.#revision += 1;
    }
    if (messages.size === 0) this.#ackFloor = this.#delivered;
  }

  /** What o.dat is to hold. */
  encodeState(nowMs: number): Uint8Array {
    const { messages: pending, redeliveries: redelivered } = this.#pending;
    const state = { ackFloor: this.#ackFloor, delivered: this.#delivered, pending, redelivered };
    return encodeConsumerState(state, Math.floor(nowMs / 1000));
  }

  // Deliveries

  /** Messages went out for the first time, the first of them as `consumerSeq`. */
  sent(seqs: ArrayLike<number>, messages: number, nowMs: number): void {
    const { ackPolicy, tellsSettled } = this.#settings;
    const first = this.#delivered.consumer + 1;
    if (ackPolicy !== 'none' && this.#pending === nonePending) this.#pending = new PendingMessages();
    for (let index = 0; index < seqs.length; index++) {
      const seq = seqs[index] ?? 0;
      if (ackPolicy !== 'none') this.#pending.messages.add(seq, first + index, nowMs);
      else if (tellsSettled) this.#outputs.say({ is: 'settled', fromSeq: seq, toSeq: seq });
    }
    this.#went(messages, seqs[seqs.length - 1] ?? 0);
    this.#checkIn(1, nowMs);
  }

  /** A pending message went out again. */
  sentAgain(seq: number, nowMs: number): void {
    const count = this.#pending.countRedelivery(seq);
    this.#pending.unqueue(seq);
    this.#pending.messages.touch(seq, nowMs);
    this.#went(1, seq);
    this.#checkIn(count + 1, nowMs);
  }

  #went(messages: number, lastSeq: number): void {
    const consumer = this.#delivered.consumer + messages;
    this.#delivered = { consumer, stream: Math.max(this.#delivered.stream, lastSeq) };
    if (this.#settings.ackPolicy === 'none') this.#ackFloor = this.#delivered;
    this.#revision += 1;
  }

  #checkIn(deliveries: number, nowMs: number): void {
    const { ackPolicy, ackWaitMs } = this.#settings;
    if (ackPolicy !== 'none' && ackWaitMs > 0) this.#checkAtMs = Math.min(this.#checkAtMs, nowMs + this.#waitAfter(deliveries));
  }

  /** How long after its n-th delivery a message is delivered again. */
  #waitAfter(deliveries: number): number {
    const { backoffMs, ackWaitMs } = this.#settings;
    return backoffMs[Math.min(deliveries, backoffMs.length) - 1] ?? ackWaitMs;
  }

  /** Deliveries so far of a message to be delivered again. */
  deliveries(seq: number): number {
    return this.#pending.redeliveryCount(seq) + 1;
  }

  /** The next message to deliver again; those delivered often enough are given up on the way. */
  nextAgain(): number | undefined {
    const { maxDeliver } = this.#settings;
    for (let seq = this.#pending.peekQueued(); seq !== undefined; seq = this.#pending.peekQueued()) {
      const deliveries = this.deliveries(seq);
      if (maxDeliver === 0 || deliveries < maxDeliver) return seq;
      this.#giveUp(seq, deliveries);
    }
    return undefined;
  }

  /** Delivered often enough: it stays counted as redelivered and in the stream, and the floor waits for the next acknowledgement. */
  #giveUp(seq: number, deliveries: number): void {
    this.#outputs.say({ is: 'advisory', id: 'maxDeliveries', fields: { stream_seq: seq, deliveries } });
    this.#pending.remove(seq);
    this.#pending.setRedeliveries(seq, deliveries);
    this.#revision += 1;
  }

  /** Queues messages to be delivered again, in order of sequence, but for those delivered often enough. */
  #expire(seqs: number[]): void {
    const { maxDeliver } = this.#settings;
    for (const seq of seqs.sort((a, b) => a - b)) {
      const deliveries = this.deliveries(seq);
      if (maxDeliver > 0 && deliveries >= maxDeliver) this.#giveUp(seq, deliveries);
      else this.#pending.enqueue(seq);
    }
  }

  /** Everything pending is to be delivered again: to whom it went is gone. */
  expireAll(): void {
    this.#expire(this.#pending.messages.between(0, Infinity));
  }

  /** Queues what was not acknowledged in time, of some of the pending messages; the others follow with the next call (`isChecking`). */
  check(nowMs: number): void {
    const from = this.#checkingFrom ?? 0;
    if (!this.isChecking) this.#checkAtMs = Infinity;
    this.#checkingFrom = undefined;
    if (this.#settings.ackWaitMs === 0) return;
    const late: number[] = [];
    this.#checkingFrom = this.#pending.messages.some(from, checkedAtOnce, (seq, sentAtMs) => {
      if (this.#pending.isQueued(seq)) return;
      const dueMs = sentAtMs + this.#waitAfter(this.deliveries(seq));
      if (dueMs <= nowMs) late.push(seq);
      else this.#checkAtMs = Math.min(this.#checkAtMs, dueMs);
    });
    this.#expire(late);
  }

  /** When the last of the pending messages is due to be delivered again; 0: none is pending. */
  lastDueMs(): number {
    let lastMs = 0;
    this.#pending.messages.each((seq, _consumerSeq, sentAtMs) => {
      lastMs = Math.max(lastMs, sentAtMs + this.#waitAfter(this.deliveries(seq)));
    });
    return lastMs;
  }

  // Acknowledgements

  /** Everything up to a message was received, says the answer to a flow control request. */
  received(streamSeq: number, consumerSeq: number, nowMs: number): void {
    this.#acknowledgeUpTo(streamSeq, consumerSeq, nowMs);
  }

  /** False: nothing to confirm. `sentUpTo`: the last stream sequence that can have been delivered. */
  apply(verb: AckVerb, streamSeq: number, consumerSeq: number, deliveries: number, sentUpTo: number, nowMs: number): boolean {
    switch (verb.is) {
      case 'ack':
      case 'next':
        return this.#acknowledge(streamSeq, consumerSeq, sentUpTo, nowMs, deliveries);
      case 'unknown':
        return true;
      case 'nak':
        this.#nak(streamSeq, consumerSeq, deliveries, verb.delayMs, nowMs);
        return true;
      case 'progress': {
        this.#pending.messages.touch(streamSeq, nowMs);
        return true;
      }
      case 'terminate': {
        const done = this.#acknowledge(streamSeq, consumerSeq, sentUpTo, nowMs);
        this.#terminated(streamSeq, consumerSeq, deliveries, verb.reason);
        return done;
      }
    }
  }

  /** With `deliveries` it may be sampled. */
  #acknowledge(streamSeq: number, consumerSeq: number, sentUpTo: number, nowMs: number, deliveries?: number): boolean {
    const { ackPolicy } = this.#settings;
    if (ackPolicy === 'none' || streamSeq > sentUpTo) return false;
    if (ackPolicy !== 'explicit') return this.#acknowledgeUpTo(streamSeq, consumerSeq, nowMs);
    this.#ackedAtMs = nowMs;
    if (!this.isPending(streamSeq)) this.#acknowledgeLate(streamSeq);
    else if (deliveries !== undefined && this.#settings.samplePercent > 0)
      this.#sample(streamSeq, consumerSeq, deliveries, nowMs - this.#pending.messages.sentAtMs(streamSeq));
    this.#settle(streamSeq);
    return true;
  }

  /** A message that was given up is acknowledged after all. */
  #acknowledgeLate(streamSeq: number): void {
    if (this.#pending.redeliveryCount(streamSeq) === 0) return;
    this.#pending.remove(streamSeq);
    if (this.#settings.tellsSettled) this.#outputs.say({ is: 'settled', fromSeq: streamSeq, toSeq: streamSeq });
    this.#revision += 1;
  }

  /** Reports an acknowledgement when its turn among a hundred has come. */
  #sample(streamSeq: number, consumerSeq: number, deliveries: number, tookMs: number): void {
    this.#sampled += this.#settings.samplePercent;
    if (this.#sampled < 100) return;
    this.#sampled -= 100;
    const fields = { consumer_seq: consumerSeq, stream_seq: streamSeq, ack_time: BigInt(Math.round(tookMs * 1e6)), deliveries };
    this.#outputs.say({ is: 'advisory', id: 'consumerAck', fields });
  }

  #acknowledgeUpTo(streamSeq: number, consumerSeq: number, nowMs: number): boolean {
    if (consumerSeq <= this.#ackFloor.consumer || streamSeq <= this.#ackFloor.stream) return true;
    this.#ackedAtMs = nowMs;
    const { messages } = this.#pending;
    const from = messages.lowest() ?? streamSeq;
    for (let low = messages.lowest(); low !== undefined && low <= streamSeq; low = messages.lowest()) this.#pending.remove(low);
    this.#ackFloor = { consumer: consumerSeq, stream: streamSeq };
    if (this.#settings.tellsSettled) this.#outputs.say({ is: 'settled', fromSeq: Math.min(from, streamSeq), toSeq: streamSeq });
    this.#revision += 1;
    return true;
  }

  /** Done with a message: it is no longer pending and the floor follows. */
  #settle(streamSeq: number): void {
    const consumerSeq = this.#pending.remove(streamSeq);
    if (consumerSeq === undefined) return;
    if (this.#settings.tellsSettled) this.#outputs.say({ is: 'settled', fromSeq: streamSeq, toSeq: streamSeq });
    this.#moveFloor(consumerSeq, streamSeq);
    this.#revision += 1;
  }

  #moveFloor(consumerSeq: number, streamSeq: number): void {
    const lowest = this.#pending.messages.lowest();
    if (lowest === undefined) this.#ackFloor = this.#delivered;
    else if (consumerSeq === this.#ackFloor.consumer + 1) {
      const first = this.#pending.messages.consumerSeq(lowest) ?? 0;
      const consumer = lowest > streamSeq && first > 0 ? first - 1 : consumerSeq;
      const stream = lowest > streamSeq ? lowest - 1 : Math.min(streamSeq, lowest - 1);
      this.#ackFloor = { consumer: Math.max(this.#ackFloor.consumer, consumer), stream: Math.max(this.#ackFloor.stream, stream) };
    }
  }

  /** A message to be delivered again is no longer in the stream. */
  gone(streamSeq: number): void {
    this.#settle(streamSeq);
    this.#pending.unqueue(streamSeq);
    this.#revision += 1;
  }

  /** Messages of a range went: those that were pending are over, which is told. */
  removed(fromSeq: number, toSeq: number, isStored: (seq: number) => boolean, nowMs: number): void {
    for (const seq of this.#pending.messages.between(fromSeq, toSeq)) {
      const consumerSeq = this.#pending.messages.consumerSeq(seq);
      if (isStored(seq)) continue;
      const deliveries = this.deliveries(seq);
      this.#ackedAtMs = nowMs;
      this.#settle(seq);
      if (consumerSeq !== undefined) this.#terminated(seq, consumerSeq, deliveries, removedReason);
    }
  }

  /** The stream was purged: below `firstSeq` nothing is left for this consumer. What went is forgotten without a word, and the floor follows. */
  purged(firstSeq: number, isStored: (seq: number) => boolean, nowMs: number): void {
    let { consumer, stream } = this.#ackFloor;
    for (const seq of this.#pending.messages.between(0, Infinity)) {
      if (seq >= firstSeq && isStored(seq)) continue;
      this.#ackedAtMs = nowMs;
      consumer = Math.max(consumer, this.#pending.remove(seq) ?? 0);
    }
    stream = Math.max(stream, firstSeq - 1);
    if (this.#delivered.stream < firstSeq - 1) this.#delivered = { ...this.#delivered, stream: firstSeq - 1 };
    this.#ackFloor = this.pending === 0 ? this.#delivered : { consumer, stream };
    this.#revision += 1;
  }

  /** The stream begins at `firstSeq` now. */
  begin(firstSeq: number): void {
    const { messages } = this.#pending;
    for (let low = messages.lowest(); low !== undefined && low < firstSeq; low = messages.lowest()) this.#settle(low);
  }

  #nak(streamSeq: number, consumerSeq: number, deliveries: number, delayMs: number | undefined, nowMs: number): void {
    if (!this.isPending(streamSeq) || consumerSeq <= this.#ackFloor.consumer || consumerSeq > this.#delivered.consumer) return;
    this.#outputs.say({
      is: 'advisory',
      id: 'messageNaked',
      fields: { consumer_seq: consumerSeq, stream_seq: streamSeq, deliveries },
    });
    if (delayMs === undefined) return this.#pending.enqueue(streamSeq);
    this.#pending.unqueue(streamSeq);
    this.#pending.messages.touch(streamSeq, nowMs - this.#waitAfter(this.deliveries(streamSeq)) + delayMs);
    this.#checkAtMs = Math.min(this.#checkAtMs, nowMs + delayMs);
  }

  #terminated(streamSeq: number, consumerSeq: number, deliveries: number, reason: string): void {
    const fields = { consumer_seq: consumerSeq, stream_seq: streamSeq, deliveries, ...(reason === '' ? {} : { reason }) };
    this.#outputs.say({ is: 'advisory', id: 'messageTerminated', fields });
  }
}
