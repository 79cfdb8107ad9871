/**
 * A plain socket to a real server, to hold the oracle against nats-server byte for byte: the oracle is only worth something while it is right.
 */
import net from 'node:net';
import { patienceMs } from '../support/patience.ts';
import { toBytes, toText } from './bytes.ts';

/** A server that is silent for so long will not answer any more. */
/** One raw connection: everything it received except INFO lines, and ways to wait for more. */
export class RawConnection {
  received = '';
  closed = false;
  private readonly socket: net.Socket;
  private readonly waiting = new Set<() => void>();

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      this.received += toText(bytes);
      this.wake();
    });
    socket.on('close', () => {
      this.closed = true;
      this.wake();
    });
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: false });
    const connection = new RawConnection(socket);
    await connection.until(() => connection.received.includes('\r\n'));
    return connection;
  }

  /** What came, without the INFO lines. */
  get answers(): string {
    return this.received.replaceAll(/INFO \{[^\n]*\}\s*\r\n/g, '');
  }

  send(text: string): void {
    if (!this.closed) this.socket.write(toBytes(text));
  }

  /** Resolves when the condition holds or the connection is closed; rejects with what came when neither does. */
  async until(condition: () => boolean): Promise<void> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.wake();
    }, patienceMs);
    try {
      while (!condition() && !this.closed) {
        if (isLate) throw new Error(`the server neither answers nor closes; what came: ${JSON.stringify(this.received)}`);
        await new Promise<void>((resolve) => this.waiting.add(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Half-closes and waits for the server to close too. */
  async end(): Promise<void> {
    this.socket.end();
    await this.until(() => false);
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}
