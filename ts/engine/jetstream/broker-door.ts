// The broker's door as JetStream uses it: host subscriptions, acknowledgements read by the kernel, publishes of the server, turns.

import type { AckMessage } from '../../kernel/events.ts';
import { subscriptionKind } from '../../kernel/constants.ts';
import type { Document } from '../../core/jetstream/schema.ts';
import type { Broker } from '../broker/broker.ts';
import { clientInfo } from '../broker/request-info.ts';
import type { MessageHandler } from '../broker/host-subscriptions.ts';
import type {
  ConsumerReceiver,
  ConsumerSubjects,
  Door,
  InboundMessage,
  PublishOutcome,
  ServerSubscription,
  Subjects,
} from './ports.ts';

/** What a consumer listens on. There may be very many, so it is two fields: its tag, and the kernel's handles. */
class ConsumerSubscription implements ServerSubscription {
  readonly #door: BrokerDoor;
  readonly #tag: number;
  readonly #handles: readonly number[];

  constructor(door: BrokerDoor, tag: number, handles: readonly number[]) {
    this.#door = door;
    this.#tag = tag;
    this.#handles = handles;
  }

  cancel(): void {
    this.#door.dropConsumer(this.#tag, this.#handles);
  }
}

export class BrokerDoor implements Door {
  readonly #broker: Broker;
  /** By the tag of their subscriptions. */
  readonly #consumers = new Map<number, ConsumerReceiver>();
  /** One function for all of them. */
  readonly #pulled: MessageHandler = (message) => this.#consumers.get(message.tag)?.pull(message);

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  subscribe(account: number, subject: string, call: (message: InboundMessage) => void): ServerSubscription {
    return this.#broker.host.subscribe(account, subject, '', call);
  }

  hear(account: number, { allow, deny }: Subjects): ServerSubscription {
    const { kernel } = this.#broker;
    const set = kernel.openSet(allow, deny);
    kernel.exports.setHeard(account, set);
    return {
      cancel: () => {
        kernel.exports.setHeard(account, 0);
        kernel.exports.closeSet(set);
      },
    };
  }

  subscribeDirect(
    account: number,
    subjects: readonly string[],
    stream: number,
    call: (message: InboundMessage) => void,
  ): ServerSubscription {
    return this.#broker.host.subscribeDirect(account, subjects, stream, call);
  }

  subscribeConsumer(account: number, { requests, acks, flow }: ConsumerSubjects, receiver: ConsumerReceiver): ServerSubscription {
    const { host, kernel } = this.#broker;
    const tag = host.open(flow === '' ? this.#pulled : (message) => this.#toFlowing(message, receiver));
    this.#consumers.set(tag, receiver);
    const handles = requests.map((subject) => host.add(account, subject, tag));
    if (acks !== '') handles.push(kernel.subscribeServer(account, acks, '', subscriptionKind.ack, tag));
    if (flow !== '') handles.push(host.add(account, flow, tag));
    return new ConsumerSubscription(this, tag, handles);
  }

  /** A message for a consumer with flow control: `$JS.FC.…` is an answer, everything else a request. */
  #toFlowing(message: InboundMessage, receiver: ConsumerReceiver): void {
    if (message.subject.startsWith('$JS.FC.')) receiver.flow(message);
    else receiver.pull(message);
  }

  isTraced(account: number, published: string): boolean {
    const { accounts, traces } = this.#broker;
    return traces.following && traces.follows(accounts.byHandle(account)?.name ?? '', published);
  }

  traced(account: number, published: string, outcome: PublishOutcome): void {
    const { accounts, traces } = this.#broker;
    traces.stored(accounts.byHandle(account)?.name ?? '', published, outcome);
  }

  dropConsumer(tag: number, handles: readonly number[]): void {
    if (!this.#consumers.delete(tag)) return;
    this.#broker.host.close(tag);
    for (const handle of handles) this.#broker.kernel.unsubscribeServer(handle);
  }

  /** An acknowledgement out of the event ring. */
  ack(message: AckMessage): void {
    this.#consumers.get(message.target)?.acknowledge(message);
  }

  publish(
    account: number,
    subject: string,
    reply: string,
    headers: Uint8Array | undefined,
    payload: Uint8Array | string,
  ): number {
    return this.#broker.turn(() => this.#broker.kernel.publish(account, subject, reply, headers, payload));
  }

  hasInterest(account: number, subject: string): boolean {
    return this.#broker.kernel.hasInterest(account, subject);
  }

  hasLiteralInterest(account: number, subject: string): boolean {
    return this.#broker.kernel.hasLiteralInterest(account, subject);
  }

  hasReceiver(account: number, subject: string, queue: string): boolean {
    return this.#broker.kernel.hasReceiver(account, subject, queue);
  }

  clientInfo(connection: number, serverName: string): Document | undefined {
    const client = this.#broker.at(connection);
    return connection === 0 || client === undefined ? undefined : clientInfo(client, serverName);
  }

  watch(account: number, subject: string, call: () => void): ServerSubscription {
    return this.#broker.watches.watch(account, subject, call);
  }

  soon(call: () => void): void {
    this.#broker.soon(call);
  }
}
