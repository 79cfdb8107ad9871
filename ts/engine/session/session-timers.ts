// The timers of all sessions. Each session has one or two, nearly all with one of few delays, and most are taken back before their time: a timer
// of the clock for each was a tenth of what a connection cost. Here timers of the same delay wait in a list in the order of their time, and
// only the first of each list has one of the clock.
//
// Kept true: a timer is in its list until it is due or cancelled; a list is known, and has a timer of the clock, as long as it is not empty.

import type { TimerName } from '../../core/session/session-types.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Turn } from './context.ts';

/** Whom a timer is for. */
export interface TimedSession {
  timerDue(timer: TimerName): void;
}

class SessionTimer implements Timer {
  readonly session: TimedSession;
  readonly name: TimerName;
  readonly dueMs: number;
  #list: DelayList | undefined;
  #before: SessionTimer | undefined;
  #behind: SessionTimer | undefined;

  constructor(session: TimedSession, name: TimerName, dueMs: number, list: DelayList) {
    this.session = session;
    this.name = name;
    this.dueMs = dueMs;
    this.#list = list;
    this.#before = list.last;
    this.#behind = undefined;
    if (list.last === undefined) list.first = this;
    else list.last.#behind = this;
    list.last = this;
  }

  cancel(): void {
    const list = this.#list;
    if (list === undefined) return;
    this.#list = undefined;
    if (this.#before === undefined) list.first = this.#behind;
    else this.#before.#behind = this.#behind;
    if (this.#behind === undefined) list.last = this.#before;
    else this.#behind.#before = this.#before;
    if (list.first === undefined) list.end();
  }
}

/** Timers of one delay: the ends of the chain that they are. */
class DelayList {
  first: SessionTimer | undefined = undefined;
  last: SessionTimer | undefined = undefined;
  readonly #clock: Clock;
  readonly #turn: Turn;
  readonly #ended: () => void;
  #wait: Timer;

  constructor(clock: Clock, turn: Turn, delayMs: number, ended: () => void) {
    this.#clock = clock;
    this.#turn = turn;
    this.#ended = ended;
    this.#wait = clock.after(delayMs, () => this.#look());
  }

  end(): void {
    this.#wait.cancel();
    this.#ended();
  }

  /** What is due together runs in one turn; whatever becomes of it, the others are waited for. */
  #look(): void {
    const nowMs = this.#clock.monotonicMs();
    try {
      if (this.first !== undefined && this.first.dueMs <= nowMs) this.#turn(() => this.#run(nowMs));
    } finally {
      if (this.first !== undefined) {
        const leftMs = this.first.dueMs - this.#clock.monotonicMs();
        this.#wait = this.#clock.after(Math.max(1, leftMs), () => this.#look());
      }
    }
  }

  /** Timers that are set meanwhile are left for later. */
  #run(nowMs: number): void {
    const { last } = this;
    for (let timer = this.first; timer !== undefined && timer.dueMs <= nowMs; timer = this.first) {
      timer.cancel();
      timer.session.timerDue(timer.name);
      if (timer === last) return;
    }
  }
}

export class SessionTimers {
  readonly #clock: Clock;
  readonly #turn: Turn;
  readonly #lists = new Map<number, DelayList>();

  constructor(clock: Clock, turn: Turn) {
    this.#clock = clock;
    this.#turn = turn;
  }

  set(session: TimedSession, name: TimerName, delayMs: number): SessionTimer {
    const list = this.#lists.get(delayMs) ?? this.#newList(delayMs);
    return new SessionTimer(session, name, this.#clock.monotonicMs() + delayMs, list);
  }

  #newList(delayMs: number): DelayList {
    const list = new DelayList(this.#clock, this.#turn, delayMs, () => this.#lists.delete(delayMs));
    this.#lists.set(delayMs, list);
    return list;
  }
}
