// Where log lines go: a descriptor (stderr or a file) written behind the event loop's back, at most one write at a time, so that tracing
// thousands of messages costs a string each and one write a turn.
// Kept true: lines leave in order; `flush` leaves nothing behind, whatever was under way; when the reader of a pipe stops reading, memory
// stays bounded and the number of lines lost is told; an error of the descriptor never reaches the server.

import { closeSync, fstatSync, openSync, write, writeSync } from 'node:fs';

const maxPendingBytes = 8 * 1024 * 1024;
const logFileMode = 0o640;

export class LogSink {
  readonly path: string | undefined;
  #descriptor: number;
  #pending: string[] = [];
  #pendingBytes = 0;
  #dropped = 0;
  /** The chunk handed to the system, while it is being written. */
  #writing: Buffer | undefined;
  #scheduled = false;
  /** A file let go of while a write to it was under way. */
  #closeLater = -1;
  #size: number;
  readonly #onWritten: (() => void) | undefined;

  private constructor(descriptor: number, path: string | undefined, onWritten?: () => void) {
    this.#descriptor = descriptor;
    this.path = path;
    this.#size = path === undefined ? 0 : fstatSync(descriptor).size;
    this.#onWritten = onWritten;
  }

  static stderr(): LogSink {
    return new LogSink(2, undefined);
  }

  /** Appends to the file, made with mode 0640 when it is new. `onWritten` follows each write; throws when the file cannot be opened. */
  static file(path: string, onWritten?: () => void): LogSink {
    return new LogSink(openSync(path, 'a', logFileMode), path, onWritten);
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
    if (this.#writing !== undefined || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#writing === undefined) this.#writeNext();
    });
  }

  /** Writes everything now. A chunk that another thread is still writing may come out after it, complete. */
  flush(): void {
    const chunk = this.#take();
    if (chunk !== undefined) this.#writeNow(chunk);
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
    const descriptor = this.#descriptor;
    this.#descriptor = -1;
    if (this.#writing === undefined) closeSync(descriptor);
    else this.#closeLater = descriptor;
  }

  #take(): Buffer | undefined {
    if (this.#pending.length === 0) return undefined;
    if (this.#dropped > 0) this.#pending.push(`${this.#dropped} log lines were dropped, nobody read them\n`);
    const chunk = Buffer.from(this.#pending.join(''), 'utf8');
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#dropped = 0;
    return chunk;
  }

  #writeNext(): void {
    const chunk = this.#take();
    if (chunk === undefined || this.#descriptor < 0) return;
    this.#writing = chunk;
    this.#writeRest(this.#descriptor, chunk, 0);
  }

  #writeRest(descriptor: number, chunk: Buffer, from: number): void {
    write(descriptor, chunk, from, (error, written) => {
      const again = error?.code === 'EAGAIN';
      const at = from + (error === null ? written : 0);
      if ((error === null || again) && at < chunk.length) {
        if (again) setTimeout(() => this.#writeRest(descriptor, chunk, at), 1);
        else this.#writeRest(descriptor, chunk, at);
        return;
      }
      this.#size += at;
      this.#writing = undefined;
      if (this.#closeLater >= 0) closeSync(this.#closeLater);
      if (this.#descriptor < 0) return;
      this.#onWritten?.();
      this.#writeNext();
    });
  }

  #writeNow(chunk: Buffer): void {
    if (this.#descriptor < 0) return;
    let at = 0;
    let refused = 0;
    while (at < chunk.length && refused < 100) {
      try {
        at += writeSync(this.#descriptor, chunk, at);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
        refused++;
      }
    }
    this.#size += at;
  }
}
