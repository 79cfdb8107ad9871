// The consumer: which message goes to whom next. A pure machine with virtual time.
// The driver feeds `step` and `tick`, sends what `ready` asks for, tells `delivered`, and sends away what `takeOutputs` holds.
// Kept true: messages go out for the first time in rising sequence; what is to be delivered again goes before what is new.

import type { ConsumerInfoState, ConsumerInput, ConsumerOutput, DeliverResult, DeliverWork, StreamView } from './contract.ts';
import { FlowWindow } from './flow-window.ts';
import { DeliveryLedger } from './ledger.ts';
import type { ConsumerState, SequencePair } from './o-dat.ts';
import { Outputs } from './outputs.ts';
import { paceOf, type Pace } from './pace.ts';
import { noPicks, Picks } from './picks.ts';
import { noPin, PriorityGroups, type Turn } from './priority.ts';
import type { PullRequest, Refusal } from './pull-request.ts';
import type { ConsumerSettings } from './settings.ts';
import { flowControlRequest, idleHeartbeat, requestEnds, statusOf } from './statuses.ts';
import { WaitingQueue, type WaitingRequest } from './waiting.ts';

/** Where a new consumer begins. */
export interface ConsumerStart {
  readonly firstSeq: number;
  /** For "last per subject": the sequences to deliver, in order, before going on behind `resumeAfterSeq`. */
  readonly picks?: Float64Array;
  readonly resumeAfterSeq?: number;
}

export interface ConsumerIdentity {
  readonly stream: string;
  readonly name: string;
  /** '' where it does not push. */
  readonly deliverSubject: string;
}

const unlimitedBytes = 0x7fff_ffff;
const batchMessages = 1024;
const batchBytes = 1024 * 1024;

export class ConsumerMachine {
  #settings: ConsumerSettings;
  #deliverSubject: string;
  readonly #view: StreamView;
  readonly #ledger: DeliveryLedger;
  readonly #waiting: WaitingQueue;
  readonly #window: FlowWindow | undefined;
  /** There only where the configuration asks for it, as most consumers are plain and there may be very many. */
  #priority: PriorityGroups | undefined;
  #pace: Pace | undefined;
  readonly #outputs = new Outputs();

  #nextSeq: number;
  readonly #picks: Picks;
  readonly #resumeSeq: number;

  #pushActive = false;
  #oversized = false;
  /** Requests still to be served in this round, and what each may take. */
  #turnsLeft = 0;
  #turnMessages = 0;
  #deliveredAtMs = 0;
  #usedAtMs: number;
  #heartbeatAtMs = 0;
  /** Paused until then; 0: not paused. */
  #pausedUntilMs = 0;

  constructor(identity: ConsumerIdentity, settings: ConsumerSettings, view: StreamView, start: ConsumerStart, nowMs: number) {
    this.#settings = settings;
    this.#deliverSubject = identity.deliverSubject;
    this.#view = view;
    this.#ledger = new DeliveryLedger(settings, start.firstSeq, this.#outputs);
    this.#waiting = new WaitingQueue(settings.maxWaiting);
    this.#waiting.prioritized = settings.priorityPolicy === 'prioritized';
    this.#priority = this.#groups();
    this.#pace = paceOf(settings, view.visibleSeq, nowMs);
    this.#window = settings.flowControl ? new FlowWindow(`$JS.FC.${identity.stream}.${identity.name}.`) : undefined;
    this.#nextSeq = start.firstSeq;
    this.#picks = start.picks === undefined ? noPicks : new Picks(start.picks);
    this.#resumeSeq = (start.resumeAfterSeq ?? 0) + 1;
    this.#usedAtMs = nowMs;
    this.#pausedUntilMs = settings.pausedUntilMs > nowMs ? settings.pausedUntilMs : 0;
  }

  /** Goes on from what an earlier run left, in a stream that begins at `firstSeq`. */
  restore(state: ConsumerState, firstSeq: number): void {
    this.#ledger.restore(state, firstSeq);
    this.#nextSeq = state.delivered.stream + 1;
    this.#picks.clear();
  }

  /** Counts changes of what `encodeState` holds. */
  get revision(): number {
    return this.#ledger.revision;
  }

  /** Whether somebody waits for messages, so that new ones in the stream matter. */
  get isHungry(): boolean {
    return this.#settings.push ? this.#pushActive : this.#waiting.length > 0;
  }

  get pushActive(): boolean {
    return this.#settings.push && this.#pushActive;
  }

  #groups(): PriorityGroups | undefined {
    const { priorityPolicy } = this.#settings;
    return priorityPolicy === 'none' ? undefined : new PriorityGroups(this.#settings, () => this.#view.freshPin(), this.#outputs);
  }

