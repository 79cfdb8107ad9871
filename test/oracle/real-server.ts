/**
 * nats-server itself, where it is installed, to hold the oracle against.
 *
 * The oracle is only worth something while it is right. These helpers start the real thing on a port of its own choosing
 * and talk to it over plain sockets, byte for byte.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, watch, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { toBytes, toText } from './bytes.ts';

export function findNatsServer(): string | null {
  const named = process.env['NATS_SERVER'];
  const places = [...(process.env['PATH'] ?? '').split(delimiter), join(homedir(), 'go', 'bin')].map((dir) =>
    join(dir, 'nats-server'),
  );
  return [...(named === undefined ? [] : [named]), ...places].find((path) => existsSync(path)) ?? null;
}

export interface RealServer {
  readonly port: number;
  stop(): Promise<void>;
}

async function clientPort(directory: string): Promise<number> {
  const abort = new AbortController();
  const changes = watch(directory, { signal: abort.signal });
  const look = async (): Promise<number | null> => {
    const name = (await readdir(directory)).find((file) => file.endsWith('.ports'));
    if (name === undefined) return null;
    const text = await readFile(join(directory, name), 'utf8');
    const url = /nats:\/\/[^"]*:(\d+)/.exec(text)?.[1];
    return url === undefined ? null : Number(url);
  };
  const first = await look();
  if (first !== null) return first;
  for await (const _ of changes) {
    const port = await look();
    if (port === null) continue;
    abort.abort();
    return port;
  }
  throw new Error('nats-server wrote no ports file');
}

export async function startRealServer(binary: string, config: string): Promise<RealServer> {
  const directory = await mkdtemp(join(tmpdir(), 'oracle-'));
  await writeFile(join(directory, 'server.conf'), config);
  const args = ['-a', '127.0.0.1', '-p', '-1', '-c', join(directory, 'server.conf'), '--ports_file_dir', directory];
  const child: ChildProcess = spawn(binary, args, { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const port = await clientPort(directory);
  return {
    port,
    async stop() {
      child.kill('SIGKILL');
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A server that is silent for so long will not answer any more. */
const GIVE_UP_MS = 10_000;

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
    }, GIVE_UP_MS);
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
