// When a round of the store begins. While turns come one at a time it begins at the end of the turn, so that nothing holds up a client that is
// alone. While the event loop finds several connections readable at once, it begins behind all of their turns, in its check phase: then one
// write takes what eight clients have sent, where each would have had a write and a look at the file's length of its own.
//
// Which it is, is counted: now and then the check phase looks how many turns there were behind one that began a round.

/** So many rounds begin in the same way before another look, or one after the other without company before they begin at once again. */
const ROUNDS_A_LOOK = 16;

export interface RoundStartPorts {
  /** How many turns began so far. */
  readonly turns: () => number;
  /** Calls behind the events of the turn under way. */
  readonly soon: (call: () => void) => void;
  /** Runs something as a turn of its own. */
  readonly turn: (work: () => void) => void;
}

export class RoundStart {
  readonly #ports: RoundStartPorts;
  #gathers = false;
  #alone = 0;

  constructor(ports: RoundStartPorts) {
    this.#ports = ports;
  }

  /** Begins a round. */
  readonly begin = (call: () => void): void => {
    if (this.#gathers) return this.#behindAll(call);
    if (++this.#alone >= ROUNDS_A_LOOK) this.#look();
    this.#ports.soon(call);
  };

  #look(): void {
    const { turns } = this.#ports;
    const before = turns();
    this.#alone = 0;
    setImmediate(() => (this.#gathers ||= turns() > before));
  }

  #behindAll(call: () => void): void {
    const { turns, turn } = this.#ports;
    const before = turns();
    setImmediate(() => {
      this.#alone = turns() > before ? 0 : this.#alone + 1;
      if (this.#alone >= ROUNDS_A_LOOK) {
        this.#gathers = false;
        this.#alone = 0;
      }
      turn(call);
    });
  }
}
