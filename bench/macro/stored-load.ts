/**
 * Loads on streams that `nats bench` has no command for, made by a raw client of our own: many requests under way at once, each with a reply
 * of its own. Replies are counted, not parsed; one that carries an error ends the load.
 */
import { connect, type Socket } from 'node:net';

const REPLY = Buffer.from('MSG _INBOX.load.');
const ERROR = Buffer.from('"error":');
/** Longest piece of a reply that decides: carried over from one read to the next. */
const KEPT = REPLY.length - 1;

/** A connection that asks and counts answers. */
export class StoredLoad {
  readonly #socket: Socket;
  #tail: Buffer = Buffer.alloc(0);
  #answers = 0;
  #failure: Error | undefined;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.once('error', (error: Error) => this.#fail(error));
    socket.once('close', () => this.#fail(new Error('the server closed the connection')));
  }

  static async open(port: number): Promise<StoredLoad> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    socket.write('CONNECT {"verbose":false,"pedantic":false,"headers":false}\r\nSUB _INBOX.load.* 1\r\n');
    return new StoredLoad(socket);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  #take(chunk: Buffer): void {
    const bytes = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    for (let at = bytes.indexOf(REPLY); at >= 0; at = bytes.indexOf(REPLY, at + REPLY.length)) this.#answers++;
    const error = bytes.indexOf(ERROR);
    if (error >= 0) this.#fail(new Error(`answered with ${bytes.toString('latin1', error, error + 120).split('\r')[0]}`));
    // A reply found in whole is not counted again: what is kept is too short for one.
    this.#tail = Buffer.from(bytes.subarray(Math.max(0, bytes.length - KEPT)));
    this.#wake();
  }

  /** Sends `count` publishes, at most `window` of them unanswered; returns how many were answered a second. */
  async run(
    count: number,
    window: number,
    publish: (index: number) => readonly [subject: string, payload: string],
  ): Promise<number> {
    const before = this.#answers;
    const started = performance.now();
    const half = Math.max(1, window >> 1);
    for (let sent = 0; this.#answers - before < count;) {
      if (this.#failure !== undefined) throw this.#failure;
      const room = Math.min(window - (sent - (this.#answers - before)), count - sent);
      if (room >= half || room === count - sent) {
        let text = '';
        for (const end = sent + room; sent < end; sent++) {
          const [subject, payload] = publish(sent);
          text += `PUB ${subject} _INBOX.load.${sent} ${payload.length}\r\n${payload}\r\n`;
        }
        this.#socket.write(text, 'latin1');
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return (count * 1000) / (performance.now() - started);
  }

  end(): void {
    this.#socket.removeAllListeners('close').destroy();
  }
}

export interface LoginLoad {
  /** Ends it; how many logins there were a second. */
  end(): Promise<number>;
}

/** So many clients at a time connect, log in, and leave when they are let in. */
export function loginLoad(
  port: number,
  clients: number,
  credentials: { readonly user: string; readonly pass: string },
): LoginLoad {
  const started = performance.now();
  let logins = 0;
  let ending = false;
  const login = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.write(`CONNECT ${JSON.stringify({ verbose: false, ...credentials })}\r\nPING\r\n`);
      socket.on('data', (chunk: Buffer) => {
        if (!chunk.includes('PONG\r\n')) return;
        logins++;
        socket.destroy();
      });
      socket.on('error', () => socket.destroy());
      socket.once('close', () => resolve());
    });
  const lane = async (): Promise<void> => {
    while (!ending) await login();
  };
  const lanes = Promise.all(Array.from({ length: clients }, lane));
  return {
    end: async () => {
      ending = true;
      await lanes;
      return (logins * 1000) / (performance.now() - started);
    },
  };
}
