/**
 * A raw client: a TCP (or TLS) socket that sends exact bytes and reads lines. It knows nothing of NATS but CRLF, INFO and PING,
 * so that a test sees what the server really wrote. Text is latin1 inside: one character is one byte.
 * Every read has a deadline and its failure says what was received instead.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { patienceMs } from './patience.ts';

export type InfoFields = Record<string, unknown>;

export class WireClient {
  #socket: Socket;
  #received = Buffer.alloc(0);
  #ended = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  static connect(port: number, host = '127.0.0.1'): Promise<WireClient> {
    return new Promise((resolve, reject) => {
      const socket = connectTcp({ port, host, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new WireClient(socket));
      });
    });
  }

  /** Connects and reads the greeting. */
  static async greeted(port: number): Promise<{ client: WireClient; info: InfoFields }> {
    const client = await WireClient.connect(port);
    return { client, info: await client.info() };
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#wake?.();
    });
    const ended = (): void => {
      if (socket !== this.#socket) return;
      this.#ended = true;
      this.#wake?.();
    };
    socket.on('end', ended);
    socket.on('close', ended);
    socket.on('error', ended);
  }

  /** Starts TLS on this connection; what was received in plain stays readable first. */
  upgrade(options: ConnectionOptions): Promise<void> {
    const plain = this.#socket;
    plain.removeAllListeners('data');
    return new Promise((resolve, reject) => {
      const secure = connectTls({ ...options, socket: plain }, () => resolve());
      secure.once('error', reject);
      this.#socket = secure;
      this.#listen(secure);
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** What was received and not yet read. */
  get pending(): string {
    return this.#received.toString('latin1');
  }

  write(bytes: string | Uint8Array): Promise<void> {
    const chunk = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    return new Promise((resolve) => {
      if (this.#ended || this.#socket.destroyed) return resolve();
      this.#socket.write(chunk, () => resolve());
    });
  }

  /** Writes the bytes in pieces that end at the given places, each handed to the system before the next. */
  async writeCut(bytes: Uint8Array, cuts: readonly number[]): Promise<void> {
    let from = 0;
    for (const to of [...cuts, bytes.length]) {
      if (to <= from) continue;
      await this.write(bytes.subarray(from, to));
      await new Promise((resolve) => setImmediate(resolve));
      from = to;
    }
  }

  async #until(done: () => boolean, wanted: string, withinMs: number): Promise<void> {
    if (done()) return;
    const timedOut = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(true), withinMs);
      this.#wake = () => {
        if (!done() && !this.#ended) return;
        clearTimeout(timer);
        resolve(false);
      };
      if (this.#ended) this.#wake();
    });
    this.#wake = undefined;
    if (done()) return;
    const how = timedOut ? `nothing more came within ${withinMs} ms` : 'the connection ended';
    throw new Error(`wanted ${wanted}, ${how}; unread: ${JSON.stringify(this.pending.slice(0, 400))}`);
  }

  /** The next line without its CRLF. */
  async line(wanted = 'a line', withinMs = patienceMs): Promise<string> {
    await this.#until(() => this.#received.includes('\r\n'), wanted, withinMs);
    const end = this.#received.indexOf('\r\n');
    const text = this.#received.toString('latin1', 0, end);
    this.#received = this.#received.subarray(end + 2);
    return text;
  }

  /** The next `length` bytes. */
  async bytes(length: number, withinMs = patienceMs): Promise<string> {
    await this.#until(() => this.#received.length >= length, `${length} bytes`, withinMs);
    const text = this.#received.toString('latin1', 0, length);
    this.#received = this.#received.subarray(length);
    return text;
  }

  /** Reads over `length` bytes without keeping them. */
  async skip(length: number, withinMs = patienceMs): Promise<void> {
    let left = length;
    const done = (): boolean => {
      const taken = Math.min(left, this.#received.length);
      left -= taken;
      this.#received = this.#received.subarray(taken);
      return left === 0;
    };
    await this.#until(done, `${length} bytes`, withinMs);
  }

  /** Reads everything up to and with the first occurrence of a text. */
  async through(text: string, withinMs = patienceMs): Promise<string> {
    await this.#until(() => this.#received.includes(text, 0, 'latin1'), JSON.stringify(text), withinMs);
    return this.bytes(this.#received.indexOf(text, 0, 'latin1') + text.length, withinMs);
  }

  async info(): Promise<InfoFields> {
    const line = await this.line('INFO');
    if (!line.startsWith('INFO {')) throw new Error(`wanted INFO, got ${JSON.stringify(line)}`);
    return JSON.parse(line.slice(5)) as InfoFields;
  }

  /** Sends PING and reads through its PONG: what the server did before has then arrived. Returns what came before the PONG. */
  async sync(withinMs = patienceMs): Promise<string> {
    await this.write('PING\r\n');
    const text = await this.through('PONG\r\n', withinMs);
    return text.slice(0, -'PONG\r\n'.length);
  }

  /** Everything up to the end of the connection. */
  async rest(withinMs = patienceMs): Promise<string> {
    await this.#until(() => this.#ended, 'the end of the connection', withinMs);
    const text = this.pending;
    this.#received = Buffer.alloc(0);
    return text;
  }

  /** Sends FIN and awaits the end of the connection. */
  async close(): Promise<void> {
    if (this.#socket.destroyed) return;
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    this.#socket.end();
    this.#socket.resume();
    const timer = setTimeout(() => this.#socket.destroy(), patienceMs);
    await closed;
    clearTimeout(timer);
  }

  /** Drops the connection without a farewell. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Stops reading from the socket, as a slow consumer does. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}
