// One client connection: the transport on one side, the kernel's connection on the other, the session above.
// Kept true: bytes are parsed in the order they came, also when a decision takes time (the rest is stashed in the kernel and reading pauses);
// one write is in flight at most; after `close` nothing is parsed and what was queued before is still written.

import type { Permissions } from '../../core/auth/permissions.ts';
import { formatDuration } from '../../core/config/duration.ts';
import type { WriteTimeout } from '../../core/config/options-network.ts';
import type { WireError } from '../../core/session/errors.ts';
import { closeReasons } from '../../core/session/reasons.ts';
import type { CloseReason } from '../../core/session/reasons.ts';
import { overdueText, recoveredText, WriteInFlight } from '../../core/session/write-in-flight.ts';
import { errorCode, flag } from '../../kernel/constants.ts';
import type { ListedSubscription } from '../../kernel/kernel.ts';
import type { Instant, Timer } from '../../ports/clock.ts';
import type { Transport, TransportSink } from '../../ports/connection.ts';
import type { BindSpec, Session, SessionHost } from '../session/session.ts';
import type { KernelAccount } from './accounts.ts';
import type { Broker } from './broker.ts';
import type { PermissionSets } from './permission-sets.ts';
import { requestInfo } from './request-info.ts';
import { bindFlags } from './binding.ts';

/**
 * A publisher rests while receivers of what it sent have three quarters of their pending limit waiting: looked at every 2 ms, for at most
 * 10 ms a 64 KiB read, as nats-server does; reads here are up to 1 MiB.
 */
const STALL_CHECK_MS = 2;
const STALL_MOST_MS = 10;
const STALL_UNIT = 65536;

/** So much queued is written before more bytes are parsed: a write to each of thousands of receivers should be worth its while. */
const WRITE_AT = 16 << 20;
/** So long a client is served at a time, where much is to be done for what it sent: others come in between. */
const TURN_MS = 10;

const wireErrorOf: Readonly<Record<number, WireError>> = {
  [errorCode.unknownOperation]: 'unknownOperation',
  [errorCode.badArguments]: 'badArguments',
  [errorCode.controlLine]: 'maxControlLine',
  [errorCode.payload]: 'maxPayload',
  [errorCode.subject]: 'invalidSubject',
  [errorCode.subscriptions]: 'maxSubscriptions',
  [errorCode.publishDenied]: 'publishDenied',
  [errorCode.replyDenied]: 'replyDenied',
};

/** The kernel keeps response permissions in 32 bits. */
const MOST_RESPONSES = 2 ** 31 - 1;
const LONGEST_RESPONSE_MS = 2 ** 31 - 1;

/** With more subscriptions a connection is remembered without the list of them. */
export const MOST_REMEMBERED = 1024;

/** What a connection had when it was told to end: the kernel lets go of its subscriptions at once. */
export interface LastState {
  readonly pendingBytes: number;
  readonly count: number;
  readonly subscriptions: readonly ListedSubscription[];
}

export class ClientConnection implements TransportSink, SessionHost {
  readonly cid: number;
  readonly transport: Transport;
  /** The kernel's index. */
  readonly index: number;
  readonly start: Instant;
  account: KernelAccount | undefined;
  stalls = 0;
  /** Absent for a connection that its client ended. */
  last: LastState | undefined;
  #session: Session | undefined;
  readonly #broker: Broker;
  #permissions: Permissions | undefined;
  /** Until when the client spoke: by anything but answers to our pings. */
  #lastInputMs: number;
  #inputBeforeMs: number;
  /** When messages last passed or interest changed, as far as these figures have been seen. */
  #lastActivityMs: number;
  #seenIn = 0;
  #seenOut = 0;
  #seenSubs = 0;
  #writing = false;
  /** How long writes take; since the first that the system did not take at once. */
  #inFlight: WriteInFlight | undefined;
  /** How often it was a slow consumer. */
  slowTimes = 0;
  /** Bytes wait in the kernel for a decision, the end of a stall or their turn. */
  #held = false;
  #stall: Timer | undefined;
  /** Bytes that came since it last had nothing to parse, and whether they pressed a receiver. */
  #unrested = 0;
  #hasPressed = false;
  #closing: CloseReason | undefined;
  #ended = false;
  #described = false;
  #joined = false;
  /** Let in, if it had to send CONNECT for that or not. */
  #authorized = false;

