// Flow control of a push consumer: how many bytes may be on their way before the client has answered a flow control request.
// The window starts at a sixteenth of its limit and doubles with each answer. A request goes out when more than half of the window
// is used; nothing goes out any more when all of it is.

const limitBytes = 32 * 1024 * 1024;

export class FlowWindow {
  readonly #prefix: string;
  #windowBytes = limitBytes / 16;
  #usedBytes = 0;
  #asked = '';
  #askedBytes = 0;
  #count = 0;

  /** `prefix`: `$JS.FC.<stream>.<consumer>.` */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The subject of the request that is not answered yet, '' for none. */
  get asked(): string {
    return this.#asked;
  }

  get isFull(): boolean {
    return this.#usedBytes > this.#windowBytes;
  }

  /** Bytes to send before the window should be looked at again. */
  get room(): number {
    const target = this.#asked === '' ? this.#windowBytes / 2 : this.#windowBytes;
    return Math.max(1, Math.floor(target - this.#usedBytes) + 1);
  }

  /** Counts bytes sent. Answers the subject of a request that is now due; `stalled`: nothing more goes out before it is answered. */
  sent(bytes: number, stalled: boolean): string | undefined {
    this.#usedBytes += bytes;
    return stalled || this.#usedBytes > this.#windowBytes / 2 ? this.ask() : undefined;
  }

  /** The subject of a new request; undefined while one is not answered. */
  ask(): string | undefined {
    if (this.#asked !== '') return undefined;
    this.#count = (this.#count + 1) % 36 ** 4;
    this.#asked = `${this.#prefix}${this.#count.toString(36).padStart(4, '0')}`;
    this.#askedBytes = this.#usedBytes;
    return this.#asked;
  }

  /** The client answered on `subject`. False: not the request we wait for. */
  answered(subject: string): boolean {
    if (subject !== this.#asked) return false;
    this.#windowBytes = Math.min(limitBytes, this.#windowBytes * 2);
    this.#usedBytes = Math.max(0, this.#usedBytes - this.#askedBytes);
    this.#asked = '';
    return true;
  }

  /** The client went away: what was on its way is gone. */
  reset(): void {
    this.#usedBytes = 0;
    this.#asked = '';
  }
}
