// What is done with full blocks in the background, for all streams: one block at a time, with rests between, so that it never takes more than a
// share of the disk. Streams that may have work are looked at once a while.

import type { Clock, Timer } from '../../ports/clock.ts';

export interface UpkeepOptions {
  /** Between noticing that there may be work and looking for it. */
  readonly lookMs: number;
  /** Bytes read and written in a second, on average. */
  readonly bytesPerSecond: number;
}

/** A share of the disk that publishing does not notice. */
export const upkeepDefaults: UpkeepOptions = { lookMs: 2_000, bytesPerSecond: 64 << 20 };

/** One block to be written anew. Resolves to the bytes it took. */
export type UpkeepWork = () => Promise<number>;

export class Upkeep {
  readonly #clock: Clock;
  readonly #options: UpkeepOptions;
  readonly #waiting: UpkeepWork[] = [];
  readonly #looks = new Set<() => void>();
  #lookTimer: Timer | undefined;
  #restTimer: Timer | undefined;
  #working = false;
  #stopped = false;
  #idle: (() => void)[] = [];

  constructor(clock: Clock, options: UpkeepOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Calls `look` in a while, once however often it is asked for. */
  lookLater(look: () => void): void {
    if (this.#stopped) return;
    this.#looks.add(look);
    this.#lookTimer ??= this.#clock.after(this.#options.lookMs, () => {
      this.#lookTimer = undefined;
      const looks = [...this.#looks];
      this.#looks.clear();
      for (const call of looks) call();
    });
  }

  forget(look: () => void): void {
    this.#looks.delete(look);
  }

  add(work: UpkeepWork): void {
    if (this.#stopped) return;
    this.#waiting.push(work);
    this.#next();
  }

  #next(): void {
    if (this.#working || this.#restTimer !== undefined) return;
    const work = this.#waiting.shift();
    if (work === undefined) return;
    this.#working = true;
    void work().then((bytes) => {
      this.#working = false;
      for (const call of this.#idle.splice(0)) call();
      this.#rest((bytes / this.#options.bytesPerSecond) * 1000);
    });
  }

  #rest(ms: number): void {
    if (this.#stopped) return;
    if (ms < 1) return this.#next();
    this.#restTimer = this.#clock.after(ms, () => {
      this.#restTimer = undefined;
      this.#next();
    });
  }

  /** Resolves when the block under way, if there is one, is done. */
  async settled(): Promise<void> {
    if (this.#working) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting.length = 0;
    this.#lookTimer?.cancel();
    this.#restTimer?.cancel();
    await this.settled();
  }
}
