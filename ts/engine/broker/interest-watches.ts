// Who wants to know when a subject's subscriptions come or go. The kernel notes which watched subjects have something new; at the end of the
// events of a turn their watchers look for themselves.

import type { Kernel } from '../../kernel/kernel.ts';

export interface InterestWatch {
  cancel(): void;
}

export class InterestWatches {
  readonly #kernel: Kernel;
  readonly #calls = new Map<number, () => void>();
  #lastTarget = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Calls behind the events of every turn in which somebody subscribed to exactly this subject, or does not any more. */
  watch(account: number, subject: string, call: () => void): InterestWatch {
    const target = ++this.#lastTarget;
    const handle = this.#kernel.watchInterest(account, subject, target);
    this.#calls.set(target, call);
    return {
      cancel: () => {
        if (this.#calls.delete(target)) this.#kernel.exports.unwatchInterest(handle);
      },
    };
  }

  /** What the next watcher with something new is to do; undefined: there is none. */
  next(): (() => void) | undefined {
    for (let target = this.#kernel.exports.nextWatched(); target !== 0; target = this.#kernel.exports.nextWatched()) {
      const call = this.#calls.get(target);
      if (call !== undefined) return call;
    }
    return undefined;
  }
}