  configure(settings: ConsumerSettings, deliverSubject: string, nowMs: number): void {
    if (deliverSubject !== this.#deliverSubject) this.#ledger.expireAll();
    this.#settings = settings;
    this.#deliverSubject = deliverSubject;
    this.#pausedUntilMs = settings.pausedUntilMs > nowMs ? settings.pausedUntilMs : 0;
    this.#ledger.configure(settings);
    this.#priority?.configure(settings);
    this.#priority ??= this.#groups();
    this.#pace?.configure(settings);
    this.#pace ??= paceOf(settings, 0, nowMs);
    this.#waiting.prioritized = settings.priorityPolicy === 'prioritized';
  }

  /** What o.dat is to hold. */
  encodeState(nowMs: number): Uint8Array {
    return this.#ledger.encodeState(nowMs);
  }

  /** Messages that were delivered and are not acknowledged. */
  get ackPending(): number {
    return this.#ledger.pending;
  }

  info(): ConsumerInfoState {
    return {
      delivered: this.#ledger.delivered,
      ackFloor: this.#ledger.ackFloor,
      deliveredAtMs: this.#deliveredAtMs,
      ackedAtMs: this.#ledger.ackedAtMs,
      ackPending: this.#ledger.pending,
      redelivered: this.#ledger.redelivered,
      waiting: this.#waiting.length,
      pending: this.pendingCount(),
      pushActive: this.pushActive,
      pin: this.#priority?.pin ?? noPin,
    };
  }

  /** Whether a message on a subject of this consumer is still to be delivered or acknowledged. */
  needs(seq: number): boolean {
    return seq >= this.#nextSeq || this.#ledger.keeps(seq) || this.#picks.has(seq);
  }

  /** Messages still to be delivered for the first time. */
  pendingCount(): number {
    const { left } = this.#picks;
    if (left === 0) return this.#view.countPending(this.#nextSeq);
    return left + this.#view.countPending(this.#resumeSeq);
  }

  takeOutputs(): readonly ConsumerOutput[] {
    return this.#outputs.take();
  }

  step(input: ConsumerInput, nowMs: number): void {
    switch (input.is) {
      case 'pull':
        return this.#pull(input.reply, input.request, nowMs);
      case 'ack': {
        const sentUpTo = this.#picks.left > 0 ? this.#view.visibleSeq : this.#nextSeq - 1;
        const { verb, streamSeq, consumerSeq, deliveries, reply } = input;
        const done = this.#ledger.apply(verb, streamSeq, consumerSeq, deliveries, sentUpTo, nowMs);
        const confirmed = verb.is !== 'next' && (streamSeq > 0 || verb.is === 'ack' || verb.is === 'terminate');
        if (done && reply !== '' && confirmed) this.#outputs.say({ is: 'confirm', to: reply });
        return;
      }
      case 'flow':
        return this.#flowAnswered(input, nowMs);
      case 'interest':
        return this.#interest(input.active, nowMs);
      case 'deaf':
        return this.#dropDeaf();
      case 'removed':
        return this.#ledger.removed(input.fromSeq, input.toSeq, (seq) => this.#view.isStored(seq), nowMs);
      case 'purged':
        this.#nextSeq = Math.max(this.#nextSeq, input.firstSeq);
        return this.#ledger.purged(input.firstSeq, (seq) => this.#view.isStored(seq), nowMs);
      case 'first':
        return this.#first(input.firstSeq);
      case 'reset':
        return this.#reset(input.nextSeq);
      case 'unpin':
        return this.#priority?.unpin(input.group);
    }
  }

  #flowAnswered({ subject, received }: { subject: string; received?: SequencePair }, nowMs: number): void {
    if (this.#window?.answered(subject) !== true || received === undefined || !this.#flowAcknowledges) return;
    if (received.stream > 0) this.#ledger.received(received.stream, received.consumer, nowMs);
  }

  get #flowAcknowledges(): boolean {
    return this.#settings.ackPolicy === 'flow_control';
  }

