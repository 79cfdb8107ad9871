// The broker: the kernel with its connections and accounts, and the loop that keeps them going. A turn is: bytes are parsed in one kernel
// call, the events it made are handled, and every connection with something to write is flushed. Anything else that may produce output
// (timers, the store, the API) runs inside `turn` as well.

import type { CloseReason } from '../../core/session/reasons.ts';
import type { Options } from '../../core/config/options.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Clock, Instant, Timer } from '../../ports/clock.ts';
import type { Acceptor, Transport, TransportSink } from '../../ports/connection.ts';
import type { Log } from '../../ports/log.ts';
import type { SessionRegistry } from '../session/session.ts';
import { KernelAccounts } from './accounts.ts';
import { ClientConnection } from './client.ts';
import { KernelEvents } from './kernel-events.ts';
import { PermissionSetPool } from './permission-sets.ts';
import { BrokerImports } from './imports.ts';
import { HostSubscriptions } from './host-subscriptions.ts';
import { ServiceMeasures } from './service-measures.ts';
import { MessageTraces } from './message-trace.ts';
import { InterestWatches } from './interest-watches.ts';

/** A connection that is gone, for whoever keeps a record of it. */
export type ClosedListener = (connection: ClientConnection, reason: CloseReason) => void;

export interface BrokerPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly serverName?: string;
}

/** How often connections with a write in flight are looked at. */
const DEADLINE_CHECK_MS = 100;

export class Broker implements Acceptor {
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly log: Log;
  readonly accounts: KernelAccounts;
  readonly permissionSets: PermissionSetPool;
  readonly host: HostSubscriptions;
  readonly watches: InterestWatches;
  readonly imports: BrokerImports;
  readonly traces: MessageTraces;
  readonly measures: ServiceMeasures;
  /** Services in other accounts hear it. */
  readonly serverName: string;
  readonly events: KernelEvents;
  /** Connections with a write in flight. */
  readonly #writing = new Set<ClientConnection>();
  readonly #connections: (ClientConnection | undefined)[] = [];
  #sessions: SessionRegistry | undefined;
  #options: Options;
  #lastCid = 0;
  #turnMs = 0;
  #turnInstant: Instant = { seconds: 0, nanos: 0 };
  #listens = true;
  #open = 0;
  #slow = 0;
  #stalledClients = 0;
  #deadlineCheck: Timer | undefined;
  #closedListener: ClosedListener = () => {};
  #joinedListener: (connection: ClientConnection) => void = () => {};
  #turns = 0;
  #inTurn = 0;
  #settling = false;
  readonly #soon: (() => void)[] = [];
  readonly #ending: ClientConnection[] = [];

  constructor(kernel: Kernel, options: Options, ports: BrokerPorts) {
    this.kernel = kernel;
    this.#options = options;
    this.clock = ports.clock;
    this.log = ports.log;
    this.accounts = new KernelAccounts(kernel);
    this.permissionSets = new PermissionSetPool(kernel);
    this.host = new HostSubscriptions(kernel);
    this.watches = new InterestWatches(kernel);
    this.measures = new ServiceMeasures(this);
    this.imports = new BrokerImports(this, this.measures);
    this.serverName = ports.serverName ?? '';
    this.traces = new MessageTraces(this);
    this.events = new KernelEvents(this);
  }

  /** Who decides about connections; before the first is accepted. */
  serve(sessions: SessionRegistry, closed: ClosedListener): void {
    this.#sessions = sessions;
    this.#closedListener = closed;
  }

  /** Who hears of connections that joined an account. */
  watch(joined: (connection: ClientConnection) => void): void {
    this.#joinedListener = joined;
  }

  joined(connection: ClientConnection): void {
    this.#joinedListener(connection);
  }

  reload(options: Options): void {
    this.#options = options;
  }

  get maxControlLine(): number {
    return this.#options.maxControlLine;
  }

  get maxPending(): number {
    return this.#options.maxPending;
  }

  get traced(): boolean {
    return this.log.traceOn;
  }

  get stallsProducers(): boolean {
    return !this.#options.noFastProducerStall;
  }

  get totalConnections(): number {
    return this.#lastCid;
  }

  get openConnections(): number {
    return this.#open;
  }

  /** Open connections that are still to be written to. */
  get unfinishedConnections(): number {
    return this.connections().filter((connection) => !connection.ended).length;
  }

  get slowConsumers(): number {
    return this.#slow;
  }

  get stalledClients(): number {
    return this.#stalledClients;
  }

  connections(): ClientConnection[] {
    return this.#connections.filter((connection) => connection !== undefined);
  }

  /** The connection of a kernel index. */
  at(index: number): ClientConnection | undefined {
    return this.#connections[index];
  }

