// The way of messages that ask for it to be told (`Nats-Trace-Dest`, or `traceparent` in accounts that say where to): who received them, under
// which subject, which accounts they went to, and which streams took them. Such messages are rare, so they go through here one by one: what
// the subscriptions of the accounts on their way have received before is compared with what they have behind. With `Nats-Trace-Only` nothing
// is delivered, and who would have received is told.
// Kept true: a message that is only to be traced is never delivered, also where it cannot be traced.

import { addHeaders, withoutHeaders } from '../../core/jetstream/headers.ts';
import { mayPublish } from '../../core/auth/judge.ts';
import type { MessageTraceOptions } from '../../core/config/options-auth.ts';
import { TRACE_DESTINATION, TRACE_DISABLED, traceRequest, type TraceRequest } from '../../core/protocol/trace-headers.ts';
import { isSubsetMatch, isValidLiteral } from '../../core/subject/subject.ts';
import { flag } from '../../kernel/constants.ts';
import type { Random } from '../../ports/random.ts';
import type { MessageTrace, TracedStorage } from '../snapshot.ts';
import type { Broker } from './broker.ts';
import type { ClientConnection } from './client.ts';
import { TraceWay, type ReceiverStep, type WayStep } from './trace-way.ts';

export interface TracedPublish {
  readonly connection: ClientConnection;
  readonly subject: string;
  readonly mapped: string;
  readonly headers: Uint8Array;
  readonly sizeBytes: number;
}

/** Routes the message, with other headers where some are given. */
type Deliver = (headers?: Uint8Array) => void;
type Report = (trace: MessageTrace) => void;

/** What becomes of a receiver: undefined, it got nothing and nobody says why. */
type Outcome = (step: ReceiverStep) => { readonly error?: string } | undefined;

const NO_ECHO = 'Not delivered because of no echo';
const DENIED = 'Not delivered because subscription denies this subject';

export class MessageTraces {
  readonly #broker: Broker;
  readonly #accounts = new Map<string, MessageTraceOptions>();
  /** Under way in this turn. */
  readonly #open: MessageTrace[] = [];
  #random: Random | undefined;
  #report: Report | undefined;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  /** Nothing is traced before. */
  start(random: Random, report: Report): void {
    this.#random = random;
    this.#report = report;
  }

  /** Accounts whose messages are traced when a tracing system marks them; called again when they change. */
  setAccounts(wanted: ReadonlyMap<string, MessageTraceOptions>): void {
    const { accounts, imports } = this.#broker;
    for (const name of this.#accounts.keys())
      if (!wanted.has(name)) imports.kernel.traceAccount(accounts.get(name).handle, false);
    this.#accounts.clear();
    for (const [name, options] of wanted) {
      this.#accounts.set(name, options);
      imports.kernel.traceAccount(accounts.get(name).handle, true);
    }
  }

  /** Delivers the message by `deliver`, unless its trace alone was asked for, and reports its way. */
  follow(publish: TracedPublish, deliver: Deliver): void {
    const request = traceRequest(publish.headers);
    if (request === undefined) return deliver();
    const { connection } = publish;
    const unfollowed = (): void => deliver(disabled(publish.headers));
    if (request.outdated !== undefined) {
      const text = `Message tracing disabled because of header "Nats-Trace-Origin-Account" with value="${request.outdated}"`;
      this.#broker.log.error(`${connection.session.facts.label} - ${text}`);
      return request.only ? undefined : unfollowed();
    }
    const account = this.#accounts.get(connection.account?.name ?? '');
    const destination = request.destination ?? account?.dest;
    if (destination === undefined) return deliver();
    if (request.destination === undefined && !this.#isSampled(account?.sampling ?? 100)) return unfollowed();
    const report = this.#report;
    if (report === undefined || !isValidLiteral(destination)) return request.only ? undefined : deliver();
    for (const subject of request.only ? [publish.mapped, destination] : [destination])
      if (!mayPublish(connection.permissions, subject)) return connection.session.onError('publishDenied', subject);
    this.#trace(publish, request, destination, deliver, report);
  }

  #isSampled(percent: number): boolean {
    return percent <= 0 || percent >= 100 || (this.#random?.below(100) ?? 0) <= percent;
  }

  #trace(publish: TracedPublish, request: TraceRequest, destination: string, deliver: Deliver, report: Report): void {
    const way = new TraceWay(this.#broker, publish.connection.account?.name ?? '', publish.mapped);
    const trace = this.#begin(publish, request, destination, way);
    if (request.only) this.#tell(trace, way.steps, this.#supposed(publish));
    else {
      this.#open.push(trace);
      this.#broker.imports.kernel.following(() => deliver());
      this.#tell(trace, way.steps, this.#delivered(publish, way));
    }
    this.#broker.soon(() => {
      const at = this.#open.indexOf(trace);
      if (at >= 0) this.#open.splice(at, 1);
      report(trace);
    });
  }

