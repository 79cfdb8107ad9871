// Lame duck mode: nobody new comes in, clients are told to go elsewhere, and those who stay are closed one by one.
// Kept true: `start` runs once; the promise resolves when the last client was closed, at once when there is none, and when it is cut short.
import { lameDuckPace } from '../../core/session/lame-duck.ts';
import type { LameDuckPace } from '../../core/session/lame-duck.ts';
import type { Options } from '../../core/config/options.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { Random } from '../../ports/random.ts';
import type { Sessions } from '../session/sessions.ts';
import type { OpenListeners } from './listeners.ts';

export interface LameDuckParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly sessions: Sessions;
  readonly listeners: OpenListeners;
}

/** Parts of a millisecond that a pause is spread over. */
const PAUSE_STEPS = 1_000;

export class LameDuck {
  readonly #parts: LameDuckParts;
  #started: Promise<void> | undefined;
  #isCutShort = false;
  #timer: Timer | undefined;
  #goOn: () => void = () => {};

  constructor(parts: LameDuckParts) {
    this.#parts = parts;
  }

  get started(): boolean {
    return this.#started !== undefined;
  }

  start(options: Options): Promise<void> {
    this.#started ??= this.#run(options);
    return this.#started;
  }

  /** The server stops now: nothing is waited for any more. */
  cutShort(): void {
    this.#isCutShort = true;
    this.#timer?.cancel();
    this.#goOn();
  }

  async #run(options: Options): Promise<void> {
    const { log, sessions, listeners } = this.#parts;
    log.info('Entering lame duck mode, stop accepting new clients');
    await listeners.stopAccepting();
    if (sessions.size === 0) return;
    sessions.enterLameDuck();
    await this.#wait(options.lameDuckGracePeriodMs);
    if (this.#isCutShort) return;
    log.info('Closing existing clients');
    await this.#closeAll(lameDuckPace(sessions.size, options.lameDuckDurationMs, options.lameDuckGracePeriodMs));
  }

  async #closeAll(pace: LameDuckPace): Promise<void> {
    const { random, sessions } = this.#parts;
    const cids = sessions.cids();
    for (let at = 0; at < cids.length; at += pace.clientsAtOnce) {
      if (at > 0) await this.#wait((pace.pauseMs * (1 + random.below(PAUSE_STEPS) / PAUSE_STEPS)) / 2);
      if (this.#isCutShort) return;
      for (const cid of cids.slice(at, at + pace.clientsAtOnce)) sessions.end(cid, 'serverShutdown');
    }
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isCutShort) return resolve();
      this.#goOn = resolve;
      this.#timer = this.#parts.clock.after(delayMs, resolve);
    });
  }
}
