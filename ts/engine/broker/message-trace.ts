// The way of messages that carry `Nats-Trace-Dest`: who received them, under which subject, and which streams took them. Such messages are
// rare, so they go through here one by one: what the subscriptions of the account have received before is compared with what they have behind.
// With `Nats-Trace-Only` nothing is delivered, and who would have received is told.
// Kept true: a message that is only to be traced is never delivered, also where it cannot be traced.

import { parseHeaders } from '../../core/jetstream/headers.ts';
import { mayPublish } from '../../core/auth/judge.ts';
import { isSubsetMatch, isValidLiteral } from '../../core/subject/subject.ts';
import { subscriptionKind } from '../../kernel/constants.ts';
import type { ListedSubscription } from '../../kernel/kernel.ts';
import type { Broker } from './broker.ts';
import type { MessageTrace, TracedStorage } from '../snapshot.ts';
import type { ClientConnection } from './client.ts';

export interface TracedPublish {
  readonly connection: ClientConnection;
  readonly subject: string;
  readonly mapped: string;
  readonly headers: Uint8Array;
  readonly sizeBytes: number;
}

const yes: ReadonlySet<string> = new Set(['1', 'true', 'on']);

export class MessageTraces {
  readonly #broker: Broker;
  /** Under way in this turn, with the subject they were routed by. */
  readonly #open: { readonly trace: MessageTrace; readonly routed: string }[] = [];
  /** Who makes the document; nothing is traced before. */
  report: ((trace: MessageTrace) => void) | undefined;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Delivers the message by `deliver`, unless its trace alone was asked for, and reports its way. */
  follow(publish: TracedPublish, deliver: () => void): void {
    const headers = parseHeaders(publish.headers);
    const destination = headers.get('Nats-Trace-Dest') ?? '';
    const { report } = this;
    if (destination === '') return deliver();
    const trace = this.#begin(publish, headers, destination);
    if (report === undefined || !isValidLiteral(destination)) return trace.only ? undefined : deliver();
    const { session, permissions } = publish.connection;
    for (const subject of trace.only ? [publish.mapped, destination] : [destination])
      if (!mayPublish(permissions, subject)) return session.onError('publishDenied', subject);
    const before = this.#receivers(publish);
    if (trace.only) this.#suppose(trace, before);
    else {
      this.#open.push({ trace, routed: publish.mapped });
      deliver();
      this.#compare(trace, before, this.#receivers(publish));
    }
    this.#broker.soon(() => {
      const at = this.#open.findIndex((one) => one.trace === trace);
      if (at >= 0) this.#open.splice(at, 1);
      report(trace);
    });
  }

  /** A stream has decided about a message; called in the turn in which it was published. */
  stored(account: string, subject: string, storage: Omit<TracedStorage, 'at'>): void {
    const found = this.#open.find(({ trace, routed }) => trace.account === account && routed === subject);
    found?.trace.storages.push({ at: this.#broker.clock.wallInstant(), ...storage });
  }

  #begin(publish: TracedPublish, headers: ReadonlyMap<string, string>, destination: string): MessageTrace {
    const { connection, subject, mapped, sizeBytes } = publish;
    return {
      account: connection.account?.name ?? '',
      destination,
      headers,
      sizeBytes,
      at: this.#broker.clock.wallInstant(),
      cid: connection.cid,
      name: connection.session.facts.name,
      subject,
      ...(mapped === subject ? {} : { mappedTo: mapped }),
      only: yes.has((headers.get('Nats-Trace-Only') ?? '').toLowerCase()),
      deliveries: [],
      storages: [],
    };
  }

  /** Subscriptions of clients in the publisher's account that match. */
  #receivers({ connection, mapped }: TracedPublish): ListedSubscription[] {
    const { kernel } = this.#broker;
    if (connection.account === undefined) return [];
    const rows = kernel.subscriptionsIn(connection.account.handle);
    return rows.filter((row) => row.kind === subscriptionKind.client && isSubsetMatch(mapped, row.subject));
  }

  /** Everybody, and one of each queue group. */
  #suppose(trace: MessageTrace, rows: readonly ListedSubscription[]): void {
    const groups = new Set<string>();
    for (const row of rows) {
      const group = `${row.subject} ${row.queue}`;
      if (row.queue !== '' && groups.has(group)) continue;
      groups.add(group);
      this.#delivered(trace, row);
    }
  }

  #compare(trace: MessageTrace, before: readonly ListedSubscription[], after: readonly ListedSubscription[]): void {
    const counts = new Map(after.map(({ handle, delivered }) => [handle, delivered]));
    for (const row of before) {
      // One that is gone had reached its maximum with this message.
      if ((counts.get(row.handle) ?? row.delivered + 1) > row.delivered) this.#delivered(trace, row);
    }
  }

  #delivered(trace: MessageTrace, { connection, subject, queue }: ListedSubscription): void {
    const receiver = this.#broker.at(connection);
    if (receiver === undefined) return;
    const { cid, session } = receiver;
    trace.deliveries.push({ at: this.#broker.clock.wallInstant(), cid, name: session.facts.name, subject, queue });
  }
}
