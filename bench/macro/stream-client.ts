/**
 * A raw client for loads on JetStream that `nats bench` has no command for: requests under way by the hundred, publishes without waiting,
 * pulls and acknowledgements. It reads frames without making objects of them, so that the server is the limit and not the client.
 */
import { connect, type Socket } from 'node:net';

export interface Frame {
  readonly sid: number;
  /** '' for none. */
  readonly reply: string;
  readonly headers: Buffer;
  readonly payload: Buffer;
}

const inboxSid = 1;

export class StreamClient {
  readonly #socket: Socket;
  readonly #inbox = `_INBOX.${Math.random().toString(36).slice(2)}`;
  readonly #answers = new Map<string, (frame: Frame) => void>();
  readonly #receivers = new Map<number, (frame: Frame) => void>();
  readonly #pongs: Array<() => void> = [];
  #rest: Buffer = Buffer.alloc(0);
  #lastSid = inboxSid;
  #lastRequest = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.once('end', () => socket.destroy(new Error('the server ended the connection')));
    socket.write(`CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\nSUB ${this.#inbox}.* ${inboxSid}\r\n`);
  }

  static async connect(port: number): Promise<StreamClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    const client = new StreamClient(socket);
    await client.flushed();
    return client;
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at < bytes.length) {
      const end = bytes.indexOf(10, at);
      if (end < 0) break;
      const next = this.#operation(bytes, at, end);
      if (next > bytes.length) break;
      at = next;
    }
    this.#rest = bytes.subarray(at);
  }

  /** One operation whose line ends at `end`; answers where the next begins, behind the bytes when it is not there in full. */
  #operation(bytes: Buffer, at: number, end: number): number {
    const verb = bytes[at];
    if (verb !== 0x4d && verb !== 0x48) {
      if (verb === 0x50 && bytes[at + 1] === 0x4f) this.#pongs.shift()?.();
      if (verb === 0x2d) throw new Error(bytes.toString('latin1', at, end));
      return end + 1;
    }
    const words = bytes.toString('latin1', at, end - 1).split(' ');
    const total = Number(words.at(-1));
    const next = end + 1 + total + 2;
    if (next > bytes.length) return next;
    const withHeaders = verb === 0x48;
    const headerLength = withHeaders ? Number(words.at(-2)) : 0;
    const reply = words.length === (withHeaders ? 6 : 5) ? (words[3] ?? '') : '';
    const data = bytes.subarray(end + 1, end + 1 + total);
    const sid = Number(words[2]);
    const frame = { sid, reply, headers: data.subarray(0, headerLength), payload: data.subarray(headerLength) };
    if (sid === inboxSid) this.#answers.get(words[1] ?? '')?.(frame);
    else this.#receivers.get(sid)?.(frame);
    return next;
  }

  flushed(): Promise<void> {
    this.#socket.write('PING\r\n');
    return new Promise((resolve) => this.#pongs.push(resolve));
  }

  /** Subscribes; the receiver must not wait. */
  subscribe(subject: string, receive: (frame: Frame) => void): void {
    this.#receivers.set(++this.#lastSid, receive);
    this.#socket.write(`SUB ${subject} ${this.#lastSid}\r\n`);
  }

  write(lines: string): void {
    this.#socket.write(lines);
  }

  request(subject: string, payload = ''): Promise<Frame> {
    const inbox = `${this.#inbox}.${++this.#lastRequest}`;
    this.#socket.write(`PUB ${subject} ${inbox} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`);
    return new Promise((resolve) =>
      this.#answers.set(inbox, (frame) => {
        this.#answers.delete(inbox);
        resolve(frame);
      }),
    );
  }

  /** A request of the JetStream API, an error answer being an error. */
  async api(subject: string, document: unknown = {}): Promise<Record<string, unknown>> {
    const { payload } = await this.request(`$JS.API.${subject}`, JSON.stringify(document));
    const answer = JSON.parse(payload.toString()) as Record<string, unknown>;
    if (answer['error'] !== undefined) throw new Error(`${subject}: ${JSON.stringify(answer['error'])}`);
    return answer;
  }

  /** Runs `count` requests, so many under way at a time. */
  async each(count: number, under: number, work: (index: number) => Promise<unknown>): Promise<void> {
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < count) await work(next++);
    };
    await Promise.all(Array.from({ length: under }, lane));
  }

  end(): void {
    this.#socket.destroy();
  }
}
