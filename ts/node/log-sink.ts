// Where log lines go: stderr or a file, one write for all lines of a turn, so that tracing thousands of messages costs a string each.
// Kept true: lines leave in order; `flush` leaves nothing behind; a pipe that nobody reads never holds the server up - its lines wait, within
// bounds, and those lost are counted in the log; an error of the descriptor never reaches the server.

import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';

const maxPendingBytes = 8 * 1024 * 1024;
const logFileMode = 0o640;
const stderrDescriptor = 2;
/** How soon a full pipe is tried again, and how often at the end of the process. */
const retryMs = 10;
const lastTries = 20;

export class LogSink {
  readonly path: string | undefined;
  #descriptor: number;
  #pending: string[] = [];
  #pendingBytes = 0;
  #dropped = 0;
  /** What a full pipe did not take of the last write. */
  #rest: Buffer | undefined;
  #scheduled = false;
  #size: number;
  readonly #onWritten: (() => void) | undefined;

  private constructor(descriptor: number, path: string | undefined, onWritten?: () => void) {
    this.#descriptor = descriptor;
    this.path = path;
    this.#size = path === undefined ? 0 : fstatSync(descriptor).size;
    this.#onWritten = onWritten;
  }

  static stderr(): LogSink {
    return new LogSink(unblockedStderr(), undefined);
  }

  /** Appends to the file, made with mode 0640 when it is new. `onWritten` follows each write; throws when the file cannot be opened. */
  static file(path: string, onWritten?: () => void): LogSink {
    try {
      return new LogSink(openSync(path, 'a', logFileMode), path, onWritten);
    } catch (error) {
      throw new Error(`error opening log file: ${(error as Error).message}`);
    }
  }

  /** Bytes in the file that count against its limit. */
  get size(): number {
    return this.#size;
  }

  append(line: string): void {
    if (this.#pendingBytes > maxPendingBytes) {
      this.#dropped++;
      return;
    }
    this.#pending.push(line);
    this.#pendingBytes += line.length;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#write);
  }

  /** Writes everything now; gives up only on a pipe that stays full. */
  flush(): void {
    for (let tries = 0; tries < lastTries; tries++) {
      if (this.#writePending()) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
    }
  }

  /** Flushes and counts the size from zero: what is in the file so far, such as the notices of a rotation, fills it no further. */
  startOver(): void {
    this.flush();
    this.#size = 0;
  }

  /** Flushes and lets go of the file; stderr stays open. */
  close(): void {
    this.flush();
    if (this.path === undefined || this.#descriptor < 0) return;
    closeSync(this.#descriptor);
    this.#descriptor = -1;
  }

  readonly #write = (): void => {
    this.#scheduled = false;
    if (this.#descriptor < 0) return;
    if (this.#writePending()) {
      this.#onWritten?.();
      return;
    }
    this.#scheduled = true;
    setTimeout(this.#write, retryMs).unref();
  };

  /** False when the descriptor took only a part for now. */
  #writePending(): boolean {
    if (this.#rest !== undefined && !this.#writeOut(this.#rest)) return false;
    if (this.#pending.length === 0) return true;
    if (this.#dropped > 0) this.#pending.push(`${this.#dropped} log lines were dropped, nobody read them\n`);
    const chunk = Buffer.from(this.#pending.join(''), 'utf8');
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#dropped = 0;
    return this.#writeOut(chunk);
  }

  #writeOut(chunk: Buffer): boolean {
    let at = 0;
    this.#rest = undefined;
    if (this.#descriptor < 0) return true;
    try {
      while (at < chunk.length) at += writeSync(this.#descriptor, chunk, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') this.#rest = chunk.subarray(at);
    }
    this.#size += at;
    return this.#rest === undefined;
  }
}

/** Stderr; of a pipe, a descriptor of our own that answers EAGAIN when the pipe is full, while other holders of the pipe notice nothing. */
function unblockedStderr(): number {
  try {
    if (!fstatSync(stderrDescriptor).isFIFO()) return stderrDescriptor;
    return openSync(`/proc/self/fd/${stderrDescriptor}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return stderrDescriptor;
  }
}
