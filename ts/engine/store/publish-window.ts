// A publisher that keeps a window: it sends so many messages, waits until all of them are acknowledged, and sends the next. What it has sent when a
// round begins is only a part of that, so that the rest would wait for a second sync; waiting for all of it saves that one. Whether there is
// such a publisher, the stream's quiet moments tell, when all its messages are acknowledged: each end of a window is one, so that they lie as far
// apart, in sequences, as the window is wide, with others in between perhaps.

/** Windows that were alike before one is expected. */
const ALIKE = 5;
/** Fewer messages come with one read mostly, and are not worth waiting. */
const FEWEST = 64;
/** Quiet moments that are remembered: windows in several parts have several. */
const REMEMBERED = 40;
/** Windows in a row whose rest did not come in time: behind the second they are taken to end elsewhere, behind the third none is expected. */
const MOST_MISSED = 3;

export class PublishWindow {
  /** Last sequences in quiet moments, rising. */
  readonly #quiet: number[] = [];
  /** 0: no window is known. */
  #messages = 0;
  /** The last sequence of the window before. */
  #before = 0;
  #missed = 0;
  /** The rest of this window is not waited for. */
  #isMissed = false;

  /** Whether more of a window is to come behind the stream's last sequence. */
  expectsMore(lastSeq: number): boolean {
    return !this.#isMissed && lastSeq - this.#before < this.#messages;
  }

  /** The rest of the window did not come in time. */
  missed(): void {
    this.#isMissed = true;
    this.#missed++;
    if (this.#missed >= MOST_MISSED) this.forget();
  }

  /** Everything up to the last sequence is acknowledged. */
  quiet(lastSeq: number): void {
    const before = this.#quiet.at(-1) ?? 0;
    if (lastSeq === before) return;
    if (lastSeq < before) this.forget();
    this.#quiet.push(lastSeq);
    if (this.#quiet.length > REMEMBERED) this.#quiet.shift();
    const messages = lastSeq - this.#before;
    const isElsewhere = this.#isMissed && this.#missed > 1;
    if (messages < this.#messages && !isElsewhere) return;
    if (!this.#isMissed) this.#missed = 0;
    this.#isMissed = false;
    this.#before = lastSeq;
    if (messages > this.#messages) this.#messages = this.#find(lastSeq);
  }

  /** The narrowest window of which the last ones were; 0: none, or it is too narrow. */
  #find(lastSeq: number): number {
    for (let at = this.#quiet.length - 2; at >= 0; at--) {
      const messages = lastSeq - (this.#quiet[at] ?? 0);
      if (this.#wasQuiet(lastSeq, messages)) return messages < FEWEST ? 0 : messages;
    }
    return 0;
  }

  #wasQuiet(lastSeq: number, messages: number): boolean {
    for (let windows = 2; windows <= ALIKE; windows++) {
      if (!this.#quiet.includes(lastSeq - windows * messages)) return false;
    }
    return true;
  }

  /** What was is no guide any more. */
  forget(): void {
    this.#quiet.length = 0;
    this.#messages = 0;
    this.#before = 0;
    this.#isMissed = false;
    this.#missed = 0;
  }
}