  accept(transport: Transport): TransportSink {
    const { maxPayload, maxControlLine, maxPending } = this.#options;
    if (this.#sessions === undefined) throw new Error('accept before serve');
    this.enterTurn();
    const index = this.kernel.open(maxPayload, maxControlLine, maxPending);
    const connection = new ClientConnection(this, transport, ++this.#lastCid, index);
    this.#connections[index] = connection;
    this.#open++;
    const session = this.#sessions.open(connection);
    connection.open(session);
    session.begin();
    this.settle();
    return connection;
  }

  // Turns

  /** How many began so far. */
  get turns(): number {
    return this.#turns;
  }

  /** Tells the kernel the time; returns the monotonic time. Every entry from outside begins with it. */
  enterTurn(): number {
    this.#turns++;
    const instant = this.clock.wallInstant();
    this.#turnInstant = instant;
    this.kernel.exports.setNow(instant.seconds, instant.nanos);
    this.#turnMs = this.clock.monotonicMs();
    return this.#turnMs;
  }

  /** Monotonic time at which this turn began. */
  get turnMs(): number {
    return this.#turnMs;
  }

  /** Wall time at which this turn began. */
  get turnInstant(): Instant {
    return this.#turnInstant;
  }

  /** Handles the events of the last kernel call; `settle` follows before the turn ends. */
  handleEvents(): void {
    if (this.#settling) return;
    this.#settling = true;
    try {
      this.kernel.drain(this.events);
    } finally {
      this.#settling = false;
    }
  }

  /** Handles the events of the last kernel call, what was put off for this turn, and flushes. */
  settle(): void {
    if (this.#settling) return;
    this.#settling = true;
    try {
      do {
        this.kernel.drain(this.events);
        for (let look = this.watches.next(); look !== undefined; look = this.watches.next()) this.#guarded(look);
        if (this.#soon.length > 0) for (const call of this.#soon.splice(0)) this.#guarded(call);
        this.#flush();
      } while (this.kernel.hasEvents || this.#soon.length > 0);
    } finally {
      this.#settling = false;
    }
  }

  /** Calls once in this turn, behind the events and before the flush; outside of a turn makes one. */
  soon(call: () => void): void {
    this.#soon.push(call);
    if (this.#inTurn === 0 && !this.#settling) this.turn(() => {});
  }

  /** Runs something that may publish or send, as a turn of its own or as part of the one under way. */
  turn<T>(work: () => T): T {
    this.enterTurn();
    this.#inTurn++;
    try {
      return work();
    } finally {
      if (--this.#inTurn === 0) this.settle();
    }
  }

  #flush(): void {
    for (let index = this.kernel.exports.nextDirty(); index !== 0; index = this.kernel.exports.nextDirty()) {
      const connection = this.#connections[index];
      if (connection !== undefined) this.#flushOne(connection);
    }
    for (let connection = this.#ending.pop(); connection !== undefined; connection = this.#ending.pop())
      this.#flushOne(connection);
  }

  #flushOne(connection: ClientConnection): void {
    try {
      connection.flush();
    } catch (error) {
      this.broken(error, connection);
    }
  }

  #guarded(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.broken(error, undefined);
    }
  }

  /**
   * The last line of defence: a mistake of ours costs the connection it happened to, not the others. When the kernel itself stopped,
   * its memory cannot be trusted any more and the error goes on to whoever runs the process.
   */
  broken(error: unknown, connection: ClientConnection | undefined): void {
    if (error instanceof WebAssembly.RuntimeError) throw error;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.log.error(`${connection === undefined ? '' : `${connection.session.facts.label} - `}Internal error: ${text}`);
    connection?.abandon('internalError');
  }

  /** A connection that closes without anything queued is not dirty in the kernel: it is flushed at the end of the turn all the same. */
  flushLater(connection: ClientConnection): void {
    this.#ending.push(connection);
    if (this.#inTurn === 0) this.settle();
  }

  // Bookkeeping for connections

  gone(connection: ClientConnection, reason: CloseReason): void {
    this.#writing.delete(connection);
    this.#connections[connection.index] = undefined;
    this.#open--;
    this.#closedListener(connection, reason);
  }

  countSlow(): void {
    this.#slow++;
  }

  countStall(): void {
    this.#stalledClients++;
  }

  /** A write is in flight. Deadlines are looked at while there are any: a server that has nothing to do sleeps. */
  writeBegan(connection: ClientConnection): void {
    this.#writing.add(connection);
    this.#deadlineCheck ??= this.clock.after(DEADLINE_CHECK_MS, () => this.#checkDeadlines());
  }

  writeEnded(connection: ClientConnection): void {
    this.#writing.delete(connection);
  }

  #checkDeadlines(): void {
    this.#deadlineCheck = undefined;
    if (this.#writing.size === 0) return;
    this.#deadlineCheck = this.clock.after(DEADLINE_CHECK_MS, () => this.#checkDeadlines());
    const now = this.clock.monotonicMs();
    const { writeDeadlineMs, writeTimeout } = this.#options;
    for (const connection of [...this.#writing]) connection.checkDeadline(now, writeDeadlineMs, writeTimeout);
  }

  /** False once the server stops: what clients still say is as if it came after the end. */
  get listens(): boolean {
    return this.#listens;
  }

  /**
   * The first step of a stop. What is under way is finished and told, but who asks now is not answered by what is half closed: a request
   * would hear that nobody serves it, where its client should try again elsewhere.
   */
  stopListening(): void {
    this.#listens = false;
  }

  /** Connections that have not ended by now do so at once: nobody looks after them any more. */
  stop(): void {
    this.#deadlineCheck?.cancel();
    this.#deadlineCheck = undefined;
    this.imports.stop();
    for (const connection of this.connections()) connection.abandon('serverShutdown');
  }
}