  #dropDeaf(): void {
    this.#waiting.filter(({ reply }) => this.#view.listens(reply));
  }

  #reset(nextSeq: number): void {
    this.#ledger.reset(nextSeq);
    this.#deliveredAtMs = 0;
    this.#nextSeq = nextSeq;
    this.#picks.clear();
  }

  // Requests

  #pull(reply: string, request: PullRequest | Refusal, nowMs: number): void {
    if ('status' in request) return this.#status(reply, request.status);
    if (request.priority !== undefined && this.#priority?.asked(request.priority, nowMs) === false)
      return this.#status(reply, '423 Nats-Pin-Id mismatch');
    this.#usedAtMs = nowMs;
    if (this.#waiting.isFull) this.#dropDeaf();
    if (request.noWait) {
      const available = this.pendingCount() + this.#ledger.queued;
      if (available === 0 && request.expiresMs === 0) return this.#status(reply, '404 No Messages');
      if (available > 0) this.#dropDeaf();
      if (available > 0 && available < this.#waiting.wanted) return this.#status(reply, '408 Requests Pending');
    }
    if (!this.#waiting.isFull) this.#waiting.add(request, reply, nowMs);
    else if (request.heartbeatMs === 0) this.#status(reply, '409 Exceeded MaxWaiting');
  }

  #status(to: string, status: string): void {
    this.#outputs.say(statusOf(to, status));
  }

  #closeRequest(request: WaitingRequest, status: string): void {
    this.#outputs.say(requestEnds(request, status));
  }

  #heartbeat(to: string): void {
    const last = { consumer: this.#ledger.delivered.consumer, stream: this.#nextSeq - 1 };
    this.#outputs.say(idleHeartbeat(to, last, this.#window?.asked ?? ''));
  }

  /** Sends a flow control request where one is due. */
  #askFlow(asked: string | undefined): void {
    if (asked !== undefined) this.#outputs.say(flowControlRequest(this.#deliverSubject, asked));
  }

  /** No more messages for now: requests that do not wait are answered. */
  #endOfStream(): void {
    this.#pace?.caughtUp(this.#nextSeq);
    this.#waiting.filter((request) => !this.#noMore(request));
  }

  /** A request that does not wait is answered, unless it may wait for a first message. False: it goes on. */
  #noMore({ noWait, expiresAtMs, delivered, reply }: WaitingRequest): boolean {
    if (!noWait || (expiresAtMs > 0 && delivered === 0)) return false;
    this.#status(reply, '404 No Messages');
    return true;
  }

  /** The consumer ends: waiting requests are told why. */
  end(status: string): void {
    this.#waiting.filter(({ reply }) => {
      this.#status(reply, status);
      return false;
    });
  }

  #interest(active: boolean, nowMs: number): void {
    if (active === this.#pushActive) return;
    this.#pushActive = active;
    this.#usedAtMs = nowMs;
    if (!active) this.#window?.reset();
    else if (this.#settings.heartbeatMs > 0) this.#heartbeatAtMs = nowMs + this.#settings.heartbeatMs;
  }

  #first(firstSeq: number): void {
    if (firstSeq <= this.#ledger.ackFloor.stream + 1) return;
    this.#ledger.begin(firstSeq);
    this.#nextSeq = Math.max(this.#nextSeq, firstSeq);
  }

  // Deliveries

  /** The next batch to send, or undefined when nothing can be sent now. */
  ready(nowMs: number): DeliverWork | undefined {
    if (nowMs < this.#pausedUntilMs || this.#pace?.room(nowMs) === 0) return undefined;
    if (this.#settings.push) {
      if (!this.#pushActive || this.#window?.isFull === true) return undefined;
      return this.#workFor(this.#deliverSubject, batchMessages, this.#window?.room ?? batchBytes, nowMs);
    }
    const request = this.#nextRequest(nowMs);
    if (request === undefined) return undefined;
    const pinId = this.#priority?.pinFor(request);
    const bytes = request.limited ? request.bytes : batchBytes;
    return this.#workFor(request.reply, this.#share(request), bytes, nowMs, pinId);
  }

  /** The request whose turn it is. */
  #nextRequest(nowMs: number): WaitingRequest | undefined {
    let passed = 0;
    for (let request = this.#waiting.first(); request !== undefined; request = this.#waiting.first()) {
      if (request.expiresAtMs > 0 && nowMs >= request.expiresAtMs) {
        this.#closeRequest(request, '408 Request Timeout');
        this.#waiting.rotate(true);
        continue;
      }
      const turn = this.#turnOf(request);
      if (turn === 'now') return request;
      if (turn === 'wrong') this.#closeRequest(request, '423 Nats-Wrong-Pin-Id');
      this.#waiting.rotate(turn === 'wrong');
      if (turn === 'later' && ++passed >= this.#waiting.length) {
        this.#endOfStream();
        return undefined;
      }
    }
    return undefined;
  }

  #turnOf(request: WaitingRequest): Turn {
    if (this.#priority === undefined) return 'now';
    const again = this.#ledger.nextAgain() !== undefined;
    const pending = this.pendingCount();
    if (!again && (pending === 0 || this.#room(1) <= 0)) return 'now';
    return this.#priority.turnOf(request, again ? pending + 1 : pending, this.#ledger.pending);
  }

  /** How many of `wanted` messages may be pending besides those that are. */
  #room(wanted: number): number {
    const { maxAckPending } = this.#settings;
    return maxAckPending > 0 ? maxAckPending - this.#ledger.pending : wanted;
  }

  /** Several requests share what is there. */
  #share(request: WaitingRequest): number {
    const most = Math.min(request.wanted, batchMessages);
    if (this.#priority !== undefined) return this.#prioritizedShare(this.#priority, request, most);
    if (this.#waiting.length === 1) return most;
    if (this.#turnsLeft === 0) {
      this.#turnsLeft = this.#waiting.length;
      this.#turnMessages = Math.max(1, Math.ceil((this.#view.visibleSeq - this.#nextSeq + 1) / this.#turnsLeft));
    }
    return Math.min(most, this.#turnMessages);
  }

  /** Where requests are judged before each message, one goes out at a time unless only this request can be served. */
  #prioritizedShare(priority: PriorityGroups, request: WaitingRequest, most: number): number {
    if (!this.#waiting.isAlone) return 1;
    return Math.min(most, priority.mostFor(request, this.pendingCount(), this.#ledger.pending));
  }

  #workFor(deliverSubject: string, wanted: number, bytes: number, nowMs: number, pinId?: string): DeliverWork | undefined {
    const maxBytes = this.#oversized ? unlimitedBytes : Math.min(bytes, unlimitedBytes, this.#pace?.room(nowMs) ?? Infinity);
    const firstConsumerSeq = this.#ledger.delivered.consumer + 1;
    const again = this.#ledger.nextAgain();
    if (again !== undefined) {
      if (!this.#mayReplay(again, nowMs)) return undefined;
      const deliveries = this.#ledger.deliveries(again) + 1;
      const only = { fromSeq: again, toSeq: again, picks: undefined, maxMessages: 1 };
      return { deliverSubject, ...only, maxBytes, firstConsumerSeq, deliveries, again: true, pinId };
    }
    const room = this.#room(wanted);
    if (room <= 0 || this.#ledger.isChecking) return undefined;
    const maxMessages = this.#oversized || this.#pace?.isReplaying === true ? 1 : Math.min(wanted, room);
    const picks = this.#picks.left > 0 ? this.#picks.next(maxMessages, this.#view.visibleSeq) : undefined;
    const fromSeq = picks === undefined ? this.#nextSeq : (picks[0] ?? Infinity);
    if (fromSeq > this.#view.visibleSeq) {
      this.#endOfStream();
      return undefined;
    }
    if (!this.#mayReplay(fromSeq, nowMs)) return undefined;
    return {
      deliverSubject,
      fromSeq,
      toSeq: 0,
      picks,
      maxMessages,
      maxBytes,
      firstConsumerSeq,
      deliveries: 1,
      again: false,
      pinId,
    };
  }

  /** Whether the first message at or behind a sequence may go now, at the pace of its stream. */
  #mayReplay(fromSeq: number, nowMs: number): boolean {
    if (this.#pace?.isReplaying !== true) return true;
    const storedMs = this.#view.nextStoredMs(fromSeq);
    return storedMs === 0 || this.#pace.mayReplay(storedMs, nowMs);
  }

  /** What became of the work that `ready` gave. */
  delivered(work: DeliverWork, result: DeliverResult, nowMs: number): void {
    if (result.messages > 0) this.#sent(work, result, nowMs);
    if (work.again) {
      if (result.messages === 0 && result.stopped === 'end') this.#ledger.gone(work.fromSeq);
    } else if (work.picks !== undefined) this.#picked(result.picked);
    else this.#nextSeq = Math.max(this.#nextSeq, result.nextSeq);

    const request = this.#settings.push ? undefined : this.#waiting.first();
    this.#oversized = result.stopped === 'bytes' && result.messages === 0 && request?.limited !== true;
    if (request !== undefined) this.#serve(request, result, nowMs);
    else if (result.stopped === 'interest') this.#interest(false, nowMs);
  }

  #sent({ again, fromSeq }: DeliverWork, { seqs, messages, bytes }: DeliverResult, nowMs: number): void {
    const { heartbeatMs } = this.#settings;
    this.#pace?.sent(bytes, this.#pace.isReplaying ? this.#view.nextStoredMs(seqs[0] ?? fromSeq) : 0, nowMs);
    if (again) this.#ledger.sentAgain(fromSeq, nowMs);
    else this.#ledger.sent(seqs, messages, nowMs);
    this.#deliveredAtMs = this.#usedAtMs = nowMs;
    if (heartbeatMs > 0) this.#heartbeatAtMs = nowMs + heartbeatMs;
    this.#askFlow(this.#window?.sent(bytes, this.#flowAcknowledges && this.#room(1) <= 0));
  }

  #serve(request: WaitingRequest, { messages, bytes, stopped }: DeliverResult, nowMs: number): void {
    if (stopped === 'interest') return this.#waiting.rotate(true);
    if (messages === 0) {
      if (stopped !== 'bytes' || !request.limited) return;
      this.#closeRequest(request, '409 Message Size Exceeds MaxBytes');
      return this.#waiting.rotate(true);
    }
    this.#priority?.served(request, nowMs);
    this.#turnsLeft = Math.max(0, this.#turnsLeft - 1);
    request.wanted -= messages;
    request.delivered += messages;
    if (request.heartbeatMs > 0) request.heartbeatAtMs = nowMs + request.heartbeatMs;
    if (request.limited) request.bytes -= bytes;
    const done = request.wanted <= 0 || (request.limited && request.bytes <= 0);
    if (request.wanted <= 0 && request.limited && request.bytes > 0) this.#closeRequest(request, '409 Batch Completed');
    this.#waiting.rotate(done);
  }

  #picked(count: number): void {
    if (count === 0) return;
    const seq = this.#picks.done(count);
    this.#nextSeq = this.#picks.left > 0 ? seq + 1 : this.#resumeSeq;
  }

  // Time

  tick(nowMs: number): void {
    // As nats-server does: when any request is due, those that do not wait end too, also where max_ack_pending holds messages back.
    const due = (this.#waiting.nextAtMs() ?? Infinity) <= nowMs;
    this.#waiting.filter((request) => {
      if (request.expiresAtMs > 0 && nowMs >= request.expiresAtMs) {
        this.#closeRequest(request, '408 Request Timeout');
        this.#usedAtMs = nowMs;
        return false;
      }
      if (due && this.#noMore(request)) return false;
      if (request.heartbeatAtMs > 0 && nowMs >= request.heartbeatAtMs) {
        this.#heartbeat(request.reply);
        request.heartbeatAtMs = nowMs + request.heartbeatMs;
      }
      return true;
    });
    if (this.pushActive && this.#settings.heartbeatMs > 0 && nowMs >= this.#heartbeatAtMs) {
      this.#heartbeat(this.#deliverSubject);
      this.#heartbeatAtMs = nowMs + this.#settings.heartbeatMs;
      if (this.#flowAcknowledges && this.#ledger.pending > 0) this.#askFlow(this.#window?.ask());
    }
    if (nowMs >= this.#ledger.checkAtMs) this.#ledger.check(nowMs);
    this.#priority?.tick(nowMs);
    if (this.#pausedUntilMs > 0 && nowMs >= this.#pausedUntilMs) {
      this.#pausedUntilMs = 0;
      this.#outputs.say({ is: 'resumed' });
    }
    if (this.#inactiveAtMs() <= nowMs) this.#maybeInactive(nowMs);
  }

  /** Unused for long: unless requests still wait, or messages may still be worked on. */
  #maybeInactive(nowMs: number): void {
    this.#dropDeaf();
    if (this.#waiting.length > 0) this.#usedAtMs = nowMs;
    else if (!this.#settings.push) this.#usedAtMs = Math.max(this.#usedAtMs, this.#ledger.lastDueMs());
    if (this.#inactiveAtMs() <= nowMs) this.#outputs.say({ is: 'inactive' });
  }

  /** When `tick` has something to do next; Infinity: when something happens. */
  nextTickMs(): number {
    const { heartbeatMs } = this.#settings;
    const heartbeat = this.pushActive && heartbeatMs > 0 ? this.#heartbeatAtMs : Infinity;
    const resume = this.#pausedUntilMs > 0 ? this.#pausedUntilMs : Infinity;
    const opens = this.isHungry && resume === Infinity ? (this.#pace?.opensAtMs ?? 0) || Infinity : Infinity;
    const others = Math.min(this.#ledger.checkAtMs, this.#inactiveAtMs(), this.#priority?.lostAtMs ?? Infinity);
    return Math.min(this.#waiting.nextAtMs() ?? Infinity, heartbeat, resume, opens, others);
  }

  #inactiveAtMs(): number {
    const { inactiveMs, push } = this.#settings;
    if (inactiveMs === 0 || (push && this.#pushActive)) return Infinity;
    return this.#usedAtMs + inactiveMs;
  }
}