  /** Whether anything is followed in this turn. */
  get following(): boolean {
    return this.#open.length > 0;
  }

  /** Whether a message that was published in this turn came by an account under this subject and is followed. */
  follows(account: string, subject: string): boolean {
    return this.#find(account, subject) !== undefined;
  }

  /** A stream has decided about a message; called in the turn in which it was published. */
  stored(account: string, subject: string, storage: Omit<TracedStorage, 'at'>): void {
    this.#find(account, subject)?.storages.push({ at: this.#broker.clock.wallInstant(), ...storage });
  }

  #find(account: string, subject: string): MessageTrace | undefined {
    return this.#open.find(({ places }) => places.some((place) => place.account === account && place.subject === subject));
  }

  #begin(publish: TracedPublish, request: TraceRequest, destination: string, { places }: TraceWay): MessageTrace {
    const { connection, subject, mapped, sizeBytes } = publish;
    return {
      account: connection.account?.name ?? '',
      destination,
      headers: request.headers,
      sizeBytes,
      at: this.#broker.clock.wallInstant(),
      cid: connection.cid,
      name: connection.session.facts.name,
      subject,
      ...(mapped === subject ? {} : { mappedTo: mapped }),
      only: request.only,
      steps: [],
      storages: [],
      places,
    };
  }

  /** Why a receiver would get nothing in any case. */
  #hindrance({ connection, mapped }: TracedPublish, { row }: ReceiverStep): string | undefined {
    const receiver = this.#broker.at(row.connection);
    const isOwn = receiver === connection;
    if (isOwn && (this.#broker.kernel.exports.connectionFlags(row.connection) & flag.noEcho) !== 0) return NO_ECHO;
    const denied = receiver?.permissions?.subscribeDeny ?? [];
    return denied.some((rule) => rule.queue === undefined && isSubsetMatch(mapped, rule.subject)) ? DENIED : undefined;
  }

  /** Everybody, and one of each queue group. */
  #supposed(publish: TracedPublish): Outcome {
    const groups = new Set<string>();
    return (step) => {
      const error = this.#hindrance(publish, step);
      if (error !== undefined) return { error };
      const { account, row } = step;
      const group = `${account} ${row.subject} ${row.queue}`;
      if (row.queue !== '' && groups.has(group)) return undefined;
      groups.add(group);
      return {};
    };
  }

  #delivered(publish: TracedPublish, { steps }: TraceWay): Outcome {
    const counts = new Map<number, number>();
    const { kernel, accounts } = this.#broker;
    for (const name of accountsOf(steps))
      for (const { handle, delivered } of kernel.subscriptionsIn(accounts.get(name).handle)) counts.set(handle, delivered);
    return (step) => {
      const { handle, delivered, queue } = step.row;
      // One that is gone had reached its maximum with this message.
      if ((counts.get(handle) ?? delivered + 1) > delivered) return {};
      const error = queue === '' ? this.#hindrance(publish, step) : undefined;
      return error === undefined ? undefined : { error };
    };
  }

  #tell(trace: MessageTrace, steps: readonly WayStep[], outcome: Outcome): void {
    const at = this.#broker.clock.wallInstant();
    for (const step of steps) {
      if (step.kind === 'receiver') {
        const became = outcome(step);
        if (became !== undefined) this.#received(trace, step, became);
        continue;
      }
      if (step.kind === 'export') trace.steps.push({ kind: 'export', at, account: step.account, to: step.to });
      else trace.steps.push({ kind: 'import', at, account: step.account, from: step.from, to: step.to });
      this.#tell(trace, step.steps, outcome);
    }
  }

  #received(trace: MessageTrace, { account, row }: ReceiverStep, became: { readonly error?: string }): void {
    const receiver = this.#broker.at(row.connection);
    if (receiver === undefined) return;
    const { cid, session } = receiver;
    const elsewhere = account === trace.account ? {} : { account };
    const { subject, queue } = row;
    const at = this.#broker.clock.wallInstant();
    trace.steps.push({ kind: 'delivery', at, cid, name: session.facts.name, ...elsewhere, subject, queue, ...became });
  }
}

/** The headers of a message that is not traced, by other servers neither. */
function disabled(headers: Uint8Array): Uint8Array {
  const others = withoutHeaders(headers, (name) => name === TRACE_DESTINATION);
  return addHeaders(others, [[TRACE_DESTINATION, TRACE_DISABLED]]);
}

function accountsOf(steps: readonly WayStep[]): Set<string> {
  const names = steps.flatMap((step) => (step.kind === 'receiver' ? [step.account] : [...accountsOf(step.steps)]));
  return new Set(names);
}
