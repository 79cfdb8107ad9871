// The log in a syslog: of another machine over UDP or TCP, or of this one. Node has no datagrams of UNIX sockets, which is how most syslogs of
// this machine are spoken to, so here a stream socket is looked for in the same places, and then systemd-journald's, which hands on to a syslog.
// Kept true: opening settles when lines can be sent, or says in one line why not; once open nothing that happens to the connection reaches the
// server, lines that could not be sent are counted, and the count is the first line of the next connection.

import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import type { NetConnectOpts, Socket } from 'node:net';
import { hostname } from 'node:os';
import type { LogLevel } from '../lib/log-line.ts';
import { journalPreamble, parseSyslogAddress, syslogLine } from '../lib/syslog-line.ts';
import type { SyslogAddress, SyslogForm, SyslogSender } from '../lib/syslog-line.ts';

/** Where a syslog of this machine listens, and where journald does. */
export interface LocalSyslogs {
  readonly paths: readonly string[];
  readonly journal: string;
}

const localSyslogs: LocalSyslogs = {
  paths: ['/dev/log', '/var/run/syslog', '/var/run/log'],
  journal: '/run/systemd/journal/stdout',
};

const MOST_WAITING_BYTES = 8 * 1024 * 1024;
const RECONNECT_MS = 250;

/** Takes whole lines; false when one could not be sent. */
interface Carrier {
  write(line: string): boolean;
  close(): void;
}

/** One stream, made again when it breaks. */
class StreamCarrier implements Carrier {
  readonly #to: NetConnectOpts;
  readonly #preamble: string;
  #socket: Socket | undefined;
  #triedMs = 0;

  private constructor(to: NetConnectOpts, preamble: string) {
    this.#to = to;
    this.#preamble = preamble;
  }

  static async open(to: NetConnectOpts, preamble = ''): Promise<StreamCarrier> {
    const carrier = new StreamCarrier(to, preamble);
    const socket = carrier.#connect();
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return carrier;
  }

  #connect(): Socket {
    const socket = connect(this.#to);
    this.#triedMs = performance.now();
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
    });
    socket.resume();
    socket.unref();
    if (this.#preamble !== '') socket.write(this.#preamble);
    return socket;
  }

  write(line: string): boolean {
    if (this.#socket === undefined && performance.now() - this.#triedMs < RECONNECT_MS) return false;
    const socket = this.#socket ?? this.#connect();
    if (!socket.writable || socket.writableLength > MOST_WAITING_BYTES) return false;
    socket.write(line);
    return true;
  }

  close(): void {
    this.#socket?.end();
  }
}

async function openDatagrams({ host, port }: SyslogAddress): Promise<Carrier> {
  const { address, family } = await lookup(host);
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  // Nobody listening, or a line too long: as with any datagram, nobody hears of it.
  socket.on('error', () => undefined);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.connect(port, address, resolve);
  });
  socket.unref();
  return {
    write(line) {
      socket.send(Buffer.from(line), () => undefined);
      return true;
    },
    close: () => socket.close(),
  };
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}

/** Throws in one line, with what to do. */
async function openLocal({ paths, journal }: LocalSyslogs, tag: string): Promise<{ carrier: Carrier; form: SyslogForm }> {
  let datagrams: string | undefined;
  for (const path of paths) {
    try {
      return { carrier: await StreamCarrier.open({ path }), form: 'local' };
    } catch (error) {
      if (codeOf(error) === 'EPROTOTYPE') datagrams ??= path;
    }
  }
  try {
    return { carrier: await StreamCarrier.open({ path: journal }, journalPreamble(tag)), form: 'journal' };
  } catch {
    const why =
      datagrams === undefined
        ? 'Unix syslog delivery error'
        : `${datagrams} takes datagrams only, which Node cannot send: let the syslog listen on UDP and set remote_syslog`;
    throw new Error(`error connecting to syslog: ${JSON.stringify(why)}`);
  }
}

async function openRemote(address: SyslogAddress): Promise<Carrier> {
  const { network, path, host, port } = address;
  try {
    if (network === 'udp') return await openDatagrams(address);
    return await StreamCarrier.open(network === 'unix' ? { path } : { host, port });
  } catch (error) {
    throw new Error(`error connecting to syslog: ${JSON.stringify((error as Error).message || codeOf(error))}`);
  }
}

export class Syslog {
  readonly #carrier: Carrier;
  readonly #form: SyslogForm;
  readonly #sender: SyslogSender;
  #dropped = 0;

  private constructor(carrier: Carrier, form: SyslogForm, sender: SyslogSender) {
    this.#carrier = carrier;
    this.#form = form;
    this.#sender = sender;
  }

  /** `remote` as the configuration has it; empty: the syslog of this machine. Rejects with one line that says what is wrong. */
  static async open(remote: string, tag: string, local = localSyslogs): Promise<Syslog> {
    const sender = { host: hostname() || 'localhost', tag, pid: process.pid };
    if (remote === '') {
      const { carrier, form } = await openLocal(local, tag);
      return new Syslog(carrier, form, sender);
    }
    const address = parseSyslogAddress(remote);
    return new Syslog(await openRemote(address), address.network === 'unix' ? 'local' : 'remote', sender);
  }

  send(level: LogLevel, text: string): void {
    if (this.#dropped > 0 && this.#write('warn', `${this.#dropped} log lines were dropped, the syslog did not take them`)) {
      this.#dropped = 0;
    }
    if (!this.#write(level, text)) this.#dropped++;
  }

  #write(level: LogLevel, text: string): boolean {
    return this.#carrier.write(syslogLine(this.#form, this.#sender, level, text, new Date()));
  }

  close(): void {
    this.#carrier.close();
  }
}
