// An in-memory broker of one account.

import { matchesLiteral, tokens } from '../../../../ts/core/subject/subject.ts';
import type {
  ConsumerReceiver,
  ConsumerSubjects,
  Door,
  InboundAck,
  InboundMessage,
  ServerSubscription,
  Subjects,
} from '../../../../ts/engine/jetstream/ports.ts';

const none = new Uint8Array(0);

export function matches(pattern: string, subject: string): boolean {
  return matchesLiteral(tokens(subject), tokens(pattern));
}

interface FakeSubscription {
  readonly subject: string;
  readonly call: (message: InboundMessage) => void;
}

/** A broker of one account: synchronous, every publish reaches every match. */
export class FakeBroker implements Door {
  readonly #subscriptions = new Set<FakeSubscription>();
  readonly #watches = new Set<{ readonly subject: string; readonly call: () => void }>();
  #heard: Subjects | undefined;
  #captures: (message: InboundMessage) => boolean = () => false;
  #depth = 0;
  readonly #soon: (() => void)[] = [];

  subscribe(_account: number, subject: string, call: (message: InboundMessage) => void): ServerSubscription {
    const subscription = { subject, call };
    this.#subscriptions.add(subscription);
    this.#changed(subject);
    return {
      cancel: () => {
        this.#subscriptions.delete(subscription);
        this.#changed(subject);
      },
    };
  }

  hear(_account: number, subjects: Subjects): ServerSubscription {
    this.#heard = subjects;
    return { cancel: () => (this.#heard = undefined) };
  }

  #hears(subject: string): boolean {
    const any = (patterns: readonly string[] = []): boolean => patterns.some((pattern) => matches(pattern, subject));
    return any(this.#heard?.allow) && !any(this.#heard?.deny);
  }

  subscribeDirect(
    account: number,
    subjects: readonly string[],
    _stream: number,
    call: (message: InboundMessage) => void,
  ): ServerSubscription {
    const subscriptions = subjects.map((subject) => this.subscribe(account, subject, call));
    return { cancel: () => subscriptions.forEach((subscription) => subscription.cancel()) };
  }

  subscribeConsumer(account: number, { requests, acks, flow }: ConsumerSubjects, receiver: ConsumerReceiver): ServerSubscription {
    const subscriptions = requests.map((subject) => this.subscribe(account, subject, (message) => receiver.pull(message)));
    if (acks !== '') subscriptions.push(this.#subscribeAcks(account, acks, (ack) => receiver.acknowledge(ack)));
    if (flow !== '') subscriptions.push(this.subscribe(account, flow, (message) => receiver.flow(message)));
    return { cancel: () => subscriptions.forEach((subscription) => subscription.cancel()) };
  }

  #subscribeAcks(account: number, subject: string, call: (ack: InboundAck) => void): ServerSubscription {
    return this.subscribe(account, subject, (message) => {
      const parts = message.subject.split('.').slice(4).map(Number);
      const [deliveries = 0, streamSeq = 0, consumerSeq = 0] = parts;
      call({
        kind: message.payload.length === 0 ? 0 : 1,
        deliveries,
        streamSeq,
        consumerSeq,
        reply: message.reply,
        payload: message.payload,
      });
    });
  }

  /** Takes publishes into streams. */
  capture(call: (message: InboundMessage) => boolean): void {
    this.#captures = call;
  }

  publish(
    _account: number,
    subject: string,
    reply: string,
    headers: Uint8Array | undefined,
    content: Uint8Array | string,
  ): number {
    const payload = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    let taken = this.#captures({ subject, reply, headers: headers ?? none, payload }) ? 1 : 0;
    this.#depth += 1;
    for (const subscription of [...this.#subscriptions]) {
      if (!matches(subscription.subject, subject)) continue;
      taken += 1;
      subscription.call({ subject, reply, headers: headers ?? none, payload });
    }
    this.#depth -= 1;
    if (this.#depth === 0) this.settle();
    return taken === 0 && this.#hears(subject) ? 1 : taken;
  }

  hasInterest(_account: number, subject: string): boolean {
    return [...this.#subscriptions].some((subscription) => matches(subscription.subject, subject));
  }

  hasLiteralInterest(_account: number, subject: string): boolean {
    return [...this.#subscriptions].some((subscription) => subscription.subject === subject);
  }

  clientInfo(): undefined {
    return undefined;
  }

  hasReceiver(account: number, subject: string): boolean {
    return this.hasLiteralInterest(account, subject);
  }

  watch(_account: number, subject: string, call: () => void): ServerSubscription {
    const watch = { subject, call };
    this.#watches.add(watch);
    return { cancel: () => void this.#watches.delete(watch) };
  }

  #changed(subject: string): void {
    for (const watch of this.#watches) if (watch.subject === subject) this.soon(watch.call);
  }

  isTraced(): boolean {
    return false;
  }

  traced(): void {}

  /** Work whose `soon` calls come behind it. */
  turn(work: () => void): void {
    this.#depth += 1;
    work();
    this.#depth -= 1;
    if (this.#depth === 0) this.settle();
  }

  soon(call: () => void): void {
    this.#soon.push(call);
    if (this.#depth === 0) this.settle();
  }

  settle(): void {
    this.#depth += 1;
    for (let call = this.#soon.shift(); call !== undefined; call = this.#soon.shift()) call();
    this.#depth -= 1;
  }
}
