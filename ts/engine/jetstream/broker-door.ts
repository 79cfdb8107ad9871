// The broker's door as JetStream uses it: host subscriptions, acknowledgements read by the kernel, publishes of the server, turns.

import type { AckMessage } from '../../kernel/events.ts';
import { subscriptionKind } from '../../kernel/constants.ts';
import type { Document } from '../../core/jetstream/schema.ts';
import type { Broker } from '../broker/broker.ts';
import { clientInfo } from '../broker/request-info.ts';
import { OwnSubscription } from '../broker/host-subscriptions.ts';
import type { Door, InboundAck, InboundMessage, ServerSubscription } from './ports.ts';

export class BrokerDoor implements Door {
  readonly #broker: Broker;
  readonly #acks = new Map<number, (ack: InboundAck) => void>();
  #lastTarget = 0;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  subscribe(account: number, subject: string, call: (message: InboundMessage) => void): ServerSubscription {
    return this.#broker.host.subscribe(account, subject, '', call);
  }

  subscribeDirect(account: number, subject: string, stream: number, call: (message: InboundMessage) => void): ServerSubscription {
    return this.#broker.host.subscribeDirect(account, subject, stream, call);
  }

  subscribeAcks(account: number, subject: string, call: (ack: InboundAck) => void): ServerSubscription {
    const target = ++this.#lastTarget;
    const handle = this.#broker.kernel.subscribeServer(account, subject, '', subscriptionKind.ack, target);
    this.#acks.set(target, call);
    return new OwnSubscription(this.#broker.kernel, this.#acks, target, handle);
  }

  /** An acknowledgement out of the event ring. */
  ack(message: AckMessage): void {
    this.#acks.get(message.target)?.(message);
  }

  publish(account: number, subject: string, reply: string, headers: Uint8Array | undefined, payload: Uint8Array): number {
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

  onSubscribed(call: () => void): void {
    this.#broker.onSubscribed(call);
  }

  soon(call: () => void): void {
    this.#broker.soon(call);
  }
}