  constructor(broker: Broker, transport: Transport, cid: number, index: number) {
    this.#broker = broker;
    this.transport = transport;
    this.cid = cid;
    this.index = index;
    this.start = broker.turnInstant;
    this.#lastInputMs = broker.turnMs;
    this.#inputBeforeMs = this.#lastInputMs;
    this.#lastActivityMs = this.#lastInputMs;
  }

  get session(): Session {
    if (this.#session === undefined) throw new Error(`connection ${this.cid} has no session yet`);
    return this.#session;
  }

  get permissions(): Permissions | undefined {
    return this.#permissions;
  }

  /** Everything was written and the transport told to end. */
  get ended(): boolean {
    return this.#ended;
  }

  open(session: Session): void {
    this.#session = session;
  }

  // What the transport tells

  onBytes(length: number): void {
    const broker = this.#broker;
    this.#inputBeforeMs = this.#lastInputMs;
    this.#lastInputMs = broker.enterTurn();
    if (this.#closing !== undefined || !broker.listens) return;
    if (!this.#held) return this.#consume(length);
    broker.kernel.stash(this.index, 0, length);
    broker.settle();
  }

  /**
   * Parses `length` bytes of the inbound region, after what the kernel still holds of this connection. Where the kernel stops for us, its
   * events are handled and it goes on; what that queued is written once behind the last byte, or when it has become much.
   */
  #consume(length: number): void {
    const broker = this.#broker;
    const { kernel, clock } = broker;
    const until = broker.turnMs + TURN_MS;
    this.#unrested += length;
    let taken = 0;
    let produced = 0;
    for (;;) {
      taken += kernel.ingest(this.index, taken, length - taken);
      if (!kernel.stopped) break;
      broker.handleEvents();
      if (this.#closing !== undefined) break;
      if (!this.#held && clock.monotonicMs() >= until) this.#goOnLater();
      if (this.#held) {
        kernel.stash(this.index, taken, length - taken);
        this.transport.pauseReading();
        broker.settle();
        this.#notePressed();
        return;
      }
      produced += kernel.produced;
      if (produced < WRITE_AT) continue;
      produced = 0;
      broker.settle();
    }
    if (this.#asked()) this.noteActivity();
    broker.settle();
    this.#notePressed();
    if (this.#hasPressed && broker.stallsProducers && this.#closing === undefined) this.#rest(this.#unrested);
    this.#unrested = 0;
    this.#hasPressed = false;
  }

  /** The kernel tells once, of whoever was parsed since it was asked. */
  #notePressed(): void {
    if (this.#broker.kernel.exports.stalled() !== 0) this.#hasPressed = true;
  }

  /** What has come is parsed on when others had their turn. */
  #goOnLater(): void {
    this.#held = true;
    this.#stall = this.#broker.clock.after(0, () => this.proceed());
  }

  #rest(length: number): void {
    this.stalls++;
    this.#broker.countStall();
    this.#held = true;
    this.transport.pauseReading();
    const { clock } = this.#broker;
    const until = clock.monotonicMs() + STALL_MOST_MS * Math.ceil(length / STALL_UNIT);
    const look = () => {
      if (this.#broker.kernel.exports.pressed() === 0 || clock.monotonicMs() >= until) this.proceed();
      else this.#stall = clock.after(STALL_CHECK_MS, look);
    };
    this.#stall = clock.after(STALL_CHECK_MS, look);
  }

  onWritten(): void {
    // An ended connection has nothing in flight, one that is gone has no index.
    if (this.#ended) return;
    this.#writing = false;
    this.#broker.writeEnded(this);
    const late = this.#inFlight?.end(this.#broker.clock.monotonicMs());
    if (late !== undefined) this.#tell(recoveredText(late));
    this.#broker.kernel.outDone(this.index);
    this.flush();
  }

  onClose(error?: Error): void {
    this.#stall?.cancel();
    const reason = this.#closing ?? (error === undefined ? 'clientClosed' : 'readError');
    this.#ended = true;
    this.#broker.gone(this, reason);
    this.session.onClosed(reason);
    this.#broker.turn(() => this.#broker.kernel.exports.releaseConnection(this.index));
    this.#broker.permissionSets.drop(this.#permissions);
    this.#closing = reason;
  }

  // What the session asks for

  send(text: string): void {
    if (this.#closing === undefined) this.#broker.kernel.send(this.index, text);
  }

  bind(spec: BindSpec): void {
    const broker = this.#broker;
    const account = broker.accounts.get(spec.account);
    const before = this.#permissions;
    const sets = broker.permissionSets.hold(spec.permissions);
    this.#permissions = spec.permissions;
    this.account = account;
    this.#authorized = spec.authorized;
    const { maxControlLine, traced } = broker;
    broker.kernel.bind(this.index, {
      account: account.handle,
      flags: bindFlags(spec, broker.kernel.exports.connectionFlags(this.index), traced),
      maxPayload: spec.maxPayload,
      maxSubs: Math.max(0, spec.maxSubs),
      maxControlLine,
    });
    if (before !== spec.permissions) this.#permit(sets, spec.permissions);
    broker.permissionSets.drop(before);
    this.describe();
    if (spec.connected && !this.#joined) broker.joined(this);
    this.#joined = spec.connected;
  }

  #permit({ publish, deliver }: PermissionSets, permissions: Permissions | undefined): void {
    const responses = permissions?.responses;
    const most = Math.min(responses?.maxMsgs ?? 0, MOST_RESPONSES);
    const expiresMs = Math.min(Math.max(0, responses?.expiresMs ?? 0), LONGEST_RESPONSE_MS);
    this.#broker.kernel.exports.permitConnection(this.index, publish, deliver, most, expiresMs);
  }

  /** Tells the kernel what services in other accounts hear of this client. */
  describe(): void {
    const { imports, serverName } = this.#broker;
    const asks = this.account !== undefined && imports.asks(this.account.name);
    if (asks) imports.kernel.describe(this.index, requestInfo(this, serverName));
    else if (this.#described) imports.kernel.describe(this.index, undefined);
    this.#described = asks;
  }

  dropSubscriptions(): void {
    this.#broker.kernel.exports.unsubscribeAll(this.index);
  }

  hold(): void {
    this.#held = true;
  }

  proceed(): void {
    if (this.#ended || this.#closing !== undefined || !this.#broker.listens) return;
    this.#broker.enterTurn();
    this.#held = false;
    this.#stall = undefined;
    this.#consume(0);
    if (!this.#held) this.transport.resumeReading();
  }

  close(reason: CloseReason): void {
    if (this.#closing !== undefined) return;
    this.#closing = reason;
    this.#letGo();
    this.#broker.flushLater(this);
  }

  lastInputMs(): number {
    return this.#lastInputMs;
  }

  lastActivityMs(): number {
    return this.#lastActivityMs;
  }

  subscriptions(): readonly { readonly subject: string; readonly queue: string; readonly sid: string }[] {
    return this.#broker.kernel.subscriptionsOf(this.index);
  }

  unsubscribe(sid: string): void {
    const { kernel } = this.#broker;
    for (const row of kernel.subscriptionsOf(this.index)) if (row.sid === sid) kernel.dropSubscription(row.handle);
  }

  answerPings(): void {
    this.#broker.kernel.exports.changeFlags(this.index, 0, flag.reportPing);
  }

  // What the kernel found

  /** Answers are no activity: who does nothing else is pinged on. */
  onPong(): void {
    if (this.#asked()) this.noteActivity();
    else this.#lastInputMs = this.#inputBeforeMs;
    this.session.onPong();
    this.describe();
  }

  noteActivity(): void {
    this.#lastActivityMs = this.#broker.turnMs;
  }

  /** Whether the client published or its subscriptions changed in number since the last look. */
  #asked(): boolean {
    const { exports } = this.#broker.kernel;
    const msgs = exports.connectionInMsgs(this.index);
    const subs = exports.connectionSubs(this.index);
    const asked = msgs !== this.#seenIn || subs !== this.#seenSubs;
    this.#seenIn = msgs;
    this.#seenSubs = subs;
    return asked;
  }

  failed(code: number, detail: string): void {
    const error = wireErrorOf[code];
    if (error === undefined) throw new Error(`the kernel reported error ${code}, which has no row`);
    this.session.onError(error, detail);
  }

  // Output

  /** Writes what waits. Ends the transport when it is closing and nothing waits any more. */
  flush(): void {
    if (this.#ended) return;
    const { kernel } = this.#broker;
    const sent = kernel.exports.connectionOutMsgs(this.index);
    if (sent !== this.#seenOut) this.noteActivity();
    this.#seenOut = sent;
    if (kernel.exports.isSlow(this.index) !== 0 && this.#closing === undefined) {
      this.#countSlow(`Slow Consumer Detected: MaxPending of ${this.#broker.maxPending} Exceeded`);
      return this.abandon('slowConsumerPending');
    }
    if (this.#writing) return;
    for (let more = true; more;) {
      const views = kernel.takeOut(this.index);
      if (views.length === 0) break;
      if (!this.transport.write(views)) {
        this.#writing = true;
        this.#inFlight ??= new WriteInFlight();
        this.#inFlight.begin(
          views.map((view) => view.length),
          this.#broker.clock.monotonicMs(),
        );
        this.#broker.writeBegan(this);
        return;
      }
      more = kernel.outDone(this.index);
    }
    if (this.#closing !== undefined) this.#end(this.#closing);
  }

  /** Called now and then while a write is in flight. Who is not let in yet is dropped in silence: it consumes nothing. */
  checkDeadline(nowMs: number, deadlineMs: number, policy: WriteTimeout): void {
    const overdue = this.#inFlight?.look(nowMs, this.transport.unsentBytes, deadlineMs, policy);
    if (overdue === undefined) return;
    if (!this.#authorized) return this.abandon('slowConsumerDeadline');
    this.#countSlow(overdueText(overdue, formatDuration(deadlineMs)));
    if (overdue.closes) this.abandon('slowConsumerDeadline');
  }

  #countSlow(text: string): void {
    this.slowTimes++;
    this.#broker.countSlow();
    this.#tell(text);
  }

  #tell(text: string): void {
    this.#broker.log.info(`${this.session.facts.label} - ${text}`);
  }

  /** Ends at once; what is queued is not written any more. */
  abandon(reason: CloseReason): void {
    if (this.#closing === undefined) {
      this.#closing = reason;
      this.#letGo();
    }
    this.transport.destroy();
  }

  /** Tells the kernel that the connection ends. What monitoring will say of it is read first. */
  #letGo(): void {
    const { kernel } = this.#broker;
    const count = kernel.exports.connectionSubs(this.index) >>> 0;
    this.last = {
      pendingBytes: kernel.pendingBytes(this.index),
      count,
      subscriptions: count > MOST_REMEMBERED ? [] : kernel.subscriptionsOf(this.index),
    };
    kernel.exports.closeConnection(this.index);
  }

  #end(reason: CloseReason): void {
    if (this.#ended) return;
    this.#ended = true;
    this.transport.end(closeReasons[reason].text);
  }
}
