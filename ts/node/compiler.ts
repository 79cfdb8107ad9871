// When V8 compiles with its optimizing compiler what runs often, while a crowd connects.
//
// V8 looks at a function each time it has run so many bytes of its bytecode, and compiles those that are worth it on threads of its own. When
// thousands of clients come to a server that was just started, it compiles all that a connection passes through, and is done with it when
// nearly all are there: of what 2,000 connections cost, that was a third. So the looks are rarer while connections come by the dozen, and short
// functions are not compiled at the first, which may have been near when the crowd came. At any other time V8 has its own ways: publishers and
// consumers, who come alone or by the handful, notice nothing.
//
// Only V8 11 (Node 20) is asked: later versions wait longer by themselves.

import { setFlagsFromString } from 'node:v8';
import type { Clock, Timer } from '../ports/clock.ts';
import type { Acceptor } from '../ports/connection.ts';
import type { Listeners } from '../ports/listen.ts';

/** Bytes between two looks, and how short a function is that is compiled at the first. */
export interface Patience {
  readonly lookBytes: number;
  readonly shortBytes: number;
}

/** V8's own numbers, and those for a crowd. */
export const usual: Patience = { lookBytes: 67_584, shortBytes: 81 };
export const patient: Patience = { lookBytes: 8 * usual.lookBytes, shortBytes: 0 };

/** So many connections in so long a time are a crowd. */
const CROWD = 16;
const WINDOW_MS = 100;

export class CrowdWatch {
  readonly #clock: Clock;
  readonly #use: (patience: Patience) => void;
  #arrivals = 0;
  #crowded = false;
  /** Runs while connections come. */
  #window: Timer | undefined;

  constructor(clock: Clock, use: (patience: Patience) => void) {
    this.#clock = clock;
    this.#use = use;
  }

  arrived(): void {
    this.#arrivals++;
    if (this.#arrivals === CROWD && !this.#crowded) this.#turnTo(true);
    this.#window ??= this.#clock.every(WINDOW_MS, () => this.#windowEnded());
  }

  #windowEnded(): void {
    const came = this.#arrivals;
    this.#arrivals = 0;
    if (came >= CROWD) return;
    if (this.#crowded) this.#turnTo(false);
    this.#window?.cancel();
    this.#window = undefined;
  }

  #turnTo(crowded: boolean): void {
    this.#crowded = crowded;
    this.#use(crowded ? patient : usual);
  }
}

function counting(acceptor: Acceptor, watch: CrowdWatch): Acceptor {
  return {
    accept: (transport) => {
      watch.arrived();
      return acceptor.accept(transport);
    },
  };
}

/** The same listeners, watched. It holds for the whole process: for the program, which owns it, and not for who embeds a server. */
export function compileLaterInCrowds(listeners: Listeners, clock: Clock, v8 = process.versions.v8): Listeners {
  if (!v8.startsWith('11.')) return listeners;
  const watch = new CrowdWatch(clock, ({ lookBytes, shortBytes }) => {
    setFlagsFromString(`--interrupt-budget=${lookBytes}`);
    setFlagsFromString(`--max-bytecode-size-for-early-opt=${shortBytes}`);
  });
  return {
    tcp: (options, acceptor) => listeners.tcp(options, counting(acceptor, watch)),
    tls: (options, acceptor) => listeners.tls(options, counting(acceptor, watch)),
    webSocket: (options, acceptor) => listeners.webSocket(options, counting(acceptor, watch)),
  };
}
