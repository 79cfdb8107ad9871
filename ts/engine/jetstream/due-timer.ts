// The timer of what comes due in a stream one after the other: its ages, its schedules. It goes at the time that was asked for, or a little later, in
// a turn of its own.

import type { Timer } from '../../ports/clock.ts';
import type { JetStreamPorts } from './ports.ts';

/** It does not go more often. */
const SHORTEST_WAIT_MS = 50;
/** A timer waits no longer; it goes too early then, and is asked for again. */
const LONGEST_WAIT_MS = 0x7fff_ffff;

export class DueTimer {
  readonly #stream: { readonly ports: JetStreamPorts };
  readonly #fire: () => void;
  #timer: Timer | undefined;
  #atMs = 0;

  constructor(stream: { readonly ports: JetStreamPorts }, fire: () => void) {
    this.#stream = stream;
    this.#fire = fire;
  }

  get isSet(): boolean {
    return this.#timer !== undefined;
  }

  /** Goes at this time of the wall clock, unless it goes before. */
  wakeAt(dueMs: number): void {
    const { clock } = this.#stream.ports;
    const nowMs = clock.wallMs();
    const atMs = Math.max(dueMs, nowMs + SHORTEST_WAIT_MS);
    if (this.#timer !== undefined && this.#atMs <= atMs) return;
    this.cancel();
    this.#atMs = atMs;
    this.#timer = clock.after(Math.min(LONGEST_WAIT_MS, atMs - nowMs), () => {
      this.#timer = undefined;
      this.#stream.ports.door.soon(this.#fire);
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
